"""Sums of statements: exact, and what no statement covers is unknown and possible."""

from datetime import date
from typing import Any

from api.totals import total
from contract.ids import InstrumentId
from contract.states import State
from storage.statements import Statement

DAY_MS = 86_400_000


def statement(at: int, effective_ms: int, *, provisional: bool = False) -> Statement:
    """A day of which one hour is unknown."""
    states = {state.name: 0 for state in State} | {"UNKNOWN": 3_600_000, "OFF": DAY_MS - 3_600_000 - effective_ms}
    states["RUNNING"] = effective_ms
    document: dict[str, Any] = dict.fromkeys(("run_ms", "bridge_ms", "prep_ms", "post_ms", "contradicted_ms"), 1)
    document |= {"effective_ms": effective_ms, "effective_low_ms": effective_ms - 1_000, "states_ms": states}
    document |= {"effective_high_ms": effective_ms + 3_600_000}
    document |= {"external_ms": {f"A{level}": [level, 10 * level] for level in range(4)}}
    return Statement(
        instrument=InstrumentId("i"),
        day=date(2025, 3, 10),
        period_from_ms=at * DAY_MS,
        period_to_ms=(at + 1) * DAY_MS,
        policy_hash=bytes(32),
        evidence_digest=bytes(32),
        rules_version="1",
        code_version="0",
        provisional=provisional,
        level=3,
        document=document,
        digest=bytes(32),
        supersedes=None,
        decided_at_ms=0,
    )


def test_days_are_added_up_and_the_rest_is_unknown() -> None:
    found = total([statement(1, 5_000_000), statement(3, 7_000_000, provisional=True)], (0, 5 * DAY_MS))
    assert (found.statements, found.provisional, found.unstated_ms) == (2, 1, 3 * DAY_MS)
    assert (found.effective_ms, found.effective_low_ms) == (12_000_000, 11_998_000)
    assert found.effective_high_ms == 12_000_000 + 2 * 3_600_000 + 3 * DAY_MS
    assert found.states_ms["UNKNOWN"] == 2 * 3_600_000 + 3 * DAY_MS
    assert sum(found.states_ms.values()) == 5 * DAY_MS
    assert found.external_ms["A2"] == (4, 40 + 3 * DAY_MS)
    assert found.run_ms == 2
    assert found.coverage == 1 - found.states_ms["UNKNOWN"] / (5 * DAY_MS)


def test_a_statement_that_reaches_beyond_the_period_is_not_added() -> None:
    found = total([statement(0, 1)], (DAY_MS // 2, 2 * DAY_MS))
    assert (found.statements, found.effective_ms, found.unstated_ms) == (0, 0, DAY_MS * 3 // 2)


def test_nothing_stated_is_all_possible_and_nothing_proven() -> None:
    found = total([], (0, DAY_MS))
    assert (found.effective_low_ms, found.effective_ms, found.effective_high_ms) == (0, 0, DAY_MS)
    assert found.coverage == 0
