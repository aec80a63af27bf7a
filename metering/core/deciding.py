"""Which rule decided of an instant, read off what the pipeline computed.

Does not: apply a rule. Runs that were dropped and pauses that were not bridged come from `rules.merge_runs` itself.
"""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

from contract.states import State
from metering.core.daily import Judged
from metering.core.gaps import gaps
from metering.core.lookup import Lookup
from metering.core.policy import Profile
from metering.core.reasons import Kind, Why
from metering.core.rules import merge_runs
from metering.core.spans import subtract, union
from metering.core.timeline import Piece, spans_of

_JOINERS = (State.STANDBY, State.UNKNOWN)
"""What a run of the point value goes on over (`rules.credit`)."""
_EVER_MS = 1 << 62


class Decision(NamedTuple):
    """Kind, reason and the numbers that decided."""

    kind: Kind
    why: Why
    facts: dict[str, int]


class Deciding:
    """What was judged, ready to be asked instant by instant."""

    def __init__(self, judged: Judged) -> None:
        measured = judged.measured
        self._policy, self._point = measured.policy, measured.point
        self._parts = {
            Kind.RUN: Lookup(measured.point.run),
            Kind.BRIDGE: Lookup(measured.point.bridge),
            Kind.PREPARATION: Lookup(measured.point.prep),
            Kind.POST_PROCESSING: Lookup(measured.point.post),
        }
        states, seen = measured.states, spans_of(measured.seen.point, State.RUNNING)
        running = spans_of(states, State.RUNNING)
        merged = [(run.from_ms, run.to_ms) for run in merge_runs(states, self._policy, _JOINERS)]
        endless = merge_runs(states, replace(self._policy, bridge_ms=_EVER_MS), _JOINERS)
        self._short = Lookup(union(span for span in merged if span[1] - span[0] < self._policy.min_run_ms))
        self._pauses = Lookup(subtract(union((run.from_ms, run.to_ms) for run in endless), running))
        self._dips = Lookup(subtract(running, seen))
        self._pending = Lookup(subtract(seen, running))
        self._warmups, self._cooldowns = (Lookup(spans_of(states, one)) for one in (State.WARMUP, State.COOLDOWN))
        self._starts = {run.from_ms for run in measured.point.runs}
        self._ends = {run.to_ms for run in measured.point.runs}
        self._contradicted, self._maintenance = Lookup(measured.contradicted), Lookup(measured.maintenance)
        self._gaps = gaps(judged)
        self._gap_ends = [gap.to_ms for gap in self._gaps]

    def pieces(self, states: tuple[Piece, ...]) -> Iterator[tuple[Piece, Decision]]:
        """Cut pieces of the point timeline so that one rule decided of each."""
        looked_at = (*self._parts.values(), self._short, self._dips, self._pending, self._contradicted)
        for piece in states:
            span = piece[:2]
            if piece.state is State.UNKNOWN:
                yield from self._unknown(piece)
                continue
            edges = {edge for one in (*looked_at, self._maintenance) for edge in one.edges(span)}
            for from_ms, to_ms in pairwise(sorted(edges | set(span))):
                yield Piece(from_ms, to_ms, piece.state), self._decide(piece.state, from_ms)

    def _unknown(self, piece: Piece) -> Iterator[tuple[Piece, Decision]]:
        for place in range(bisect_right(self._gap_ends, piece.from_ms), len(self._gaps)):
            gap = self._gaps[place]
            if gap.from_ms >= piece.to_ms:
                return
            yield Piece(gap.from_ms, gap.to_ms, piece.state), Decision(Kind.NONE, gap.why, dict(gap.facts))

    def _decide(self, state: State, at_ms: int) -> Decision:
        for kind, part in self._parts.items():
            if part.at(at_ms):
                return Decision(kind, *self._credited(kind, at_ms))
        if state not in (State.UNKNOWN, State.OFF) and self._maintenance.at(at_ms):
            return Decision(Kind.NONE, Why.MAINTENANCE, {})
        decide = {
            State.RUNNING: self._running,
            State.STANDBY: self._standby,
            State.WARMUP: self._warmup,
            State.COOLDOWN: self._cooldown,
            State.OFF: self._off,
        }.get(state)
        return Decision(Kind.NONE, *(decide(at_ms) if decide else (Why.FAULT, {})))

    def _credited(self, kind: Kind, at_ms: int) -> tuple[Why, dict[str, int]]:
        policy = self._policy
        match kind:
            case Kind.BRIDGE:
                return Why.BRIDGED_STANDBY, self._pause(at_ms)
            case Kind.PREPARATION:
                return Why.PREPARATION, {"warmup_ms": _length(self._warmups, at_ms), "prep_cap_ms": policy.prep_cap_ms}
            case Kind.POST_PROCESSING:
                facts = {"cooldown_ms": _length(self._cooldowns, at_ms), "post_cap_ms": policy.post_cap_ms}
                return Why.POST_PROCESSING, facts
        if self._dips.at(at_ms):
            return Why.RUN_THROUGH_SHORT_DIP, {
                "dip_ms": _length(self._dips, at_ms),
                "dwell_off_ms": policy.dwell_off_ms,
            }
        return (Why.RUN_ABOVE_ENTER if policy.profile is Profile.POWER else Why.RUN_BY_LINE), {}

    def _running(self, at_ms: int) -> tuple[Why, dict[str, int]]:
        if self._short.at(at_ms):
            return Why.RUN_SHORTER_THAN_MIN_RUN, self._too_short(at_ms)
        return Why.RULED_OUT_BY_READINGS, {}

    def _standby(self, at_ms: int) -> tuple[Why, dict[str, int]]:
        policy = self._policy
        if self._pending.at(at_ms):
            lasted = _length(self._pending, at_ms)
            facts = {"lasted_ms": lasted, "dwell_on_ms": policy.dwell_on_ms}
            # A run that a fault or a gap cut short may have lasted long enough and still have been pending.
            return Why.DWELL_NOT_REACHED, facts | {"missing_ms": max(policy.dwell_on_ms - lasted, 0)}
        if self._contradicted.at(at_ms):
            return Why.LINES_AND_POWER_DISAGREE, {}
        if self._short.at(at_ms):
            return Why.RUN_SHORTER_THAN_MIN_RUN, self._too_short(at_ms)
        if not self._pauses.at(at_ms):
            return Why.STANDBY_NO_NEIGHBOUR_RUN, {}
        pause = self._pause(at_ms)
        too_long = pause["pause_ms"] > pause["bridge_ms"]
        return (Why.STANDBY_TOO_LONG_TO_BRIDGE, pause) if too_long else (Why.RULED_OUT_BY_READINGS, {})

    def _warmup(self, at_ms: int) -> tuple[Why, dict[str, int]]:
        from_ms, end_ms = self._warmups.at(at_ms) or (at_ms, at_ms)
        facts = {"warmup_ms": end_ms - from_ms, "prep_cap_ms": self._policy.prep_cap_ms}
        if end_ms not in self._starts:
            return Why.WARMUP_WITHOUT_RUN, facts | (self._too_short(end_ms) if self._short.at(end_ms) else {})
        within_cap = at_ms >= end_ms - self._policy.prep_cap_ms
        return (Why.RULED_OUT_BY_READINGS, {}) if within_cap else (Why.PREPARATION_BEYOND_CAP, facts)

    def _cooldown(self, at_ms: int) -> tuple[Why, dict[str, int]]:
        from_ms, end_ms = self._cooldowns.at(at_ms) or (at_ms, at_ms)
        facts = {"cooldown_ms": end_ms - from_ms, "post_cap_ms": self._policy.post_cap_ms}
        if from_ms not in self._ends:
            return Why.COOLDOWN_WITHOUT_RUN, facts | (
                self._too_short(from_ms - 1) if self._short.at(from_ms - 1) else {}
            )
        within_cap = at_ms < from_ms + self._policy.post_cap_ms
        return (Why.RULED_OUT_BY_READINGS, {}) if within_cap else (Why.POST_BEYOND_CAP, facts)

    def _off(self, at_ms: int) -> tuple[Why, dict[str, int]]:
        return (Why.LINES_AND_POWER_DISAGREE if self._contradicted.at(at_ms) else Why.OFF), {}

    def _pause(self, at_ms: int) -> dict[str, int]:
        return {"pause_ms": _length(self._pauses, at_ms), "bridge_ms": self._policy.bridge_ms}

    def _too_short(self, at_ms: int) -> dict[str, int]:
        run_ms, policy = _length(self._short, at_ms), self._policy
        missing = {"missing_ms": policy.min_run_ms - run_ms}
        return {"run_ms": run_ms, "min_run_ms": policy.min_run_ms, "bridge_ms": policy.bridge_ms} | missing


def _length(spans: Lookup, at_ms: int) -> int:
    from_ms, to_ms = spans.at(at_ms) or (at_ms, at_ms)
    return to_ms - from_ms
