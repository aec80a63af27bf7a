"""The two Eastron maps over one circuit, and what wrong wiring does to them."""

import asyncio
import tomllib
from dataclasses import replace

import pytest
from unit.firmware_sim.client import Reader, float32, playing

from firmware_sim import eastron
from firmware_sim.scenario import Scenario, ScenarioError, parse

TEXT = """
start = 2025-03-10T09:00:00+08:00
duration_s = 7200
[[instrument]]
id = "uv"
class = "spectrometer"
meter = "sdm120"
[[instrument]]
id = "gc"
class = "chromatograph"
"""
LAB = parse(tomllib.loads(TEXT))
LATER_MS = LAB.start_ms + 5_400_000
EVERY = tuple(range(0x0000, 0x0024, 6))
"""The first phase's volts, amps, watts, VA, var and power factor."""


def wired(name: str, wiring: str) -> Scenario:
    specs = [replace(spec, wiring=wiring) if spec.id == name else spec for spec in LAB.instruments]
    return replace(LAB, instruments=tuple(specs))


async def shown(reader: Reader, name: str, *addresses: int) -> list[float]:
    return [await reader.meter(name, address) for address in addresses]


def test_the_sdm120_agrees_with_itself_and_has_no_second_phase() -> None:
    async def check() -> None:
        async with playing(LAB) as reader:
            await reader.advance(LATER_MS)
            volts, amps, watts, volt_amps, reactive, factor = await shown(reader, "uv", *EVERY)
            assert watts > 80
            assert factor == pytest.approx(0.92)
            assert volts * amps == pytest.approx(volt_amps)
            assert watts == pytest.approx(factor * volt_amps)
            assert watts**2 + reactive**2 == pytest.approx(volt_amps**2)
            energy_in, energy_out, total = await shown(reader, "uv", 0x0048, 0x004A, 0x0156)
            assert (energy_out, total) == (0, energy_in)
            for address in (0x0002, 0x0034, 0x00C8):
                assert (await reader.clients["uv"].read_input_registers(address, count=2, device_id=1)).isError()

    asyncio.run(check())


def test_the_ready_file_names_each_model() -> None:
    async def check() -> None:
        async with playing(LAB) as reader:
            models = {name: entry["meter_model"] for name, entry in reader.instruments.items()}
            assert models == {"uv": "sdm120", "gc": "sdm630"}

    asyncio.run(check())


def test_line_voltages_are_those_of_three_phases() -> None:
    async def check() -> None:
        async with playing(LAB) as reader:
            volts = await shown(reader, "gc", 0x0000, 0x0002, 0x0004)
            for place, between in enumerate(await shown(reader, "gc", 0x00C8, 0x00CA, 0x00CC)):
                this, following = volts[place], volts[(place + 1) % 3]
                assert between == pytest.approx((this**2 + following**2 + this * following) ** 0.5)
                assert 394 < between < 402

    asyncio.run(check())


@pytest.mark.parametrize(
    ("wiring", "share"),
    [
        ("as-drawn", 1),
        ("ct-reversed-l2", 1 / 3),
        ("cts-reversed", -1),
        ("cts-swapped-l1-l2", 0),
        # cos(a + 120 degrees) / cos a with cos a = 0.95
        ("cts-rotated", -0.5 - 0.75**0.5 * (1 - 0.95**2) ** 0.5 / 0.95),
    ],
)
def test_wrong_wiring_counts_a_share_of_the_power_and_of_the_energy(wiring: str, share: float) -> None:
    async def values(scenario: Scenario) -> list[float]:
        async with playing(scenario) as reader:
            started = await shown(reader, "gc", 0x0048, 0x004A)
            await reader.advance(LATER_MS)
            ended = await shown(reader, "gc", 0x0048, 0x004A, 0x0034, 0x0156)
            assert ended[3] == pytest.approx(ended[0] + ended[1])
            phases = await shown(reader, "gc", 0x000C, 0x000E, 0x0010)
            assert sum(phases) == pytest.approx(ended[2], abs=0.01)
            return [ended[0] - started[0], ended[1] - started[1], ended[2]]

    import_kwh, _, power_w = asyncio.run(values(LAB))
    counted_in, counted_out, counted_w = asyncio.run(values(wired("gc", wiring)))
    assert counted_w == pytest.approx(share * power_w, abs=0.01 * power_w)
    assert counted_in == pytest.approx(max(share, 0) * import_kwh, abs=0.002)
    assert counted_out == pytest.approx(max(-share, 0) * import_kwh, abs=0.002)


def test_a_reversed_single_phase_exports() -> None:
    async def check() -> None:
        async with playing(wired("uv", "ct-reversed-l1")) as reader:
            before = await shown(reader, "uv", 0x0048)
            await reader.advance(LATER_MS)
            answer = await reader.clients["uv"].read_input_registers(0x000C, count=2, device_id=1)
            assert float32(list(answer.registers)) < -80
            assert await shown(reader, "uv", 0x0048) == before
            assert (await shown(reader, "uv", 0x004A))[0] > 0

    asyncio.run(check())


def test_a_meter_or_a_wiring_that_is_not_there_is_a_fault() -> None:
    text = (
        TEXT.replace('meter = "sdm120"', 'meter = "sdm120"\nwiring = "cts-reversed"') + 'meter = "pm5110"\nwiring = 3'
    )
    with pytest.raises(ScenarioError) as caught:
        parse(tomllib.loads(text))
    assert [fault.split(":")[0] for fault in caught.value.faults] == [
        "instrument[0].wiring",
        "instrument[1].meter",
        "instrument[1].wiring",
    ]
    assert eastron.wirings("sdm120") == ("as-drawn", "ct-reversed-l1")
