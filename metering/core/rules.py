"""From a timeline of states to credited time, in the order of domain.md 4, rule 4: dwell, bridge, min_run, caps.

`credit` is for the low and the point timeline. What a gap may hide needs more than reading UNKNOWN as RUNNING: `upper`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from contract.states import State
from metering.core.policy import LONGEST_WARMUP_MS, Policy
from metering.core.spans import Spans, clip, intersect, just_after, just_before, union
from metering.core.timeline import Piece, Timeline, normal, running_where_unknown, spans_of

_DIP = (State.STANDBY, State.OFF)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A merged run [from_ms, to_ms).

    Attributes:
        has_gap: UNKNOWN was merged over; never credited, and never in a low timeline.
    """

    from_ms: int
    to_ms: int
    has_gap: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Credit:
    """Credited time, each instant in one of four parts (run > bridge > preparation > post-processing)."""

    runs: tuple[Run, ...]
    run: Spans
    bridge: Spans
    prep: Spans
    post: Spans

    def effective(self) -> Spans:
        """All of it."""
        return union(self.run, self.bridge, self.prep, self.post)


def debounce(timeline: Timeline, policy: Policy) -> Timeline:
    """Apply the dwell times, counting from the crossing.

    RUNNING counts once it lasted `dwell_on`, and ends once OFF or STANDBY lasted `dwell_off`. What is pending when
    another state or UNKNOWN begins takes the lower credit.
    """
    result: list[Piece] = []
    on = False
    for place, piece in enumerate(timeline):
        length = piece.to_ms - piece.from_ms
        if piece.state is State.RUNNING:
            on = on or length >= policy.dwell_on_ms
            result.append(piece if on else piece._replace(state=State.STANDBY))
        elif piece.state in _DIP:
            if on and _dip_ends_within(timeline, place, policy.dwell_off_ms):
                result.append(piece._replace(state=State.RUNNING))
            else:
                on = False
                result.append(piece)
        else:
            on = False
            result.append(piece)
    return normal(result)


def _dip_ends_within(timeline: Timeline, place: int, limit_ms: int) -> bool:
    """Whether the OFF and STANDBY around a piece are over in less than the limit, ended by RUNNING again."""
    first = last = place
    while first > 0 and timeline[first - 1].state in _DIP:
        first -= 1
    while last + 1 < len(timeline) and timeline[last + 1].state in _DIP:
        last += 1
    back = last + 1 < len(timeline) and timeline[last + 1].state is State.RUNNING
    return back and timeline[last].to_ms - timeline[first].from_ms < limit_ms


def mark_warmup(timeline: Timeline, policy: Policy, may_run: Spans) -> Timeline:
    """Name the standby between an OFF edge and the first run WARMUP, where the policy says so (profile `power`).

    Args:
        timeline: after `debounce`.
        policy: whether at all.
        may_run: when it may have been running. A stretch in which a run may have come and gone is not marked: the
            standby after that run would be no preparation.
    """
    if not policy.warmup_from_off:
        return timeline
    result = list(timeline)
    for place in range(1, len(timeline) - 1):
        before, here, after = timeline[place - 1 : place + 2]
        if (before.state, here.state, after.state) != (State.OFF, State.STANDBY, State.RUNNING):
            continue
        inside = intersect(may_run, ((here.from_ms, here.to_ms),))
        if here.to_ms - here.from_ms <= LONGEST_WARMUP_MS and all(to_ms == here.to_ms for _, to_ms in inside):
            result[place] = here._replace(state=State.WARMUP)
    return tuple(result)


def credit(timeline: Timeline, policy: Policy, *, over_unknown: bool) -> Credit:
    """Merge pieces to runs, drop the short ones, add preparation and post-processing.

    Args:
        timeline: after `debounce` and `mark_warmup`.
        policy: the limits.
        over_unknown: whether a run goes on over UNKNOWN up to `bridge` (point); it is never credited.
    """
    joiners = (State.STANDBY, State.UNKNOWN) if over_unknown else (State.STANDBY,)
    runs = tuple(run for run in merge_runs(timeline, policy, joiners) if run.to_ms - run.from_ms >= policy.min_run_ms)
    inside = union((run.from_ms, run.to_ms) for run in runs)
    running = intersect(spans_of(timeline, State.RUNNING), inside)
    warmup, cooldown = spans_of(timeline, State.WARMUP), spans_of(timeline, State.COOLDOWN)
    prep = union(
        (max(found[0], run.from_ms - policy.prep_cap_ms), run.from_ms)
        for run in runs
        if (found := just_before(warmup, run.from_ms))
    )
    post = union(
        (run.to_ms, min(found[1], run.to_ms + policy.post_cap_ms))
        for run in runs
        if (found := just_after(cooldown, run.to_ms))
    )
    bridge = intersect(spans_of(timeline, State.STANDBY), inside)
    return Credit(runs=runs, run=running, bridge=bridge, prep=prep, post=post)


def possible(given: Credit, most: Spans) -> Credit:
    """Credit cut to what can be true at all."""
    return replace(
        given,
        run=intersect(given.run, most),
        bridge=intersect(given.bridge, most),
        prep=intersect(given.prep, most),
        post=intersect(given.post, most),
    )


def proven(low: Credit, point: Timeline, high: Timeline, policy: Policy) -> Credit:
    """Credit of a low timeline less what another state may have taken from preparation and post-processing.

    Where WARMUP follows RUNNING within one interval of readings, the low timeline says WARMUP over all of it, and a
    single reading of RUNNING between two of WARMUP leaves no piece of its own in it. So preparation is proven only
    from the first reading of its last WARMUP (the point timeline holds readings), and post-processing only up to the
    last reading of its first COOLDOWN (where the high timeline leaves it).
    """
    warming = spans_of(point, State.WARMUP)
    if policy.warmup_from_off:
        # There preparation is standby seen after dwell: a blip of inrush is part of it, a dip of a run is none, also of
        # a run that a gap may hide.
        warming = union(warming, spans_of(debounce(running_where_unknown(high), policy), State.STANDBY))
    cooling, surely = spans_of(point, State.COOLDOWN), spans_of(high, State.COOLDOWN)
    prep = ((inside[-1][0], to_ms) for from_ms, to_ms in low.prep if (inside := clip(warming, (from_ms, to_ms))))
    post = (
        (from_ms, sure[0][1] if (sure := clip(surely, inside[0])) else inside[0][0])
        for from_ms, to_ms in low.post
        if (inside := clip(cooling, (from_ms, to_ms)))
    )
    return replace(low, prep=union(prep), post=union(post))


def merge_runs(timeline: Timeline, policy: Policy, joiners: tuple[State, ...]) -> Iterable[Run]:
    """RUNNING pieces joined over at most `bridge` of the joining states."""
    run: Run | None = None
    gap = False
    for piece in timeline:
        if piece.state is State.RUNNING:
            if run is not None and piece.from_ms - run.to_ms <= policy.bridge_ms:
                run = Run(from_ms=run.from_ms, to_ms=piece.to_ms, has_gap=run.has_gap or gap)
            else:
                if run is not None:
                    yield run
                run = Run(from_ms=piece.from_ms, to_ms=piece.to_ms, has_gap=False)
            gap = False
        elif piece.state in joiners:
            gap = gap or piece.state is State.UNKNOWN
        elif run is not None:
            yield run
            run, gap = None, False
    if run is not None:
        yield run
