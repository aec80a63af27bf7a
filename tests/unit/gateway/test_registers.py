import struct
from dataclasses import replace

import pytest
from pydantic import TypeAdapter, ValidationError

from gateway.meters.registers import DeviceModel, Quantity, decode, energy_mwh, known_models, load_model, power_mw

SDM630 = load_model("sdm630")
SDM120 = load_model("sdm120")
RAW = Quantity(
    table="input", register=0, type="uint32", word_order="high-first", unit="W", source="PZEM-004T V3.0 manual 2.3"
)


def words(form: str, value: float) -> tuple[int, ...]:
    packed = struct.pack(form, value)
    return struct.unpack(f">{len(packed) // 2}H", packed)


@pytest.mark.parametrize(
    ("shown_w", "power"),
    [(0.0, 0), (12.3, 12_300), (1_234.5, 1_234_500), (0.04, 0), (0.06, 100), (-3.2, -3_200), (65_000.1, 65_000_100)],
)
def test_the_sdm630_shows_tenths_of_a_watt(shown_w: float, power: int) -> None:
    assert power_mw(SDM630.power, words(">f", shown_w)) == power


def test_the_words_of_the_data_sheet_example() -> None:
    # The data sheet's own example of an answer: 43 66 33 34 is 230.2.
    assert power_mw(SDM630.power, (0x4366, 0x3334)) == 230_200


def test_the_sdm630_shows_energy_to_a_watt_hour() -> None:
    assert energy_mwh(SDM630.energy, words(">f", 5_234.125)) == 5_234_125_000


def test_the_sdm630_is_read_where_its_data_sheet_says() -> None:
    places = [(q.table, q.register, q.words) for q in (SDM630.power, SDM630.energy, SDM630.serial)]
    assert places == [("input", 0x0034, 2), ("input", 0x0156, 2), ("holding", 0xFC00, 2)]
    assert decode(SDM630.serial, (0x0123, 0x4567)) == 0x01234567


def test_the_sdm120_is_read_where_its_data_sheet_says_and_its_energy_is_import() -> None:
    places = [(q.table, q.register, q.words) for q in (SDM120.power, SDM120.energy, SDM120.serial)]
    assert places == [("input", 0x000C, 2), ("input", 0x0048, 2), ("holding", 0xFC00, 2)]
    assert power_mw(SDM120.power, words(">f", 178.74)) == 178_700
    assert energy_mwh(SDM120.energy, words(">f", 2_226.055)) == 2_226_055_000


@pytest.mark.parametrize(("model", "phases"), [(SDM630, 3), (SDM120, 1)], ids=["sdm630", "sdm120"])
def test_a_model_has_every_phase_of_what_a_probe_reads(model: DeviceModel, phases: int) -> None:
    probe = model.probe
    by_phase = [probe.voltage, probe.current, probe.power, probe.power_factor]
    first = [0x0000, 0x0006, 0x000C, 0x001E]
    shown = [[quantity.register for quantity in each.of_phases()] for each in by_phase]
    assert shown == [[start + 2 * phase for phase in range(phases)] for start in first]
    assert {(each.table, each.word_order, each.type) for each in by_phase} == {("input", "high-first", "float32")}
    assert [each.unit for each in by_phase] == ["V", "A", "W", "share"]
    assert probe.frequency.register == 0x0046
    assert (probe.line_voltage is not None) == (phases > 1)


@pytest.mark.parametrize(
    ("quantity", "shown", "value"),
    [
        (replace(RAW, type="int16", scale=0.1), words(">h", -25), -2_500),
        (replace(RAW, type="uint16", unit="kW"), words(">H", 3), 3_000_000),
        (replace(RAW, type="int32", sign=-1), words(">i", -7), 7_000),
        (replace(RAW, word_order="low-first", scale=0.1), (0x0001, 0x0002), 13_107_300),
        (replace(RAW, unit=""), words(">I", 4_000_000_000), 4_000_000_000),
        (replace(RAW, unit="Wh", resolution=500), words(">I", 3), 3_000),
        (replace(RAW, type="float32", unit="share"), words(">f", -0.95), -950),
        (replace(RAW, type="uint16", unit="V", scale=0.1), words(">H", 2_301), 230_100),
    ],
)
def test_types_orders_scales_and_signs(quantity: Quantity, shown: tuple[int, ...], value: int) -> None:
    assert decode(quantity, shown) == value


@pytest.mark.parametrize("shown", [float("nan"), float("inf"), float("-inf"), 3.4e38])
def test_what_no_meter_shows_is_no_reading(shown: float) -> None:
    with pytest.raises(ValueError, match="it shows"):
        power_mw(SDM630.power, words(">f", shown))


def test_an_energy_below_zero_is_no_reading() -> None:
    with pytest.raises(ValueError, match="it shows"):
        energy_mwh(SDM630.energy, words(">f", -1.0))


def test_every_model_has_the_name_of_its_file_and_a_source() -> None:
    assert known_models()
    for name in known_models():
        model = load_model(name)
        assert model.name == name
        assert all(quantity.source for quantity in (model.power, model.energy, model.serial))


def test_an_unknown_key_in_a_model_is_refused() -> None:
    table = {"name": "x", "power": {"colour": "red"}}
    with pytest.raises(ValidationError, match="colour"):
        TypeAdapter(DeviceModel).validate_python(table)
