from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_sim.instruments.curves import ramp, steady
from firmware_sim.instruments.mode import Mode, State
from firmware_sim.load import Load
from firmware_sim.timetable import Stage, Timetable

END_MS = 9_000
LOAD_STAGES = (
    Stage(from_ms=0, to_ms=1_234, mode=Mode(state=State.OFF, curve=steady(2_000), noise_mw=300)),
    Stage(
        from_ms=1_234,
        to_ms=5_678,
        mode=Mode(state=State.WARMUP, curve=ramp(from_mw=110_000, to_mw=85_000, over_ms=4_000), noise_mw=2_000),
    ),
    Stage(from_ms=5_678, to_ms=END_MS, mode=Mode(state=State.RUNNING, curve=steady(180_000), noise_mw=3_000)),
)


def load(key: bytes = b"key") -> Load:
    return Load(Timetable(LOAD_STAGES), key)


def test_energy_is_the_sum_of_the_power_of_every_millisecond() -> None:
    one = load()
    counted = 0
    for t_ms in range(END_MS):
        assert one.energy_mw_ms(t_ms) == counted
        counted += one.power_mw(t_ms)
    assert one.energy_mw_ms(END_MS) == counted > 0


@given(st.lists(st.integers(0, END_MS), min_size=1))
@settings(deadline=None)
def test_energy_does_not_depend_on_when_it_was_asked(times_ms: list[int]) -> None:
    asked = load()
    assert [asked.energy_mw_ms(t_ms) for t_ms in times_ms] == [load().energy_mw_ms(t_ms) for t_ms in times_ms]


def test_power_changes_at_the_very_millisecond_of_an_edge() -> None:
    one = load()
    assert one.power_mw(1_233) < 3_000
    assert one.power_mw(1_234) > 100_000
    assert one.power_mw(5_677) < 90_000
    assert one.power_mw(5_678) > 170_000


def test_a_ramp_begins_at_the_edge_and_not_at_the_second_before_it() -> None:
    silent = Mode(state=State.WARMUP, curve=ramp(from_mw=110_000, to_mw=10_000, over_ms=1_000), noise_mw=0)
    one = Load(Timetable((LOAD_STAGES[0], Stage(from_ms=1_234, to_ms=9_000, mode=silent))), b"key")
    assert [one.power_mw(t_ms) for t_ms in (1_234, 1_999, 2_000, 3_000)] == [110_000, 110_000, 33_400, 10_000]


def test_power_is_noisy_and_comes_in_tenths_of_a_watt() -> None:
    shown = {load().power_mw(t_ms) for t_ms in range(5_678, END_MS)}
    assert len(shown) > 2
    assert all(power_mw % 100 == 0 for power_mw in shown)
    assert shown != {load(b"other").power_mw(t_ms) for t_ms in range(5_678, END_MS)}
