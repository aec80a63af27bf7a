from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_sim.instruments.catalogue import CLASSES
from firmware_sim.instruments.curves import ramp, swing
from firmware_sim.load import Load
from firmware_sim.timetable import LEAST_MS, Timetable, lay

START_MS = 1_741_568_400_000
DAY_MS = 86_400_000

seeds = st.integers(0, 2**63)
class_names = st.sampled_from(sorted(CLASSES))

# The bands in W that a threshold has to tell apart, noise included; the spectrometer's inrush is apart.
BANDS_W = {
    ("spectrometer", "OFF"): (1, 3),
    ("spectrometer", "WARMUP"): (80, 120),
    ("spectrometer", "STANDBY"): (80, 90),
    ("spectrometer", "RUNNING"): (176, 183),
    ("chromatograph", "OFF"): (4, 6),
    ("chromatograph", "WARMUP"): (600, 900),
    ("chromatograph", "STANDBY"): (170, 190),
    ("chromatograph", "RUNNING"): (300, 850),
    ("chromatograph", "COOLDOWN"): (180, 240),
    ("microscope", "STANDBY"): (830, 1_090),
    ("microscope", "RUNNING"): (975, 1_115),
}

# How long a whole state may last, in s; a pair of ranges where gaps are either short or past any bridge of 300 s.
DURATIONS_S = {
    ("spectrometer", "RUNNING"): [(20, 150)],
    ("spectrometer", "STANDBY"): [(15, 200), (370, 1_200)],
    ("chromatograph", "WARMUP"): [(600, 1_200)],
    ("chromatograph", "RUNNING"): [(480, 960)],
    ("chromatograph", "STANDBY"): [(60, 240), (370, 900)],
    ("chromatograph", "COOLDOWN"): [(360, 600)],
    ("microscope", "RUNNING"): [(180, 1_500)],
    ("microscope", "STANDBY"): [(30, 270), (360, 1_800)],
}


def day(class_name: str, seed: int, start_ms: int = START_MS, length_ms: int = DAY_MS) -> Timetable:
    return lay(CLASSES[class_name], "one", seed=seed, start_ms=start_ms, end_ms=start_ms + length_ms)


@given(class_names, seeds, st.integers(0, 2**42), st.integers(1, 2 * DAY_MS))
@settings(deadline=None)
def test_the_timetable_covers_the_period_exactly(class_name: str, seed: int, start_ms: int, length_ms: int) -> None:
    table = day(class_name, seed, start_ms, length_ms)
    states = table.states()
    assert (states[0][0], states[-1][1]) == (start_ms, start_ms + length_ms)
    for (_, to_ms, state), (from_ms, _, after) in pairwise(states):
        assert to_ms == from_ms
        assert state is not after


@given(class_names, seeds, st.integers(LEAST_MS, 2 * DAY_MS))
@settings(deadline=None)
def test_no_state_is_too_short_to_be_seen_even_at_the_end(class_name: str, seed: int, length_ms: int) -> None:
    for from_ms, to_ms, _ in day(class_name, seed, length_ms=length_ms).states():
        assert to_ms - from_ms >= 15_000


@given(class_names, seeds)
@settings(deadline=None)
def test_states_last_as_long_as_their_class_says(class_name: str, seed: int) -> None:
    states = day(class_name, seed).states()
    for from_ms, to_ms, state in states[1:-1]:  # the first and the last are cut by the period
        ranges = DURATIONS_S.get((class_name, state), [(15, DAY_MS)])
        assert any(low * 1_000 <= to_ms - from_ms <= high * 1_000 for low, high in ranges), (state, to_ms - from_ms)


@given(class_names, seeds, st.integers(1, DAY_MS - LEAST_MS))
@settings(deadline=None)
def test_a_longer_period_begins_with_the_shorter_one(class_name: str, seed: int, length_ms: int) -> None:
    whole, part = day(class_name, seed), day(class_name, seed, length_ms=length_ms)
    assert part.stages[:-1] == whole.stages[: len(part.stages) - 1]


@pytest.mark.parametrize("class_name", CLASSES)
def test_another_seed_is_another_day_with_edges_off_the_grid(class_name: str) -> None:
    one, other = day(class_name, 1).states(), day(class_name, 2).states()
    assert one == day(class_name, 1).states()
    assert one != other
    assert sum(from_ms % 1_000 != 0 for from_ms, _, _ in one) > len(one) // 2


@pytest.mark.parametrize("class_name", CLASSES)
def test_power_stays_in_the_band_of_its_state(class_name: str) -> None:
    table = day(class_name, 3)
    load = Load(table, b"key")
    seen = set()
    for t_ms in range(START_MS, START_MS + DAY_MS, 3_000):
        stage = table.at(t_ms)
        state = stage.mode.state
        if stage.to_ms - stage.from_ms == 1_500:
            continue
        seen.add((class_name, state))
        low_w, high_w = BANDS_W[class_name, state]
        assert low_w * 1_000 <= load.power_mw(t_ms) <= high_w * 1_000, (state, t_ms)
    assert seen == {key for key in BANDS_W if key[0] == class_name}


def test_the_lamp_draws_an_inrush_before_it_warms() -> None:
    table = day("spectrometer", 3)
    load = Load(table, b"key")
    _, on_ms, _ = table.states()[0]
    assert load.power_mw(on_ms - 1) < 3_000
    assert 390_000 < load.power_mw(on_ms) < 410_000
    assert 390_000 < load.power_mw(on_ms + 1_499) < 410_000
    assert 105_000 < load.power_mw(on_ms + 1_500) < 120_000
    assert {str(state) for _, _, state in table.states()[:2]} == {"OFF", "WARMUP"}


@pytest.mark.parametrize(
    ("class_name", "state", "closed"),
    [
        ("chromatograph", "OFF", [set()]),
        ("chromatograph", "WARMUP", [{"prepare"}]),
        ("chromatograph", "RUNNING", [{"start"}]),
        ("chromatograph", "STANDBY", [{"stop"}, {"ready"}]),
        ("chromatograph", "COOLDOWN", [{"post"}]),
        ("microscope", "STANDBY", [{"vacuum"}, {"vacuum", "ht"}]),
        ("microscope", "RUNNING", [{"vacuum", "ht", "imaging"}]),
    ],
)
def test_the_lines_say_the_state(class_name: str, state: str, closed: list[set[str]]) -> None:
    shown = {stage.mode.closed for stage in day(class_name, 5).stages if stage.mode.state == state}
    assert shown == {frozenset(lines) for lines in closed}
    assert all(lines <= set(CLASSES[class_name].lines) for lines in shown)


def test_after_an_injection_stop_is_closed_for_two_seconds() -> None:
    stages = day("chromatograph", 5).stages[:-1]
    stops = [stage for stage in stages if "stop" in stage.mode.closed]
    assert stops
    assert {stage.to_ms - stage.from_ms for stage in stops} == {2_000}


def test_a_ramp_ends_level_and_a_swing_turns() -> None:
    warming = ramp(from_mw=110, to_mw=85, over_ms=100)
    assert [warming(0, elapsed_ms) for elapsed_ms in (0, 50, 100, 900)] == [110, 97, 85, 85]
    cycle = swing(mean_mw=500, swing_mw=200, period_ms=40)
    assert [cycle(t_ms, 0) for t_ms in (0, 10, 20, 30, 40)] == [300, 500, 700, 500, 300]
