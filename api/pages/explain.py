"""Why a span was credited or not: sentences, the picture, and the frames that speak of it, each to be had as bytes.

Does not: decide why (`metering.core.explain` tells what the rules did).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse

from api import reading
from api.auth import Account, Permission
from api.context import context
from api.edge import SeesResults
from api.live import Card
from api.pages import figures, language, pictures, place, shown
from api.pages.day import chart_of, sums_of
from api.pages.rendering import name_of, page
from api.pages.sums import Sum
from api.problems import ProblemError
from contract.ids import StreamId
from contract.states import Assurance
from metering.core.daily import Judged
from metering.core.explain import Stretch, explain
from metering.core.spans import Span, clip
from metering.views import charts, words
from metering.views.charts import Day
from metering.views.words import Lang, Told
from storage import registry
from storage.frames import Entry
from storage.pool import Connection

router = APIRouter()
From = Annotated[str | None, Query(alias="from")]

_FRAMES = 100
"""How many frames a page lists."""
_LATE_MS = 72 * 3_600_000
"""What arrived later is marked. Source: domain.md 5."""
_BESIDE_MS = 75 * 60_000
"""At least so much is drawn on either side of what is asked about."""
_STREAM_BYTES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A frame in the table.

    Attributes:
        delay_ms: from the last moment it speaks of until the collector heard it; None in a simulation.
        is_late: it came later than evidence should.
    """

    entry: Entry
    delay_ms: int | None
    is_late: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What is told of a span.

    Attributes:
        told: each stretch with its words, in order.
    """

    span: Span
    hours: Sum
    told: tuple[tuple[Stretch, Told], ...]
    parts: tuple[Judged, ...]


@router.get("/instruments/{name}/explain.svg")
def explain_picture(
    request: Request,
    name: str,
    account: SeesResults,
    from_: From = None,
    to: str | None = None,
) -> Response:
    """The picture of a span."""
    card = place.card_of(request, account, name)
    span = _past(place.span_of(from_, to), card)
    with context(request).judging(account.name) as connection:
        parts = _judged(connection, card, span)
    lang = Lang(language.chosen(request))
    return pictures.svg(charts.day_chart(_chart(parts, card, span, account), lang, width_px=pictures.WIDTH_PX))


@router.get("/instruments/{name}/explain")
def explain_page(
    request: Request,
    name: str,
    account: SeesResults,
    from_: From = None,
    to: str | None = None,
    after: str | None = None,
) -> HTMLResponse:
    """Why a span was credited or not."""
    card = place.card_of(request, account, name)
    span = _past(place.span_of(from_, to), card)
    spoken = language.chosen(request)
    frames: tuple[Frame, ...] = ()
    with context(request).judging(account.name) as connection:
        parts = _judged(connection, card, span)
        if account.may(Permission.EVIDENCE):
            frames = _frames(connection, card, span, _place(after))
    href = f"{place.explain_href(name, span).replace('/explain?', '/explain.svg?')}&lang={spoken}"
    texts = language.texts(spoken)
    zone = card.instrument.time_zone
    chart = texts("explain.chart", name=name_of(card.instrument, spoken), when=words.span_text(*span, ZoneInfo(zone)))
    first = shown.local(span[0], zone).date()
    return page(
        request,
        "explain.html",
        account,
        card=card,
        instrument=card.instrument,
        zone=zone,
        day=first,
        day_href=place.day_href(name, first),
        month_href=place.month_href(name, first),
        year_href=place.year_href(name, first.year),
        when=words.span_text(*span, ZoneInfo(zone)),
        view=_view(parts, span, card, Lang(spoken)),
        figure=figures.day_figure(_chart(parts, card, span, account), spoken, chart, href),
        frames=frames,
        more_href=_more(name, span, frames),
    )


def _past(span: Span, card: Card) -> Span:
    """The part of a span that has come.

    Raises:
        ProblemError: 404, nothing of it has.
    """
    now_ms = place.now_of(card)
    if span[0] >= now_ms:
        raise ProblemError.not_found("explanation of what is still to come")
    return span[0], min(span[1], now_ms)


def _judged(connection: Connection, card: Card, span: Span) -> tuple[Judged, ...]:
    return tuple(reading.judged(connection, card.instrument, span, Assurance.SIGNED))


def _view(parts: Sequence[Judged], span: Span, card: Card, lang: Lang) -> View:
    zone = ZoneInfo(card.instrument.time_zone)
    stretches = [each for one in parts for cut in clip((one.part.period,), span) for each in explain(one, cut)]
    return View(
        span=span,
        hours=sums_of(parts, span),
        told=tuple((each, words.tell(each, zone, lang)) for each in stretches),
        parts=tuple(one for one in parts if clip((one.part.period,), span)),
    )


def _chart(parts: Sequence[Judged], card: Card, span: Span, account: Account) -> Day:
    """The span with what lies beside it, inside the days that were judged and what has come of them."""
    beside_ms = max(_BESIDE_MS, (span[1] - span[0]) // 4)
    whole = parts[0].part.period[0], min(parts[-1].part.period[1], max(place.now_of(card), span[1]))
    period = max(span[0] - beside_ms, whole[0]), min(span[1] + beside_ms, whole[1])
    return chart_of(parts, card.instrument, period, account, span)


def _frames(connection: Connection, card: Card, span: Span, after: tuple[StreamId, int] | None) -> tuple[Frame, ...]:
    found = reading.evidence(connection, card.instrument, span, after, _FRAMES)
    if registry.simulation(connection):
        # Simulated time and the collector's do not measure each other.
        return tuple(Frame(entry=one, delay_ms=None, is_late=False) for one in found)
    delays = ((one, one.received_at_ms - one.end_ms) for one in found)
    return tuple(Frame(entry=one, delay_ms=delay_ms, is_late=delay_ms > _LATE_MS) for one, delay_ms in delays)


def _place(after: str | None) -> tuple[StreamId, int] | None:
    """`STREAM:SEQ` of an address.

    Raises:
        ProblemError: 400, it is no place in a stream.
    """
    if after is None:
        return None
    stream, _, seq = after.partition(":")
    try:
        found = StreamId(bytes.fromhex(stream)), int(seq)
    except ValueError:
        found = None
    if found is None or len(found[0]) != _STREAM_BYTES or not 0 <= found[1] < 1 << 63:
        raise ProblemError.out_of_range(language.texts(language.Language.EN)("wrong.after"))
    return found


def _more(name: str, span: Span, frames: Sequence[Frame]) -> str | None:
    if len(frames) < _FRAMES:
        return None
    last = frames[-1].entry
    return f"{place.explain_href(name, span)}&after={last.stream_id.hex()}:{last.seq}#evidence"
