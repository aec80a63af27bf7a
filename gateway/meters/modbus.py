"""Modbus TCP: one unit over a connection of its own, and a meter made of a unit and a device model.

pymodbus does the framing. A connection is opened when it is needed and closed after any failure but a refusal; when to
try again is the caller's business (`gateway.instrument`), because that is measured on the sampling clock.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar

from pymodbus import ModbusException
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.framer import FramerSocket
from pymodbus.pdu import DecodePDU, ExceptionResponse, ModbusPDU

from gateway.meters import registers
from gateway.meters.port import BadFrameError, LinkDownError, NoAnswerError, RefusedError
from gateway.meters.registers import DeviceModel, Quantity

_EXCEPTIONS: Final = {
    1: "it does not know this function",
    2: "it has no such register",
    3: "it does not take this value",
    4: "it failed",
    6: "it is busy",
    10: "the gateway has no path to it",
    11: "it does not answer its gateway",
}

T = TypeVar("T")
Request = Callable[[AsyncModbusTcpClient], Awaitable[ModbusPDU]]


class _Framer(FramerSocket):
    """Bytes that cannot be decoded fail the request that waits; pymodbus raises them into the event loop instead."""

    def __init__(self, fail: Callable[[Exception], None]) -> None:
        super().__init__(DecodePDU(is_server=False))
        self._fail = fail

    def handleFrame(self, data: bytes, exp_devid: int, exp_tid: int) -> tuple[int, ModbusPDU | None]:  # noqa: N802 - pymodbus' name
        try:
            return super().handleFrame(data, exp_devid, exp_tid)
        except ModbusException:
            self._fail(BadFrameError("the bytes are no Modbus answer"))
            return len(data), None


class ModbusUnit:
    """One unit of a Modbus TCP device.

    Attributes:
        connections: how many connections were made so far.
    """

    def __init__(self, *, host: str, port: int, unit: int, timeout_s: float) -> None:
        self._name = f"unit {unit} at {host}:{port}"
        self._host, self._port, self._unit, self._timeout_s = host, port, unit, timeout_s
        self._client: AsyncModbusTcpClient | None = None
        self.connections = 0

    async def connect(self) -> None:
        """Connect, unless connected.

        Raises:
            LinkDownError: nobody there.
        """
        if self._client is not None and self._client.connected:
            return
        self.close()
        # A driver's own retries would stretch a tick, its own reconnecting would hide that the meter may be another.
        client = AsyncModbusTcpClient(
            self._host,
            port=self._port,
            timeout=self._timeout_s,
            retries=0,
            reconnect_delay=0,
            trace_connect=self._on_connection,
        )
        client.ctx.framer = _Framer(self._fail)
        self._client = client
        if not await client.connect():
            self._client = None
            raise LinkDownError(f"{self._name}: no connection")
        self.connections += 1

    def close(self) -> None:
        """Close the connection; the next question opens another."""
        if self._client is not None:
            self._client.close()
            self._client = None

    async def registers(self, table: str, address: int, count: int) -> Sequence[int]:
        """`count` 16-bit words of the input or holding table.

        Raises:
            DeviceError: one of the four kinds in `port`.
        """

        def request(client: AsyncModbusTcpClient) -> Awaitable[ModbusPDU]:
            read = client.read_input_registers if table == "input" else client.read_holding_registers
            return read(address, count=count, device_id=self._unit)

        return self._exactly((await self._ask(request)).registers, count)

    async def discrete_inputs(self, address: int, count: int) -> Sequence[bool]:
        """`count` discrete inputs (function 02).

        Raises:
            DeviceError: one of the four kinds in `port`.
        """
        answer = await self._ask(lambda c: c.read_discrete_inputs(address, count=count, device_id=self._unit))
        # Bits come in whole bytes.
        return self._exactly(answer.bits[:count], count)

    async def exchange(self, write_address: int, words: Sequence[int], count: int) -> Sequence[int]:
        """Write words, then read `count` words from address 0, in one round trip (function 23).

        Raises:
            DeviceError: one of the four kinds in `port`.
        """
        answer = await self._ask(
            lambda c: c.readwrite_registers(
                read_address=0, read_count=count, write_address=write_address, values=words, device_id=self._unit
            )
        )
        return self._exactly(answer.registers, count)

    async def _ask(self, request: Request) -> ModbusPDU:
        await self.connect()
        if self._client is None:
            raise LinkDownError(f"{self._name}: the connection broke")
        try:
            answer = await request(self._client)
        except BadFrameError as error:
            self.close()
            raise BadFrameError(f"{self._name}: {error}") from error
        except LinkDownError as error:
            self.close()
            raise LinkDownError(f"{self._name}: {error}") from error
        except ModbusException as error:
            self.close()
            raise NoAnswerError(f"{self._name}: no answer within {self._timeout_s:g} s") from error
        if isinstance(answer, ExceptionResponse):
            code = answer.exception_code
            raise RefusedError(f"{self._name}: {_EXCEPTIONS.get(code, 'it refused')} (exception {code})", code)
        return answer

    def _exactly(self, values: Sequence[T], count: int) -> Sequence[T]:
        if len(values) != count:
            self.close()
            raise BadFrameError(f"{self._name}: {len(values)} values where {count} were asked for")
        return values

    def _on_connection(self, connected: bool) -> None:  # noqa: FBT001 - pymodbus calls it so
        # pymodbus leaves a request that waits on a broken connection to its timeout.
        if not connected:
            self._fail(LinkDownError("the connection broke"))

    def _fail(self, error: Exception) -> None:
        if self._client is None:
            return
        waiting = self._client.ctx.response_future
        if not waiting.done():
            waiting.set_exception(error)
            # Seen here, so that asyncio does not complain where no request was waiting.
            waiting.exception()


class ModbusMeter:
    """A meter of a known model; its serial number is read at each (re)connect. See `port.Meter`."""

    def __init__(self, unit: ModbusUnit, model: DeviceModel) -> None:
        self._unit, self._model = unit, model
        self._identified = 0
        self._serial: str | None = None

    @property
    def serial(self) -> str | None:
        """Serial number read at the last (re)connect; None until the first."""
        return self._serial

    @property
    def connections(self) -> int:
        """How often it was connected to."""
        return self._unit.connections

    async def power_mw(self) -> int:
        """Active power, mW, consumption positive.

        Raises:
            DeviceError: one of the four kinds in `port`.
        """
        return await self._read(self._model.power, registers.power_mw)

    async def energy_mwh(self) -> int:
        """Imported energy, mWh.

        Raises:
            DeviceError: one of the four kinds in `port`.
        """
        return await self._read(self._model.energy, registers.energy_mwh)

    async def _read(self, quantity: Quantity, decode: Callable[[Quantity, Sequence[int]], int]) -> int:
        await self._unit.connect()
        if self._identified != self._unit.connections:
            connection = self._unit.connections
            self._serial = str(await self._ask(self._model.serial, registers.decode))
            self._identified = connection
        return await self._ask(quantity, decode)

    async def _ask(self, quantity: Quantity, decode: Callable[[Quantity, Sequence[int]], int]) -> int:
        words = await self._unit.registers(quantity.table, quantity.register, quantity.words)
        try:
            return decode(quantity, words)
        except ValueError as error:
            raise BadFrameError(f"register 0x{quantity.register:04X}: {error}") from error
