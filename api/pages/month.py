"""A month of an instrument: a bar with its bounds for each day, and a table whose rows lead to the days.

Does not: judge anything: days come from standing statements.
"""

from datetime import timedelta

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from api.context import context
from api.edge import SeesResults
from api.live import Card
from api.pages import figures, language, pictures, place
from api.pages.rendering import name_of, page
from api.pages.sums import Days, days_between, linked
from api.problems import ProblemError
from contract.states import Assurance
from metering.views import charts
from metering.views.words import Lang

router = APIRouter()


@router.get("/instruments/{name}/month/{month}.svg")
def month_picture(
    request: Request,
    name: str,
    month: str,
    account: SeesResults,
) -> Response:
    """The picture of a month."""
    card = place.card_of(request, account, name)
    found = _days(request, card, month, Assurance.SIGNED)
    if not found.days:
        raise ProblemError.not_found(f"picture of {month}: that month is still to come")
    lang = Lang(language.chosen(request))
    return pictures.svg(charts.month_chart(found.days, lang, width_px=pictures.WIDTH_PX))


@router.get("/instruments/{name}/month/{month}")
def month_page(
    request: Request,
    name: str,
    month: str,
    account: SeesResults,
) -> HTMLResponse:
    """One month."""
    card = place.card_of(request, account, name)
    first, last = place.month_of(month)
    signed, telemetry = (_days(request, card, month, level) for level in (Assurance.SIGNED, Assurance.TELEMETRY))
    spoken = language.chosen(request)
    words = language.texts(spoken)("month.chart", name=name_of(card.instrument, spoken), month=month)
    href = f"/instruments/{name}/month/{month}.svg?lang={spoken}"
    later = last + timedelta(days=1)
    return page(
        request,
        "month.html",
        account,
        card=card,
        instrument=card.instrument,
        month=month,
        now=place.now_of(card),
        found=signed,
        telemetry=telemetry if telemetry.statements and telemetry.sum.point_ms != signed.sum.point_ms else None,
        figure=figures.month_figure(signed.days, spoken, words, href) if signed.days else None,
        year_href=place.year_href(name, first.year),
        earlier=place.month_href(name, first - timedelta(days=1)),
        later=place.month_href(name, later) if later <= place.today_of(card) else None,
    )


def _days(request: Request, card: Card, month: str, level: Assurance) -> Days:
    with context(request).readers.reading() as connection:
        found = days_between(connection, card.instrument, place.month_of(month), level, place.now_of(card))
    return linked(found, card.instrument.instrument)
