"""Vega-Lite specifications as plain dicts: a day, a year, a month. The same for a page and for a report.

Text stands in data values only, never in an expression; nothing is fetched, `$schema` is a name. Times are drawn as
seconds since the beginning of the chart and labelled by us, so neither the reader's zone nor a day of 23 or 25 hours
can shift them. Backgrounds are left open and inks are of middle lightness: light and dark pages both carry them.
Does not: render (`picture`), nor fetch what it draws (`inputs.day_of`, `inputs.days_of`).
"""

from collections.abc import Sequence
from typing import Any

from metering.views import calendar, day, month
from metering.views.inputs import Day, DayHours, Threshold, day_of, days_of
from metering.views.trace import Trace
from metering.views.words import Lang

__all__ = [
    "Day", "DayHours", "Lang", "Threshold", "Trace",
    "day_chart", "day_of", "days_of", "month_chart", "year_chart",
]  # fmt: skip


def day_chart(shown: Day, lang: Lang, *, width_px: int | None = None, narrow: bool = False) -> dict[str, Any]:
    """Power over a ribbon of states, credited time with its bounds, and bookings; gaps look like gaps.

    Args:
        shown: what `day_of` made.
        lang: of every label.
        width_px: of the plot; None lets the page decide (`container`).
        narrow: for telephones: fewer ticks, shorter labels.
    """
    return day.chart(shown, lang, width_px=width_px, narrow=narrow)


def year_chart(
    year: int, days: Sequence[DayHours], lang: Lang, *, width_px: int | None = None, narrow: bool = False
) -> dict[str, Any]:
    """A calendar of effective hours a day; a day of which nothing is known is told from a day of zero hours.

    Args:
        year: of the local calendar; days of other years are left out, days that are missing are unknown.
        days: each at most once, in any order (`days_of`).
        lang: of every label.
        width_px: of the plot; None lets the page decide.
        narrow: weekdays across and weeks down, for telephones.

    Raises:
        ValueError: a link leaves the site.
    """
    return calendar.chart(year, days, lang, width_px=width_px, narrow=narrow)


def month_chart(
    days: Sequence[DayHours], lang: Lang, *, width_px: int | None = None, narrow: bool = False
) -> dict[str, Any]:
    """Bars of effective hours a day with [low, high] whiskers, and coverage beneath.

    Args:
        days: of one month or any row of days, each at most once.
        lang: of every label.
        width_px: of the plot; None lets the page decide.
        narrow: for telephones.

    Raises:
        ValueError: a link leaves the site.
    """
    return month.chart(days, lang, width_px=width_px, narrow=narrow)
