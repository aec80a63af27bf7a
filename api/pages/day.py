"""A day of an instrument: its power, its states, what was credited, and which rule decided each stretch.

Does not: read hours from statements: a day is judged now, from the frames in the store.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from api import reading
from api.auth import Account, Permission
from api.context import context
from api.edge import SeesResults
from api.live import Card
from api.pages import figures, language, pictures, place
from api.pages.language import Language
from api.pages.rendering import name_of, page
from api.pages.sums import Sum
from api.problems import ProblemError
from api.reading import DayReading
from contract.registry import Instrument, PolicyVersion
from contract.states import Assurance, State
from contract.usage import Session
from metering.core import statement
from metering.core.daily import Judged
from metering.core.explain import Stretch, explain
from metering.core.spans import Span, clip
from metering.core.tally import tally
from metering.views import charts, words
from metering.views.charts import Day, Trace
from metering.views.words import Lang, Told
from storage.pool import Connection

router = APIRouter()


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A stretch of the table.

    Attributes:
        sessions: bookings and sign-ins that overlap it.
        href: where it is explained.
    """

    stretch: Stretch
    told: Told
    sessions: tuple[Session, ...]
    href: str


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A day as far as it has come.

    Attributes:
        period: from its beginning to its end, or to this moment.
        total: as `metering.core.statement.total`.
        telemetry: at level L2, where that counts more frames.
        policies: of its parts, in order; None where none was in force.
    """

    card: Card
    day: date
    period: Span
    is_over: bool
    total: dict[str, Any]
    hours: Sum
    telemetry: Sum | None
    found: DayReading
    policies: tuple[tuple[Span, PolicyVersion | None], ...]
    rows: tuple[Row, ...]

    @property
    def is_current(self) -> bool:
        """Whether the standing statements say what the evidence says now."""
        return {one.digest for one in self.found.statements} == {
            statement.digest(one.document) for one in self.found.parts
        }

    @property
    def provisional(self) -> bool:
        """Whether evidence may still come that changes it."""
        return any(one.document["provisional"] for one in self.found.parts)


@router.get("/instruments/{name}")
def day_page(
    request: Request,
    name: str,
    account: SeesResults,
    day: str | None = None,
) -> HTMLResponse:
    """One local day."""
    card = place.card_of(request, account, name)
    wanted = place.day_of(day, card)
    spoken = language.chosen(request)
    values: dict[str, Any] = {
        "card": card,
        "instrument": card.instrument,
        "zone": card.instrument.time_zone,
        "day": wanted,
    }
    values |= _around(card, wanted)
    if wanted > place.today_of(card):
        return page(request, "day.html", account, view=None, figure=None, **values)
    with context(request).judging(account.name) as connection:
        view = _view(connection, card, wanted, spoken)
    texts = language.texts(spoken)
    figure = figures.day_figure(
        chart_of(view.found.parts, card.instrument, view.period, account),
        spoken,
        texts("day.chart", name=name_of(card.instrument, spoken), day=wanted),
        f"/instruments/{name}/day.svg?day={wanted}&lang={spoken}",
    )
    return page(request, "day.html", account, view=view, figure=figure, **values)


@router.get("/instruments/{name}/day.svg")
def day_picture(
    request: Request,
    name: str,
    account: SeesResults,
    day: str | None = None,
) -> Response:
    """The picture of a day."""
    card = place.card_of(request, account, name)
    wanted = place.day_of(day, card)
    if wanted > place.today_of(card):
        raise ProblemError.not_found(f"picture of {wanted}: that day is still to come")
    with context(request).judging(account.name) as connection:
        found = reading.day(connection, card.instrument, wanted, Assurance.SIGNED)
    period = found.period[0], _until(card, found.period)
    shown = chart_of(found.parts, card.instrument, period, account)
    return pictures.svg(charts.day_chart(shown, Lang(language.chosen(request)), width_px=pictures.WIDTH_PX))


def chart_of(
    parts: Sequence[Judged], instrument: Instrument, period: Span, account: Account, mark: Span | None = None
) -> Day:
    """What the chart shows; without the trace of power for those who may not see it."""
    names = instrument.name_zh, instrument.name_en
    made = charts.day_of(parts, ZoneInfo(instrument.time_zone), names, period=period, mark=mark)
    return made if account.may(Permission.TRACES) else replace(made, trace=Trace(), thresholds=())


def sums_of(parts: Sequence[Judged], period: Span) -> Sum:
    """Hours of a period, as judged."""
    return _hours(total_of(parts, period))


def total_of(parts: Sequence[Judged], period: Span) -> dict[str, Any]:
    """As `metering.core.statement.total`."""
    cuts = [(one, cut) for one in parts for cut in clip((one.part.period,), period)]
    return statement.total([tally(one.measured, cut) for one, cut in cuts], period)


def _view(connection: Connection, card: Card, day: date, spoken: Language) -> View:
    found = reading.day(connection, card.instrument, day, Assurance.SIGNED)
    period = found.period[0], _until(card, found.period)
    total = total_of(found.parts, period)
    return View(
        card=card,
        day=day,
        period=period,
        is_over=period == found.period,
        total=total,
        hours=_hours(total),
        telemetry=_telemetry(connection, found, period),
        found=found,
        policies=tuple((one.part.period, one.part.policy) for one in found.parts),
        rows=tuple(_rows(found, period, Lang(spoken))),
    )


def _until(card: Card, period: Span) -> int:
    """The end of a day, or this moment, and at least a minute of it."""
    return max(min(period[1], place.now_of(card)), period[0] + 60_000)


def _hours(total: Mapping[str, Any]) -> Sum:
    states: Mapping[str, int] = total["states_ms"]
    return Sum(
        point_ms=total["effective_ms"],
        low_ms=total["effective_low_ms"],
        high_ms=total["effective_high_ms"],
        unknown_ms=states[State.UNKNOWN.name],
        length_ms=sum(states.values()),
    )


def _telemetry(connection: Connection, found: DayReading, period: Span) -> Sum | None:
    """The hours at level L2; None where no frame was left out for want of assurance, and they are the same."""
    if all(len(one.counted.links) == len(one.evidence.links) for one in found.parts):
        return None
    other = reading.day(connection, found.instrument, found.day, Assurance.TELEMETRY)
    hours = sums_of(other.parts, period)
    return hours if hours.point_ms != sums_of(found.parts, period).point_ms else None


def _rows(found: DayReading, period: Span, lang: Lang) -> Iterator[Row]:
    zone = ZoneInfo(found.instrument.time_zone)
    for one in found.parts:
        for cut in clip((one.part.period,), period):
            for stretch in explain(one, cut):
                yield Row(
                    stretch=stretch,
                    told=words.tell(stretch, zone, lang),
                    sessions=tuple(
                        each
                        for each in found.sessions
                        if each.start_ms < stretch.to_ms and each.end_ms > stretch.from_ms
                    ),
                    href=place.explain_href(found.instrument.instrument, (stretch.from_ms, stretch.to_ms)),
                )


def _around(card: Card, day: date) -> dict[str, Any]:
    """The days beside, and the way here."""
    name, following = card.instrument.instrument, day + timedelta(days=1)
    return {
        "card": card,
        "instrument": card.instrument,
        "zone": card.instrument.time_zone,
        "day": day,
        "earlier": place.day_href(name, day - timedelta(days=1)),
        "later": place.day_href(name, following) if following <= place.today_of(card) else None,
        "month_href": place.month_href(name, day),
        "year_href": place.year_href(name, day.year),
        "now": place.now_of(card),
    }
