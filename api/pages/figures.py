"""Charts in a page: the specification for a broad and a narrow screen, and the address of the same picture as SVG.

Does not: draw charts (`metering.views.charts`).
"""

from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from api.pages.language import Language
from api.pages.rendering import as_json
from metering.views import charts
from metering.views.charts import Day, DayHours
from metering.views.words import Lang


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A chart as a template shows it.

    Attributes:
        words: what it shows, for those who do not see it.
        picture_href: of the SVG.
        height_px: about how high it will be, so that nothing jumps.
        broad, narrow: specifications, escaped for a script block.
    """

    words: str
    picture_href: str
    height_px: int
    broad: Markup
    narrow: Markup


def day_figure(shown: Day, spoken: Language, words: str, picture_href: str) -> Figure:
    """A day, or a part of one."""
    broad, narrow = (charts.day_chart(shown, Lang(spoken), narrow=each) for each in (False, True))
    return _figure((broad, narrow), words, picture_href, 380 if shown.trace.time_ms else 200)


def month_figure(days: tuple[DayHours, ...], spoken: Language, words: str, picture_href: str) -> Figure:
    """A row of days."""
    broad, narrow = (charts.month_chart(days, Lang(spoken), narrow=each) for each in (False, True))
    return _figure((broad, narrow), words, picture_href, 300)


def year_figure(year: int, days: tuple[DayHours, ...], spoken: Language, words: str, picture_href: str) -> Figure:
    """A calendar."""
    broad, narrow = (charts.year_chart(year, days, Lang(spoken), narrow=each) for each in (False, True))
    return _figure((broad, narrow), words, picture_href, 200)


def _figure(made: tuple[dict[str, Any], dict[str, Any]], words: str, picture_href: str, height_px: int) -> Figure:
    return Figure(
        words=words,
        picture_href=picture_href,
        height_px=height_px,
        broad=as_json(made[0]),
        narrow=as_json(made[1]),
    )
