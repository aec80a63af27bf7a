"""A lab on loopback and a pymodbus client to it, for the tests of the wire."""

import struct
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Self

from pymodbus.client import AsyncModbusTcpClient
from pymodbus.pdu import ModbusPDU

from firmware_sim.lab import Lab, timetables
from firmware_sim.scenario import Scenario

HOST = "127.0.0.1"
TOTAL_W, IMPORT_KWH = 0x0034, 0x0156
POWER_W = {"sdm630": TOTAL_W, "sdm120": 0x000C}


def words(value: int) -> list[int]:
    """A uint64 as four registers."""
    return list(struct.unpack(">4H", value.to_bytes(8, "big")))


def number(registers: list[int]) -> int:
    """Registers as one unsigned number, high word first."""
    return int.from_bytes(struct.pack(f">{len(registers)}H", *registers), "big")


def float32(registers: list[int]) -> float:
    """Two registers as a float32, ABCD."""
    value: float = struct.unpack(">f", struct.pack(">2H", *registers))[0]
    return value


class Reader:
    """Connects to the places a ready file names, except to those whose link is cut."""

    def __init__(self, ready: Mapping[str, Any]) -> None:
        self.ready = ready
        self.instruments = {entry["id"]: entry for entry in ready["instruments"]}
        self.clock = self._client(ready["clock"]["port"])
        self.clients = {name: self._client(entry["port"]) for name, entry in self.instruments.items()}

    async def __aenter__(self) -> Self:
        assert await self.clock.connect()
        for client in self.clients.values():
            await client.connect()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        for client in (self.clock, *self.clients.values()):
            client.close()

    async def advance(self, to_ms: int) -> ModbusPDU:
        """Write "advance to" and read now, boot id and monotonic ms in one round trip."""
        return await self.clock.readwrite_registers(
            read_address=0, read_count=12, write_address=12, values=words(to_ms), device_id=247
        )

    async def now_ms(self) -> int:
        return number(list((await self.clock.read_holding_registers(0, count=4, device_id=247)).registers))

    async def power(self, name: str) -> float:
        """Total active power, W, where the instrument's meter has it."""
        return await self.meter(name, POWER_W[self.instruments[name]["meter_model"]])

    async def meter(self, name: str, address: int) -> float:
        answer = await self.clients[name].read_input_registers(address, count=2, device_id=1)
        return float32(list(answer.registers))

    async def closed(self, name: str) -> set[str]:
        """The names of the closed lines."""
        lines = self.instruments[name]["lines"]
        answer = await self.clients[name].read_discrete_inputs(0, count=len(lines), device_id=2)
        return {line for line, bit in zip(lines, answer.bits, strict=False) if bit}

    @staticmethod
    def _client(port: int) -> AsyncModbusTcpClient:
        return AsyncModbusTcpClient(HOST, port=port, retries=0, reconnect_delay=0)


@asynccontextmanager
async def serving(scenario: Scenario, seed: int = 7) -> AsyncIterator[Lab]:
    """A lab that plays the scenario."""
    lab = Lab(scenario, timetables(scenario, seed), seed=seed, host=HOST)
    await lab.open()
    try:
        yield lab
    finally:
        await lab.close()


@asynccontextmanager
async def playing(scenario: Scenario, seed: int = 7) -> AsyncIterator[Reader]:
    """A reader connected to all of a lab that plays the scenario."""
    async with serving(scenario, seed) as lab, Reader(lab.ready()) as reader:
        yield reader
