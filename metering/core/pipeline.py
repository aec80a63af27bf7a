"""The ordered entry point: evidence, policy and sessions in; three timelines, their credit and their bounds out."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from contract.states import State
from contract.usage import Session
from metering.core.evidence import Evidence
from metering.core.policy import Policy
from metering.core.rules import Credit, credit, debounce, mark_warmup, possible, proven
from metering.core.spans import Span, Spans, subtract
from metering.core.states import Observed, observe
from metering.core.timeline import Timeline, guarded, masked, spans_of
from metering.core.upper import Upper, upper

RULES_VERSION = 1
"""Changes only when a result can. It stands in the digest of every statement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A span of one instrument's life under one policy, before it is cut to periods.

    Attributes:
        states: the point timeline after dwell, one state at each instant.
        low, point: credited time, maintenance and faults taken off.
        high: bounds from above.
        contradicted: where run-state lines and power disagreed and the lower credit was taken.
        seen, maintenance: what the rules were applied to, and what was taken off; `explain` tells of them.
    """

    policy: Policy
    sessions: tuple[Session, ...]
    states: Timeline
    low: Credit
    point: Credit
    high: Upper
    contradicted: Spans
    seen: Observed
    maintenance: Spans = ()


def window(policy: Policy, period: Span) -> Span:
    """The span to measure so that the bounds of a period hold at its edges too (ADR 0004 says what is left)."""
    return period[0] - policy.look_behind_ms(), period[1] + policy.margin_ms()


def measure(
    evidence: Evidence, policy: Policy, sessions: Sequence[Session], within: Span, bound_spans: Spans | None = None
) -> Measured:
    """Measure a span (see `window`).

    Args:
        evidence: frames of one instrument, already filtered to the assurance asked for.
        policy: in force over the period.
        sessions: of the instrument.
        within: the span to measure.
        bound_spans: when a meter of its own was bound to the instrument; outside them nothing is known. None: always.
    """
    known = (within,) if bound_spans is None else bound_spans
    seen = observe(evidence, policy, within)
    low, point, high = (masked(timeline, known) for timeline in (seen.low, seen.point, seen.high))
    seen = replace(seen, low=low, point=point, high=high, known=known)
    return judge(seen, policy, sessions)


def judge(seen: Observed, policy: Policy, sessions: Sequence[Session] = (), maintenance: Spans = ()) -> Measured:
    """Apply the rules to what was seen (arguments as in `measure`)."""
    steady = debounce(guarded(seen.low, seen.high), policy)
    most = upper(seen.low, seen.high, spans_of(steady, State.RUNNING), policy)
    least = credit(mark_warmup(steady, policy, most.may_run), policy, over_unknown=False)
    middle = mark_warmup(debounce(seen.point, policy), policy, ())
    # A reading straight before a hole has no piece of its own in the point timeline, yet it may end a run.
    held = possible(credit(middle, policy, over_unknown=True), most.effective)
    return Measured(
        policy=policy,
        sessions=tuple(sessions),
        states=middle,
        low=_without(proven(least, seen.point, seen.high, policy), maintenance),
        point=_without(held, maintenance),
        high=replace(most, effective=subtract(most.effective, maintenance)),
        contradicted=seen.contradicted,
        seen=seen,
        maintenance=maintenance,
    )


def _without(given: Credit, maintenance: Spans) -> Credit:
    if not maintenance:
        return given
    return replace(
        given,
        run=subtract(given.run, maintenance),
        bridge=subtract(given.bridge, maintenance),
        prep=subtract(given.prep, maintenance),
        post=subtract(given.post, maintenance),
    )
