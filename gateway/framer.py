"""The open frame: pure. What is in it, when it must end, and the `contract.frame.Measurement` it becomes.

Does not: write, sign or ask for the time (`recorder` orders the effects).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import ConfigDict, with_config

from contract.frame import Measurement, Meter, Readings, Register
from contract.ids import BootId, InstrumentId, StreamId
from contract.states import ClockState, MeterState, Source
from gateway.clocks import Stamp

BLIND_PERIODS: Final = 3
"""No tick for more than this many periods is a blind time; less is a missing tick."""
EARLY_CLOSE_MS: Final = 5_000
"""Run-state edges close a frame early at most this often, or a bouncing contact would make a frame a second."""
MAX_TICKS: Final = 2_900
"""Below the contract's 4096, so that even the widest columns (22 bytes a tick: UTC 4, offset 2, power 8, lines 8) stay
under 64 KiB."""


@with_config(ConfigDict(extra="forbid", ser_json_bytes="hex", val_json_bytes="hex"))
@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What is settled when a frame is opened: its place in the chain and everything but the readings."""

    stream_id: StreamId
    seq: int
    prev_hash: bytes
    instrument: InstrumentId
    meter: Meter
    meter_state: MeterState
    boot_id: BootId
    clock: ClockState
    period_ms: int
    line_names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tick:
    """What was read at one moment; None is absent."""

    utc_ms: int
    mono_ms: int
    power_mw: int | None
    lines: int | None
    energy_mwh: int | None

    @property
    def register(self) -> Register | None:
        """The energy register at this tick, where it was read."""
        return None if self.energy_mwh is None else Register(time_ms=self.utc_ms, energy_mwh=self.energy_mwh)


class OpenFrame:
    """The frame that is being filled.

    Attributes:
        ticks: at least one; rising in both times.
        ended: it takes no further tick: close it.
        early_from_ms: before this monotonic time no edge ends a frame early.
    """

    def __init__(self, opening: Opening, first: Tick, *, frame_ms: int, early_from_ms: int = 0) -> None:
        """Open with its first tick."""
        self.opening, self.ticks, self.early_from_ms = opening, [first], early_from_ms
        self._frame_ms = frame_ms
        self._lines = first.lines
        self.ended = self._no_room_after(first)

    def breaks(self, stamp: Stamp, meter: Meter) -> bool:
        """Whether a tick at `stamp` cannot stand in this frame, so that the frame must be closed before it."""
        opening, last = self.opening, self.ticks[-1]
        return (
            self.ended
            or stamp.boot_id != opening.boot_id
            or stamp.clock is ClockState.STEPPED
            # A frame that began with a step keeps saying so to its end.
            or stamp.clock is not opening.clock is not ClockState.STEPPED
            or meter != opening.meter
            or not last.utc_ms < stamp.utc_ms <= last.utc_ms + BLIND_PERIODS * opening.period_ms
            or stamp.mono_ms <= last.mono_ms
            or stamp.utc_ms - self.ticks[0].utc_ms >= self._frame_ms
        )

    def ends(self, moment: Stamp | Tick, lines: int | None) -> bool:
        """Whether a tick at this moment with these lines is this frame's last."""
        return self._no_room_after(moment) or len(self.ticks) + 1 >= MAX_TICKS or self._is_edge(moment, lines)

    def add(self, tick: Tick) -> None:
        """Take a tick that does not break the frame."""
        if self._is_edge(tick, tick.lines):
            self.early_from_ms = tick.mono_ms + EARLY_CLOSE_MS
            self.ended = True
        self.ticks.append(tick)
        if tick.lines is not None:
            self._lines = tick.lines
        self.ended |= self._no_room_after(tick) or len(self.ticks) >= MAX_TICKS

    def _is_edge(self, moment: Stamp | Tick, lines: int | None) -> bool:
        edge = lines is not None and self._lines is not None and lines != self._lines
        return edge and moment.mono_ms >= self.early_from_ms

    def _no_room_after(self, moment: Stamp | Tick) -> bool:
        # Half a period of grace: ticks come some milliseconds early or late.
        period_ms = self.opening.period_ms
        return moment.utc_ms + period_ms - self.ticks[0].utc_ms > self._frame_ms - period_ms // 2

    def measurement(self) -> Measurement:
        """What the frame says."""
        opening, first, last = self.opening, self.ticks[0], self.ticks[-1]
        return Measurement(
            instrument=opening.instrument,
            source=Source.SAMPLED,
            meter=opening.meter,
            meter_state=opening.meter_state | fallen(first.register, last.register),
            boot_id=opening.boot_id,
            clock=opening.clock,
            period_ms=opening.period_ms,
            energy_begin=first.register,
            energy_end=last.register,
            line_names=opening.line_names,
            utc_ms=tuple(tick.utc_ms for tick in self.ticks),
            mono_ms=tuple(tick.mono_ms for tick in self.ticks),
            power=_readings([tick.power_mw for tick in self.ticks]),
            lines=_readings([tick.lines for tick in self.ticks]),
        )


def fallen(before: Register | None, after: Register | None) -> MeterState:
    """REGISTER_FELL where an energy counter went back; a counter that is not known did not."""
    fell = before is not None and after is not None and after.energy_mwh < before.energy_mwh
    return MeterState.REGISTER_FELL if fell else MeterState.OK


def _readings(column: Sequence[int | None]) -> Readings | None:
    values = tuple(value for value in column if value is not None)
    if not values:
        return None
    return Readings(values=values, absent=tuple(place for place, value in enumerate(column) if value is None))
