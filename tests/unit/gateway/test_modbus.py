"""The driver against a server that misbehaves in each of the four ways, byte by byte."""

import asyncio
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from contract.errors import DeviceError
from gateway.meters.modbus import ModbusMeter, ModbusUnit
from gateway.meters.port import BadFrameError, LinkDownError, NoAnswerError, RefusedError
from gateway.meters.registers import load_model
from gateway.runstate import ModbusLines

HOST, UNIT = "127.0.0.1", 5
Answer = Callable[[bytes], bytes | None]
"""A request's bytes to the answer's; None drops the connection."""


def answering(pdu: bytes) -> Answer:
    """Answer every request with one PDU."""
    return lambda request: request[:4] + struct.pack(">HB", len(pdu) + 1, UNIT) + pdu


def words(*values: int) -> Answer:
    packed = struct.pack(f">{len(values)}H", *values)
    return lambda request: answering(bytes([request[7], len(packed)]) + packed)(request)


class Device:
    """A Modbus TCP device that answers as the test says."""

    def __init__(self) -> None:
        self.answer: Answer = words(0, 0)
        self.connections = 0
        self.requests: list[bytes] = []
        self.port = 0
        self._served: list[asyncio.Task[None] | None] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._served.append(asyncio.current_task())
        while request := await reader.read(512):
            self.requests.append(request)
            answer = self.answer(request)
            if answer is None:
                break
            writer.write(answer)
        writer.close()
        await writer.wait_closed()

    async def end(self) -> None:
        """Wait until everybody has hung up."""
        await asyncio.gather(*(task for task in self._served if task is not None))


@asynccontextmanager
async def device() -> AsyncIterator[tuple[Device, ModbusUnit]]:
    made = Device()
    server = await asyncio.start_server(made.serve, HOST, 0)
    made.port = server.sockets[0].getsockname()[1]
    unit = ModbusUnit(host=HOST, port=made.port, unit=UNIT, timeout_s=0.3)
    try:
        yield made, unit
    finally:
        unit.close()
        await made.end()
        server.close()
        await server.wait_closed()


async def failure(unit: ModbusUnit) -> DeviceError:
    with pytest.raises(DeviceError) as caught:
        await unit.registers("input", 0x34, 2)
    assert f"unit {UNIT} at {HOST}" in str(caught.value)
    return caught.value


def test_each_failure_says_who_has_to_look_where() -> None:
    async def play() -> None:
        async with device() as (made, unit):
            assert await unit.registers("input", 0x34, 2) == [0, 0]
            made.answer = lambda _: b""
            assert isinstance(await failure(unit), NoAnswerError)
            made.answer = lambda _: None
            assert isinstance(await failure(unit), LinkDownError)
            made.answer = answering(b"\x84\x02")
            refused = await failure(unit)
            assert isinstance(refused, RefusedError)
            assert refused.code == 2
            assert "no such register" in str(refused)
            made.answer = words(1, 2, 3)
            assert isinstance(await failure(unit), BadFrameError)
            made.answer = answering(b"\x55\x00\x00")
            assert isinstance(await failure(unit), BadFrameError)
            made.answer = words(7, 8)
            assert await unit.registers("input", 0x34, 2) == [7, 8]

    asyncio.run(play())


def test_nobody_there_is_a_link_down() -> None:
    async def play() -> None:
        async with device() as (made, _):
            pass
        unit = ModbusUnit(host=HOST, port=made.port, unit=UNIT, timeout_s=0.3)
        assert isinstance(await failure(unit), LinkDownError)
        assert unit.connections == 0

    asyncio.run(play())


def test_a_refusal_keeps_the_connection_and_every_other_failure_ends_it() -> None:
    async def play() -> None:
        async with device() as (made, unit):
            await unit.registers("input", 0x34, 2)
            made.answer = answering(b"\x84\x06")
            await failure(unit)
            made.answer = words(0, 0)
            await unit.registers("input", 0x34, 2)
            assert made.connections == unit.connections == 1
            for bad in (lambda _: b"", lambda _: None, words(1), answering(b"\x55\x00")):
                made.answer = bad
                await failure(unit)
                made.answer = words(0, 0)
                await unit.registers("input", 0x34, 2)
            assert made.connections == unit.connections == 5

    asyncio.run(play())


def test_the_serial_number_is_read_at_each_connection() -> None:
    serials = {0xFC00: (0x00BC, 0x614E)}

    def meter(request: bytes) -> bytes | None:
        address = int.from_bytes(request[8:10], "big")
        return words(*serials.get(address, (0x43FA, 0x0000)))(request)  # 500.0

    async def play() -> None:
        async with device() as (made, unit):
            made.answer = meter
            asked = ModbusMeter(unit, load_model("sdm630"))
            assert await asked.power_mw() == 500_000
            assert await asked.energy_mwh() == 500_000_000
            assert (asked.serial, asked.connections) == ("12345678", 1)
            assert [request[7:10] for request in made.requests] == [b"\x03\xfc\x00", b"\x04\x00\x34", b"\x04\x01\x56"]
            serials[0xFC00] = (0, 7)
            unit.close()
            assert await asked.power_mw() == 500_000
            assert (asked.serial, asked.connections) == ("7", 2)

    asyncio.run(play())


def test_a_meter_that_could_not_be_identified_is_asked_again() -> None:
    async def play() -> None:
        async with device() as (made, unit):
            asked = ModbusMeter(unit, load_model("sdm630"))
            made.answer = answering(b"\x83\x02")
            with pytest.raises(RefusedError):
                await asked.power_mw()
            made.answer = words(0, 9)
            await asked.power_mw()
            assert asked.serial == "9"

    asyncio.run(play())


def test_a_number_no_meter_shows_is_a_bad_frame() -> None:
    async def play() -> None:
        async with device() as (made, unit):
            made.answer = words(0x7FC0, 0)  # NaN
            with pytest.raises(BadFrameError, match="0x0034"):
                await ModbusMeter(unit, load_model("sdm630")).power_mw()

    asyncio.run(play())


@pytest.mark.parametrize(("byte", "bits"), [(0b101, 0b101), (0b11111010, 0b010), (0, 0)])
def test_lines_are_the_first_inputs_of_the_module(byte: int, bits: int) -> None:
    async def play() -> None:
        async with device() as (made, unit):
            made.answer = answering(bytes([2, 1, byte]))
            assert await ModbusLines(unit, 3).bits() == bits
            assert made.requests[0][7:] == b"\x02\x00\x00\x00\x03"

    asyncio.run(play())
