"""What pages load: our style, scripts and icons, and Vega out of the installed package, made once.

Does not: fetch anything from another host.
"""

import gzip
import hashlib
import threading
from importlib.resources import as_file, files
from typing import Final

import vl_convert
from fastapi import FastAPI, Request, Response
from fastapi.staticfiles import StaticFiles

_SNIPPET: Final = "window.vegaEmbed = vegaEmbed;"
_CACHE: Final = "private, max-age=3600"


class Bundle:
    """A script that is made when it is first asked for, for any number of threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made: tuple[bytes, bytes, str] | None = None

    def answer(self, request: Request) -> Response:
        """The script, packed where that is understood; nothing but its name where the reader has it."""
        plain, packed, etag = self._make()
        headers = {"ETag": etag, "Cache-Control": _CACHE, "Vary": "Accept-Encoding"}
        if etag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        if "gzip" in request.headers.get("accept-encoding", ""):
            return Response(packed, media_type="text/javascript", headers=headers | {"Content-Encoding": "gzip"})
        return Response(plain, media_type="text/javascript", headers=headers)

    def _make(self) -> tuple[bytes, bytes, str]:
        with self._lock:
            if self._made is None:
                plain = vl_convert.javascript_bundle(_SNIPPET).encode()
                self._made = plain, gzip.compress(plain, mtime=0), f'"{hashlib.sha256(plain).hexdigest()[:32]}"'
            return self._made


def mount_static(app: FastAPI) -> None:
    """Serve `/static`: our files as they are, and `/static/vega.js`."""
    bundle = Bundle()

    def vega(request: Request) -> Response:
        return bundle.answer(request)

    app.add_api_route("/static/vega.js", vega, include_in_schema=False, response_model=None)
    with as_file(files("api.pages").joinpath("static")) as folder:
        app.mount("/static", StaticFiles(directory=folder), name="static")
