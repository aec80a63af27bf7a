"""Around every request: headers that browsers obey, one line in the log, one count; and no traceback for a client.

The log line names the route by its template and holds no query and no header: keys and names never stand in it.
"""

from http import HTTPStatus
from typing import Final

import structlog
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.context import Context
from api.edge import DATA
from api.problems import ProblemError, answer
from contract import clock

_PAGE_POLICY: Final = (
    "default-src 'self'; script-src 'self' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'"
)
"""Vega compiles its expressions (`unsafe-eval`) and styles its own elements; no text of a user is in an expression."""
_DATA_POLICY: Final = "default-src 'none'; frame-ancestors 'none'"
_METHODS: Final = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
_STATIC: Final = "/static/"

_log = structlog.get_logger()


class Guarding:
    """ASGI middleware, the outermost of ours."""

    def __init__(self, app: ASGIApp, within: Context) -> None:
        self._app, self._within = app, within

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began_s, status = clock.elapsed_s(), 0

        async def guarded(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = int(message["status"])
                _secure(MutableHeaders(scope=message), scope["path"], https=self._within.config.https)
            await send(message)

        try:
            await self._app(scope, receive, guarded)
        except Exception:  # noqa: BLE001 - the outermost edge of a request; it is logged and counted
            _log.exception("a request failed", route=_route(scope))
            if not status:
                await _failed()(scope, receive, guarded)
        finally:
            self._note(scope, status, clock.elapsed_s() - began_s)

    def _note(self, scope: Scope, status: int, took_s: float) -> None:
        method = scope["method"] if scope["method"] in _METHODS else "OTHER"
        self._within.metrics.note(method, _route(scope), status, took_s)
        _log.info("request", method=method, route=_route(scope), status=status, took_ms=round(1000 * took_s))


def _failed() -> ASGIApp:
    return answer(
        ProblemError(HTTPStatus.INTERNAL_SERVER_ERROR, "this is our fault: tell the operator when it happened")
    )


def _route(scope: Scope) -> str:
    """The template of the route that answered; what nobody answers has one name, whatever was asked."""
    return str(getattr(scope.get("route"), "path_format", None) or "none")


def _secure(headers: MutableHeaders, path: str, *, https: bool) -> None:
    headers["Content-Security-Policy"] = _DATA_POLICY if path.startswith(DATA) else _PAGE_POLICY
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "no-referrer"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    headers.setdefault("Cache-Control", "no-cache" if path.startswith(_STATIC) else "no-store")
    if https:
        headers["Strict-Transport-Security"] = "max-age=31536000"
