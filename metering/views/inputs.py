"""What charts are made from, and how it is got from what the core judged. Integers inside, UTC ms, half-open spans."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, tzinfo
from typing import Any

from contract.states import State
from contract.usage import Session
from metering.core.daily import Judged
from metering.core.policy import Policy, Profile
from metering.core.reasons import Stretch
from metering.core.spans import Span, Spans, clip, union
from metering.core.timeline import Piece, Timeline, normal
from metering.core.timeline import clip as clip_pieces
from metering.views.trace import Trace, joined, trace_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """A level of the policy over the time it was in force: `name` is `enter`, `leave` or `floor`."""

    name: str
    level_mw: int
    within: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """What a day chart shows; `day_of` makes it.

    Attributes:
        period: what the chart spans, usually one local day; a day of 23 or 25 hours is as long as it was.
        zone: of the managing unit; labels are local time in it.
        name_zh, name_en: of the instrument.
        trace: power, thinned; empty where there was none.
        states: the point timeline over the period.
        low, point, high: credited time by each bound.
        sessions: bookings and sign-ins.
        mark: the interval asked about, if one was.
        stretches: of `metering.core.explain`; what is told where one points.
    """

    period: Span
    zone: tzinfo
    name_zh: str
    name_en: str
    trace: Trace
    thresholds: tuple[Threshold, ...]
    states: Timeline
    low: Spans
    point: Spans
    high: Spans
    sessions: tuple[Session, ...] = ()
    mark: Span | None = None
    stretches: tuple[Stretch, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DayHours:
    """One local day in a calendar or a month.

    Attributes:
        low_ms, point_ms, high_ms: effective time and its bounds.
        unknown_ms: time of the day of which nothing is known; equal to `length_ms` where nothing is.
        href: where the day is explained, relative to the page; empty: no link.
    """

    day: date
    low_ms: int
    point_ms: int
    high_ms: int
    unknown_ms: int
    length_ms: int
    href: str = ""

    @property
    def is_unknown(self) -> bool:
        """Whether nothing at all is known of the day, which is not the same as zero hours."""
        return self.unknown_ms >= self.length_ms


def day_of(
    parts: Sequence[Judged],
    zone: tzinfo,
    names: tuple[str, str],
    *,
    period: Span | None = None,
    mark: Span | None = None,
    stretches: Sequence[Stretch] = (),
) -> Day:
    """What a day chart shows of judged parts that follow each other.

    Args:
        parts: of one instrument, one after the other; several where a policy changed within the day.
        zone: of the managing unit.
        names: of the instrument, Chinese and English.
        period: what the chart spans; all the parts if not said.
        mark: the interval asked about.
        stretches: what to tell where one points (`metering.core.explain`).
    """
    shown = period or (parts[0].part.period[0], parts[-1].part.period[1])
    cuts = [(one, inside) for one in parts for inside in clip((one.part.period,), shown)]
    sessions = {session.session_id: session for one in parts for session in one.measured.sessions}
    return Day(
        period=shown,
        zone=zone,
        name_zh=names[0],
        name_en=names[1],
        trace=joined(trace_of(one.counted, one.measured.policy, cut) for one, cut in cuts),
        thresholds=tuple(level for one, cut in cuts if one.part.policy for level in _levels(one.measured.policy, cut)),
        states=clip_pieces(_pieces(cuts), shown),
        low=union(*(clip(one.measured.low.effective(), cut) for one, cut in cuts)),
        point=union(*(clip(one.measured.point.effective(), cut) for one, cut in cuts)),
        high=union(*(clip(one.measured.high.effective, cut) for one, cut in cuts)),
        sessions=tuple(one for one in sessions.values() if one.start_ms < shown[1] and one.end_ms > shown[0]),
        mark=mark,
        stretches=tuple(stretches),
    )


def days_of(documents: Iterable[Mapping[str, Any]], href: Mapping[date, str] | None = None) -> tuple[DayHours, ...]:
    """Days of a calendar from statement documents; the parts of one day are added up.

    Args:
        documents: of one instrument and one level, each part of a day once (`metering.core.statement.document`).
        href: where each day is explained, relative to the page.
    """
    found: dict[date, dict[str, int]] = {}
    for document in documents:
        sums = found.setdefault(date.fromisoformat(document["day"]), {})
        for name, duration_ms in _sums(document).items():
            sums[name] = sums.get(name, 0) + duration_ms
    return tuple(DayHours(day=day, **found[day], href=(href or {}).get(day, "")) for day in sorted(found))


def _sums(document: Mapping[str, Any]) -> dict[str, int]:
    from_ms, to_ms = document["period_ms"]
    return {
        "low_ms": document["effective_low_ms"],
        "point_ms": document["effective_ms"],
        "high_ms": document["effective_high_ms"],
        "unknown_ms": document["states_ms"][State.UNKNOWN.name],
        "length_ms": to_ms - from_ms,
    }


def _pieces(cuts: Iterable[tuple[Judged, Span]]) -> list[Piece]:
    return list(normal(piece for one, cut in cuts for piece in clip_pieces(one.measured.states, cut)))


def _levels(policy: Policy, within: Span) -> list[Threshold]:
    """The levels by which a policy decides on power."""
    levels = {
        Profile.POWER: {"enter": policy.enter_mw, "leave": policy.leave_mw},
        Profile.POWER_RUNSTATE: {"floor": policy.run_floor_mw},
        Profile.RUNSTATE: {},
    }[policy.profile]
    if levels.get("leave") == levels.get("enter"):
        levels.pop("leave", None)
    return [Threshold(name=name, level_mw=level_mw, within=within) for name, level_mw in levels.items()]
