"""What several looks say: faults that stay, and an energy register in step with the power."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from unit.gateway.test_probe_rules import DIRECT, SDM630, SOUND

from gateway.probe.look import Look
from gateway.probe.window import judge_window
from gateway.probe.words import Code, Light

START_MWH = 5_000_000_000
KW = 1_000_000


def looks(energies_mwh: Sequence[int], *, every_ms: int = 1_000, power_mw: int = 1_311_000) -> list[Look]:
    shown = replace(SOUND, power_mw=power_mw)
    return [replace(shown, at_ms=place * every_ms, energy_mwh=energy) for place, energy in enumerate(energies_mwh)]


def codes(window: Sequence[Look]) -> list[Code]:
    return [each.code for each in judge_window(window, SDM630, DIRECT)]


def growing(seconds: int, share: float, every_ms: int = 1_000) -> list[Look]:
    """A window over which the register grows by a share of the power."""
    mwh_a_look = 1_311_000 * every_ms / 3_600_000 * share
    return looks([START_MWH + round(place * mwh_a_look) for place in range(seconds + 1)], every_ms=every_ms)


def test_a_fault_of_one_look_is_a_load_that_moved() -> None:
    reversed_phase = replace(SOUND.phases[1], power_mw=-430_000, power_factor_permille=-950)
    fault = replace(SOUND, phases=(SOUND.phases[0], reversed_phase, SOUND.phases[2]), power_mw=440_000)
    assert Code.CT_REVERSED in codes([fault])
    assert Code.CT_REVERSED not in codes([SOUND, fault])
    assert Code.CT_REVERSED not in codes([fault, SOUND])
    assert Code.CT_REVERSED in codes([fault, fault])
    assert Code.CT_REVERSED in codes([SOUND, fault, replace(fault, at_ms=1_000)])


@pytest.mark.parametrize(
    ("share", "expected"),
    [
        (1.0, []),
        (0.8, []),
        (0.0, [Code.ENERGY_STILL]),
        (0.5, [Code.ENERGY_PACE]),
        (2.0, [Code.ENERGY_PACE]),
        (1_000.0, [Code.ENERGY_PACE]),
    ],
)
def test_the_register_keeps_step_with_the_power(share: float, expected: list[Code]) -> None:
    assert codes(growing(120, share)) == expected


def test_a_register_that_falls() -> None:
    assert codes(looks([START_MWH, START_MWH - 1_000])) == [Code.ENERGY_FELL]


def test_too_short_a_window_says_how_long_to_watch() -> None:
    (remark,) = judge_window(growing(5, 0.0), SDM630, DIRECT)
    assert (remark.code, remark.light) == (Code.ENERGY_UNSEEN, Light.GREEN)
    assert "28 s" in remark.en, "ten steps of 1 Wh at 1.3 kW"
    assert codes(growing(27, 0.0)) == [Code.ENERGY_UNSEEN]
    assert codes(growing(29, 0.0)) == [Code.ENERGY_STILL]


def test_looks_too_far_apart_are_not_added_up() -> None:
    assert codes(growing(40, 0.0, every_ms=5_000)) == [Code.ENERGY_STILL]
    assert codes(growing(40, 0.0, every_ms=5_001)) == [Code.ENERGY_UNSEEN]
    assert codes(growing(40, 0.0, every_ms=0)) == [Code.ENERGY_UNSEEN]


def test_a_float_register_is_given_its_own_coarse_step() -> None:
    # At 100,000 kWh a float32 moves in steps of 7.8 Wh: 20 Wh cannot judge it.
    window = [replace(each, energy_mwh=100_000 * KW) for each in growing(60, 0.0)]
    assert codes(window) == [Code.ENERGY_UNSEEN]


def test_no_power_and_negative_power_judge_no_register() -> None:
    still = looks([START_MWH] * 100, power_mw=0)
    (remark,) = [each for each in judge_window(still, SDM630, DIRECT) if each.code == Code.ENERGY_UNSEEN]
    assert "no power" in remark.en
    negative = looks([START_MWH] * 100, power_mw=-1_311_000)
    assert not [code for code in codes(negative) if code.startswith("energy")]


def test_the_worst_comes_first() -> None:
    window = [replace(each, serial=0, line_voltages_mv=(0, 398_000, 398_000)) for each in growing(5, 1.0)]
    lights = [each.light for each in judge_window(window, SDM630, DIRECT)]
    assert lights == [Light.RED, Light.YELLOW, Light.GREEN]
