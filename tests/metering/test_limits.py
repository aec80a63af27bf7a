"""Each limit of a policy exactly at, just under and just over it. Source: domain.md 4, rules 2 to 6."""

from dataclasses import replace

import pytest
from days import evidence, frame_of

from contract.frame import Readings
from contract.states import State
from metering.core.pipeline import judge, measure
from metering.core.policy import LONGEST_WARMUP_MS, Policy, Profile
from metering.core.spans import Spans
from metering.core.states import Observed
from metering.core.tally import Tally, tally
from metering.core.timeline import Piece, Timeline

S = State
POWER = Policy(profile=Profile.POWER, enter_mw=140_000, leave_mw=120_000, off_mw=20_000, bridge_ms=0, max_gap_ms=3_000)
BOTH = replace(
    POWER, profile=Profile.POWER_RUNSTATE, run_floor_mw=100_000, lines=(("run", S.RUNNING), ("post", S.COOLDOWN))
)


def pieces(*rows: tuple[int, State]) -> Timeline:
    """Durations in ms, end to end from 0."""
    result, at = [], 0
    for length_ms, state in rows:
        result.append(Piece(at, at + length_ms, state))
        at += length_ms
    return tuple(result)


def credited(rules: Policy, *rows: tuple[int, State]) -> Spans:
    seen = pieces(*rows)
    measured = judge(Observed(low=seen, point=seen, high=seen), rules)
    low, point, high = measured.low.effective(), measured.point.effective(), measured.high.effective
    assert low == point == high, "an exact timeline leaves nothing between the bounds"
    return point


def read(rules: Policy, watts: list[int], lines: list[int] | None = None, holes: tuple[int, ...] = ()) -> Tally:
    """A reading a second, one a frame; after the places named in `holes` a frame is missing."""
    links, seq = [], 0
    for second, power_w in enumerate(watts):
        mask = Readings(values=(lines[second],)) if lines else Readings(values=(0,))
        power = Readings(values=(power_w * 1000,))
        links.append(frame_of(seq, (second * 1000,), 1_000, power, ("run", "post"), mask))
        seq += 2 if second in holes else 1
    period = (0, (len(watts) - 1) * 1000)
    return tally(measure(evidence(links), rules, (), period), period)


def states(found: Tally) -> dict[str, int]:
    return {state.name: ms for state, ms in found.states_ms.items() if ms}


@pytest.mark.parametrize(
    ("watts", "expected"),
    [
        ([140, 0], {"RUNNING": 1000}),
        ([139, 0], {"STANDBY": 1000}),
        ([140, 120, 0], {"RUNNING": 2000}),
        ([140, 119, 0], {"RUNNING": 1000, "STANDBY": 1000}),
        ([20, 0], {"STANDBY": 1000}),
        ([19, 0], {"OFF": 1000}),
    ],
)
def test_the_levels_of_power(watts: list[int], expected: dict[str, int]) -> None:
    assert states(read(POWER, watts)) == expected


def test_after_a_gap_the_band_is_standby_for_low_and_point_and_running_for_high() -> None:
    found = read(POWER, [140, 130, 130, 130], holes=(1,))
    assert states(found) == {"RUNNING": 1000, "UNKNOWN": 1000, "STANDBY": 1000}
    assert (found.effective.low_ms, found.effective.high_ms) == (1000, 3000)


@pytest.mark.parametrize(("watts", "expected"), [(100, "RUNNING"), (99, "STANDBY"), (20, "STANDBY"), (19, "OFF")])
def test_the_floor_of_a_reported_run(watts: int, expected: str) -> None:
    found = read(BOTH, [watts, watts], [1, 1])
    assert states(found) == {expected: 1000}
    assert found.contradicted_ms == (0 if expected == "RUNNING" else 1000)


def test_a_cooldown_without_power_is_contradicted_and_off() -> None:
    found = read(BOTH, [10, 10], [2, 2])
    assert (states(found), found.contradicted_ms) == ({"OFF": 1000}, 1000)
    assert read(BOTH, [50, 50], [2, 2]).contradicted_ms == 0, "it needs no run floor"


def test_a_silence_of_max_gap_is_none_and_one_longer_is() -> None:
    for silence_s, unknown_ms in ((3, 0), (4, 1_000)):
        links = [
            frame_of(seq, (t,), 1_000, Readings(values=(180_000,)), (), Readings(values=(0,)))
            for seq, t in enumerate((0, 1_000, 1_000 * (1 + silence_s)))
        ]
        period = (0, 1_000 * (1 + silence_s))
        found = tally(measure(evidence(links), POWER, (), period), period)
        assert found.unknown_ms == unknown_ms, "the value holds for max_gap"
        assert found.effective.low_ms == (period[1] if not unknown_ms else 1_000), "low never holds into a gap"


@pytest.mark.parametrize(("pause_ms", "joined"), [(300_000, True), (300_001, False)])
def test_bridge(pause_ms: int, joined: bool) -> None:  # noqa: FBT001
    rules = replace(POWER, bridge_ms=300_000)
    found = credited(rules, (60_000, S.RUNNING), (pause_ms, S.STANDBY), (60_000, S.RUNNING))
    assert len(found) == (1 if joined else 2)


@pytest.mark.parametrize("state", [S.OFF, S.FAULT, S.WARMUP, S.COOLDOWN])
def test_only_standby_is_bridged(state: State) -> None:
    rules = replace(POWER, bridge_ms=300_000)
    assert len(credited(rules, (60_000, S.RUNNING), (1_000, state), (60_000, S.RUNNING))) == 2


def test_min_run_counts_what_is_merged() -> None:
    rules = replace(POWER, bridge_ms=10_000, min_run_ms=60_000)
    assert credited(rules, (25_000, S.RUNNING), (10_000, S.STANDBY), (25_000, S.RUNNING)) == ((0, 60_000),)
    assert credited(rules, (25_000, S.RUNNING), (10_000, S.STANDBY), (24_999, S.RUNNING)) == ()


def test_dwell_on_counts_from_the_crossing() -> None:
    rules = replace(POWER, dwell_on_ms=5_000)
    assert credited(rules, (9_000, S.STANDBY), (5_000, S.RUNNING), (9_000, S.STANDBY)) == ((9_000, 14_000),)
    assert credited(rules, (9_000, S.STANDBY), (4_999, S.RUNNING), (9_000, S.STANDBY)) == ()


@pytest.mark.parametrize("dip", [S.STANDBY, S.OFF])
def test_dwell_off_counts_from_the_crossing(dip: State) -> None:
    rules = replace(POWER, dwell_off_ms=5_000)
    assert credited(rules, (9_000, S.RUNNING), (4_999, dip), (9_000, S.RUNNING)) == ((0, 22_999),)
    assert credited(rules, (9_000, S.RUNNING), (5_000, dip), (9_000, S.RUNNING)) == ((0, 9_000), (14_000, 23_000))
    assert credited(rules, (9_000, S.RUNNING), (4_999, dip)) == ((0, 9_000),), "it never came back"


def test_what_is_pending_at_a_gap_takes_the_lower_credit() -> None:
    rules = replace(POWER, dwell_on_ms=5_000, dwell_off_ms=5_000)
    seen = pieces((4_000, S.RUNNING), (9_000, S.UNKNOWN), (9_000, S.RUNNING), (4_000, S.STANDBY), (9_000, S.UNKNOWN))
    measured = judge(Observed(low=seen, point=seen, high=seen), rules)
    assert measured.point.effective() == measured.low.effective() == ((13_000, 22_000),)
    assert measured.high.effective == ((0, 35_000),)


def test_caps_of_preparation_and_post_processing() -> None:
    rules = replace(POWER, prep_cap_ms=30_000, post_cap_ms=20_000)
    day = ((31_000, S.WARMUP), (60_000, S.RUNNING), (21_000, S.COOLDOWN))
    assert credited(rules, *day) == ((1_000, 111_000),)
    assert credited(rules, (29_000, S.WARMUP), *day[1:2], (19_000, S.COOLDOWN)) == ((0, 108_000),)


def test_preparation_must_touch_its_run_and_post_processing_follow_one() -> None:
    rules = replace(POWER, prep_cap_ms=30_000, post_cap_ms=20_000)
    day = ((9_000, S.WARMUP), (1, S.STANDBY), (60_000, S.RUNNING), (1, S.STANDBY), (9_000, S.COOLDOWN))
    assert credited(rules, *day) == ((9_001, 69_001),)


def test_standby_after_off_is_preparation_of_the_first_run_only() -> None:
    rules = replace(POWER, prep_cap_ms=30_000, warmup_from_off=True)
    morning = ((9_000, S.OFF), (40_000, S.STANDBY), (60_000, S.RUNNING), (40_000, S.STANDBY), (60_000, S.RUNNING))
    assert credited(rules, *morning) == ((19_000, 109_000), (149_000, 209_000))
    assert credited(replace(rules, warmup_from_off=False), *morning)[0] == (49_000, 109_000)


def test_a_reading_hidden_between_two_off_ends_the_run_for_low() -> None:
    rules = replace(BOTH, dwell_off_ms=60_000, min_run_ms=240_000)
    watts = [180] * 120 + [2, 180, 2] + [180] * 160
    lines = [1] * 120 + [0, 2, 0] + [1] * 160
    found = read(rules, watts, lines)
    assert (found.effective.low_ms, found.effective_ms) == (0, 0)


def test_the_point_never_bridges_what_a_reading_before_a_hole_ended() -> None:
    rules = Policy(profile=Profile.RUNSTATE, lines=BOTH.lines, bridge_ms=300_000, max_gap_ms=3_000)
    lines = [1] * 300 + [0] * 240 + [2] + [1] * 300
    found = read(rules, [0] * len(lines), lines, holes=(540,))
    assert found.effective.low_ms <= found.effective_ms <= found.effective.high_ms


def test_the_earlier_line_of_a_policy_counts_and_an_unlisted_one_is_standby() -> None:
    rules = Policy(profile=Profile.RUNSTATE, lines=(("post", S.COOLDOWN), ("run", S.RUNNING)), max_gap_ms=3_000)
    assert states(read(rules, [0, 0], [3, 3])) == {"COOLDOWN": 1000}
    assert states(read(replace(rules, lines=(("run", S.RUNNING),)), [0, 0], [2, 2])) == {"STANDBY": 1000}


def test_after_a_gap_a_run_must_dwell_again() -> None:
    rules = replace(POWER, dwell_on_ms=5_000)
    seen = pieces((9_000, S.RUNNING), (1_000, S.UNKNOWN), (4_000, S.RUNNING), (9_000, S.STANDBY))
    measured = judge(Observed(low=seen, point=seen, high=seen), rules)
    assert measured.point.effective() == measured.low.effective() == ((0, 9_000),)


def test_low_bridges_no_gap_and_point_joins_the_run_over_it() -> None:
    rules = replace(POWER, bridge_ms=300_000, min_run_ms=100_000)
    seen = pieces((60_000, S.RUNNING), (10_000, S.UNKNOWN), (60_000, S.RUNNING))
    measured = judge(Observed(low=seen, point=seen, high=seen), rules)
    assert measured.low.effective() == (), "apart neither piece is long enough"
    assert measured.point.effective() == ((0, 60_000), (70_000, 130_000))


@pytest.mark.parametrize(("warm_ms", "prepared_ms"), [(LONGEST_WARMUP_MS, 30_000), (LONGEST_WARMUP_MS + 1, 0)])
def test_what_was_on_for_more_than_a_day_was_left_on(warm_ms: int, prepared_ms: int) -> None:
    rules = replace(POWER, prep_cap_ms=30_000, warmup_from_off=True)
    seen = pieces((9_000, S.OFF), (warm_ms, S.STANDBY), (60_000, S.RUNNING))
    measured = judge(Observed(low=seen, point=seen, high=seen), rules)
    edge = 9_000 + warm_ms
    assert measured.point.effective() == measured.low.effective() == ((edge - prepared_ms, edge + 60_000),)


@pytest.mark.parametrize(("silence_s", "unknown_ms"), [(3, 0), (4, 1_000)])
def test_where_a_policy_states_no_gap_it_is_three_periods(silence_s: int, unknown_ms: int) -> None:
    links = [
        frame_of(seq, (t,), 1_000, Readings(values=(180_000,)), (), Readings(values=(0,)))
        for seq, t in enumerate((0, 1_000, 1_000 * (1 + silence_s)))
    ]
    period = (0, 1_000 * (1 + silence_s))
    rules = replace(POWER, max_gap_ms=None)
    assert tally(measure(evidence(links), rules, (), period), period).unknown_ms == unknown_ms


@pytest.mark.parametrize(("standby_ms", "flagged"), [(120_000, 0), (120_001, 1)])
def test_a_run_is_flagged_when_more_than_half_of_it_is_bridged(standby_ms: int, flagged: int) -> None:
    rules = replace(POWER, bridge_ms=300_000)
    seen = pieces((60_000, S.RUNNING), (standby_ms, S.STANDBY), (60_000, S.RUNNING))
    measured = judge(Observed(low=seen, point=seen, high=seen), rules)
    assert tally(measured, (0, 120_000 + standby_ms)).bridged_runs == flagged
