"""A recording as frames: pure.

Does not: read files (`trace`), sign or send (`importer`).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from typing import Final

from contract.frame import Measurement, Meter, Readings, Register
from contract.ids import BootId, InstrumentId
from contract.recordings import Sample
from contract.states import ClockState, Source
from gateway.framer import MAX_TICKS, fallen

FRAME_MS: Final = (600_000, 3_600_000)
"""Shortest and longest time a frame covers. To sign, send and store a frame costs as much as some hundred rows, so slow
recordings get long ones: a million rows 10 s apart take 19 s in frames of an hour, 49 s in frames of 600 s."""
ROWS_A_FRAME: Final = 360


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """What every frame of an import says alike (see `contract.frame.Measurement`)."""

    instrument: InstrumentId
    meter: Meter
    clock: ClockState
    period_ms: int
    line_names: tuple[str, ...]
    boot_id: BootId

    @property
    def frame_ms(self) -> int:
        """Frames are cut where UTC is a multiple of this, so that they are the same wherever an import goes on."""
        least_ms, most_ms = FRAME_MS
        return max(least_ms, min(ROWS_A_FRAME * self.period_ms, most_ms))


def measurements(samples: Iterable[Sample], writing: Writing) -> Iterator[Measurement]:
    """Frames of samples that rise in time: cut at multiples of `frame_ms`, and after MAX_TICKS."""
    frame_ms = writing.frame_ms
    register: Register | None = None
    for _, group in groupby(samples, lambda sample: sample[0] // frame_ms):
        while ticks := list(islice(group, MAX_TICKS)):
            frame = _measurement(ticks, writing, register)
            register = frame.energy_end or frame.energy_begin or register
            yield frame


def _measurement(ticks: Sequence[Sample], writing: Writing, before: Register | None) -> Measurement:
    utc_ms, power_mw, lines, _ = zip(*ticks, strict=True)
    first, last = (_register(ticks[place]) for place in (0, -1))
    return Measurement(
        instrument=writing.instrument,
        source=Source.IMPORTED,
        meter=writing.meter,
        meter_state=fallen(before, first) | fallen(first, last),
        boot_id=writing.boot_id,
        clock=writing.clock,
        period_ms=writing.period_ms,
        energy_begin=first,
        energy_end=last,
        line_names=writing.line_names,
        utc_ms=utc_ms,
        # A recording has one clock: what it calls the time is all that is known to have risen.
        mono_ms=utc_ms,
        power=Readings(values=power_mw),
        lines=Readings(values=lines) if writing.line_names else None,
    )


def _register(sample: Sample) -> Register | None:
    return None if sample.energy_mwh is None else Register(time_ms=sample.time_ms, energy_mwh=sample.energy_mwh)
