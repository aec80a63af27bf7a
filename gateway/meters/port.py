"""What the gateway asks of a device, one question each. The docstring is the unit.

Every question may raise DeviceError; its four kinds below say who has to look where.
"""

from typing import Protocol

from contract.errors import DeviceError


class PowerMeter(Protocol):
    """Active power now."""

    async def power_mw(self) -> int:
        """Active power, mW, consumption positive."""


class EnergyMeter(Protocol):
    """The meter's own energy counter."""

    async def energy_mwh(self) -> int:
        """Imported energy since the counter began, mWh."""


class Meter(PowerMeter, EnergyMeter, Protocol):
    """A meter with power, energy and an identity."""

    @property
    def serial(self) -> str | None:
        """Serial number, read at the last (re)connect; None until the first."""

    @property
    def connections(self) -> int:
        """How often it was connected to; each may be to another meter."""


class RunStateLines(Protocol):
    """Dry contacts of an instrument."""

    async def bits(self) -> int:
        """Bit i is line i of the config, 1 = closed."""


class LinkDownError(DeviceError):
    """No connection, or it broke: look at the cable, the address, the power of the device."""


class NoAnswerError(DeviceError):
    """Connected, but no answer in time: look at the unit number, the bus behind a gateway, the load."""


class RefusedError(DeviceError):
    """The device answered with a Modbus exception: look at the register model.

    Attributes:
        code: the exception code. Source: Modbus Application Protocol V1.1b3, section 7.
    """

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


class BadFrameError(DeviceError):
    """It answered with something that is no answer to the question: look at what else is on this address."""
