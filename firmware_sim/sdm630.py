"""The Eastron SDM630 energy meter: its registers over one instrument's load. Read-only, as its users should be.

Source: Eastron SDM630 Modbus protocol, tables of input registers (function 04) and holding registers (function 03).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pymodbus.constants import ExcCodes

from firmware_sim.clock import Clock
from firmware_sim.load import COUNT_MW, Load
from firmware_sim.noise import draw, jitter, source
from firmware_sim.wire import READ_HOLDING, READ_INPUT, Read, Unit, float_words, uint32_words

MW_MS_PER_KWH = 1_000_000 * 3_600_000
POWER_FACTOR = 0.95
PHASES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter:
    """What the meter measures at the present simulated time; the load is shared by three phases."""

    clock: Clock
    load: Load
    key: bytes
    serial: int
    start_mw_ms: int

    def power_w(self) -> float:
        """Total active power, W, in steps of 0.1 W."""
        return self.load.power_mw(self.clock.now_ms) / 1_000

    def phase_power_w(self, phase: int) -> float:
        """Active power of phase 0, 1 or 2, W; the three add up to the total, the odd tenths are on the first."""
        counts = self.load.power_mw(self.clock.now_ms) // COUNT_MW
        return (counts // PHASES + (counts % PHASES if phase == 0 else 0)) * COUNT_MW / 1_000

    def volts(self, phase: int) -> float:
        """Line to neutral, V: 230 +- 1.5, new each second."""
        return 230 + jitter(self.key, self.clock.now_ms // 1_000 * PHASES + phase, 15) / 10

    def amps(self, phase: int) -> float:
        """Line current, A."""
        return self.phase_power_w(phase) / POWER_FACTOR / self.volts(phase)

    def frequency_hz(self) -> float:
        """Mains frequency, Hz: the same on every meter of the building."""
        return 50 + jitter(b"mains", self.clock.now_ms // 1_000, 2) / 100

    def energy_kwh(self) -> float:
        """The register that never goes back, kWh: its start value plus the exact integral of the power."""
        return (self.start_mw_ms + self.load.energy_mw_ms(self.clock.now_ms)) / MW_MS_PER_KWH


INPUTS: dict[int, Callable[[Meter], float]] = {
    0x0000: lambda meter: meter.volts(0),  # 30001 phase 1 line to neutral volts
    0x0002: lambda meter: meter.volts(1),  # 30003 phase 2
    0x0004: lambda meter: meter.volts(2),  # 30005 phase 3
    0x0006: lambda meter: meter.amps(0),  # 30007 phase 1 current
    0x0008: lambda meter: meter.amps(1),  # 30009 phase 2
    0x000A: lambda meter: meter.amps(2),  # 30011 phase 3
    0x000C: lambda meter: meter.phase_power_w(0),  # 30013 phase 1 power
    0x000E: lambda meter: meter.phase_power_w(1),  # 30015 phase 2
    0x0010: lambda meter: meter.phase_power_w(2),  # 30017 phase 3
    0x0034: Meter.power_w,  # 30053 total system power
    0x0038: lambda meter: meter.power_w() / POWER_FACTOR,  # 30057 total system volt amps
    0x003E: lambda _meter: POWER_FACTOR,  # 30063 total system power factor
    0x0046: Meter.frequency_hz,  # 30071 frequency of supply voltages
    0x0048: Meter.energy_kwh,  # 30073 total import kWh
    0x004A: lambda _meter: 0.0,  # 30075 total export kWh
    0x0156: Meter.energy_kwh,  # 30343 total kWh: import and export, and nothing is exported
}

HOLDINGS: dict[int, Callable[[Meter], tuple[int, int]]] = {
    0x000A: lambda _meter: float_words(3),  # 40011 system type: 3 phases, 4 wires
    0x0012: lambda _meter: float_words(0),  # 40019 network parity and stop: none, 1
    0x0014: lambda _meter: float_words(1),  # 40021 network node: unit 1
    0x001C: lambda _meter: float_words(2),  # 40029 network baud rate: 9600
    0xFC00: lambda meter: uint32_words(meter.serial),  # 464513 serial number
}


def sdm630(clock: Clock, load: Load, *, seed: int, instrument_id: str) -> Unit:
    """A meter on a load. Its serial number belongs to the instrument whatever the seed; its start value does not."""
    key = source(seed, instrument_id, "meter")
    meter = Meter(
        clock=clock,
        load=load,
        key=key,
        serial=draw(source(0, instrument_id, "serial"), 0) % 90_000_000 + 10_000_000,
        start_mw_ms=(2_000_000 + draw(key, 0) % 6_000_000) * MW_MS_PER_KWH // 1_000,
    )
    inputs = {address: lambda show=show: float_words(show(meter)) for address, show in INPUTS.items()}
    holdings = {address: lambda show=show: show(meter) for address, show in HOLDINGS.items()}
    return Unit(reads={READ_INPUT: _parameters(inputs), READ_HOLDING: _parameters(holdings)})


def _parameters(table: Mapping[int, Callable[[], tuple[int, int]]]) -> Read:
    """Reads of whole parameters, two registers each; a hole, or half a parameter, is an illegal address."""

    def read(address: int, count: int) -> list[int] | ExcCodes:
        if count % 2:
            return ExcCodes.ILLEGAL_ADDRESS
        words: list[int] = []
        for at in range(address, address + count, 2):
            show = table.get(at)
            if show is None:
                return ExcCodes.ILLEGAL_ADDRESS
            words += show()
        return words

    return read
