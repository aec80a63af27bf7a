"""Step V08: the meter's own counter never falls unsaid, and agrees with the integral of the power beside it.

Between two readings the power is taken to lie between them, so the integral is an interval; the register's advance must
lie in it, give or take 2 % and one count. Nothing is integrated across a gap, a hole, another meter, boot or clock. A
stretch is compared after an hour and begun anew: a long honest one must not hide a short lie.
Source: domain.md 5, V08.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import frexp
from typing import Final

import numpy as np

from contract.frame import Measurement, Meter, Outage, Register
from contract.ids import StreamId
from contract.states import ClockState, MeterState, Source
from contract.units import MS_PER_HOUR
from metering.core.evidence import Link
from metering.verifier.findings import Findings

_TOLERANCE: Final = 0.02
_DISPLAY_MWH: Final = 10_000.0
"""One count of a meter that shows 0.01 kWh."""
_STRETCH_MS: Final = MS_PER_HOUR
_PERIODS_PER_GAP: Final = 3
_MWH_PER_KWH: Final = 1_000_000
_FLOAT32_BITS: Final = 24


@dataclass(slots=True, kw_only=True)
class _Stretch:
    """Power without a gap since a reading of the register.

    Attributes:
        low, high: the integral up to the last tick, mWh.
        seen: the latest reading of the register, and the integral up to it.
    """

    begin: Register
    last_ms: int
    last_mw: int
    low: float = 0.0
    high: float = 0.0
    seen: tuple[Register, float, float] | None = None

    def integrate(self, times_ms: Sequence[int], power_mw: Sequence[int], gap_ms: int) -> bool:
        """Go on to the last of these ticks; False, and nothing done, where there is a gap among them."""
        at = np.array((self.last_ms, *times_ms), np.float64)
        # What is given back does not turn an import register.
        power = np.maximum(np.array((self.last_mw, *power_mw), np.float64), 0.0)
        steps = at[1:] - at[:-1]
        if steps.max() > gap_ms:
            return False
        self.low += float(np.minimum(power[:-1], power[1:]) @ steps) / MS_PER_HOUR
        self.high += float(np.maximum(power[:-1], power[1:]) @ steps) / MS_PER_HOUR
        self.last_ms, self.last_mw = times_ms[-1], power_mw[-1]
        return True


class Registers:
    """Takes frames one after the other, in rising order of seq within a stream.

    Attributes:
        compared: stretches that were compared.
        without: measurements that brought no reading of a register.
    """

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._last: dict[StreamId, Link] = {}
        self._known: dict[StreamId, tuple[Meter | None, Register]] = {}
        self._open: dict[StreamId, _Stretch] = {}
        self.compared = 0
        self.without = 0

    def take(self, link: Link) -> None:
        """Look at a frame's registers and add up its power."""
        before = self._last.get(link.stream_id)
        follows = before is not None and before.seq + 1 == link.seq
        if not follows:
            self._forget(link.stream_id)
        match link.content:
            case Measurement() as content:
                self._fell(link, content)
                joined = follows and before is not None and _goes_on(before, content)
                self._add(link.stream_id, content, joined=joined)
            case Outage() as content:
                self._outage(link, content)
                self._close(link.stream_id)
            case _:
                self._close(link.stream_id)
        self._last[link.stream_id] = link

    def end(self) -> None:
        """Compare what is left; say what could not be compared."""
        for stream_id in list(self._open):
            self._close(stream_id)
        if self.without:
            self._findings.add("register-absent", f"{self.without} frames brought no register", self.without)

    def _forget(self, stream_id: StreamId) -> None:
        self._close(stream_id)
        self._known.pop(stream_id, None)

    def _fell(self, link: Link, content: Measurement) -> None:
        """A fall that the gateway noticed is marked in the frame where it shows."""
        begin, end = content.energy_begin, content.energy_end
        meter, known = self._known.get(link.stream_id, (None, None))
        same = known is not None and meter in {None, content.meter}
        marked = MeterState.REGISTER_FELL in content.meter_state
        fell = (same and begin is not None and known is not None and begin.energy_mwh < known.energy_mwh) or (
            begin is not None and end is not None and end.energy_mwh < begin.energy_mwh
        )
        # The gateway compares the first tick with what came before: where that was not read, it could not tell.
        untold = same and begin is None and end is not None and known is not None and end.energy_mwh < known.energy_mwh
        if fell or untold:
            kind = "register-reset" if marked or not fell else "register-fell"
            self._findings.add(kind, f"frame {link.seq} of stream {link.stream_id.hex()}")
        latest = end or begin
        if latest is not None:
            self._known[link.stream_id] = (content.meter, latest)
        if begin is None and end is None:
            self.without += 1

    def _outage(self, link: Link, content: Outage) -> None:
        before, after = content.energy_before, content.energy_after
        if before is not None and after is not None and after.energy_mwh < before.energy_mwh:
            self._findings.add("register-reset", f"frame {link.seq} of stream {link.stream_id.hex()}, an outage")
            self._known[link.stream_id] = (None, after)

    def _add(self, stream_id: StreamId, content: Measurement, *, joined: bool) -> None:
        power = content.power
        # In a frame whose register fell there is nothing to compare its power with.
        fallen = MeterState.REGISTER_FELL in content.meter_state
        usable = power is not None and not power.absent and not fallen and not _told(content)
        if not joined or not usable:
            self._close(stream_id)
        if power is None or not usable:
            return
        stretch = self._open.get(stream_id) or _begun(content, power.values[0])
        if stretch is None:
            return
        self._open[stream_id] = stretch
        if stretch.integrate(content.utc_ms, power.values, _PERIODS_PER_GAP * content.period_ms):
            self._reach(stream_id, stretch, content)
        else:
            self._close(stream_id)

    def _reach(self, stream_id: StreamId, stretch: _Stretch, content: Measurement) -> None:
        if content.energy_end is None:
            return
        stretch.seen = (content.energy_end, stretch.low, stretch.high)
        if content.energy_end.time_ms - stretch.begin.time_ms >= _STRETCH_MS:
            self._close(stream_id)
            self._open[stream_id] = _Stretch(begin=content.energy_end, last_ms=stretch.last_ms, last_mw=stretch.last_mw)

    def _close(self, stream_id: StreamId) -> None:
        stretch = self._open.pop(stream_id, None)
        if stretch is None or stretch.seen is None:
            return
        end, low, high = stretch.seen
        advance = end.energy_mwh - stretch.begin.energy_mwh
        slack = count_mwh(end.energy_mwh)
        self.compared += 1
        if not low * (1 - _TOLERANCE) - slack <= advance <= high * (1 + _TOLERANCE) + slack:
            span = f"{stretch.begin.time_ms} to {end.time_ms} ms of stream {stream_id.hex()}"
            self._findings.add("register-disagrees", f"{span}: {advance} mWh, by power {low:.0f} to {high:.0f}")


def count_mwh(energy_mwh: int) -> float:
    """One count of a register: what a display shows, or the step of a 32-bit float in kWh where that is larger."""
    step_kwh = 2.0 ** (frexp(energy_mwh / _MWH_PER_KWH)[1] - _FLOAT32_BITS)
    return max(_DISPLAY_MWH, step_kwh * _MWH_PER_KWH)


def _begun(content: Measurement, first_mw: int) -> _Stretch | None:
    begin = content.energy_begin
    return None if begin is None else _Stretch(begin=begin, last_ms=content.utc_ms[0], last_mw=first_mw)


def _told(content: Measurement) -> bool:
    """Whether somebody else measured it: what was imported is telemetry, and its columns are whoever's."""
    return content.source is Source.IMPORTED and content.clock is not ClockState.SIMULATED


def _goes_on(before: Link, content: Measurement) -> bool:
    last = before.content
    if not isinstance(last, Measurement):
        return False
    same = (last.meter, last.boot_id, last.clock) == (content.meter, content.boot_id, content.clock)
    return same and 0 < content.utc_ms[0] - last.utc_ms[-1] <= _PERIODS_PER_GAP * content.period_ms
