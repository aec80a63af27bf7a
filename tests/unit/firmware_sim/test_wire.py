import asyncio

import pytest
from pymodbus.constants import ExcCodes
from pymodbus.pdu import ModbusPDU
from unit.firmware_sim.client import IMPORT_KWH, TOTAL_W, Reader, float32, number, playing, words

from firmware_sim.instruments.catalogue import CLASSES
from firmware_sim.lab import timetables
from firmware_sim.load import Load
from firmware_sim.noise import source
from firmware_sim.scenario import InstrumentSpec, Scenario

START_MS = 1_741_568_400_000
END_MS = START_MS + 3_600_000
LAB = Scenario(
    start_ms=START_MS,
    end_ms=END_MS,
    instruments=tuple(
        InstrumentSpec(id=f"{class_name}-1", class_name=class_name, cuts=()) for class_name in sorted(CLASSES)
    ),
)
TABLES = timetables(LAB, 7)
GC = "chromatograph-1"


def refusal(answer: ModbusPDU) -> int:
    assert answer.isError()
    return answer.exception_code


async def parameters(reader: Reader, address: int, count: int) -> list[float]:
    answer = await reader.clients[GC].read_input_registers(address, count=2 * count, device_id=1)
    return [float32(list(answer.registers[at : at + 2])) for at in range(0, 2 * count, 2)]


def test_power_and_lines_are_the_truth_before_and_after_every_edge() -> None:
    async def check() -> None:
        async with playing(LAB) as reader:
            edges_ms = sorted({stage.to_ms for table in TABLES.values() for stage in table.stages})
            for t_ms in [t_ms for edge_ms in edges_ms for t_ms in (edge_ms - 1, edge_ms)]:
                assert not (await reader.advance(t_ms)).isError()
                for name, table in TABLES.items():
                    true_mw = Load(table, source(7, name, "power")).power_mw(t_ms)
                    assert round(await reader.meter(name, TOTAL_W) * 1_000) == true_mw
                    if reader.instruments[name]["lines"]:
                        assert await reader.closed(name) == table.at(t_ms).mode.closed

    asyncio.run(check())


def test_the_energy_register_grows_by_the_integral_of_the_power() -> None:
    async def check() -> None:
        async with playing(LAB) as reader:
            started = {name: await reader.meter(name, IMPORT_KWH) for name in TABLES}
            assert all(1_000 < kwh < 10_000 for kwh in started.values())
            await reader.advance(END_MS)
            for name, table in TABLES.items():
                true_kwh = Load(table, source(7, name, "power")).energy_mw_ms(END_MS) / 3.6e12
                assert true_kwh > 0.02
                grown_kwh = await reader.meter(name, IMPORT_KWH) - started[name]
                assert grown_kwh == pytest.approx(true_kwh, abs=0.001)  # two float32 roundings at thousands of kWh

    asyncio.run(check())


def test_the_energy_register_never_goes_back() -> None:
    async def check() -> None:
        async with playing(LAB) as reader:
            last_kwh = 0.0
            for t_ms in range(START_MS, END_MS, 60_000):
                await reader.advance(t_ms)
                kwh = await reader.meter(GC, IMPORT_KWH)
                assert kwh >= last_kwh
                last_kwh = kwh

    asyncio.run(check())


def test_the_other_registers_agree_with_one_another() -> None:
    async def check() -> None:
        async with playing(LAB) as reader:
            await reader.advance(START_MS + 1_800_000)
            volts, amps, watts = [await parameters(reader, address, 3) for address in (0x0000, 0x0006, 0x000C)]
            (total_w,), (total_va,), (hertz,) = [await parameters(reader, at, 1) for at in (0x0034, 0x0038, 0x0046)]
            assert all(228 < volt < 232 for volt in volts)
            assert len(set(volts)) > 1
            assert total_w > 100
            assert sum(watts) == pytest.approx(total_w)
            assert sum(volt * amp for volt, amp in zip(volts, amps, strict=True)) == pytest.approx(total_va)
            assert total_w == pytest.approx(0.95 * total_va)
            assert 49.9 < hertz < 50.1
            assert await parameters(reader, 0x0048, 2) == [await reader.meter(GC, 0x0156), 0]

    asyncio.run(check())


def test_holding_registers_tell_the_serial_number_and_the_settings() -> None:
    async def check() -> None:
        serials = set()
        async with playing(LAB) as reader:
            for client in reader.clients.values():
                answer = await client.read_holding_registers(0xFC00, count=2, device_id=1)
                serials.add(number(list(answer.registers)))
            node = await reader.clients[GC].read_holding_registers(0x0014, count=2, device_id=1)
            assert float32(list(node.registers)) == 1
        assert len(serials) == len(TABLES)
        assert all(10_000_000 <= serial < 100_000_000 for serial in serials)

    asyncio.run(check())


def test_what_a_device_does_not_have_it_refuses() -> None:
    async def check() -> None:
        async with playing(LAB) as reader:
            gc, lamp = reader.clients[GC], reader.clients["spectrometer-1"]
            illegal, no_function = ExcCodes.ILLEGAL_ADDRESS, ExcCodes.ILLEGAL_FUNCTION
            assert refusal(await gc.read_input_registers(0x0032, count=2, device_id=1)) == illegal
            assert refusal(await gc.read_input_registers(0x0034, count=1, device_id=1)) == illegal
            assert refusal(await gc.read_input_registers(0x0035, count=2, device_id=1)) == illegal
            assert refusal(await gc.read_discrete_inputs(7, count=2, device_id=2)) == illegal
            assert refusal(await gc.read_coils(0, count=1, device_id=1)) == no_function
            assert refusal(await gc.write_registers(0x0014, [0, 0], device_id=1)) == no_function
            for client, unit in ((gc, 3), (lamp, 2)):  # behind a gateway, nobody answers
                missing = await client.read_discrete_inputs(0, count=1, device_id=unit)
                assert refusal(missing) == ExcCodes.GATEWAY_NO_RESPONSE
            assert not (await gc.read_discrete_inputs(0, count=8, device_id=2)).isError()

    asyncio.run(check())


def test_a_single_line_can_be_read() -> None:
    ready = CLASSES["chromatograph"].lines.index("ready")
    at_ms = next(stage.from_ms for stage in TABLES[GC].stages if "ready" in stage.mode.closed)

    async def check() -> None:
        async with playing(LAB) as reader:
            await reader.advance(at_ms)
            bits = [await reader.clients[GC].read_discrete_inputs(at, count=1, device_id=2) for at in range(8)]
            assert [answer.bits[0] for answer in bits] == [at == ready for at in range(8)]

    asyncio.run(check())


def test_one_round_trip_advances_and_tells_the_time() -> None:
    async def check() -> None:
        async with playing(LAB) as reader:
            at_start = list((await reader.clock.read_holding_registers(0, count=20, device_id=247)).registers)
            answer = list((await reader.advance(START_MS + 1_234)).registers)
            assert number(answer[:4]) == START_MS + 1_234
            assert answer[4:8] == at_start[4:8]
            assert number(answer[8:]) - number(at_start[8:12]) == 1_234
            assert number(at_start[12:16]) == START_MS
            assert number(at_start[16:]) == END_MS

    asyncio.run(check())


def test_the_clock_goes_neither_back_nor_past_the_end() -> None:
    async def check() -> None:
        async with playing(LAB) as reader:
            await reader.advance(START_MS + 5_000)
            for wrong_ms in (START_MS + 4_999, END_MS + 1, 0, 2**64 - 1):
                assert refusal(await reader.advance(wrong_ms)) == ExcCodes.ILLEGAL_VALUE
                assert await reader.now_ms() == START_MS + 5_000
            for right_ms in (START_MS + 5_000, END_MS, END_MS):
                assert not (await reader.clock.write_registers(12, words(right_ms), device_id=247)).isError()
                assert await reader.now_ms() == right_ms

    asyncio.run(check())


def test_the_time_is_written_whole_or_not_at_all() -> None:
    async def check() -> None:
        async with playing(LAB) as reader:
            later = words(START_MS + 5_000)
            for address, values in ((12, later[:3]), (13, later[1:]), (0, later)):
                answer = await reader.clock.write_registers(address, values, device_id=247)
                assert refusal(answer) == ExcCodes.ILLEGAL_ADDRESS
            single = await reader.clock.write_register(15, later[3], device_id=247)
            assert refusal(single) == ExcCodes.ILLEGAL_FUNCTION
            beyond = await reader.clock.read_holding_registers(18, count=3, device_id=247)
            assert refusal(beyond) == ExcCodes.ILLEGAL_ADDRESS
            assert await reader.now_ms() == START_MS

    asyncio.run(check())
