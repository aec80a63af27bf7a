"""Why each stretch of time was credited or not: what was seen, which rule decided, what would change it.

Tells what the pipeline found; every rule is applied there and none here again, so an explanation cannot disagree with
the hours. Does not: put it into words (`metering.views.words`).
"""

from collections.abc import Iterator
from itertools import pairwise

from contract.states import State
from metering.core.daily import Judged
from metering.core.deciding import Deciding, Decision
from metering.core.evidence import power_signal, state_signal
from metering.core.lookup import Lookup, power_facts
from metering.core.policy import Policy, Profile
from metering.core.reasons import Change, Kind, Stretch, What, Why
from metering.core.remedies import would_change
from metering.core.spans import Span
from metering.core.timeline import Piece

__all__ = ["Change", "Kind", "Stretch", "What", "Why", "explain"]


def explain(judged: Judged, within: Span) -> tuple[Stretch, ...]:
    """Why each instant of a span was credited or not.

    Args:
        judged: a part, measured.
        within: UTC ms, inside the period of the part.

    Returns:
        Stretches that follow each other and cover `within` exactly. Those credited are the intervals of the statement;
        over the whole part their `low_ms` and `high_ms` add up to its bounds, to the millisecond.

    Raises:
        ValueError: the span is empty, or reaches beyond the part: there the hours are another part's.
    """
    if not judged.part.period[0] <= within[0] < within[1] <= judged.part.period[1]:
        raise ValueError(f"{within} is not inside {judged.part.period}")
    # The reason of a stretch does not depend on where the question ends, so whole pieces are decided, then cut.
    states = tuple(piece for piece in judged.measured.states if piece.from_ms < within[1] and piece.to_ms > within[0])
    pieces = _joined(Deciding(judged).pieces(states))
    asked = ((cut, decision) for piece, decision in pieces if (cut := _cut(piece, within)))
    return tuple(_Telling(judged).stretches(asked))


def _joined(pieces: Iterator[tuple[Piece, Decision]]) -> Iterator[tuple[Piece, Decision]]:
    """Neighbours of one state and one decision as one."""
    held: tuple[Piece, Decision] | None = None
    for piece, decision in pieces:
        if held and (held[0].state, held[1]) == (piece.state, decision) and held[0].to_ms == piece.from_ms:
            held = held[0]._replace(to_ms=piece.to_ms), decision
            continue
        if held:
            yield held
        held = piece, decision
    if held:
        yield held


def _cut(piece: Piece, within: Span) -> Piece | None:
    from_ms, to_ms = max(piece.from_ms, within[0]), min(piece.to_ms, within[1])
    return Piece(from_ms, to_ms, piece.state) if from_ms < to_ms else None


class _Telling:
    """Adds to each decision what was seen and what the bounds say."""

    def __init__(self, judged: Judged) -> None:
        measured = judged.measured
        self._policy = measured.policy
        self._low, self._high = Lookup(measured.low.effective()), Lookup(measured.high.effective)
        self._power = power_signal(judged.counted, self._policy)
        holds = self._power.hold_ms if len(self._power.hold_ms) else state_signal(judged.counted, self._policy).hold_ms
        self._sliver_ms = int(holds.max()) if len(holds) else 0

    def stretches(self, decided: Iterator[tuple[Piece, Decision]]) -> Iterator[Stretch]:
        """One for each piece, or more where the bounds part ways within it for longer than a silence may last."""
        for piece, decision in decided:
            for from_ms, to_ms in self._by_bounds(piece[:2]):
                yield self._stretch(Piece(from_ms, to_ms, piece.state), decision)

    def _by_bounds(self, span: Span) -> Iterator[Span]:
        """Cut where low or high change, but cut off no sliver: edges are only known to an interval of readings."""
        edges = sorted({*self._low.edges(span), *self._high.edges(span)})
        kept = [span[0]]
        for edge in edges:
            if edge - kept[-1] > self._sliver_ms and span[1] - edge > self._sliver_ms:
                kept.append(edge)
        yield from pairwise([*kept, span[1]])

    def _stretch(self, piece: Piece, decision: Decision) -> Stretch:
        span = piece[:2]
        low_ms, high_ms = self._low.length_ms(span), self._high.length_ms(span)
        facts = decision.facts | power_facts(self._power, span) | _levels(self._policy, piece.state)
        why = decision.why
        if why is Why.OFF and facts.get("power_max_mw", 0) >= self._policy.off_mw:
            facts.pop("off_mw", None)  # a line said so, whatever the power
        if why is Why.RUN_ABOVE_ENTER and facts.get("power_max_mw", 0) < self._policy.enter_mw:
            why = Why.RUN_HELD_ABOVE_LEAVE
        return Stretch(
            from_ms=piece.from_ms,
            to_ms=piece.to_ms,
            state=piece.state,
            kind=decision.kind,
            why=why,
            low_ms=low_ms,
            high_ms=high_ms,
            facts=facts,
            lines=tuple(line for line, state in self._policy.lines if state is piece.state),
            would_change=would_change(why, facts | _dwells(self._policy) | {"high_ms": high_ms}),
        )


def _levels(policy: Policy, state: State) -> dict[str, int]:
    """The levels by which a policy decides on power, where a state was seen."""
    if state is State.UNKNOWN:
        return {}
    match policy.profile:
        case Profile.POWER:
            return {"enter_mw": policy.enter_mw, "leave_mw": policy.leave_mw, "off_mw": policy.off_mw}
        case Profile.POWER_RUNSTATE:
            return {"run_floor_mw": policy.run_floor_mw, "off_mw": policy.off_mw}
    return {}


def _dwells(policy: Policy) -> dict[str, int]:
    dwells = {"dwell_on_ms": policy.dwell_on_ms, "dwell_off_ms": policy.dwell_off_ms}
    return {name: duration_ms for name, duration_ms in dwells.items() if duration_ms}
