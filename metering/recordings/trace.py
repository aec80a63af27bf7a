"""A recording read: readings in order of time, the period they speak for, and what became of every row."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from contract.errors import ConfigError
from contract.recordings import Rows
from metering.core.spans import Spans
from metering.core.timeline import Signal

DEFAULT_GAP_MS = 60_000
"""Longest silence that is no gap where the policy says none."""


class Kind(StrEnum):
    """What the values of a recording are."""

    POWER = "power"
    STATE = "state"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A value at a moment: mW, or a State; `begins` where nothing is known of the time just before."""

    time_ms: int
    value: int
    begins: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """A recording.

    Attributes:
        period: the time it speaks for; outside it nothing is asked.
    """

    kind: Kind
    readings: Sequence[Reading]
    period: Spans
    rows: Rows = field(default_factory=Rows)

    def signal(self, max_gap_ms: int) -> Signal:
        """The readings in order of time; of several at one moment the first counts."""
        ordered = sorted(self.readings, key=lambda reading: reading.time_ms)
        times = np.array([reading.time_ms for reading in ordered], np.int64)
        kept = np.diff(times, prepend=times[:1] - 1) > 0
        return Signal(
            time_ms=times[kept],
            value=np.array([reading.value for reading in ordered], np.int64)[kept],
            joined=~np.array([reading.begins for reading in ordered], np.bool_)[kept],
            hold_ms=np.full(int(kept.sum()), max_gap_ms, np.int64),
        )


def count_order(readings: Sequence[Reading]) -> int:
    """How many readings are earlier than the one before them."""
    times = np.array([reading.time_ms for reading in readings], np.int64)
    return int((np.diff(times) < 0).sum())


def zone_of(name: str | None, what: str) -> ZoneInfo:
    """The zone of local times.

    Raises:
        ConfigError: none was named, or there is no such zone.
    """
    if name is None:
        raise ConfigError("nothing was measured", [f"--tz: {what} is in local time: name its zone, Europe/Berlin say"])
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ConfigError("nothing was measured", [f"--tz: there is no zone {name!r}"]) from error
