"""The most that can be true: UNKNOWN read as whatever earns most, the rules applied again. Source: domain.md 4, rule 7.

Reading UNKNOWN as RUNNING is not enough by itself. A short gap inside a warm-up would cut the warm-up off its run, and
an OFF edge may hide in a gap. So, beside the runs, preparation and post-processing reach through everything that is
not certain.
"""

from dataclasses import dataclass

from contract.states import State
from metering.core.policy import Policy
from metering.core.rules import credit, debounce
from metering.core.spans import Spans, clip, intersect, just_after, just_before, subtract, union
from metering.core.timeline import Timeline, running_where_unknown, spans_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Upper:
    """Upper bounds.

    Attributes:
        effective: no instant outside it can be credited.
        runs: no merged run goes on longer than these.
        running: no instant outside it can be RUNNING.
        before, after: where preparation and post-processing may have been.
        may_run: where a reading, not a filled dip, says it may have been RUNNING long enough to count.
        starts, ends: runs may start or end within these, their edges included.
    """

    effective: Spans
    runs: Spans
    running: Spans
    before: Spans
    after: Spans
    may_run: Spans
    starts: tuple[tuple[int, int], ...]
    ends: tuple[tuple[int, int], ...]


def upper(low: Timeline, high: Timeline, certain: Spans, policy: Policy) -> Upper:
    """Bound the credited time from above.

    Args:
        low: the low timeline, before any rule. Between two readings a state is possible that only it holds (from
            COOLDOWN to WARMUP, say), and a short OFF may stand in it alone.
        high: the high timeline, before any rule.
        certain: when it was RUNNING whatever the gaps hide (the low timeline, debounced).
        policy: the limits.
    """
    filled = running_where_unknown(high)
    timeline = debounce(filled, policy)
    running = spans_of(timeline, State.RUNNING)
    unknown = spans_of(high, State.UNKNOWN)
    unsure = union(subtract(running, certain), unknown)
    base = credit(timeline, policy, over_unknown=False)
    # Between two readings of two signals nearly any state is possible, so reach goes through what is not certain there.
    loose = union(unsure, subtract(spans_of(filled, State.RUNNING), certain))
    before = union(loose, spans_of(timeline, State.WARMUP), spans_of(low, State.WARMUP))
    if policy.warmup_from_off:
        off = union(spans_of(low, State.OFF), spans_of(high, State.OFF), unknown)
        before = union(before, _warmup_after_off(timeline, certain, off))
    after = union(loose, spans_of(timeline, State.COOLDOWN), spans_of(low, State.COOLDOWN))
    prep = union(
        (max(found[0], run.from_ms - policy.prep_cap_ms), run.from_ms)
        for run in base.runs
        if (found := just_before(before, run.from_ms))
    )
    post = union(
        (run.to_ms, min(found[1], run.to_ms + policy.post_cap_ms))
        for run in base.runs
        if (found := just_after(after, run.to_ms))
    )
    runs = [(run.from_ms, run.to_ms) for run in base.runs]
    return Upper(
        effective=union(base.effective(), prep, post),
        runs=union(runs),
        running=running,
        before=before,
        after=after,
        may_run=intersect(running, spans_of(filled, State.RUNNING)),
        starts=tuple((start, _first(certain, start, end)) for start, end in runs) + unsure,
        ends=tuple((_last(certain, start, end), end) for start, end in runs) + unsure,
    )


def _first(certain: Spans, start: int, end: int) -> int:
    """The first certain instant of a run, or its end."""
    inside = clip(certain, (start, end))
    return inside[0][0] if inside else end


def _last(certain: Spans, start: int, end: int) -> int:
    """The end of the last certain stretch of a run, or its start."""
    inside = clip(certain, (start, end))
    return inside[-1][1] if inside else start


def _warmup_after_off(timeline: Timeline, certain: Spans, off: Spans) -> Spans:
    """Standby that may be the stretch from an OFF edge (seen in `off`, or hidden in a gap) to the first run."""
    stretches = []
    for place, piece in enumerate(timeline):
        if piece.state is not State.STANDBY:
            continue
        if _off_may_precede(timeline, place, certain, off):
            stretches.append((piece.from_ms, piece.to_ms))
        elif inside := clip(off, piece[:2]):
            stretches.append((inside[0][0], piece.to_ms))
    return union(stretches)


def _off_may_precede(timeline: Timeline, place: int, certain: Spans, off: Spans) -> bool:
    """Whether, going back from a piece, an OFF may come before any certain run."""
    for piece in (timeline[earlier] for earlier in range(place - 1, -1, -1)):
        if piece.state is State.RUNNING:
            if clip(off, (_last(certain, piece.from_ms, piece.to_ms), piece.to_ms)):
                return True
            if clip(certain, piece[:2]):
                return False
        elif clip(off, piece[:2]):
            return True
        elif piece.state is not State.STANDBY:
            return False
    return True
