"""Key → account → what it may see. Roles are the table `GRANTS` and nothing else.

A program sends `Authorization: Bearer KEY`, a page the cookie `jishi_key`. Whoever may not see an instrument is told
that there is none: its existence is the unit's business. Keys are never logged and never stored here.

For pages: `Depends(account)` or `Depends(needs(Permission.X))` gives the account; both raise `ProblemError`, which the
application answers (outside /api: 401 becomes a redirect to /login). `identify` checks a key typed at /login,
`remember` and `forget` set and drop the cookie.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from fastapi import Request, Response

from api.context import Context, context
from api.problems import ProblemError
from contract import clock
from contract.ids import UnitId
from storage import accounts
from storage.accounts import Role

COOKIE: Final = "jishi_key"
_COOKIE_S: Final = 12 * 3_600
"""A browser forgets the key after a working day, whatever its expiry."""
_MAX_KEY: Final = 100


class Permission(StrEnum):
    """What there is to see."""

    LIVE = "live"
    """Registry facts of instruments and what they do at this moment."""
    RESULTS = "results"
    """Statements, hours, intervals, states and their explanation."""
    TRACES = "traces"
    """Samples of power: they show how a laboratory works."""
    EVIDENCE = "evidence"
    """Frames: what the gateways signed, byte for byte."""
    HEALTH = "health"
    """Counters, custody and lag."""
    METRICS = "metrics"
    """The same for a monitoring system, and latencies of the api."""


GRANTS: Final[Mapping[Role, frozenset[Permission]]] = {
    Role.LAB: frozenset({Permission.LIVE, Permission.RESULTS, Permission.TRACES, Permission.EVIDENCE}),
    Role.EVALUATOR: frozenset({Permission.LIVE, Permission.RESULTS}),
    Role.AUDITOR: frozenset(Permission),
    Role.OPERATOR: frozenset({Permission.LIVE, Permission.HEALTH, Permission.METRICS}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Who asks.

    Attributes:
        unit: the managing unit it is bound to; None: all of them.
    """

    name: str
    role: Role
    unit: UnitId | None

    def may(self, permission: Permission) -> bool:
        """Whether its role has a permission."""
        return permission in GRANTS[self.role]

    def sees(self, unit: UnitId) -> bool:
        """Whether what belongs to a managing unit is there for it at all."""
        return self.unit is None or self.unit == unit


def account(request: Request) -> Account:
    """The account of a request's key (a FastAPI dependency).

    Raises:
        ProblemError: 401, no key, or one that is wrong, expired or revoked.
        StorageError: the database failed.
    """
    key = key_of(request)
    if key is None:
        raise ProblemError.unauthorised("send a key: `Authorization: Bearer jishi_...`, or sign in at /login")
    found = identify(context(request), key)
    if found is None:
        raise ProblemError.unauthorised("this key opens nothing: it is wrong, expired or revoked; ask for another")
    return found


def needs(permission: Permission) -> Callable[[Request], Account]:
    """A dependency: the account of a request, if it has a permission.

    Raises (the dependency):
        ProblemError: 401 as `account`; 403 where the role lacks the permission.
    """

    def permitted(request: Request) -> Account:
        found = account(request)
        if not found.may(permission):
            raise ProblemError.forbidden(f"the role {found.role} has no permission `{permission}`: ask for another key")
        return found

    return permitted


def identify(within: Context, key: str) -> Account | None:
    """The account of a key that opens something at this moment; None: there is none.

    Raises:
        StorageError: the database failed.
    """
    if len(key) > _MAX_KEY:
        return None
    with within.reserved.reading() as connection:
        found = accounts.find(connection, key)
    if found is None or not found.opens(clock.utc_ms()):
        return None
    return Account(name=found.name, role=found.role, unit=found.unit)


def key_of(request: Request) -> str | None:
    """The key that a request carries; the header goes before the cookie."""
    header = request.headers.get("authorization")
    if header is None:
        return request.cookies.get(COOKIE)
    scheme, _, key = header.partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""


def remember(request: Request, response: Response, key: str) -> None:
    """Set the cookie of a page: unreadable for scripts, sent to nobody else, and by https only where there is https."""
    response.set_cookie(
        COOKIE, key, max_age=_COOKIE_S, path="/", httponly=True, samesite="strict", secure=is_https(request)
    )


def forget(request: Request, response: Response) -> None:
    """Drop the cookie."""
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict", secure=is_https(request))


def is_https(request: Request) -> bool:
    """Whether the person's browser speaks https, to us or to the proxy before us."""
    return context(request).config.https or request.url.scheme == "https"
