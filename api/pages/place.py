"""Where a page is: which instrument, which moment is now for it, which day, month or year was asked for.

Does not: show anything.
"""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Final

from fastapi import Request

from api import reading
from api.auth import Account
from api.context import context
from api.live import Card
from api.pages import language, shown
from api.pages.language import Language
from api.problems import ProblemError
from contract import clock
from contract.states import ClockState
from contract.units import parse_utc_ms, utc_text
from metering.core.spans import Span

_MONTH: Final = re.compile(r"(\d{4})-(\d{2})")
_YEARS: Final = range(1990, 2200)
_LONGEST_MS: Final = 2 * 86_400_000


def card_of(request: Request, account: Account, name: str) -> Card:
    """The instrument of a page; it takes a connection of its own for a moment.

    Raises:
        ProblemError: 404, there is none of that name for this account.
    """
    for card in reading.board(context(request), account):
        if card.instrument.instrument == name:
            return card
    raise ProblemError.not_found(f"instrument {name[:80]!r}")


def now_of(card: Card) -> int:
    """The moment an instrument is looked at, by the clock of its readings: in a simulation that is another day."""
    live = card.live
    if live.clock is not ClockState.SIMULATED or live.taken_at_ms is None or live.age_ms is None:
        return clock.utc_ms()
    return live.taken_at_ms + live.age_ms


def today_of(card: Card) -> date:
    """The local day of that moment."""
    return shown.local(now_of(card), card.instrument.time_zone).date()


def day_of(text: str | None, card: Card) -> date:
    """`2025-03-10`; today where nothing was said.

    Raises:
        ProblemError: 400, it is no day.
    """
    if text is None:
        return today_of(card)
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise _wrong("wrong.day") from None
    _check_year(found.year)
    return found


def month_of(text: str) -> tuple[date, date]:
    """The first and the last day of `2025-03`.

    Raises:
        ProblemError: 400, it is no month.
    """
    match = _MONTH.fullmatch(text)
    if not match or not 1 <= int(match[2]) <= 12:  # noqa: PLR2004 - months of a year
        raise _wrong("wrong.month")
    _check_year(int(match[1]))
    return month_around(date(int(match[1]), int(match[2]), 1))


def month_around(day: date) -> tuple[date, date]:
    """The first and the last day of the month of a day."""
    first = day.replace(day=1)
    return first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def year_of(text: str) -> int:
    """`2025`.

    Raises:
        ProblemError: 400, it is no year that anything was measured in.
    """
    if not text.isascii() or not text.isdigit() or len(text) > len("2025"):
        raise _wrong("wrong.year")
    _check_year(int(text))
    return int(text)


def span_of(from_text: str | None, to_text: str | None) -> Span:
    """`from` and `to` of an address, RFC 3339 with an offset, as UTC ms.

    Raises:
        ProblemError: 400, a time cannot be read, or the span is empty or longer than two days.
    """
    try:
        span = parse_utc_ms(from_text or ""), parse_utc_ms(to_text or "")
    except (ValueError, OverflowError):
        raise _wrong("wrong.times") from None
    if not 0 < span[1] - span[0] <= _LONGEST_MS or span[0] < _FIRST_MS:
        raise _wrong("wrong.span")
    return span


def day_href(name: str, day: date) -> str:
    """The page of a day."""
    return f"/instruments/{name}?day={day.isoformat()}"


def month_href(name: str, day: date) -> str:
    """The page of the month of a day."""
    return f"/instruments/{name}/month/{day:%Y-%m}"


def year_href(name: str, year: int) -> str:
    """The page of a year."""
    return f"/instruments/{name}/year/{year}"


def explain_href(name: str, span: Span) -> str:
    """The page that explains a span."""
    return f"/instruments/{name}/explain?from={utc_text(span[0])}&to={utc_text(span[1])}"


def _wrong(key: str) -> ProblemError:
    """In English, as every detail is; the page of the error says it in the reader's language."""
    return ProblemError.out_of_range(language.texts(Language.EN)(key))


def _check_year(year: int) -> None:
    if year not in _YEARS:
        raise _wrong("wrong.years")


_FIRST_MS: Final = round(datetime(_YEARS[0], 1, 1, tzinfo=UTC).timestamp() * 1000)
