"""Signing in with a key, and out.

The key stands in the body of a form, never in an address: an address is kept in histories and logs. A link may carry it
in its fragment, which no browser sends (`static/login.js`).
"""

from http import HTTPStatus
from typing import Annotated, Final
from urllib.parse import urlsplit

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from api import auth
from api.context import context
from api.pages.rendering import page
from api.problems import ProblemError

router = APIRouter()

_OWN: Final = {None, "same-origin", "none"}
"""What browsers say of a form that is ours, or of what a person typed; programs say nothing."""


@router.get("/login")
def login_page(request: Request, next: str = "/") -> Response:  # noqa: A002 - the word of the address
    """The form."""
    return page(request, "login.html", None, fault=None, next=_inside(next))


@router.post("/login")
def sign_in(
    request: Request,
    key: Annotated[str, Form()] = "",
    next: Annotated[str, Form()] = "/",  # noqa: A002 - the word of the form
) -> Response:
    """Set the cookie and go on, or say what is wrong."""
    _check_origin(request)
    key = key.strip()
    if auth.identify(context(request), key) is None:
        fault = "login.wrong" if key else "login.empty"
        return page(request, "login.html", None, HTTPStatus.UNAUTHORIZED, fault=fault, next=_inside(next))
    found = RedirectResponse(_inside(next), HTTPStatus.SEE_OTHER)
    auth.remember(request, found, key)
    return found


@router.post("/logout")
def sign_out(request: Request) -> Response:
    """Drop the cookie."""
    _check_origin(request)
    found = RedirectResponse("/login", HTTPStatus.SEE_OTHER)
    auth.forget(request, found)
    return found


def _inside(address: str) -> str:
    r"""An address of this site, or its beginning: `//other.example` and `/\other.example` lead away."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return "/"
    is_inside = address.startswith("/") and not address.startswith(("//", "/\\")) and address.isprintable()
    return address if is_inside and not parts.netloc and not parts.scheme else "/"


def _check_origin(request: Request) -> None:
    """Refuse a form that another site sent.

    Raises:
        ProblemError: 403.
    """
    if request.headers.get("sec-fetch-site") not in _OWN:
        raise ProblemError.forbidden("another site sent this form: open /login here")
