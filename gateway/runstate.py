"""Run-state lines: named discrete inputs (Modbus function 02, addresses from 0) as a bit mask."""

from gateway.meters.modbus import ModbusUnit


class ModbusLines:
    """The first `count` inputs of a module. See `meters.port.RunStateLines`."""

    def __init__(self, unit: ModbusUnit, count: int) -> None:
        self._unit, self._count = unit, count

    async def bits(self) -> int:
        """Bit i is input i, 1 = closed.

        Raises:
            DeviceError: one of the four kinds in `meters.port`.
        """
        inputs = await self._unit.discrete_inputs(0, self._count)
        return sum(1 << place for place, closed in enumerate(inputs) if closed)
