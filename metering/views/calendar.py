"""The calendar of a year (`charts.year_chart`): weeks across, weekdays down; the other way round for telephones."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from typing import Final

from contract.units import MS_PER_HOUR, bounds_text, hours_text, share_text
from metering.views import style
from metering.views.inputs import DayHours
from metering.views.style import Row, Spec, layer, pixel, tooltip
from metering.views.words import Lang, pick

ENOUGH_PCT: Final = 95
"""Below this coverage a day is marked. Source: domain.md 4, rule 10 (`min_coverage`)."""
_LEVELS_H: Final = (0, 2, 4, 8, 16, 24)
_INKS: Final = ("#d5dade", "#b3dfd0", "#77c3a8", "#3aa37f", "#0b7d5d", "#004f3a")
_NO_DATA_INK: Final = "#ffffff00"
_CELL: Final = 0.88
"""How much of its place a cell fills."""
_WIDE_CELL_PX: Final = 17
_NARROW_CELL_PX: Final = 15
_MONTHS_PX: Final = 18
_WEEKDAYS: Final = (
    ("一", "Mon"), ("二", "Tue"), ("三", "Wed"), ("四", "Thu"), ("五", "Fri"), ("六", "Sat"), ("日", "Sun"),
)  # fmt: skip
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_TEXTS: Final = {
    "title": ("{year} 年每日有效机时", "Effective hours a day, {year}"),
    "sums": (
        "合计 {point} h {bounds}，覆盖率 {coverage}。圆点：当日覆盖率低于 95 %；斜线：无数据",
        "Total {point} h {bounds}, coverage {coverage}. Dot: coverage below 95 %; slash: no data",
    ),
    "sums-narrow": ("合计 {point} h {bounds}", "Total {point} h {bounds}"),
    "marks-narrow": ("覆盖率 {coverage}；圆点：低于 95 %", "Coverage {coverage}; dot: below 95 %"),
    "no-data": ("无数据", "no data"),
    "zero": ("0 h", "0 h"),
    "day": ("日期", "day"),
    "hours": ("有效机时", "effective"),
    "coverage": ("数据覆盖率", "coverage"),
}


def chart(year: int, days: Sequence[DayHours], lang: Lang, *, width_px: int | None, narrow: bool) -> Spec:
    """See `charts.year_chart`."""
    checked(days)
    drawing = _Calendar(year, days, lang, narrow=narrow)
    layers = [*drawing.labels(), *drawing.cells(), *drawing.marks()]
    size = {"width": "container" if width_px is None else width_px, "height": drawing.height_px}
    return style.chart(layers, drawing.title(), size, narrow=narrow)


def checked(days: Iterable[DayHours]) -> None:
    """Look at the links.

    Raises:
        ValueError: one leaves the site: a chart must not send its reader elsewhere.
    """
    for one in days:
        # Browsers take a backslash for a slash, and a scheme needs a colon.
        if one.href and (one.href[:2] in ("//", "/\\") or one.href[0] not in "/?#."):
            raise ValueError(f"{one.href!r} is no link within the site")


def told(one: DayHours, lang: Lang) -> dict[str, str]:
    """What is shown where one points at a day."""
    hours = f"{hours_text(one.point_ms)} h {bounds_text(one.low_ms, one.high_ms)}"
    if one.is_unknown:
        hours = f"{pick(_TEXTS['no-data'], lang)} {bounds_text(one.low_ms, one.high_ms)}"
    return {"day": one.day.isoformat(), "hours": hours, "coverage": coverage_text([one])}


def coverage_text(days: Sequence[DayHours]) -> str:
    """Share of the time that is not unknown; 0.00 % of no days."""
    length = sum(one.length_ms for one in days)
    return share_text(length - sum(one.unknown_ms for one in days), length or 1)


def titles(lang: Lang) -> list[Spec]:
    """The fields of `told` under titles."""
    return tooltip(**{name: pick(_TEXTS[name], lang) for name in ("day", "hours", "coverage")})


def linked(rows: Sequence[Row], mark: Spec, encoding: Spec) -> Iterator[Spec]:
    """Rows with a link, and rows without: an empty link would lead to the page itself."""
    yield layer(mark, [row for row in rows if not row["href"]], **encoding)
    href = {"field": "href", "type": "nominal"}
    yield layer({**mark, "cursor": "pointer"}, [row for row in rows if row["href"]], **encoding, href=href)


class _Calendar:
    """Makes the layers. A place is (week, weekday); on telephones weekday goes across."""

    def __init__(self, year: int, days: Sequence[DayHours], lang: Lang, *, narrow: bool) -> None:
        self._year, self._lang, self._narrow = year, lang, narrow
        self._given = {one.day: one for one in days if one.day.year == year}
        self._first_weekday = date(year, 1, 1).weekday()
        # On a telephone weeks that have not come yet would only be scrolled over.
        last = max(self._given, default=date(year, 1, 1)) if narrow else date(year, 12, 31)
        weeks = (self._first_weekday + (last - date(year, 1, 1)).days) // 7 + 1
        self._months = [date(year, month, 1) for month in range(1, last.month + 1)]
        self._cell_px = _NARROW_CELL_PX if narrow else _WIDE_CELL_PX
        self.height_px = _MONTHS_PX + self._cell_px * (weeks if narrow else 7)
        domain = [-1.0, 7] if narrow else [-1.6, weeks]
        self._x = {"field": "x", "type": "quantitative", "axis": None, "scale": {"domain": domain, "nice": False}}

    def title(self) -> Spec:
        """Year and sums."""
        days = [self._of(day) for day in self._days()]
        low, point, high = (sum(getattr(one, f"{name}_ms") for one in days) for name in ("low", "point", "high"))
        facts = {"point": hours_text(point), "bounds": bounds_text(low, high), "coverage": coverage_text(days)}
        names = ("sums-narrow", "marks-narrow") if self._narrow else ("sums",)
        lines = [pick(_TEXTS[name], self._lang).format_map(facts) for name in names]
        return {"text": pick(_TEXTS["title"], self._lang).format(year=self._year), "subtitle": lines}

    def labels(self) -> Iterator[Spec]:
        """Months and weekdays."""
        months = [
            self._label(first, pick((f"{first.month}月", _MONTHS[first.month - 1]), self._lang))
            for first in self._months
        ]
        weekdays = [
            {"x": number + _CELL / 2, "y": _MONTHS_PX - 9, "text": pick(names, self._lang)}
            if self._narrow
            else {"x": -0.25, "y": _MONTHS_PX + (number + _CELL / 2) * self._cell_px, "text": pick(names, self._lang)}
            for number, names in enumerate(_WEEKDAYS)
        ]
        text = {"field": "text", "type": "nominal"}
        beside = {"type": "text", "align": "right", "baseline": "middle"}
        above = {"type": "text", "align": "center" if self._narrow else "left", "baseline": "middle"}
        down, across = (months, weekdays) if self._narrow else (weekdays, months)
        yield layer(beside, down, x=self._x, y=pixel("y"), text=text)
        yield layer(above, across, x=self._x, y=pixel("y"), text=text)

    def _label(self, first: date, text: str) -> Row:
        bar = self._bar(first)
        if self._narrow:
            return {"x": -0.15, "y": (bar["y"] + bar["y2"]) / 2, "text": text}
        # A month is named over its first whole week.
        return {"x": bar["x"] + (1 if first.weekday() else 0), "y": _MONTHS_PX - 9, "text": text}

    def cells(self) -> Iterator[Spec]:
        """One for each day up to the last one given."""
        rows = [self._row(self._of(day)) for day in self._days()]
        names = [_level_name(place, self._lang) for place in range(len(_LEVELS_H))]
        scale = style.colours([*names, pick(_TEXTS["no-data"], self._lang)], [*_INKS, _NO_DATA_INK])
        legend = {"title": None, "orient": "bottom", "direction": "horizontal", "columns": 4 if self._narrow else 7,
                  "symbolStrokeColor": style.GAP, "symbolStrokeWidth": 0.7}  # fmt: skip
        encoding = {
            "x": self._x, "x2": {"field": "x2"}, "y": pixel("y"), "y2": pixel("y2"),
            "fill": {"field": "level", "type": "nominal", "scale": scale, "legend": legend},
            "tooltip": titles(self._lang),
        }  # fmt: skip
        mark = {"type": "rect", "stroke": style.GAP, "strokeWidth": 0.5, "cornerRadius": 2}
        yield from linked(rows, mark, encoding)

    def marks(self) -> Iterator[Spec]:
        """A slash through what is unknown, a dot in what is known in part."""
        days = [self._of(day) for day in self._days()]
        slashes = [self._bar(one.day) for one in days if one.is_unknown]
        rule = {"type": "rule", "color": style.INK, "strokeWidth": 1}
        yield layer(rule, slashes, x=self._x, x2={"field": "x2"}, y=pixel("y2"), y2=pixel("y"))
        dots = [
            {"x": (bar["x"] + bar["x2"]) / 2, "y": (bar["y"] + bar["y2"]) / 2}
            for one in days
            if not one.is_unknown and 100 * one.unknown_ms > (100 - ENOUGH_PCT) * one.length_ms
            for bar in (self._bar(one.day),)
        ]
        point = {"type": "point", "filled": True, "color": "#d55e00", "size": 22, "opacity": 1}
        yield layer(point, dots, x=self._x, y=pixel("y"))

    def _days(self) -> Iterator[date]:
        last = max(self._given, default=None)
        day = date(self._year, 1, 1)
        while last and day <= last:
            yield day
            day += timedelta(days=1)

    def _of(self, day: date) -> DayHours:
        """A day; one that is missing is unknown, and may be anything up to a whole day."""
        length_ms = 24 * MS_PER_HOUR
        unknown = DayHours(day=day, low_ms=0, point_ms=0, high_ms=length_ms, unknown_ms=length_ms, length_ms=length_ms)
        return self._given.get(day, unknown)

    def _row(self, one: DayHours) -> Row:
        place = next((place for place, top_h in enumerate(_LEVELS_H) if one.point_ms <= top_h * MS_PER_HOUR), -1)
        level = pick(_TEXTS["no-data"], self._lang) if one.is_unknown else _level_name(place, self._lang)
        return {**self._bar(one.day), **told(one, self._lang), "level": level, "href": one.href}

    def _bar(self, day: date) -> dict[str, float]:
        week, weekday = divmod(self._first_weekday + (day - date(self._year, 1, 1)).days, 7)
        across, down = (weekday, week) if self._narrow else (week, weekday)
        top_px = _MONTHS_PX + down * self._cell_px
        return {"x": across, "x2": across + _CELL, "y": top_px, "y2": top_px + _CELL * self._cell_px}


def _level_name(place: int, lang: Lang) -> str:
    """Of a level of hours; the last one holds a day of 25 hours too."""
    if place == 0:
        return pick(_TEXTS["zero"], lang)
    place %= len(_LEVELS_H)
    return f"≤ {_LEVELS_H[place]} h" if place + 1 < len(_LEVELS_H) else f"> {_LEVELS_H[place - 1]} h"
