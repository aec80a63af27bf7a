"""A year of an instrument: a calendar of hours, and a table whose rows lead to the months.

Does not: judge anything: days come from standing statements.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from api.context import context
from api.edge import SeesResults
from api.live import Card
from api.pages import figures, language, pictures, place
from api.pages.rendering import name_of, page
from api.pages.sums import Days, Sum, days_between, linked
from api.problems import ProblemError
from contract.states import Assurance
from metering.views import charts
from metering.views.words import Lang

router = APIRouter()


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """A row of the table.

    Attributes:
        external: per level of attribution, [low, high].
    """

    name: str
    href: str
    hours: Sum
    external: dict[str, tuple[int, int]]
    days: int


@router.get("/instruments/{name}/year/{year}.svg")
def year_picture(
    request: Request,
    name: str,
    year: str,
    account: SeesResults,
) -> Response:
    """The picture of a year."""
    card = place.card_of(request, account, name)
    number = place.year_of(year)
    found = _days(request, card, number)
    if not found.days:
        raise ProblemError.not_found(f"picture of {number}: that year is still to come")
    lang = Lang(language.chosen(request))
    return pictures.svg(charts.year_chart(number, found.days, lang, width_px=pictures.WIDTH_PX))


@router.get("/instruments/{name}/year/{year}")
def year_page(
    request: Request,
    name: str,
    year: str,
    account: SeesResults,
) -> HTMLResponse:
    """One year."""
    card = place.card_of(request, account, name)
    number = place.year_of(year)
    found = _days(request, card, number)
    spoken = language.chosen(request)
    words = language.texts(spoken)("year.chart", name=name_of(card.instrument, spoken), year=number)
    href = f"/instruments/{name}/year/{year}.svg?lang={spoken}"
    return page(
        request,
        "year.html",
        account,
        card=card,
        instrument=card.instrument,
        year=number,
        now=place.now_of(card),
        found=found,
        months=tuple(_months(card, found)),
        since=_since(found),
        figure=figures.year_figure(number, found.days, spoken, words, href) if found.days else None,
        earlier=place.year_href(name, number - 1),
        later=place.year_href(name, number + 1) if number < place.today_of(card).year else None,
    )


def _days(request: Request, card: Card, year: int) -> Days:
    within = date(year, 1, 1), date(year, 12, 31)
    with context(request).readers.reading() as connection:
        found = days_between(connection, card.instrument, within, Assurance.SIGNED, place.now_of(card))
    return linked(found, card.instrument.instrument)


def _since(found: Days) -> Days | None:
    """The days from the first on of which anything is known, where some before it are not."""
    for day in found.days:
        if not day.is_unknown:
            return found.between((day.day, found.days[-1].day)) if day != found.days[0] else None
    return None


def _months(card: Card, found: Days) -> Iterator[Month]:
    name = card.instrument.instrument
    for (year, month), days in groupby(found.days, lambda one: (one.day.year, one.day.month)):
        within = place.month_around(date(year, month, 1))
        part = found.between(within)
        yield Month(
            name=f"{year}-{month:02d}",
            href=place.month_href(name, within[0]),
            hours=Sum.of(days),
            external=part.external(),
            days=len({one.day for one in part.statements}),
        )
