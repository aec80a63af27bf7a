"""What stands behind a meter's terminals: the phases of one instrument's load, and how the transformers were fitted.

Knows no register. Angles are those of a network with phase order L1, L2, L3; a load draws the same power factor from
each of its phases.
"""

import math
from dataclasses import dataclass, field

from firmware_sim.clock import Clock
from firmware_sim.load import COUNT_MW, Load
from firmware_sim.noise import draw, jitter, source

MW_MS_PER_KWH = 1_000_000 * 3_600_000
THIRD_TURN = 2 * math.pi / 3

Wiring = tuple[tuple[int, int], ...]
"""For each phase of the meter: the phase whose conductor its transformer is on, and 1, or -1 where it is reversed."""

AS_DRAWN = "as-drawn"
WIRINGS: dict[str, Wiring] = {
    AS_DRAWN: ((0, 1), (1, 1), (2, 1)),
    "ct-reversed-l1": ((0, -1), (1, 1), (2, 1)),
    "ct-reversed-l2": ((0, 1), (1, -1), (2, 1)),
    "ct-reversed-l3": ((0, 1), (1, 1), (2, -1)),
    "cts-reversed": ((0, -1), (1, -1), (2, -1)),
    "cts-swapped-l1-l2": ((1, 1), (0, 1), (2, 1)),
    "cts-rotated": ((1, 1), (2, 1), (0, 1)),
}
POWER_FACTORS = {"spectrometer": 0.92, "microscope": 0.88}
POWER_FACTOR = 0.95  # of any other class


@dataclass(frozen=True, slots=True, kw_only=True)
class Circuit:
    """What a meter can measure at the present simulated time; the load is shared evenly by one phase or three."""

    clock: Clock
    load: Load
    key: bytes
    power_factor: float
    wiring: Wiring
    start_mw_ms: int
    gain: float = field(init=False)  # counted power as a share of the power that flows

    def __post_init__(self) -> None:
        shares = [sign * math.cos(self._angle(phase)) for phase, (_, sign) in enumerate(self.wiring)]
        object.__setattr__(self, "gain", round(sum(shares) / (len(shares) * self.power_factor), 12))

    def power_w(self) -> float:
        """Total active power as counted, W: with transformers as drawn the load's own, in steps of 0.1 W."""
        if self.gain == 1:
            return self.load.power_mw(self.clock.now_ms) / 1_000
        return sum(self.watts(phase) for phase in range(len(self.wiring)))

    def volt_amps(self) -> float:
        """Total apparent power, VA: the sum of the phases'."""
        return sum(self.volts(phase) * self.amps(phase) for phase in range(len(self.wiring)))

    def total_power_factor(self) -> float:
        """Total active over total apparent power; 1 where nothing flows."""
        return self.power_w() / (self.volt_amps() or 1) or 1

    def watts(self, phase: int) -> float:
        """Active power as counted on a phase, W; with transformers as drawn they add up to the total."""
        on, sign = self.wiring[phase]
        if on == phase:
            return sign * self._share_w(phase)
        return sign * self.volts(phase) * self.amps(phase) * math.cos(self._angle(phase))

    def vars(self, phase: int) -> float:
        """Reactive power as counted on a phase, var."""
        return self.wiring[phase][1] * self.volts(phase) * self.amps(phase) * math.sin(self._angle(phase))

    def phase_power_factor(self, phase: int) -> float:
        """Power factor of a phase: its sign is that of the active power."""
        return self.wiring[phase][1] * math.cos(self._angle(phase))

    def volts(self, phase: int) -> float:
        """Line to neutral, V: 230 +- 1.5, new each second."""
        return 230 + jitter(self.key, self.clock.now_ms // 1_000 * 3 + phase, 15) / 10

    def line_volts(self, phase: int) -> float:
        """Line to the next line, V."""
        this, following = self.volts(phase), self.volts((phase + 1) % 3)
        return math.sqrt(this**2 + following**2 + this * following)

    def amps(self, phase: int) -> float:
        """Current in the transformer of a phase, A; never negative."""
        on = self.wiring[phase][0]
        return self._share_w(on) / self.power_factor / self.volts(on)

    def frequency_hz(self) -> float:
        """Mains frequency, Hz: the same on every meter of the building."""
        return 50 + jitter(b"mains", self.clock.now_ms // 1_000, 2) / 100

    def import_kwh(self) -> float:
        """The register that never goes back, kWh: its start value plus the exact integral of the counted power."""
        return (self.start_mw_ms + self._counted_mw_ms(self.gain)) / MW_MS_PER_KWH

    def export_kwh(self) -> float:
        """What was counted the other way, kWh."""
        return self._counted_mw_ms(-self.gain) / MW_MS_PER_KWH

    def total_kwh(self) -> float:
        """Import and export added, kWh."""
        return self.import_kwh() + self.export_kwh()

    def _counted_mw_ms(self, gain: float) -> int:
        return round(self.load.energy_mw_ms(self.clock.now_ms) * gain) if gain > 0 else 0

    def _share_w(self, phase: int) -> float:
        """A phase's share of the load, W; the odd tenths are on the first."""
        phases = len(self.wiring)
        counts = self.load.power_mw(self.clock.now_ms) // COUNT_MW
        return (counts // phases + (counts % phases if phase == 0 else 0)) * COUNT_MW / 1_000

    def _angle(self, phase: int) -> float:
        """By how much the current in a phase's transformer lags behind the phase's voltage, radians."""
        return math.acos(self.power_factor) + THIRD_TURN * (self.wiring[phase][0] - phase)


def circuit(clock: Clock, load: Load, *, seed: int, instrument_id: str, power_factor: float, wiring: Wiring) -> Circuit:
    """An instrument's circuit; where its meter's register started depends on the seed."""
    key = source(seed, instrument_id, "meter")
    return Circuit(
        clock=clock,
        load=load,
        key=key,
        power_factor=power_factor,
        wiring=wiring,
        start_mw_ms=(2_000_000 + draw(key, 0) % 6_000_000) * MW_MS_PER_KWH // 1_000,
    )
