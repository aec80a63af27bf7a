"""Bars of a row of days (`charts.month_chart`): what counts, what may count, and how much of each day is known."""

from collections.abc import Iterator, Sequence
from typing import Final

from contract.units import bounds_text, hours, hours_text
from metering.views import style
from metering.views.calendar import checked, coverage_text, linked, titles, told
from metering.views.inputs import DayHours
from metering.views.style import Row, Spec, layer, pixel
from metering.views.words import Lang, pick

_TOP_PX: Final = 20
_BARS_PX: Final = 190
_STRIP_PX: Final = (_BARS_PX + 30, _BARS_PX + 42)
_LABELS_PX: Final = _STRIP_PX[1] + 6
_LEAST_TOP_H: Final = 4
_TEXTS: Final = {
    "title": ("{first} 至 {last} 每日有效机时", "Effective hours a day, {first} to {last}"),
    "title-narrow": ("{first} 至 {last}", "{first} to {last}"),
    "sums": ("合计 {point} h {bounds}，覆盖率 {coverage}", "Total {point} h {bounds}, coverage {coverage}"),
    "hours": ("有效机时 (h)；细线为 [下界, 上界]", "Effective (h); whiskers are [low, high]"),
    "coverage": ("数据覆盖率", "Coverage"),
}


def chart(days: Sequence[DayHours], lang: Lang, *, width_px: int | None, narrow: bool) -> Spec:
    """See `charts.month_chart`."""
    checked(days)
    drawing = _Bars(sorted(days, key=lambda one: one.day), lang, narrow=narrow)
    size = {"width": "container" if width_px is None else width_px, "height": _LABELS_PX + 14}
    layers = [*drawing.bars(), *drawing.strip(), *drawing.labels(), *drawing.pointed_at()]
    return style.chart(layers, drawing.title(), size, narrow=narrow)


class _Bars:
    """Makes the layers; day number n stands in [n, n + 1)."""

    def __init__(self, days: Sequence[DayHours], lang: Lang, *, narrow: bool) -> None:
        self._days, self._lang, self._narrow = days, lang, narrow
        self._x = {"field": "x", "type": "quantitative", "axis": None,
                   "scale": {"domain": [0, max(len(days), 1)], "nice": False}}  # fmt: skip
        top_h = max([hours(one.high_ms) for one in days], default=0)
        self._y = {"field": "y", "type": "quantitative",
                   "scale": {"domain": [0, max(top_h, _LEAST_TOP_H)], "range": [_BARS_PX, _TOP_PX], "nice": False},
                   "axis": {"title": None, "tickCount": 5, "grid": True, "gridOpacity": 0.25,
                            "gridColor": style.GAP}}  # fmt: skip

    def title(self) -> Spec:
        """First and last day, and sums."""
        days = self._days
        low, point, high = (sum(getattr(one, f"{name}_ms") for one in days) for name in ("low", "point", "high"))
        ends = (
            {"first": days[0].day.isoformat(), "last": days[-1].day.isoformat()} if days else {"first": "", "last": ""}
        )
        facts = {"point": hours_text(point), "bounds": bounds_text(low, high), "coverage": coverage_text(days)}
        name = "title-narrow" if self._narrow else "title"
        text = pick(_TEXTS[name], self._lang).format_map(ends)
        return {"text": text, "subtitle": pick(_TEXTS["sums"], self._lang).format_map(facts)}

    def bars(self) -> Iterator[Spec]:
        """Pale what may count, full what counts, and the whisker of the bounds."""
        for lower, upper, opacity in (("low_ms", "high_ms", 0.22), ("", "point_ms", 1.0)):
            rows = [
                {"x": place + 0.16, "x2": place + 0.84, "y": hours(getattr(one, lower)) if lower else 0,
                 "y2": hours(getattr(one, upper))}
                for place, one in enumerate(self._days)
            ]  # fmt: skip
            mark = {"type": "rect", "fill": style.CREDIT, "fillOpacity": opacity}
            yield layer(mark, rows, x=self._x, x2={"field": "x2"}, y=self._y, y2={"field": "y2"})
        rule = {"type": "rule", "color": style.STRONG_INK, "strokeWidth": 1.2}
        whiskers = [
            {"x": place + from_x, "x2": place + to_x, "y": hours(from_ms), "y2": hours(to_ms)}
            for place, one in enumerate(self._days)
            for from_x, to_x, from_ms, to_ms in (
                (0.5, 0.5, one.low_ms, one.high_ms),
                (0.34, 0.66, one.low_ms, one.low_ms),
                (0.34, 0.66, one.high_ms, one.high_ms),
            )
        ]
        yield layer(rule, whiskers, x=self._x, x2={"field": "x2"}, y=self._y, y2={"field": "y2"})

    def strip(self) -> Iterator[Spec]:
        """How much of each day is known: a cell filled from below."""
        top_px, bottom_px = _STRIP_PX
        cells = [
            {"x": place + 0.08, "x2": place + 0.92, "y": top_px, "y2": bottom_px} for place in range(len(self._days))
        ]
        known = [
            {**cell, "y": bottom_px - (bottom_px - top_px) * (one.length_ms - one.unknown_ms) / (one.length_ms or 1)}
            for cell, one in zip(cells, self._days, strict=True)
        ]
        frame = {"type": "rect", "fill": None, "stroke": style.GAP, "strokeWidth": 0.6}
        for rows, mark in ((known, {"type": "rect", "fill": style.STATES_KNOWN}), (cells, frame)):
            yield layer(mark, rows, x=self._x, x2={"field": "x2"}, y=pixel("y"), y2=pixel("y2"))

    def labels(self) -> Iterator[Spec]:
        """Days of the month, and what the two rows are."""
        every = 5 if self._narrow else 1
        rows = [
            {"x": place + 0.5, "y": _LABELS_PX, "text": str(one.day.day)}
            for place, one in enumerate(self._days)
            if one.day.day % every == 0 or one.day.day == 1
        ]
        text = {"field": "text", "type": "nominal"}
        yield layer({"type": "text", "align": "center", "baseline": "top"}, rows, x=self._x, y=pixel("y"), text=text)
        captions: list[Row] = [
            {"x": 0, "y": 0, "text": pick(_TEXTS["hours"], self._lang)},
            {"x": 0, "y": _STRIP_PX[0] - 17, "text": pick(_TEXTS["coverage"], self._lang)},
        ]
        yield layer({"type": "text", "align": "left", "baseline": "top"}, captions, x=self._x, y=pixel("y"), text=text)

    def pointed_at(self) -> Iterator[Spec]:
        """Unseen, over the whole height of a day: what is told, and where it leads."""
        rows = [
            {"x": place, "x2": place + 1, "y": _TOP_PX, "y2": _LABELS_PX, "href": one.href, **told(one, self._lang)}
            for place, one in enumerate(self._days)
        ]
        encoding = {"x": self._x, "x2": {"field": "x2"}, "y": pixel("y"), "y2": pixel("y2"),
                    "tooltip": titles(self._lang)}  # fmt: skip
        yield from linked(rows, {"type": "rect", "opacity": 0}, encoding)
