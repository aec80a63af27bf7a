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


AS_PUBLISHED = Rules()
RUNS_ALONE = Rules(prep_cap_ms=0, post_cap_ms=0)
"""For what power alone can show by one threshold: neither preparation nor post-processing."""


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


def truth(
    scenario: Scenario,
    timetables: Mapping[str, Timetable],
    seed: int,
    rules: Rules = AS_PUBLISHED,
    days: Mapping[str, Interval] | None = None,
) -> dict[str, object]:
    """The truth file's content: every instrument's states over [start_ms, end_ms) and what of them counts.

    Args:
        scenario: the instruments and the period.
        timetables: of each instrument, by its id.
        seed: with which they were laid.
        rules: by which a run counts.
        days: named parts of the period of which what counts is told besides.
    """
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
                "effective_ms": _within(counted, (scenario.start_ms, scenario.end_ms)),
                **({"days": {name: _within(counted, span) for name, span in days.items()}} if days else {}),
            }
        )
    return {
        "seed": seed,
        "start_ms": scenario.start_ms,
        "end_ms": scenario.end_ms,
        "rules": asdict(rules),
        "instruments": instruments,
    }


def _within(counted: Sequence[Interval], span: Interval) -> int:
    return sum(max(0, min(to_ms, span[1]) - max(from_ms, span[0])) for from_ms, to_ms in counted)
