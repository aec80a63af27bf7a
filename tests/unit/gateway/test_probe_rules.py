"""Each rule on one look that is sound but for what it is about, and just not so."""

import math
from dataclasses import replace

import pytest

from gateway.config import MeterConfig
from gateway.meters.registers import load_model
from gateway.probe.look import Look, PhaseLook
from gateway.probe.rules import judge
from gateway.probe.words import _TEXTS, Code, Light

SDM630, SDM120 = load_model("sdm630"), load_model("sdm120")
DIRECT = MeterConfig(model="sdm630", host="127.0.0.1")
CT_100_5 = MeterConfig(model="sdm630", host="127.0.0.1", ct_primary_a=100, ct_secondary_a=5)
Found = list[tuple[Code, tuple[str, ...]]]


def phase(volts: float = 230, amps: float = 2, factor: float = 0.95) -> PhaseLook:
    return PhaseLook(
        voltage_mv=round(volts * 1_000),
        current_ma=round(amps * 1_000),
        power_mw=round(volts * amps * factor * 1_000),
        power_factor_permille=round(factor * 1_000),
    )


def three(*phases: PhaseLook) -> Look:
    volts = [(each.voltage_mv or 0) / 1_000 for each in phases]
    pairs = zip(volts, volts[1:] + volts[:1], strict=True)
    return Look(
        at_ms=0,
        serial=12345678,
        phases=phases,
        line_voltages_mv=tuple(round(1_000 * math.sqrt(a * a + b * b + a * b)) for a, b in pairs),
        power_mw=sum(each.power_mw or 0 for each in phases),
        frequency_millihz=50_000,
        energy_mwh=5_000_000_000,
        ct_primary_ma=None,
        ct_secondary_ma=None,
        unread=(),
    )


SOUND = three(phase(), phase(231), phase(229))


def found(look: Look, declared: MeterConfig = DIRECT) -> Found:
    return [(each.code, each.phases) for each in judge(look, SDM630, declared)]


def with_phase(place: int, **changed: int | None) -> Look:
    phases = [replace(each, **changed) if at == place else each for at, each in enumerate(SOUND.phases)]
    return replace(SOUND, phases=tuple(phases))


def shifted(degrees: float) -> float:
    """Power factor of 0.95 under an angle that wrong wiring adds."""
    return math.cos(math.acos(0.95) + math.radians(degrees))


def test_a_sound_look_is_green() -> None:
    assert found(SOUND) == []
    idle = three(phase(amps=0.02, factor=0.4), phase(amps=0, factor=1), phase(amps=0.03, factor=0.3))
    assert found(idle) == []
    slight = with_phase(1, current_ma=80, power_mw=6_000, power_factor_permille=900)  # 18 VA say nothing
    assert found(replace(slight, power_mw=sum(each.power_mw or 0 for each in slight.phases))) == []
    single = replace(three(phase()), line_voltages_mv=())
    assert judge(single, SDM120, DIRECT) == ()


def test_a_silent_meter_and_one_of_zeros_are_red_and_nothing_else_is_said() -> None:
    nothing = PhaseLook(voltage_mv=None, current_ma=None, power_mw=None, power_factor_permille=None)
    assert found(replace(SOUND, phases=(nothing,) * 3)) == [(Code.SILENT, ())]
    zero = PhaseLook(voltage_mv=0, current_ma=0, power_mw=0, power_factor_permille=0)
    assert found(replace(SOUND, phases=(zero,) * 3, frequency_millihz=0)) == [(Code.ALL_ZERO, ())]
    assert found(replace(SOUND, phases=(zero,) * 3, power_mw=0)) != [(Code.ALL_ZERO, ())]


def test_identity() -> None:
    assert found(replace(SOUND, unread=("frequency",))) == [(Code.UNREAD, ())]
    for serial in (0, 0xFFFF_FFFF):
        assert found(replace(SOUND, serial=serial)) == [(Code.SERIAL, ())]


@pytest.mark.parametrize(
    ("hertz", "right"),
    [(48.99, False), (49.0, True), (51.0, True), (51.01, False), (58.99, False), (59.0, True), (61.01, False)],
)
def test_frequency(hertz: float, right: bool) -> None:  # noqa: FBT001 - a table
    look = replace(SOUND, frequency_millihz=round(hertz * 1_000))
    assert found(look) == ([] if right else [(Code.FREQUENCY, ())])


@pytest.mark.parametrize(
    ("volts", "hertz", "right"),
    [(197, 50, False), (198, 50, True), (253, 50, True), (254, 50, False), (120, 50, False), (120, 60, True)],
)
def test_voltage(volts: float, hertz: int, right: bool) -> None:  # noqa: FBT001 - a table
    look = replace(three(*(phase(volts) for _ in range(3))), frequency_millihz=hertz * 1_000)
    assert found(look) == ([] if right else [(Code.VOLTAGE, (name,)) for name in ("L1", "L2", "L3")])


def test_a_phase_without_voltage_is_worse_where_current_flows() -> None:
    assert found(three(phase(), phase(0, 0), phase())) == [(Code.NO_VOLTAGE, ("L2",))]
    dead = replace(three(phase(), phase(0, 0), phase()), line_voltages_mv=(60_000, 60_000, 398_000))
    assert found(dead) == [(Code.NO_VOLTAGE, ("L2",))], "what a dead tap picks up is not judged"
    assert found(three(phase(), phase(0, 2), phase())) == [(Code.CURRENT_WITHOUT_VOLTAGE, ("L2",))]


@pytest.mark.parametrize("place", [0, 1, 2])
def test_one_reversed_transformer(place: int) -> None:
    phases = [phase(factor=-0.95 if at == place else 0.95) for at in range(3)]
    assert found(three(*phases)) == [(Code.CT_REVERSED, (f"L{place + 1}",))]


def test_two_reversed_transformers_are_named_and_three_are_one_fault() -> None:
    two = three(phase(factor=-0.95), phase(), phase(factor=-0.95))
    assert found(two) == [(Code.CT_REVERSED, ("L1",)), (Code.CT_REVERSED, ("L3",))]
    assert found(three(*(phase(factor=-0.95) for _ in range(3)))) == [(Code.ALL_REVERSED, ())]
    assert found(three(phase(factor=-0.95), phase(amps=0), phase(amps=0))) == [(Code.CT_REVERSED, ("L1",))]


def test_a_single_phase_that_counts_negative() -> None:
    look = replace(three(phase(factor=-0.95)), line_voltages_mv=())
    assert [(each.code, each.phases) for each in judge(look, SDM120, DIRECT)] == [(Code.CT_REVERSED, ("L",))]


@pytest.mark.parametrize("angle", [-50, -18, 0, 10, 18, 35, 50])
@pytest.mark.parametrize("pair", [(0, 1), (1, 2), (0, 2)])
def test_two_exchanged_transformers_are_told_from_reversed_ones(angle: float, pair: tuple[int, int]) -> None:
    turns = dict(zip(pair, (120, -120), strict=True))
    phases = [phase(factor=math.cos(math.radians(angle + turns.get(place, 0)))) for place in range(3)]
    named = tuple(f"L{place + 1}" for place in pair)
    assert found(three(*phases)) == [(Code.CTS_SWAPPED, named)]


def test_exchanged_transformers_are_not_told_by_a_phase_without_load() -> None:
    look = three(phase(factor=-0.5), phase(factor=-0.5), phase(amps=0.02, factor=1))
    assert found(look) == [(Code.ALL_REVERSED, ())]


def test_all_transformers_one_phase_on_count_negative() -> None:
    for degrees in (120, -120):
        assert found(three(*(phase(factor=shifted(degrees)) for _ in range(3)))) == [(Code.ALL_REVERSED, ())]


def test_a_negative_total_of_positive_phases_is_the_models_fault() -> None:
    codes = [code for code, _ in found(replace(SOUND, power_mw=-(SOUND.power_mw or 0)))]
    assert codes == [Code.TOTAL_SIGN, Code.SUM]


def test_a_phase_far_under_the_others() -> None:
    assert found(three(phase(), phase(factor=0.3), phase())) == [(Code.PAIRING, ("L2",))]
    assert found(three(phase(factor=0.3), phase(factor=0.3), phase(factor=0.3))) == []


def test_power_factor_against_its_parts() -> None:
    assert found(with_phase(1, power_factor_permille=-950)) == [(Code.FACTOR_SIGN, ("L2",))]
    assert found(with_phase(1, power_factor_permille=700)) == [(Code.FACTOR, ("L2",))]
    assert found(with_phase(1, power_factor_permille=900)) == []


def test_more_watts_than_volt_amperes() -> None:
    assert (Code.PRODUCT, ("L2",)) in found(with_phase(1, power_mw=500_000))
    assert Code.PRODUCT not in [code for code, _ in found(with_phase(1, power_mw=480_000))]


def test_current_and_no_power() -> None:
    codes = [code for code, _ in found(with_phase(1, power_mw=0, power_factor_permille=0))]
    assert Code.NO_POWER in codes


def test_the_phases_add_up_to_the_total() -> None:
    total = SOUND.power_mw or 0
    assert found(replace(SOUND, power_mw=round(total * 0.9))) == [(Code.SUM, ())]
    assert found(replace(SOUND, power_mw=round(total * 0.97))) == []


def test_voltages_between_the_phases() -> None:
    assert found(replace(SOUND, line_voltages_mv=(1_000, 398_000, 398_000))) == [(Code.SAME_TAP, ("L1", "L2"))]
    assert found(replace(SOUND, line_voltages_mv=(398_000, 398_000, 230_000))) == [(Code.LINE_VOLTAGE, ("L1", "L3"))]
    assert found(replace(SOUND, line_voltages_mv=(398_000, 398_000, None))) == []


def test_current_above_the_range() -> None:
    assert found(three(phase(amps=99), phase(amps=99), phase(amps=99))) == []
    assert found(three(phase(amps=101), phase(amps=99), phase(amps=99))) == [(Code.OVER_RANGE, ("L1",))]
    served = replace(
        three(phase(amps=121), phase(amps=119), phase(amps=119)), ct_primary_ma=100_000, ct_secondary_ma=5_000
    )
    assert found(served, CT_100_5) == [(Code.OVER_RANGE, ("L1",))]


def test_the_ratio_declared_against_the_one_in_the_meter() -> None:
    served = replace(SOUND, ct_primary_ma=100_000, ct_secondary_ma=5_000)
    assert found(served, CT_100_5) == []
    assert found(replace(served, ct_secondary_ma=None), CT_100_5) == []
    assert found(replace(served, ct_primary_ma=200_000), CT_100_5) == [(Code.RATIO, ())]
    assert found(served, DIRECT) == [(Code.RATIO, ())]
    (unseen,) = judge(SOUND, SDM630, CT_100_5)
    assert (unseen.code, unseen.light) == (Code.RATIO_UNSEEN, Light.GREEN)
    assert "100/5 A" in unseen.zh
    assert "100/5 A" in unseen.en


def test_every_code_has_its_sentences_in_two_languages() -> None:
    assert set(_TEXTS) == set(Code)
    for _, zh, en in _TEXTS.values():
        assert any("一" <= letter <= "鿿" for letter in zh)
        assert en.replace("·", "").isascii()
