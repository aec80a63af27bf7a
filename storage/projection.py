"""Frames as columns of the tables that are copied: the evidence itself, and samples and run states for people.

Does not: place what has no place. A frame whose clock was not synchronised is stored, its samples are not projected:
their UTC is not known until metering resolves it.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from contract.frame import Genesis, Measurement, Outage, Readings, span_ms
from contract.ids import InstrumentId, StreamId
from contract.states import ClockState
from storage import copybinary
from storage.records import StoredFrame

KINDS: Final = {Measurement: 0, Outage: 1, Genesis: 2}
"""Values of `frame.kind`: the first element of each payload."""
_HASH_BYTES: Final = 32

Columns = tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int64]]
"""Time (POSIX ms), instrument_no, value; one entry a row."""


def frame_rows(frames: Sequence[StoredFrame], stream_no: Mapping[StreamId, int]) -> bytes:
    """COPY stream of the table `frame`."""
    spans = np.array([span_ms(frame.content) for frame in frames], np.int64)
    return copybinary.rows(
        [
            np.array([stream_no[frame.place.stream_id] for frame in frames], np.int64),
            np.array([frame.place.seq for frame in frames], np.int64),
            np.array([KINDS[type(frame.content)] for frame in frames], np.int16),
            copybinary.fixed_bytes([frame.frame_hash for frame in frames], _HASH_BYTES),
            copybinary.fixed_bytes([frame.prev_hash for frame in frames], _HASH_BYTES),
            spans[:, 0],
            spans[:, 1],
            np.array([frame.received_at_ms for frame in frames], np.int64),
        ],
        [frame.raw for frame in frames],
    )


def placed(frames: Sequence[StoredFrame]) -> list[Measurement]:
    """The measurements whose UTC can be believed."""
    contents = (frame.content for frame in frames)
    return [one for one in contents if isinstance(one, Measurement) and one.clock is not ClockState.UNSYNCHRONISED]


def power_samples(measurements: Sequence[Measurement], instrument_no: Mapping[InstrumentId, int]) -> Columns:
    """Each reading of power, mW."""
    return _columns([(m.instrument, *_read(m, m.power)) for m in measurements if m.power], instrument_no)


def run_states(measurements: Sequence[Measurement], instrument_no: Mapping[InstrumentId, int]) -> Columns:
    """The lines at the first reading of each frame and at each change."""
    found = []
    for m in measurements:
        if m.lines and m.lines.values:
            times, values = _read(m, m.lines)
            changed = np.concatenate(([0], np.flatnonzero(values[1:] != values[:-1]) + 1))
            found.append((m.instrument, times[changed], values[changed]))
    return _columns(found, instrument_no)


def rows(columns: Columns) -> bytes:
    """COPY stream of a projection."""
    time_ms, instrument_no, values = columns
    return copybinary.rows([copybinary.timestamps(time_ms), instrument_no, values])


def months(columns: Columns) -> list[Any]:
    """First days of the months (UTC) that samples fall in, as dates."""
    found: list[Any] = np.unique(columns[0].astype("M8[ms]").astype("M8[M]")).astype("M8[D]").tolist()
    return found


def _read(m: Measurement, readings: Readings) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    times = np.array(m.utc_ms, np.int64)
    if readings.absent:
        times = np.delete(times, readings.absent)
    return times, np.array(readings.values, np.int64)


def _columns(
    found: Sequence[tuple[InstrumentId, NDArray[np.int64], NDArray[np.int64]]],
    instrument_no: Mapping[InstrumentId, int],
) -> Columns:
    if not found:
        return np.empty(0, np.int64), np.empty(0, np.int32), np.empty(0, np.int64)
    numbers = np.array([instrument_no[instrument] for instrument, _, _ in found], np.int32)
    return (
        np.concatenate([times for _, times, _ in found]),
        np.repeat(numbers, [len(times) for _, times, _ in found]),
        np.concatenate([values for _, _, values in found]),
    )
