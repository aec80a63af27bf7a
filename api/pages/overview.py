"""The overview: every instrument the account sees, what it does now, its hours today and this month.

Does not: judge anything: hours come from standing statements, live states from the board.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from api import reading
from api.auth import Account, Permission
from api.context import Context, context
from api.edge import SeesLive
from api.live import Card
from api.pages import place, shown
from api.pages.rendering import page
from api.pages.sums import Days, Sum, days_between
from contract.states import Assurance, State
from metering.views.inputs import DayHours

router = APIRouter()

_BAR: Final = 6
"""Width of a day in the strip of a month, in units of its picture; a whole day is `_TALL` high."""
_TALL: Final = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A day in the strip of a month: offsets and heights in units of the picture, from its top left."""

    x: int
    high_y: float
    point_y: float
    is_unknown: bool
    has_begun: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """An instrument on the overview.

    Attributes:
        today, month: verified hours; None where the account may not see hours.
        telemetry: hours of the month at level L2 where they were stated and differ from the verified ones.
        month_name: `2025-03`, of its own zone.
        is_dark: nothing is known of the month at any level, and its last reading is older, on `last_day` if ever.
    """

    card: Card
    now_ms: int
    today: Sum | None
    month: Sum | None
    telemetry: Sum | None
    bars: tuple[Bar, ...]
    month_name: str
    is_dark: bool
    last_day: date | None


@router.get("/")
def overview(request: Request, account: SeesLive) -> HTMLResponse:
    """All instruments."""
    within = context(request)
    rows = _rows(within, account, reading.board(within, account))
    return page(
        request,
        "overview.html",
        account,
        rows=rows,
        total=Sum.of(row.month for row in rows if row.month and not row.is_dark),
        dark=sum(row.is_dark for row in rows),
        running=sum(row.card.live.state is State.RUNNING for row in rows),
        blind=sum(row.card.live.state is State.UNKNOWN for row in rows),
        zones=sorted({(row.card.instrument.time_zone, row.now_ms) for row in rows}, key=lambda zone: zone[0])[:1],
    )


def _rows(within: Context, account: Account, board: Sequence[Card]) -> list[Row]:
    if not account.may(Permission.RESULTS):
        return [_row(card, None, None) for card in board]
    rows = []
    with within.readers.reading() as connection:
        for card in board:
            now_ms = place.now_of(card)
            month = place.month_around(shown.local(now_ms, card.instrument.time_zone).date())
            found = [
                days_between(connection, card.instrument, month, level, now_ms)
                for level in (Assurance.SIGNED, Assurance.TELEMETRY)
            ]
            rows.append(_row(card, *found))
    return rows


def _row(card: Card, signed: Days | None, telemetry: Days | None) -> Row:
    now_ms = place.now_of(card)
    today = shown.local(now_ms, card.instrument.time_zone).date()
    differs = bool(signed and telemetry and telemetry.statements and telemetry.sum.point_ms != signed.sum.point_ms)
    last_ms = card.live.taken_at_ms
    last = None if last_ms is None else shown.local(last_ms, card.instrument.time_zone).date()
    is_blank = bool(signed and telemetry and signed.sum.is_unknown and telemetry.sum.is_unknown)
    return Row(
        card=card,
        now_ms=now_ms,
        today=Sum.of(signed.days[-1:]) if signed else None,
        month=signed.sum if signed else None,
        telemetry=telemetry.sum if telemetry and differs else None,
        bars=tuple(_bars(signed.days, place.month_around(today)[1])) if signed else (),
        month_name=f"{today:%Y-%m}",
        is_dark=is_blank and (last is None or last < today.replace(day=1)),
        last_day=last,
    )


def _bars(days: Sequence[DayHours], last: date) -> Iterable[Bar]:
    """The strip of a month; a day that has not begun has its place too."""
    hour_ms = 3_600_000
    for at in range(last.day):
        if at >= len(days):
            yield Bar(x=at * _BAR, high_y=_TALL, point_y=_TALL, is_unknown=False, has_begun=False)
            continue
        day = days[at]
        yield Bar(
            x=at * _BAR,
            high_y=round(max(_TALL - day.high_ms / hour_ms, 0), 2),
            point_y=round(max(_TALL - day.point_ms / hour_ms, 0), 2),
            is_unknown=day.is_unknown,
            has_begun=True,
        )
