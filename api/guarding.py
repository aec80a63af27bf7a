"""Around every request: headers that browsers obey, one line in the log, one count; no long body, and no traceback.

The log line names the route by its template and holds no query and no header: keys and names never stand in it.
"""

import asyncio
from http import HTTPStatus
from typing import Final

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import pages
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
_MAX_BODY: Final = 4_096
"""Bytes: the only body that anyone reads is the form of /login, a key and an address."""

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
            heard = await _heard(scope, receive)
            if heard is None:
                await (await _shown(scope, _TOO_LONG))(scope, receive, guarded)
            else:
                await self._app(scope, heard, guarded)
        except Exception:  # noqa: BLE001 - the outermost edge of a request; it is logged and counted
            _log.exception("a request failed", route=_route(scope))
            if not status:
                await (await _shown(scope, _FAILED))(scope, receive, guarded)
        finally:
            self._note(scope, status, clock.elapsed_s() - began_s)

    def _note(self, scope: Scope, status: int, took_s: float) -> None:
        method = scope["method"] if scope["method"] in _METHODS else "OTHER"
        self._within.metrics.note(method, _route(scope), status, took_s)
        _log.info("request", method=method, route=_route(scope), status=status, took_ms=round(1000 * took_s))


_FAILED: Final = ProblemError(HTTPStatus.INTERNAL_SERVER_ERROR, "this is our fault: tell the operator when it happened")
_TOO_LONG: Final = ProblemError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"send a body of at most {_MAX_BODY} bytes")


async def _heard(scope: Scope, receive: Receive) -> Receive | None:
    """What the application receives: the body, read here before anything parses it; None: it is too long."""
    headers = Headers(scope=scope)
    length = headers.get("content-length", "")
    if not length and "transfer-encoding" not in headers:
        return receive
    if length.isdecimal() and int(length[:20]) > _MAX_BODY:
        return None
    messages: list[Message] = []
    total, more = 0, True
    while more:
        message = await receive()
        total += len(message.get("body", b""))
        if total > _MAX_BODY:
            return None
        messages.append(message)
        more = message.get("more_body", False)

    async def again() -> Message:
        return messages.pop(0) if messages else await receive()

    return again


async def _shown(scope: Scope, problem: ProblemError) -> ASGIApp:
    """A problem document, or a page where a person reads it."""
    if not scope["path"].startswith(DATA):
        try:
            # It looks the reader up: not in the event loop.
            return await asyncio.to_thread(pages.problem_page, Request(scope), problem.status, problem.detail)
        except Exception:  # noqa: BLE001 - what failed may be what a page is made with
            _log.exception("the page of an error failed")
    return answer(problem)


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
