"""Cut what was measured to a period and add it up, in integer milliseconds."""

from dataclasses import dataclass

from contract.states import State
from contract.usage import Attribution
from metering.core.attribution import attribute
from metering.core.pipeline import Measured
from metering.core.rules import Run
from metering.core.spans import Span, Spans, clip, length_ms
from metering.core.timeline import spans_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounded:
    """A duration that lies within [low_ms, high_ms]."""

    low_ms: int
    high_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """The hours of one period.

    Attributes:
        states_ms: time in each state; they sum to the period exactly.
        run_ms, bridge_ms, prep_ms, post_ms: the lines that make up `effective_ms`.
        effective: bounds of `effective_ms`.
        external: external service time per attribution level A0-A3.
        intervals: the credited time itself.
        edges: beginnings and ends among the intervals, each measured to within a sampling period.
        runs: merged runs, not cut to the period.
        bridged_runs: how many of them are bridged standby beyond the policy's limit.
        contradicted_ms: where run-state lines and power disagreed and the lower credit was taken.
    """

    period: Span
    states_ms: dict[State, int]
    run_ms: int
    bridge_ms: int
    prep_ms: int
    post_ms: int
    effective_ms: int
    effective: Bounded
    external: dict[Attribution, Bounded]
    intervals: Spans
    edges: int
    runs: tuple[Run, ...]
    bridged_runs: int
    contradicted_ms: int

    @property
    def unknown_ms(self) -> int:
        """Time of which nothing is known."""
        return self.states_ms[State.UNKNOWN]

    @property
    def coverage(self) -> float:
        """Telemetry coverage of the period, 1.0 only if nothing is unknown."""
        return 1 - self.unknown_ms / (self.period[1] - self.period[0])


def tally(measured: Measured, period: Span) -> Tally:
    """Add up one period of what was measured."""
    point = measured.point
    intervals = clip(point.effective(), period)
    runs = tuple(run for run in point.runs if run.from_ms < period[1] and run.to_ms > period[0])
    return Tally(
        period=period,
        states_ms={state: length_ms(clip(spans_of(measured.states, state), period)) for state in State},
        run_ms=length_ms(clip(point.run, period)),
        bridge_ms=length_ms(clip(point.bridge, period)),
        prep_ms=length_ms(clip(point.prep, period)),
        post_ms=length_ms(clip(point.post, period)),
        effective_ms=length_ms(intervals),
        effective=Bounded(
            low_ms=length_ms(clip(measured.low.effective(), period)),
            high_ms=length_ms(clip(measured.high.effective, period)),
        ),
        external={level: _external(measured, level, period) for level in Attribution},
        intervals=intervals,
        edges=2 * len(intervals),
        runs=runs,
        bridged_runs=sum(_is_mostly_bridged(measured, run) for run in runs),
        contradicted_ms=length_ms(clip(measured.contradicted, period)),
    )


def _is_mostly_bridged(measured: Measured, run: Run) -> bool:
    bridged_ms = length_ms(clip(measured.point.bridge, (run.from_ms, run.to_ms)))
    return 100 * bridged_ms > measured.policy.bridged_share_max_pct * (run.to_ms - run.from_ms)


def _external(measured: Measured, level: Attribution, period: Span) -> Bounded:
    parts = attribute(measured.low, measured.high, measured.sessions, measured.policy, level)
    return Bounded(low_ms=length_ms(clip(parts.low, period)), high_ms=length_ms(clip(parts.high, period)))
