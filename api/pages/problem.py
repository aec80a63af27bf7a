"""Errors as pages, for people; programs get problem documents (`api.problems`).

Does not: tell anything of our insides.
"""

from http import HTTPStatus
from typing import Final
from urllib.parse import urlencode

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from api import auth
from api.auth import Account
from api.context import context
from api.pages import language
from api.pages.rendering import page
from contract.errors import JishiError

_TOLD: Final = {
    HTTPStatus.BAD_REQUEST, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.SERVICE_UNAVAILABLE,
}  # fmt: skip
"""Those that have words of their own; of the others the nearest is told."""


def problem_page(request: Request, status: int, detail: str = "") -> Response:
    """What a person sees of an error: 401 leads to the login and back, others say what to do.

    Args:
        request: that failed.
        status: of HTTP.
        detail: a sentence of ours for a request that was wrong; empty where the fault is not the reader's.
    """
    if status == HTTPStatus.UNAUTHORIZED:
        asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        query = urlencode({"next": asked}) if request.method == "GET" and asked != "/" else ""
        return RedirectResponse(f"/login?{query}".rstrip("?"), HTTPStatus.SEE_OTHER)
    is_ours = status >= HTTPStatus.INTERNAL_SERVER_ERROR
    told = status if status in _TOLD else HTTPStatus.INTERNAL_SERVER_ERROR if is_ours else HTTPStatus.BAD_REQUEST
    reader = None if is_ours else _reader(request)
    said = language.translated(detail, language.chosen(request))
    values = {"detail": "" if is_ours else said or detail, "is_foreign": said is None}
    return page(request, "problem.html", reader, status, code=status, told=int(told), **values)


def _reader(request: Request) -> Account | None:
    """Who reads it, where that can be found out without failing again."""
    key = auth.key_of(request)
    try:
        return auth.identify(context(request), key) if key else None
    except JishiError:
        return None
