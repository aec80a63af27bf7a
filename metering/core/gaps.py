"""Why nothing is known of a gap: what of the evidence speaks of it, though it says nothing of the instrument's state.

Does not: decide what a gap may hide (`upper`).
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import numpy as np

from contract.frame import Content, Measurement, Outage, span_ms
from contract.states import Assurance, ClockState, Source, State
from metering.core.daily import Judged
from metering.core.evidence import Link, power_signal, state_signal
from metering.core.policy import Policy, Profile
from metering.core.reasons import Why
from metering.core.spans import Span, Spans, clip, complement, subtract, union
from metering.core.timeline import Integers, spans_of

_MANY = 1_000_000
"""More missing frames than this are not counted one by one."""


class Gap(NamedTuple):
    """One reason over [from_ms, to_ms)."""

    from_ms: int
    to_ms: int
    why: Why
    facts: Mapping[str, int]


class _Claim(NamedTuple):
    """What speaks of some time, and why it earns nothing there."""

    spans: Spans
    why: Why
    facts: Mapping[str, int]


def gaps(judged: Judged) -> tuple[Gap, ...]:
    """Every UNKNOWN instant of what was measured, with why it is; in order of time."""
    measured = judged.measured
    unknown = spans_of(measured.states, State.UNKNOWN)
    if judged.part.policy is None:
        return tuple(Gap(*span, Why.NO_POLICY, {}) for span in unknown)
    within = measured.states[0].from_ms, measured.states[-1].to_ms
    known = (within,) if measured.seen.known is None else measured.seen.known
    claims = [_Claim(complement(known, within), Why.METER_NOT_BOUND, {}), *_claims(judged)]
    beside = _Neighbours(judged)
    absent = _absent(judged)
    return tuple(gap for span in unknown for gap in _of_one(span, claims, beside, absent))


def _of_one(gap: Span, claims: Iterable[_Claim], beside: "_Neighbours", absent: Integers) -> Iterator[Gap]:
    """Cut one gap by what claims it, first come first served; what none claims is told by its neighbours."""
    found: list[Gap] = []
    left: Spans = (gap,)
    first, after = np.searchsorted(absent, (gap[0] + 1, gap[1]))
    # Asked last: ticks without a reading explain a silence only where nothing else does.
    missed = [(int(tick), gap[1]) for tick in absent[first:after][:1]]
    for claim in (*claims, _Claim(tuple(missed), Why.READINGS_ABSENT, {"ticks": int(after - first)})):
        inside = [piece for span in left for piece in clip(claim.spans, span)]
        found += [Gap(*span, claim.why, claim.facts) for span in inside]
        left = subtract(left, union(inside))
    if not found:
        yield Gap(*gap, *beside.reason(gap))
        return
    found += [Gap(*span, *beside.reason(gap)) for span in left if span[1] - span[0] > beside.hold_ms(gap)]
    # The interval between the last good reading and what claims the gap belongs to the claim.
    found.sort()
    edges = [gap[0], *(each.from_ms for each in found[1:]), gap[1]]
    for each, from_ms, to_ms in zip(found, edges, edges[1:], strict=False):
        yield each._replace(from_ms=from_ms, to_ms=to_ms)


def _claims(judged: Judged) -> Iterator[_Claim]:
    """What speaks of time without earning: outages, frames that do not count at this level, frames not believed."""
    counted = {link.frame_hash for link in judged.counted.links}
    for link in judged.evidence.links:
        if isinstance(link.content, Outage) and link.content.from_ms < link.content.to_ms:
            facts = {"outage_cause": int(link.content.cause)}
            yield _Claim(((link.content.from_ms, link.content.to_ms),), Why.OUTAGE, facts)
    left_out: dict[tuple[Why, int], list[Span]] = {}
    for link in judged.evidence.links:
        if link.frame_hash not in counted and isinstance(link.content, Measurement):
            why = _left_out(link.content, Assurance(judged.document["level"]), simulation=judged.simulation)
            left_out.setdefault((why, int(link.content.clock)), []).append(_spoken(link.content, judged))
    for (why, clock), spans in left_out.items():
        yield _Claim(union(spans), why, {"clock_state": clock} if why is Why.CLOCK_NOT_GOOD_ENOUGH else {})
    doubted = [_spoken(link.content, judged) for link in judged.evidence.doubted]
    yield _Claim(union(doubted), Why.EQUIVOCATED, {"doubted_frames": len(doubted)})


def _left_out(content: Measurement, level: Assurance, *, simulation: bool) -> Why:
    """Why a readable frame does not count, as `evidence.earning` and `evidence.with_meters` see it."""
    if level >= Assurance.SIGNED:
        if content.clock is ClockState.SIMULATED:
            return Why.OTHER_METER if simulation else Why.SIMULATED_CLOCK
        if content.source is Source.IMPORTED:
            return Why.IMPORTED_READINGS
        if content.clock is not ClockState.SYNCHRONISED:
            return Why.CLOCK_NOT_GOOD_ENOUGH
    return Why.OTHER_METER


def _spoken(content: Content, judged: Judged) -> Span:
    """The time a frame speaks of, with the interval up to the next one."""
    first, last = span_ms(content)
    return first, last + (_hold_ms(content, judged.measured.policy) if isinstance(content, Measurement) else 1)


def _hold_ms(content: Measurement, policy: Policy) -> int:
    return policy.max_gap_ms or 3 * content.period_ms


def _absent(judged: Judged) -> Integers:
    """The ticks of frames that count at which what decides was not read, in order of time."""
    counted, policy = judged.counted, judged.measured.policy
    frames = [link.content for link in counted.links if isinstance(link.content, Measurement)]
    ticks = np.unique(np.concatenate([np.empty(0, np.int64), *(np.array(one.utc_ms, np.int64) for one in frames)]))
    decides = {
        Profile.POWER: (power_signal,),
        Profile.RUNSTATE: (state_signal,),
        Profile.POWER_RUNSTATE: (power_signal, state_signal),
    }[policy.profile]
    missing = [np.setdiff1d(ticks, signal(counted, policy).time_ms) for signal in decides]
    return np.unique(np.concatenate(missing))


class _Neighbours:
    """The frames that count, in order of time, to tell what lies on either side of a gap."""

    def __init__(self, judged: Judged) -> None:
        measurements = [link for link in judged.counted.links if isinstance(link.content, Measurement)]
        self._by_first = sorted(measurements, key=lambda link: span_ms(link.content)[0])
        self._firsts = [span_ms(link.content)[0] for link in self._by_first]
        self._by_last = sorted(measurements, key=lambda link: span_ms(link.content)[1])
        self._lasts = [span_ms(link.content)[1] for link in self._by_last]
        self._had = {(link.stream_id, link.seq) for link in judged.evidence.links}
        self._policy = judged.measured.policy
        self._unreadable = len(judged.evidence.refused)

    def hold_ms(self, gap: Span) -> int:
        """The longest silence that is no gap, by the frame before one, or after."""
        before, after = self._beside(gap)
        content = (before or after).content if before or after else None  # type: ignore[union-attr]  # one is there
        return _hold_ms(content, self._policy) if isinstance(content, Measurement) else 0

    def reason(self, gap: Span) -> tuple[Why, dict[str, int]]:
        """What the frames on either side tell of a gap that nothing else explains."""
        before, after = self._beside(gap)
        if before is None or after is None:
            return Why.NOTHING_RECEIVED, {"unreadable_frames": self._unreadable} if self._unreadable else {}
        silence = {
            "silence_ms": span_ms(after.content)[0] - span_ms(before.content)[1],
            "max_gap_ms": self.hold_ms(gap),
        }
        if before.stream_id != after.stream_id:
            return Why.CONTINUITY_BROKEN, {}
        between = range(before.seq + 1, after.seq)
        missing = sum((before.stream_id, seq) not in self._had for seq in between) if len(between) < _MANY else _MANY
        if missing:
            facts = {"missing_frames": missing, "silence_ms": silence["silence_ms"]}
            return Why.HOLE_IN_SEQUENCE, facts | ({"unreadable_frames": self._unreadable} if self._unreadable else {})
        if silence["silence_ms"] > silence["max_gap_ms"] or before is after:
            return Why.SILENCE, silence
        return Why.CONTINUITY_BROKEN, {}

    def _beside(self, gap: Span) -> tuple[Link | None, Link | None]:
        at = bisect_right(self._lasts, gap[0]) - 1
        then = bisect_left(self._firsts, gap[1])
        inside = bisect_right(self._firsts, gap[0]) - 1
        if inside >= 0 and span_ms(self._by_first[inside].content)[1] >= gap[1]:
            return self._by_first[inside], self._by_first[inside]
        before = self._by_last[at] if at >= 0 else None
        return before, self._by_first[then] if then < len(self._firsts) else None
