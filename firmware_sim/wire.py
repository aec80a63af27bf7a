"""Modbus TCP: units behind ports. pymodbus does the framing; this asks units for their registers at each request.

pymodbus' own SimData/SimDevice keeps register arrays that an action refreshes, and answers for an unknown unit as if a
device had failed; a context that computes on demand is smaller, and answers as a gateway does.
"""

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from pymodbus.constants import ExcCodes
from pymodbus.datastore import ModbusServerContext
from pymodbus.server import ModbusTcpServer
from pymodbus.server.requesthandler import ServerRequestHandler

READ_DISCRETE_INPUTS, READ_HOLDING, READ_INPUT, WRITE_HOLDING, READ_WRITE_HOLDING = 2, 3, 4, 16, 23

Read = Callable[[int, int], list[int] | list[bool] | ExcCodes]
"""(address, count) to that many words or bits, or the exception to answer with."""

Write = Callable[[int, Sequence[int]], Awaitable[ExcCodes | None]]
"""(address, words) to nothing, or the exception to answer with."""


def float_words(value: float) -> tuple[int, int]:
    """A float32 as two registers, high word first ("ABCD")."""
    return struct.unpack(">2H", struct.pack(">f", value))


def uint32_words(value: int) -> tuple[int, int]:
    """A uint32 as two registers, high word first."""
    return value >> 16, value & 0xFFFF


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """One Modbus unit: what it answers, by function code; any other function is refused."""

    reads: Mapping[int, Read]
    writes: Mapping[int, Write] = field(default_factory=dict)


class _Context(ModbusServerContext):
    """The door by which pymodbus asks for values."""

    def __init__(self, units: Mapping[int, Unit]) -> None:
        # Not super().__init__(): it insists on register arrays. With these two the server asks this object itself.
        self.simdevices = []
        self.old_simulator = True
        self._units = units

    async def async_getValues(  # noqa: N802 - pymodbus' name
        self, device_id: int, func_code: int, address: int, count: int = 1
    ) -> list[int] | list[bool] | ExcCodes:
        unit = self._units.get(device_id)
        if unit is None:
            return ExcCodes.GATEWAY_NO_RESPONSE
        read = unit.reads.get(func_code)
        return ExcCodes.ILLEGAL_FUNCTION if read is None else read(address, count)

    async def async_setValues(  # noqa: N802 - pymodbus' name
        self, device_id: int, func_code: int, address: int, values: Sequence[int] | Sequence[bool]
    ) -> ExcCodes | None:
        unit = self._units.get(device_id)
        if unit is None:
            return ExcCodes.GATEWAY_NO_RESPONSE
        write = unit.writes.get(func_code)
        return ExcCodes.ILLEGAL_FUNCTION if write is None else await write(address, values)

    def device_ids(self) -> list[int]:
        return list(self._units)


class _Connection(ServerRequestHandler):
    def handle_later(self) -> None:
        # pymodbus goes by a thread-safe future, which wakes its own loop through a socket: a third of the whole cost.
        self._answering = self.loop.create_task(self.handle_request())  # type: ignore[no-untyped-call]


class _Server(ModbusTcpServer):
    def callback_new_connection(self) -> ServerRequestHandler:
        return _Connection(self, self.trace_packet, self.trace_pdu, self.trace_connect)  # type: ignore[no-untyped-call]


class Port:
    """One TCP port of its own with units behind it: it can be cut and joined again, and stays ours meanwhile.

    Must be made inside a running event loop. A cut port refuses connections at once.
    """

    def __init__(self, host: str, units: Mapping[int, Unit]) -> None:
        # Bound but never listening: while the port is cut, connecting is refused and nobody else is given the number.
        # Linux lets a listener share an address with it when both allow reuse (pymodbus does).
        self._holder = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._holder.bind((host, 0))
        self.host: str
        self.port: int
        self.host, self.port = self._holder.getsockname()
        self._server = _Server(_Context(units), address=(self.host, self.port))

    async def join(self) -> None:
        """Listen.

        Raises:
            OSError: the address cannot be listened on.
        """
        if not await self._server.listen():
            raise OSError(f"cannot listen on {self.host}:{self.port}")

    async def cut(self) -> None:
        """Stop listening and drop every open connection; when this returns, the other ends have been told."""
        self._server.close()
        await asyncio.sleep(0)  # the event loop closes the sockets on its next turn

    async def close(self) -> None:
        """Cut, and give the number back."""
        await self.cut()
        self._holder.close()
