"""Whose time it was: external service hours as [low, high]. Source: domain.md 4, rule 8.

An instant of a run belongs to the session that covers it; preparation goes with the party at the run's start,
post-processing with the party at its end. Unknown is never external; where an external session overlaps an internal
one of equal standing the stretch is contested: low counts it internal, high external.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from contract.usage import Attribution, Party, Session
from metering.core.policy import Policy
from metering.core.rules import Credit
from metering.core.spans import Span, Spans, clip, intersect, just_after, just_before, subtract, union
from metering.core.upper import Upper


@dataclass(frozen=True, slots=True, kw_only=True)
class External:
    """Credited time of external parties, per attribution level: proven at it or above, and possible."""

    low: Spans
    high: Spans


def attribute(low: Credit, high: Upper, sessions: Sequence[Session], policy: Policy, level: Attribution) -> External:
    """External time whose attribution is proven at `level` or above.

    Args:
        low: credit of the low timeline.
        high: bounds of the high one.
        sessions: of one instrument, in any order; those of one party may overlap.
        policy: caps and carry.
        level: sessions below it count for high only.
    """
    shortest = union((run.from_ms, run.to_ms) for run in low.runs)
    ends = _Carry(policy=policy, everyone=sessions)
    external = [session for session in sessions if session.party is Party.EXTERNAL]
    internal = [session for session in sessions if session.party is not Party.EXTERNAL]
    proven = [session for session in external if session.standing >= level]
    # What counts for low goes on as short as it may, what counts against it as long; for high the other way round.
    surely_external = ends.holding(proven, shortest, against=internal, their_runs=high.runs)
    maybe_internal = ends.holding(internal, high.runs, against=external, their_runs=shortest)
    maybe_external = ends.holding(external, high.runs, against=internal, their_runs=shortest)
    return External(
        low=_low(low, high, subtract(surely_external, maybe_internal)), high=_high(high, maybe_external, policy)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Carry:
    """When sessions hold, among everyone's."""

    policy: Policy
    everyone: Sequence[Session]

    def holding(
        self, ours: Iterable[Session], our_runs: Spans, *, against: Iterable[Session], their_runs: Spans
    ) -> Spans:
        """When our sessions hold: a sign-in of the other side beats a booking of ours."""
        strong = [session for session in ours if session.standing >= Attribution.SIGNED_IN]
        weak = [session for session in ours if session.standing < Attribution.SIGNED_IN]
        beating = [session for session in against if session.standing >= Attribution.SIGNED_IN]
        spans, beaten = self._spans(weak, our_runs), self._spans(beating, their_runs)
        return union(self._spans(strong, our_runs), subtract(spans, beaten))

    def _spans(self, sessions: Iterable[Session], runs: Spans) -> Spans:
        return union(self._carried(session, runs) for session in sessions)

    def _carried(self, session: Session, runs: Spans) -> Span:
        """A session, and the run that goes on unattended after it: until it ends, others sign in, or `carry`."""
        end = session.end_ms
        run = just_before(runs, end)
        if run is None or run[1] == end or not self.policy.carry_ms:
            return session.start_ms, end
        following = [
            other.start_ms
            for other in self.everyone
            if other.start_ms >= end
            and other.standing >= Attribution.SIGNED_IN
            and (other.party is Party.EXTERNAL) != (session.party is Party.EXTERNAL)
        ]
        return session.start_ms, min([run[1], end + self.policy.carry_ms, *following])


def _low(low: Credit, high: Upper, sure: Spans) -> Spans:
    within = intersect(union(low.run, low.bridge), sure)
    prep = [span for span in low.prep if _holds(sure, _edge(high.running, span[1])[0], span[1] + 1)]
    post = [span for span in low.post if _holds(sure, span[0] - 1, _edge(high.running, span[0])[1])]
    return union(within, prep, post)


def _edge(running: Spans, time_ms: int) -> Span:
    """The possible run around an edge of a low run: where that edge may lie."""
    return just_before(running, time_ms) or just_after(running, time_ms) or (time_ms, time_ms)


def _holds(spans: Spans, from_ms: int, to_ms: int) -> bool:
    """Whether a set holds every instant of [from_ms, to_ms)."""
    return clip(spans, (from_ms, to_ms)) == ((from_ms, to_ms),)


def _high(high: Upper, possible: Spans, policy: Policy) -> Spans:
    """What a party may have used: its own time, and what comes before a start and after an end that may be its."""
    prep = union(
        (inside[0][0] - policy.prep_cap_ms, inside[-1][1])
        for from_ms, to_ms in high.starts
        if (inside := clip(possible, (from_ms, to_ms + 1)))
    )
    post = union(
        (inside[0][0], inside[-1][1] + policy.post_cap_ms)
        for from_ms, to_ms in high.ends
        if (inside := clip(possible, (from_ms - 1, to_ms + 1)))
    )
    return intersect(high.effective, union(possible, intersect(prep, high.before), intersect(post, high.after)))
