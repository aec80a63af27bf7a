"""What comes in from outside, validated once: ids, times, periods, and no parameter that nobody knows.

What is no answerable question at all is 422 (it breaks the schema); what is well formed and yet not answered, such as a
period of ten years, is 400.
"""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, Path, Query, Request
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from pydantic import BeforeValidator, WithJsonSchema

from api.auth import Account, Permission, account, needs
from api.context import Context, connection, context
from api.problems import ProblemError
from contract.ids import ID_PATTERN
from contract.units import parse_utc_ms, utc_text
from metering.core.spans import Span
from storage.pool import Connection

_RFC_3339: Final = r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})"
_TIME: Final = re.compile(_RFC_3339)
_PLUS_LOST: Final = re.compile(_RFC_3339.replace("[+-]", " "))
_EARLIEST_MS: Final = 0
_LATEST_MS: Final = parse_utc_ms("9000-01-01T00:00:00Z")
"""No calendar arithmetic leaves the years that `datetime` knows."""
_DAY_MS: Final = 86_400_000
DATA: Final = "/api/"
"""Where programs ask; elsewhere people do."""
PREFIX: Final = "/api/v1"


def _utc_ms(text: object) -> int:
    if not isinstance(text, str) or not _TIME.fullmatch(text):
        if isinstance(text, str) and _PLUS_LOST.fullmatch(text):
            raise ValueError("in a query a + is written %2B: 2025-03-10T00:00:00%2B08:00")
        raise ValueError("write a time with its offset, such as 2025-03-10T00:00:00Z or 2025-03-10T00:00:00+08:00")
    try:
        at_ms = parse_utc_ms(text.upper())
    except (ValueError, OverflowError) as error:
        # Not a ValueError: by its form it is a time.
        raise ProblemError.out_of_range(f"there is no such moment: {text}") from error
    if not _EARLIEST_MS <= at_ms <= _LATEST_MS:
        raise ProblemError.out_of_range(f"{text} is outside the years 1970 to 9000")
    return at_ms


def _schema(example: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "format": "date-time", "examples": [example]})


From = Annotated[
    int,
    BeforeValidator(_utc_ms),
    _schema("2025-03-10T00:00:00+08:00"),
    Query(alias="from", description="Beginning, RFC 3339 with an offset; in a URL a + is written %2B."),
]
To = Annotated[
    int,
    BeforeValidator(_utc_ms),
    _schema("2025-03-11T00:00:00+08:00"),
    Query(alias="to", description="End, not included."),
]
Level = Annotated[
    int, Query(ge=2, le=3, description="Assurance: 3, verified (signed) hours; 2, every reading, signed or not.")
]
InstrumentName = Annotated[
    str, Path(pattern=f"^{ID_PATTERN}$", description="The instrument's id.", examples=["spectrometer-1"])
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """The period of a question, as FastAPI reads it from the query."""

    from_: From
    to: To

    def within(self, max_days: int) -> Span:
        """The period, if it is answered.

        Raises:
            ProblemError: 400, it ends before it begins, or is longer than is answered at once.
        """
        if self.from_ >= self.to:
            fault = f"to: {utc_text(self.to)} is not after {utc_text(self.from_)}"
            raise ProblemError.out_of_range("ask for a period that ends after it begins", fault)
        if self.to - self.from_ > max_days * _DAY_MS:
            fault = f"to: is more than {max_days} days after `from`"
            raise ProblemError.out_of_range(f"ask for at most {max_days} days at once", fault)
        return self.from_, self.to


def only_known(request: Request) -> None:
    """Refuse what a JSON route does not know: a parameter misspelt and ignored would answer another question.

    Pages ignore what they do not know: links of others may add to their addresses.

    Raises:
        RequestValidationError: 422, a query parameter that is unknown, or given twice.
    """
    if not request.url.path.startswith(DATA):
        return
    known = _query_names(request.scope["route"].dependant)
    counts = Counter(name for name, _ in request.query_params.multi_items())
    words = f"no parameter of this route; known are {', '.join(sorted(known)) or 'none'}"
    faults = [{"loc": ("query", name), "msg": words, "type": "unknown"} for name in counts if name not in known]
    faults += [{"loc": ("query", name), "msg": "given twice", "type": "twice"} for name in counts if counts[name] > 1]
    if faults:
        raise RequestValidationError(faults)


def _query_names(dependant: Dependant) -> set[str]:
    names = {param.alias for param in dependant.query_params}
    return names.union(*map(_query_names, dependant.dependencies))


def _known(request: Request) -> Account:
    """Any account, for a request that has no unknown parameter. Who asks comes first: strangers learn nothing."""
    found = account(request)
    only_known(request)
    return found


def _sees(permission: Permission) -> Callable[[Request], Account]:
    permitted = needs(permission)

    def seeing(request: Request) -> Account:
        found = permitted(request)
        only_known(request)
        return found

    return seeing


Asked = Annotated[Period, Depends()]
Shared = Annotated[Context, Depends(context)]
Reader = Annotated[Connection, Depends(connection)]
Known = Annotated[Account, Depends(_known)]
SeesLive = Annotated[Account, Depends(_sees(Permission.LIVE))]
SeesResults = Annotated[Account, Depends(_sees(Permission.RESULTS))]
SeesTraces = Annotated[Account, Depends(_sees(Permission.TRACES))]
SeesEvidence = Annotated[Account, Depends(_sees(Permission.EVIDENCE))]
SeesHealth = Annotated[Account, Depends(_sees(Permission.HEALTH))]
SeesMetrics = Annotated[Account, Depends(_sees(Permission.METRICS))]
