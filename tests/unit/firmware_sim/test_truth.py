from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.lab import timetables
from firmware_sim.scenario import load
from firmware_sim.truth import Interval, Rules, Stretch, effective, truth

RULES = Rules()


def laid(*parts: tuple[str, int]) -> list[Stretch]:
    """States end to end from 0, lengths in s."""
    states, at_ms = [], 0
    for state, length_s in parts:
        states.append((at_ms, at_ms + length_s * 1_000, state))
        at_ms += length_s * 1_000
    return states


def counted_s(*parts: tuple[str, int], rules: Rules = RULES) -> float:
    return sum(to_ms - from_ms for from_ms, to_ms in effective(laid(*parts), rules)) / 1_000


T_DAY_1 = (
    ("OFF", 28_800),
    ("WARMUP", 2_700),
    ("RUNNING", 5_400),
    ("STANDBY", 240),
    ("RUNNING", 4_260),
    ("STANDBY", 5_400),
    ("UNKNOWN", 1_800),
    ("RUNNING", 5_400),
    ("COOLDOWN", 1_200),
    ("STANDBY", 6_000),
    ("OFF", 25_200),
)


def test_t_day_1() -> None:
    assert sum(length_s for _, length_s in T_DAY_1) == 86_400
    assert counted_s(*T_DAY_1) == 18_000
    assert effective(laid(*T_DAY_1), RULES) == [(29_700_000, 41_400_000), (48_600_000, 54_900_000)]


def test_a_bridge_reaches_as_far_as_its_limit_and_no_further() -> None:
    assert counted_s(("RUNNING", 10), ("STANDBY", 300), ("RUNNING", 10)) == 320
    assert counted_s(("RUNNING", 10), ("STANDBY", 301), ("RUNNING", 10)) == 20
    assert counted_s(("RUNNING", 10), ("OFF", 20), ("RUNNING", 10)) == 20
    assert counted_s(("RUNNING", 10), ("COOLDOWN", 5), ("STANDBY", 5), ("RUNNING", 10)) == 25


def test_preparation_needs_a_run_at_once() -> None:
    assert counted_s(("WARMUP", 600), ("RUNNING", 10)) == 610
    assert counted_s(("WARMUP", 600), ("STANDBY", 20), ("RUNNING", 10)) == 10
    assert counted_s(("WARMUP", 600), ("OFF", 10)) == 0


def test_post_processing_needs_a_run_just_before() -> None:
    assert counted_s(("RUNNING", 10), ("COOLDOWN", 600)) == 610
    assert counted_s(("RUNNING", 10), ("STANDBY", 5), ("COOLDOWN", 600)) == 10


def test_a_run_too_short_brings_nothing_with_it() -> None:
    rules = Rules(min_run_ms=60_000)
    assert counted_s(("WARMUP", 600), ("RUNNING", 59), ("COOLDOWN", 60), rules=rules) == 0
    assert counted_s(("RUNNING", 29), ("STANDBY", 30), ("RUNNING", 1), rules=rules) == 60


STATES = ("OFF", "STANDBY", "WARMUP", "RUNNING", "COOLDOWN")
SMALL = Rules(prep_cap_ms=3_000, post_cap_ms=2_000, bridge_ms=2_000)


def painted(seconds: list[str]) -> list[bool]:
    """The same rules second by second, by looking at neighbours alone."""
    joined = list(seconds)
    for at, state in enumerate(seconds):
        before = next((s for s in reversed(seconds[:at]) if s != state), None)
        after = next((s for s in seconds[at:] if s != state), None)
        if state == "STANDBY" and before == after == "RUNNING" and _length(seconds, at) * 1_000 <= SMALL.bridge_ms:
            joined[at] = "RUNNING"
    counts = [state == "RUNNING" for state in joined]
    for at, state in enumerate(joined):
        to_end = next((n for n, s in enumerate(joined[at:]) if s != state), None)
        since = next((n for n, s in enumerate(reversed(joined[: at + 1])) if s != state), None)
        if state == "WARMUP" and to_end is not None and joined[at + to_end] == "RUNNING":
            counts[at] = to_end * 1_000 <= SMALL.prep_cap_ms
        if state == "COOLDOWN" and since is not None and joined[at - since] == "RUNNING":
            counts[at] = since * 1_000 <= SMALL.post_cap_ms
    return counts


def _length(seconds: list[str], at: int) -> int:
    first, last = at, at
    while first > 0 and seconds[first - 1] == seconds[at]:
        first -= 1
    while last + 1 < len(seconds) and seconds[last + 1] == seconds[at]:
        last += 1
    return last - first + 1


@given(st.lists(st.tuples(st.sampled_from(STATES), st.integers(1, 5)), max_size=12))
def test_the_reference_agrees_with_painting_each_second(parts: list[tuple[str, int]]) -> None:
    seconds = [state for state, length_s in parts for _ in range(length_s)]
    merged: list[Stretch] = []
    for from_ms, to_ms, state in laid(*parts):
        if merged and merged[-1][2] == state:
            merged[-1] = (merged[-1][0], to_ms, state)
        else:
            merged.append((from_ms, to_ms, state))
    counted = effective(merged, SMALL)
    assert [_within(counted, second * 1_000) for second in range(len(seconds))] == painted(seconds)
    assert all(to_ms <= from_ms for (_, to_ms), (from_ms, _) in pairwise(counted))


def _within(intervals: list[Interval], t_ms: int) -> bool:
    return any(from_ms <= t_ms < to_ms for from_ms, to_ms in intervals)


def test_the_demo_earns_hours_on_every_instrument_and_not_all_of_them() -> None:
    scenario = load("demo")
    told = truth(scenario, timetables(scenario, 7), 7)
    assert told["rules"] == {
        "prep_cap_ms": 1_800_000,
        "post_cap_ms": 900_000,
        "bridge_ms": 300_000,
        "min_run_ms": 0,
    }
    instruments = told["instruments"]
    assert isinstance(instruments, list)
    for entry in instruments:
        assert 1_800_000 < entry["effective_ms"] < 10_800_000
        assert entry["effective_ms"] == sum(to_ms - from_ms for from_ms, to_ms in entry["effective"])
        assert {"RUNNING", "STANDBY"} <= {state for _, _, state in entry["states"]}
        assert (entry["states"][0][2] == "OFF") == (entry["class"] != "microscope")
