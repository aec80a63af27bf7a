"""The chart of one day. Everything is one layered view, so that its width may be the page's (`charts.day_chart`)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from contract.states import State
from contract.units import bounds_text, hours_text, share_text
from contract.usage import Session
from metering.core.spans import Span, length_ms
from metering.core.timeline import spans_of
from metering.views import labels, style, words
from metering.views.inputs import Day, Threshold
from metering.views.style import Row, Spec, layer, pixel, tooltip
from metering.views.thin import MOST, thinned, thinned_spans
from metering.views.words import Lang, pick

_CAPTION_PX: Final = 17
_BAR_PX: Final = 16
_BETWEEN_PX: Final = 9
_LANES: Final = 4
"""Bookings that overlap stand in so many rows; more share the last."""
_HATCH: Final = 150
"""Strokes over the whole width, where it is hatched."""
_ORDER: Final = (
    State.RUNNING, State.WARMUP, State.COOLDOWN, State.STANDBY, State.OFF, State.FAULT, State.UNKNOWN,
)  # fmt: skip
_TEXTS: Final = {
    "power": ("功率 (W)", "Power (W)"),
    "states": ("状态", "States"),
    "credited": (
        "计入机时 {point} h：绿色；深色底线为下界 {low}，浅色为上界 {high}",
        "Credited {point} h: green; dark base is proven {low}, pale is possible {high}",
    ),
    "credited-narrow": ("计入 {point} h [{low}, {high}]", "Credited {point} h [{low}, {high}]"),
    "sessions": ("预约与签到", "Bookings and sign-ins"),
    "enter": ("运行门限 ≥ {level}", "run at ≥ {level}"),
    "leave": ("退出 < {level}", "ends below {level}"),
    "floor": ("运行下限 {level}", "run floor {level}"),
    "when": ("时间", "time"),
    "state": ("状态", "state"),
    "why": ("原因", "why"),
    "verdict": ("结论", "verdict"),
    "party": ("使用方", "party"),
    "coverage": ("数据覆盖率", "coverage"),
    "effective": ("有效机时", "effective"),
    "asked": ("所问时段", "asked about"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """Where a row of the chart lies, px from the top: its caption, and its bar from `top_px` to `bottom_px`."""

    caption_px: int
    top_px: int
    bottom_px: int


class _Plan:
    """Where everything lies."""

    def __init__(self, shown: Day, *, narrow: bool) -> None:
        self.narrow = narrow
        self.lanes = min(_LANES, max((lane for _, lane in lanes(shown.sessions)), default=-1) + 1)
        self.has_power = bool(shown.trace.time_ms)
        self.power = _Row(caption_px=0, top_px=_CAPTION_PX + 4, bottom_px=150 if narrow else 190)
        if not self.has_power:
            self.power = _Row(caption_px=0, top_px=0, bottom_px=-_BETWEEN_PX)
        self.states = self._after(self.power, _BAR_PX)
        self.credited = self._after(self.states, _BAR_PX)
        self.sessions = self._after(self.credited, _BAR_PX * self.lanes)
        last = self.sessions if self.lanes else self.credited
        self.ticks_px = last.bottom_px + 6
        self.height_px = self.ticks_px + 14

    def _after(self, before: _Row, bar_px: int) -> _Row:
        caption = before.bottom_px + _BETWEEN_PX
        return _Row(caption_px=caption, top_px=caption + _CAPTION_PX, bottom_px=caption + _CAPTION_PX + bar_px)


def chart(shown: Day, lang: Lang, *, width_px: int | None, narrow: bool) -> Spec:
    """See `charts.day_chart`."""
    plan = _Plan(shown, narrow=narrow)
    draw = _Drawing(shown, lang, plan)
    layers = [
        *draw.ground(),
        *(draw.power() if plan.has_power else ()),
        *draw.states(),
        *draw.credited(),
        *draw.sessions(),
        *draw.captions(),
    ]
    size = {"width": "container" if width_px is None else width_px, "height": plan.height_px}
    return style.chart(layers, draw.title(), size, narrow=narrow)


def lanes(sessions: Iterable[Session]) -> list[tuple[Session, int]]:
    """Each session with the first row in which nothing overlaps it."""
    ends: list[int] = []
    placed = []
    for one in sorted(sessions, key=lambda session: (session.start_ms, session.end_ms, session.session_id)):
        lane = next((number for number, end in enumerate(ends) if end <= one.start_ms), len(ends))
        ends[lane : lane + 1] = [one.end_ms]
        placed.append((one, lane))
    return placed


class _Drawing:
    """Makes the layers, bottom first."""

    def __init__(self, shown: Day, lang: Lang, plan: _Plan) -> None:
        self._shown, self._lang, self._plan = shown, lang, plan
        length_s = (shown.period[1] - shown.period[0]) / 1000
        self._x = {"field": "x", "type": "quantitative", "axis": None,
                   "scale": {"domain": [0, length_s], "nice": False, "zero": False}}  # fmt: skip
        self._x2 = {"field": "x2"}
        self._gaps = spans_of(shown.states, State.UNKNOWN)

    def _at(self, time_ms: int) -> float:
        """Seconds since the beginning of the chart, kept inside it."""
        first, last = self._shown.period
        return (min(max(time_ms, first), last) - first) / 1000

    def _bar(self, span: Span, top_px: float, bottom_px: float, **more: object) -> Row:
        return {"x": self._at(span[0]), "x2": self._at(span[1]), "y": top_px, "y2": bottom_px, **more}

    def _rects(self, rows: Iterable[Row], mark: Spec, **encoding: object) -> Spec:
        mark = {"type": "rect", **mark}
        return layer(mark, rows, x=self._x, x2=self._x2, y=pixel("y"), y2=pixel("y2"), **encoding)

    def _text(self, name: str, **facts: str) -> str:
        return pick(_TEXTS[name], self._lang).format_map(facts)

    def title(self) -> Spec:
        """Name, date, and the sums."""
        shown, narrow = self._shown, self._plan.narrow
        name = pick((shown.name_zh, shown.name_en), self._lang)
        when = words.span_text(*shown.period, shown.zone)
        when = when.removesuffix(" 00:00–24:00")
        length = shown.period[1] - shown.period[0]
        low, point, high = (length_ms(spans) for spans in (shown.low, shown.point, shown.high))
        sums = f"{self._text('effective')} {hours_text(point)} h {bounds_text(low, high)}"
        coverage = f"{self._text('coverage')} {share_text(length - length_ms(self._gaps), length)}"
        if narrow:
            return {"text": [name, when], "subtitle": [sums, coverage]}
        return {"text": f"{name} · {when}", "subtitle": f"{sums} · {coverage}"}

    def ground(self) -> Iterator[Spec]:
        """Hours, and the interval asked about."""
        plan, shown = self._plan, self._shown
        ticks = list(hour_ticks(shown, every_h=6 if plan.narrow else 2))
        rows = [{"x": self._at(time_ms), "y": plan.power.top_px, "y2": plan.ticks_px} for time_ms, _ in ticks]
        rule = {"type": "rule", "color": style.GAP, "opacity": 0.25, "strokeWidth": 1}
        yield layer(rule, rows, x=self._x, y=pixel("y"), y2=pixel("y2"))
        shown_at = [
            {"x": self._at(time_ms), "y": plan.ticks_px + 2, "text": text,
             "side": "left" if not place else "right" if place == len(ticks) - 1 else "center"}
            for place, (time_ms, text) in enumerate(ticks)
        ]  # fmt: skip
        for side in ("left", "center", "right"):
            mark = {"type": "text", "align": side, "baseline": "top", "clip": False}
            chosen = [row for row in shown_at if row["side"] == side]
            yield layer(mark, chosen, x=self._x, y=pixel("y"), text={"field": "text", "type": "nominal"})
        if shown.mark:
            bar = self._bar(shown.mark, plan.power.top_px - 3, plan.ticks_px, asked=self._text("asked"))
            yield self._rects([bar], {"fill": style.MARK, "fillOpacity": 0.1, "stroke": style.MARK, "strokeWidth": 1.2})

    def power(self) -> Iterator[Spec]:
        """The trace and the levels that decide on it."""
        shown, row = self._shown, self._plan.power
        yield from self._hatched(row.top_px, row.bottom_px, 0.35)
        trace = shown.trace
        most_w = max([*trace.high_mw, *(level.level_mw for level in shown.thresholds), 1000]) / 1000
        y = {"field": "low_w", "type": "quantitative",
             "scale": {"domain": [0, most_w * 1.06], "range": [row.bottom_px, row.top_px], "nice": False},
             "axis": {"title": None, "tickCount": 4, "grid": True, "gridOpacity": 0.2, "gridColor": style.GAP,
                      "format": "~s" if most_w >= 10_000 else "~f"}}  # fmt: skip  # noqa: PLR2004 - 10 kW
        rows = [
            {"x": self._at(time_ms), "low_w": low / 1000, "high_w": high / 1000, "segment": segment}
            for time_ms, low, high, segment in zip(
                trace.time_ms, trace.low_mw, trace.high_mw, trace.segment, strict=True
            )
        ]
        mark = {"type": "area", "interpolate": "step-after", "color": style.POWER, "fillOpacity": 0.35,
                "stroke": style.POWER, "strokeWidth": 1.3, "strokeJoin": "round"}  # fmt: skip
        yield layer(mark, rows, x=self._x, y=y, y2={"field": "high_w"}, detail={"field": "segment", "type": "nominal"})
        if shown.thresholds:
            yield from self._levels(shown.thresholds, y)

    def _levels(self, thresholds: tuple[Threshold, ...], y: Spec) -> Iterator[Spec]:
        rows = [
            {"x": self._at(one.within[0]), "x2": self._at(one.within[1]), "low_w": one.level_mw / 1000,
             "text": self._text(one.name, level=words.power_text(one.level_mw)), "above": one.name != "leave"}
            for one in thresholds
        ]  # fmt: skip
        rule = {"type": "rule", "strokeDash": [4, 3], "strokeWidth": 1, "color": style.STRONG_INK}
        yield layer(rule, rows, x=self._x, x2=self._x2, y=y)
        for above, baseline, dy in ((True, "bottom", -2), (False, "top", 3)):
            mark = {
                "type": "text",
                "align": "left",  # at midnight most instruments rest, and nothing is written over the trace
                "baseline": baseline,
                "dy": dy,
                "dx": 3,
                "color": style.STRONG_INK,
            }
            chosen = [row for row in rows if row["above"] is above]
            yield layer(mark, chosen, x=self._x, y=y, text={"field": "text", "type": "nominal"})

    def states(self) -> Iterator[Spec]:
        """The ribbon; what is unknown is hatched there too."""
        shown, row, lang = self._shown, self._plan.states, self._lang
        present = [state for state in _ORDER if any(piece.state is state for piece in shown.states)]
        rows = [
            self._bar(piece[:2], row.top_px, row.bottom_px, state=words.state_label(piece.state, lang),
                      when=words.span_text(*piece[:2], shown.zone))
            for piece in thinned(shown.states, shown.period)
        ]  # fmt: skip
        legend = {"title": None, "orient": "top", "direction": "horizontal", "columns": 3 if self._plan.narrow else 7,
                  "offset": 8}  # fmt: skip
        scale = style.colours([words.state_label(state, lang) for state in present],
                              [style.STATES[state] for state in present])  # fmt: skip
        fill = {"field": "state", "type": "nominal", "scale": scale, "legend": legend}
        yield self._rects(rows, {}, fill=fill, tooltip=tooltip(state=self._text("state"), when=self._text("when")))
        yield from self._hatched(row.top_px, row.bottom_px, 0.8)

    def credited(self) -> Iterator[Spec]:
        """Pale what may count, full what counts, a dark base under what is proven."""
        shown, row = self._shown, self._plan.credited
        for spans, mark, top_px in (
            (shown.high, {"fill": style.CREDIT, "fillOpacity": 0.3}, row.top_px),
            (shown.point, {"fill": style.CREDIT}, row.top_px),
            (shown.low, {"fill": style.PROVEN}, row.bottom_px - 5),
        ):
            drawn = thinned_spans(spans, shown.period)
            yield self._rects([self._bar(span, top_px, row.bottom_px) for span in drawn], mark)
        yield from self._reasons()

    def _reasons(self) -> Iterator[Spec]:
        """What is told where one points, unseen over power and credit; a day that flickers tells nothing."""
        shown, plan = self._shown, self._plan
        rows = []
        for one in shown.stretches if len(shown.stretches) <= MOST else ():
            told = words.tell(one, shown.zone, self._lang)
            rows.append(
                self._bar((one.from_ms, one.to_ms), plan.power.top_px, plan.credited.bottom_px, when=told.when,
                          state=words.state_label(one.state, self._lang), verdict=f"{told.verdict} ({told.hours})",
                          why=told.text)
            )  # fmt: skip
        if rows:
            titles = {name: self._text(name) for name in ("when", "state", "verdict", "why")}
            yield self._rects(rows, {"opacity": 0}, tooltip=tooltip(**titles))

    def sessions(self) -> Iterator[Spec]:
        """Bookings by party, each in a row where nothing overlaps it."""
        shown, row, lang = self._shown, self._plan.sessions, self._lang
        if not shown.sessions:
            return
        rows = []
        for one, lane in lanes(shown.sessions):
            top_px = row.top_px + _BAR_PX * min(lane, _LANES - 1)
            party = words.party_label(one.party, lang)
            rows.append(self._bar((one.start_ms, one.end_ms), top_px, top_px + _BAR_PX - 2, party=party,
                                  when=words.span_text(one.start_ms, one.end_ms, shown.zone)))  # fmt: skip
        present = [party for party in labels.PARTIES if any(one.party is party for one in shown.sessions)]
        scale = style.colours([words.party_label(party, lang) for party in present],
                              [style.PARTIES[party] for party in present])  # fmt: skip
        legend = {"title": None, "orient": "bottom", "direction": "horizontal", "offset": 6,
                  "columns": 3 if self._plan.narrow else 5}  # fmt: skip
        color = {"field": "party", "type": "nominal", "scale": scale, "legend": legend}
        tips = tooltip(party=self._text("party"), when=self._text("when"))
        yield self._rects(rows, {"cornerRadius": 2}, color=color, tooltip=tips)

    def captions(self) -> Iterator[Spec]:
        """A caption over each row."""
        shown, plan = self._shown, self._plan
        low, high = bounds_text(length_ms(shown.low), length_ms(shown.high))[1:-1].split(", ")
        facts = {"low": low, "point": hours_text(length_ms(shown.point)), "high": high}
        texts = [
            *([(plan.power, self._text("power"))] if plan.has_power else []),
            (plan.states, self._text("states")),
            (plan.credited, self._text("credited-narrow" if plan.narrow else "credited", **facts)),
            *([(plan.sessions, self._text("sessions"))] if shown.sessions else []),
        ]
        rows = [{"x": 0, "y": row.caption_px + 2, "text": text} for row, text in texts]
        mark = {"type": "text", "align": "left", "baseline": "top"}
        yield layer(mark, rows, x=self._x, y=pixel("y"), text={"field": "text", "type": "nominal"})

    def _hatched(self, top_px: int, bottom_px: int, opacity: float) -> Iterator[Spec]:
        """Grey with slanting strokes over the gaps: no data is not the same as off."""
        gaps = thinned_spans(self._gaps, self._shown.period)
        if not gaps:
            return
        ground = [self._bar(span, top_px, bottom_px) for span in gaps]
        yield self._rects(ground, {"fill": style.GAP, "fillOpacity": 0.12})
        first, last = self._shown.period
        step_ms = max((last - first) // _HATCH, 1)
        strokes = [
            self._bar((at_ms, end_ms), bottom_px, bottom_px - (bottom_px - top_px) * (end_ms - at_ms) / step_ms)
            for from_ms, to_ms in gaps
            for at_ms in range(from_ms, to_ms, step_ms)
            if (end_ms := min(at_ms + step_ms, to_ms)) > at_ms
        ]
        rule = {"type": "rule", "color": style.GAP, "strokeWidth": 1, "opacity": opacity}
        yield layer(rule, strokes, x=self._x, x2=self._x2, y=pixel("y"), y2=pixel("y2"))


def hour_ticks(shown: Day, every_h: int) -> Iterator[tuple[int, str]]:
    """Local hours of the period, as UTC ms and text: none for an hour left out, two for one repeated."""
    first, last = shown.period
    hours = (last - first) / 3_600_000
    step = next((step for step in (1, 2, 3, 6) if step >= every_h * hours / 24), 6)
    at = datetime.fromtimestamp(first / 1000, shown.zone).replace(minute=0, second=0, microsecond=0)
    at_ms = round(at.timestamp() * 1000)
    while at_ms <= last:
        local = datetime.fromtimestamp(at_ms / 1000, shown.zone)
        if at_ms >= first and local.hour % step == 0 and local.minute == 0:
            yield at_ms, "24:00" if at_ms == last and not local.hour else local.strftime("%H:%M")
        at_ms += round(timedelta(hours=1).total_seconds() * 1000)
