"""Errors as RFC 9457 problem documents: each says in a sentence what to do.

Does not: tell a client anything of our insides; what failed here stands in the log.
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Self

from fastapi import Response
from pydantic import BaseModel, ConfigDict, Field

from contract.errors import JishiError

MEDIA_TYPE = "application/problem+json"


class Problem(BaseModel):
    """What went wrong and what to do (RFC 9457)."""

    model_config = ConfigDict(extra="forbid")

    type: str = Field(default="about:blank", description="Always about:blank: the status says it all.")
    title: str = Field(description="The status in words.", examples=["Not Found"])
    status: int = Field(description="The HTTP status.", examples=[404])
    detail: str = Field(description="What to do, in a sentence.", examples=["there is no instrument lc-9 for this key"])
    faults: list[str] = Field(
        default_factory=list, description="Every fault of the request, each beginning with where it is."
    )


class ProblemError(JishiError):
    """A request that cannot be answered as it is.

    Attributes:
        status: of HTTP.
        faults: one sentence each, beginning with where it is.
        headers: that the answer carries besides.
    """

    def __init__(
        self, status: int, detail: str, faults: Sequence[str] = (), headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status, self.detail, self.faults = status, detail, tuple(faults)
        self.headers = dict(headers or {})

    @classmethod
    def unauthorised(cls, detail: str) -> Self:
        """401: who asks is not known."""
        return cls(HTTPStatus.UNAUTHORIZED, detail, headers={"WWW-Authenticate": 'Bearer realm="jishi"'})

    @classmethod
    def forbidden(cls, detail: str) -> Self:
        """403: who asks is known, and may not see this."""
        return cls(HTTPStatus.FORBIDDEN, detail)

    @classmethod
    def not_found(cls, what: str) -> Self:
        """404: not there, or not there for this key."""
        return cls(HTTPStatus.NOT_FOUND, f"there is no {what} for this key")

    @classmethod
    def out_of_range(cls, detail: str, *faults: str) -> Self:
        """400: well formed, but no such question is answered."""
        return cls(HTTPStatus.BAD_REQUEST, detail, faults)


def answer(error: ProblemError) -> Response:
    """The problem document."""
    body = Problem(
        title=HTTPStatus(error.status).phrase, status=error.status, detail=error.detail, faults=list(error.faults)
    )
    return Response(body.model_dump_json(), error.status, headers=error.headers, media_type=MEDIA_TYPE)
