"""What a technician would read off the simulated laboratory over Modbus: the wall clock, a meter's number."""

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Final, Self

from pymodbus.client import ModbusTcpClient

from contract.errors import DeviceError

_CLOCK_NOW: Final = 0
_SERIAL: Final = 0xFC00  # Eastron SDM630: serial number, unsigned 32 bits


class WallClock:
    """The simulated time, read over a connection that is kept open."""

    def __init__(self, clock: Mapping[str, Any]) -> None:
        self._unit: int = clock["unit"]
        self._client = ModbusTcpClient(clock["host"], port=clock["port"])

    def __enter__(self) -> Self:
        self._client.connect()  # type: ignore[no-untyped-call]  # pymodbus leaves these two untyped
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._client.close()  # type: ignore[no-untyped-call]

    def now_ms(self) -> int:
        """Simulated UTC ms.

        Raises:
            DeviceError: it does not answer.
        """
        return _words(self._client, _CLOCK_NOW, 4, self._unit)


def serial_of(served: Mapping[str, Any]) -> str:
    """The serial number of an instrument's meter, as the gateway will report it.

    Raises:
        DeviceError: it does not answer.
    """
    client = ModbusTcpClient(served["host"], port=served["port"])
    client.connect()  # type: ignore[no-untyped-call]
    try:
        return str(_words(client, _SERIAL, 2, served["meter_unit"]))
    finally:
        client.close()  # type: ignore[no-untyped-call]


def _words(client: ModbusTcpClient, address: int, count: int, unit: int) -> int:
    answer = client.read_holding_registers(address, count=count, device_id=unit)
    if answer.isError():
        raise DeviceError(f"the simulator does not answer at register {address}: {answer}")
    value = 0
    for word in answer.registers:
        value = value << 16 | word
    return value
