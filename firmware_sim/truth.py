"""What really happened, and the hours it earns: a plain reference that shares nothing with the metering it judges.

Source: the domain's rules 4 to 7 on exact intervals (order: bridge, min_run, preparation and post-processing, clip).
No faults, no maintenance, no missing data: the simulator knows every state to the millisecond.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from firmware_sim.instruments.catalogue import CLASSES
from firmware_sim.scenario import Scenario
from firmware_sim.timetable import Timetable

Interval = tuple[int, int]
Stretch = tuple[int, int, str]
"""(from_ms, to_ms, state), half-open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The limits of the rules, ms."""

    prep_cap_ms: int = 1_800_000
    post_cap_ms: int = 900_000
    bridge_ms: int = 300_000
    min_run_ms: int = 0


def effective(states: Sequence[Stretch], rules: Rules) -> list[Interval]:
    """The intervals that count, in order, not overlapping, from states end to end whose neighbours differ."""
    counted: list[Interval] = []
    for first, last in _runs(states, rules):
        from_ms, to_ms = states[first][0], states[last][1]
        if to_ms - from_ms < rules.min_run_ms:
            continue
        if first > 0 and states[first - 1][2] == "WARMUP":
            from_ms = max(states[first - 1][0], from_ms - rules.prep_cap_ms)
        if last + 1 < len(states) and states[last + 1][2] == "COOLDOWN":
            to_ms = min(states[last + 1][1], to_ms + rules.post_cap_ms)
        counted.append((from_ms, to_ms))
    return counted


def _runs(states: Sequence[Stretch], rules: Rules) -> list[tuple[int, int]]:
    """Merged runs as (index of the first RUNNING, index of the last): short STANDBY between two RUNNING joins them."""
    runs: list[tuple[int, int]] = []
    for index, (_, _, state) in enumerate(states):
        if state != "RUNNING":
            continue
        if runs and runs[-1][1] == index - 2:
            from_ms, to_ms, between = states[index - 1]
            if between == "STANDBY" and to_ms - from_ms <= rules.bridge_ms:
                runs[-1] = (runs[-1][0], index)
                continue
        runs.append((index, index))
    return runs


def truth(scenario: Scenario, timetables: Mapping[str, Timetable], seed: int) -> dict[str, object]:
    """The truth file's content: every instrument's states over [start_ms, end_ms) and what of them counts."""
    rules = Rules()
    instruments = []
    for spec in scenario.instruments:
        states = timetables[spec.id].states()
        counted = effective(states, rules)
        instruments.append(
            {
                "id": spec.id,
                "class": spec.class_name,
                "profile": CLASSES[spec.class_name].profile,
                "states": states,
                "effective": counted,
                "effective_ms": sum(to_ms - from_ms for from_ms, to_ms in counted),
            }
        )
    return {
        "seed": seed,
        "start_ms": scenario.start_ms,
        "end_ms": scenario.end_ms,
        "rules": asdict(rules),
        "instruments": instruments,
    }
