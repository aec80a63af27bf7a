import asyncio
import socket
from contextlib import closing

import pytest
from pymodbus.exceptions import ModbusException
from unit.firmware_sim.client import HOST, IMPORT_KWH, TOTAL_W, Reader, number, playing, serving

from firmware_sim.lab import timetables
from firmware_sim.load import Load
from firmware_sim.noise import source
from firmware_sim.scenario import InstrumentSpec, LinkCut, Scenario, load

START_MS = 1_741_568_400_000
FROM_MS, TO_MS, AGAIN_MS, END_MS = START_MS + 60_000, START_MS + 90_000, START_MS + 500_000, START_MS + 600_000
CUTS = (LinkCut(from_ms=FROM_MS, to_ms=TO_MS), LinkCut(from_ms=AGAIN_MS, to_ms=END_MS))
CUT = Scenario(
    start_ms=START_MS,
    end_ms=END_MS,
    instruments=(
        InstrumentSpec(id="cut", class_name="microscope", cuts=CUTS),
        InstrumentSpec(id="whole", class_name="microscope", cuts=()),
    ),
)


def refused(reader: Reader, name: str) -> bool:
    try:
        with socket.create_connection((HOST, reader.instruments[name]["port"])):
            return False
    except ConnectionRefusedError:
        return True


def dropped(connection: socket.socket) -> bool:
    """Whether the other end has already closed; does not wait for it."""
    connection.settimeout(0)
    try:
        return connection.recv(1) == b""
    except BlockingIOError:
        return False


def test_all_devices_show_the_time_that_was_answered() -> None:
    """Many readers at once, and whichever they ask, nobody is a step behind."""
    demo = load("demo")
    tables = timetables(demo, 7)
    loads = {name: Load(table, source(7, name, "power")) for name, table in tables.items()}

    async def check() -> None:
        async with playing(demo) as reader:
            for t_ms in range(demo.start_ms + 240_500, demo.start_ms + 640_000, 1_999):
                await reader.advance(t_ms)
                shown_w = await asyncio.gather(*[reader.power(name) for name in tables])
                assert [round(w * 1_000) for w in shown_w] == [loads[name].power_mw(t_ms) for name in tables]

    asyncio.run(check())


def test_a_cut_link_is_told_before_the_advance_is_answered() -> None:
    async def check() -> None:
        async with serving(CUT) as lab, Reader(lab.ready()) as reader:
            with (
                closing(socket.create_connection((HOST, reader.instruments["cut"]["port"]))) as cut,
                closing(socket.create_connection((HOST, reader.instruments["whole"]["port"]))) as whole,
            ):
                await reader.meter("cut", TOTAL_W)  # so that the server has taken the connections before
                await reader.advance(FROM_MS - 1)
                assert not dropped(cut)
                assert await lab.advance(FROM_MS)
                assert dropped(cut)
                assert not dropped(whole)
                assert refused(reader, "cut")
                assert not refused(reader, "whole")
                with pytest.raises(ModbusException):
                    await reader.meter("cut", TOTAL_W)
            await reader.advance(TO_MS - 1)
            assert refused(reader, "cut")
            with socket.socket() as thief, pytest.raises(OSError, match="in use"):  # the port stays the instrument's
                thief.bind((HOST, reader.instruments["cut"]["port"]))

    asyncio.run(check())


def test_a_cut_link_comes_back_on_the_same_port_having_counted_on() -> None:
    async def check() -> None:
        async with playing(CUT) as reader:
            before_kwh = await reader.meter("cut", IMPORT_KWH)
            await reader.advance(FROM_MS)
            await reader.advance(TO_MS)
            async with Reader(reader.ready) as second:
                assert await second.meter("cut", IMPORT_KWH) - before_kwh > 0.02  # 90 s of 840 W and more

    asyncio.run(check())


def test_a_cut_that_is_leapt_over_has_dropped_the_connection_all_the_same() -> None:
    async def check() -> None:
        async with playing(CUT) as reader:
            with closing(socket.create_connection((HOST, reader.instruments["cut"]["port"]))) as cut:
                await reader.meter("cut", TOTAL_W)
                await reader.advance(END_MS)
                assert dropped(cut)
                assert not refused(reader, "cut")

    asyncio.run(check())


def test_two_who_advance_at_once_do_not_cross() -> None:
    async def check() -> None:
        async with playing(CUT) as reader, Reader(reader.ready) as second:
            await reader.advance(FROM_MS)
            await asyncio.gather(reader.advance(TO_MS), second.advance(AGAIN_MS))
            assert await reader.now_ms() == AGAIN_MS
            assert refused(reader, "cut")

    asyncio.run(check())


def test_a_link_may_be_cut_from_the_start() -> None:
    spec = InstrumentSpec(id="one", class_name="microscope", cuts=(LinkCut(from_ms=START_MS, to_ms=TO_MS),))
    cut = Scenario(start_ms=START_MS, end_ms=END_MS, instruments=(spec,))

    async def check() -> None:
        async with playing(cut) as reader:
            assert refused(reader, "one")

    asyncio.run(check())


def test_a_restart_shows_the_same_day_under_another_boot() -> None:
    async def values(seed: int) -> tuple[list[float], int]:
        demo = load("demo")
        async with playing(demo, seed) as reader:
            answer = await reader.advance(demo.start_ms + 3_600_000)
            shown = [await reader.power(name) for name in reader.instruments]
            shown += [await reader.meter(name, IMPORT_KWH) for name in reader.instruments]
            return shown, number(list(answer.registers[4:8]))

    one, again, other = (asyncio.run(values(seed)) for seed in (7, 7, 8))
    assert one[0] == again[0]
    assert one[0] != other[0]
    assert one[1] != again[1]
