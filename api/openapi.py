"""The api's description: what FastAPI found, and what holds for every route (keys, problem documents)."""

from typing import Any, Final

from fastapi import FastAPI

from api.auth import COOKIE
from api.problems import MEDIA_TYPE, Problem

_PUBLIC: Final = {"/api/v1/health"}
_PROBLEMS: Final = {
    "400": "Well formed, and yet not answered: no such moment, or too long a period.",
    "401": "No key, or one that opens nothing.",
    "403": "The key's role has no permission for this.",
    "404": "Not there, or not there for this key.",
    "422": "The request breaks this description.",
    "429": "The key asks for too much judging at once; ask again.",
    "503": "The database does not answer, or too much is being judged; ask again.",
}
_ABOUT: Final = """Verified machine-hours of shared instruments, read only.

Send a key as `Authorization: Bearer jishi_...`. Times are RFC 3339 with an offset, periods half-open. Hours stand as
`_h`, to be read, and as `_ms`, exact. What is not known is null or UNKNOWN, never 0. Errors are RFC 9457 problem
documents that say what to do."""


class Application(FastAPI):
    """FastAPI, with a description that is true of every route, and no pages of its own that load foreign scripts."""

    def __init__(self, **settings: Any) -> None:  # noqa: ANN401 - FastAPI's own
        super().__init__(
            title="jishi 机时",
            version="1",
            description=_ABOUT,
            openapi_url=None,
            docs_url=None,
            redoc_url=None,
            **settings,
        )

    def openapi(self) -> dict[str, Any]:
        """The description, made once."""
        if self.openapi_schema is None:
            self.openapi_schema = _completed(super().openapi())
        return self.openapi_schema


def _completed(found: dict[str, Any]) -> dict[str, Any]:
    parts = found.setdefault("components", {})
    for name in ("HTTPValidationError", "ValidationError"):
        parts.get("schemas", {}).pop(name, None)
    parts.setdefault("schemas", {})["Problem"] = Problem.model_json_schema()
    parts["securitySchemes"] = {
        "key": {"type": "http", "scheme": "bearer", "description": "For programs."},
        "cookie": {"type": "apiKey", "in": "cookie", "name": COOKIE, "description": "For pages; set by /login."},
    }
    for path, methods in found["paths"].items():
        for operation in methods.values():
            _complete(operation, public=path in _PUBLIC)
    return found


def _complete(operation: dict[str, Any], *, public: bool) -> None:
    told = {"422", "503"} if public else set(_PROBLEMS)
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    operation["responses"].pop("422", None)
    for status in sorted(told - operation["responses"].keys()):
        operation["responses"][status] = {"description": _PROBLEMS[status], "content": content}
    operation["security"] = [] if public else [{"key": []}, {"cookie": []}]
