"""Hours of a period, added up from standing statements. Pure.

Statements are of whole local days, so a total is too. What no statement covers is UNKNOWN, and may all be credited for
high: a day that was not measured yet is not a day of zero hours.
Does not: compute hours from evidence (`metering.core` does).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from contract.states import State
from contract.usage import Attribution
from metering.core.spans import Span, length_ms, union
from storage.statements import Statement


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """Sums over a period, in integer milliseconds.

    Attributes:
        period: whole local days, UTC ms.
        statements: how many were added up; `provisional` of them may change when later evidence comes.
        unstated_ms: time of the period that no statement covers.
        run_ms, bridge_ms, prep_ms, post_ms: the lines that make up `effective_ms`.
        effective_low_ms, effective_high_ms: the truth lies between them.
        states_ms: by name; they sum to the period.
        external_ms: low and high per attribution level, `A0` to `A3`.
        contradicted_ms: where run-state lines and power disagreed and the lower credit was taken.
    """

    period: Span
    statements: int
    provisional: int
    unstated_ms: int
    run_ms: int
    bridge_ms: int
    prep_ms: int
    post_ms: int
    effective_ms: int
    effective_low_ms: int
    effective_high_ms: int
    states_ms: dict[str, int]
    external_ms: dict[str, tuple[int, int]]
    contradicted_ms: int

    @property
    def coverage(self) -> float:
        """Telemetry coverage, 1.0 only if nothing is unknown."""
        return 1 - self.states_ms[State.UNKNOWN.name] / (self.period[1] - self.period[0])


def total(standing: Sequence[Statement], period: Span) -> Total:
    """Add up statements.

    Args:
        standing: of one instrument and one level, no two for one moment.
        period: of whole local days. A statement that reaches beyond it (the unit moved to another zone) is left out.
    """
    inside = [one for one in standing if period[0] <= one.period_from_ms and one.period_to_ms <= period[1]]
    documents = [one.document for one in inside]
    covered = union((one.period_from_ms, one.period_to_ms) for one in inside)
    unstated_ms = period[1] - period[0] - length_ms(covered)
    states = {state.name: sum(one["states_ms"][state.name] for one in documents) for state in State}
    states[State.UNKNOWN.name] += unstated_ms
    return Total(
        period=period,
        statements=len(inside),
        provisional=sum(one.provisional for one in inside),
        unstated_ms=unstated_ms,
        effective_high_ms=unstated_ms + _sum(documents, "effective_high_ms"),
        states_ms=states,
        external_ms={f"A{level:d}": _external(documents, f"A{level:d}", unstated_ms) for level in Attribution},
        **{name: _sum(documents, name) for name in _SUMMED},
    )


_SUMMED = ("run_ms", "bridge_ms", "prep_ms", "post_ms", "effective_ms", "effective_low_ms", "contradicted_ms")


def _sum(documents: Sequence[Any], name: str) -> int:
    return sum(document[name] for document in documents)


def _external(documents: Sequence[Any], level: str, unstated_ms: int) -> tuple[int, int]:
    low_ms = sum(document["external_ms"][level][0] for document in documents)
    return low_ms, unstated_ms + sum(document["external_ms"][level][1] for document in documents)
