"""A recording made by others, as what an instrument did: tracebase files, a row a second or so, in local time.

`dd/mm/yyyy HH:MM:SS;W of the last second;W mean of eight`, no header, `.gz` or plain. Each value holds until the next
one; where the recording is silent for longer than a limit, nothing is known and nothing is shown.
"""

import gzip
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from io import TextIOWrapper
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from firmware_sim.instruments.curves import steady
from firmware_sim.instruments.mode import InstrumentClass, Mode, State
from firmware_sim.scenario import EPOCH, MOST_S, LinkCut, ScenarioError
from firmware_sim.timetable import Stage, Timetable
from firmware_sim.truth import Stretch

ROW = re.compile(r'"?(\d\d/\d\d/\d{4} \d\d:\d\d:\d\d)"?;"?(\d{1,7})"?;"?(\d{1,7})"?', re.ASCII)
SILENT = Mode(state=State.OFF, curve=steady(0), noise_mw=0)
"""Of what was not recorded the register counts nothing."""

Value = tuple[int, int]
"""(UTC ms, W)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """Values in order of time, at least two, and what became of the rows."""

    values: tuple[Value, ...]
    read: int
    broken: int
    out_of_order: int

    @property
    def start_ms(self) -> int:
        """The first stamp, UTC ms."""
        return self.values[0][0]

    @property
    def end_ms(self) -> int:
        """The last stamp, UTC ms."""
        return self.values[-1][0]

    def timetable(self, silent_ms: int) -> Timetable:
        """Its values as stages: each holds until the next, unless a silence follows it."""
        return Timetable(tuple(self._stages(silent_ms)))

    def cuts(self, silent_ms: int) -> tuple[LinkCut, ...]:
        """Its silences: the meter answers at the stamp before one, and again at the stamp after it."""
        return tuple(
            LinkCut(from_ms=before + 1, to_ms=after)
            for (before, _), (after, _) in pairwise(self.values)
            if after - before > silent_ms
        )

    def stretches(self, enter_w: int, silent_ms: int) -> list[Stretch]:
        """What one threshold tells of it: RUNNING, STANDBY, or UNKNOWN in its silences."""
        found: list[Stretch] = []
        for (from_ms, power_w), (to_ms, _) in pairwise(self.values):
            state = "UNKNOWN" if to_ms - from_ms > silent_ms else "RUNNING" if power_w >= enter_w else "STANDBY"
            if found and found[-1][2] == state:
                from_ms = found.pop()[0]  # noqa: PLW2901 - the stretch goes on
            found.append((from_ms, to_ms, state))
        return found

    def _stages(self, silent_ms: int) -> Iterator[Stage]:
        for (from_ms, power_w), (to_ms, _) in pairwise(self.values):
            if to_ms - from_ms > silent_ms:
                yield Stage(from_ms=from_ms, to_ms=from_ms + 1, mode=_level(power_w))
                yield Stage(from_ms=from_ms + 1, to_ms=to_ms, mode=SILENT)
            else:
                yield Stage(from_ms=from_ms, to_ms=to_ms, mode=_level(power_w))
        # The clock may stand at the end, where the last value is shown.
        yield Stage(from_ms=self.end_ms, to_ms=self.end_ms + 1, mode=_level(self.values[-1][1]))


PLUG = InstrumentClass(profile="power", lines=(), plan=lambda _rng: iter(()), rest=SILENT)
"""What a recording shows itself as: power alone."""


def read(files: Sequence[Path], tz: str, from_time: str | None = None, to_time: str | None = None) -> Recording:
    """Read one recording that lies in one or more files; of several rows at one moment the first counts.

    Args:
        files: in any order.
        tz: zone of its stamps.
        from_time: first moment wanted, ISO 8601; without an offset it is in the zone. None: the first there is.
        to_time: last moment wanted.

    Raises:
        ScenarioError: it cannot be played; every fault is listed.
    """
    zone = _zone(tz)
    least_ms, most_ms = _moment(from_time, zone, "--from", 0), _moment(to_time, zone, "--to", 1 << 62)
    first: dict[int, int] = {}
    read = broken = out_of_order = 0
    before_ms = 0
    for path in files:
        for value in _values(path, zone):
            if value is None:
                broken += 1
                continue
            read += 1
            out_of_order += value[0] < before_ms
            before_ms = value[0]
            if least_ms <= value[0] <= most_ms:
                first.setdefault(*value)
    recording = Recording(values=tuple(sorted(first.items())), read=read, broken=broken, out_of_order=out_of_order)
    if faults := _faults(recording, zone):
        raise ScenarioError(faults)
    return recording


def _faults(recording: Recording, zone: ZoneInfo) -> list[str]:
    if len(recording.values) < 2:  # noqa: PLR2004 - one value holds for no time
        return [f"nothing to play: {recording.read} rows read, {recording.broken} broken, fewer than two in the period"]
    if recording.end_ms - recording.start_ms > MOST_S * 1_000:
        return ["the recording is longer than 31 days: play a part of it (--from, --to), or import it"]
    minutes = sorted({t_ms // 60_000 for t_ms, _ in recording.values})
    days = sorted({(EPOCH + timedelta(minutes=minute)).astimezone(zone).date() for minute in minutes})
    for day, following in pairwise(days):
        if following - day > timedelta(days=1):
            return [f"there is nothing between {day} and {following}: play stretches of adjacent days one at a time"]
    return []


def _values(path: Path, zone: ZoneInfo) -> Iterator[Value | None]:
    """The rows of a file; None for a broken one."""
    minute_of = lru_cache(maxsize=64)(lambda stamp: _utc_ms(stamp, zone))
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as packed:
            lines = TextIOWrapper(packed, "utf-8-sig", errors="replace")
            for line in lines:
                found = ROW.fullmatch(line.rstrip("\r\n"))
                minute_ms = minute_of(found[1][:-3]) if found else None
                if found is None or minute_ms is None or (second := int(found[1][-2:])) > 59:  # noqa: PLR2004 - a minute
                    yield None
                else:
                    yield minute_ms + second * 1_000, int(found[2])
    except (OSError, EOFError, zlib.error) as error:
        raise ScenarioError([f"{path}: {error}"]) from error


def _utc_ms(stamp: str, zone: ZoneInfo) -> int | None:
    """A local minute as UTC ms; None for one that never was."""
    try:
        moment = datetime.strptime(stamp, "%d/%m/%Y %H:%M").replace(tzinfo=zone)
    except ValueError:
        return None
    t_ms = (moment - EPOCH) // timedelta(milliseconds=1)
    if (EPOCH + timedelta(milliseconds=t_ms)).astimezone(zone).replace(tzinfo=None) != moment.replace(tzinfo=None):
        return None
    if moment.utcoffset() != moment.replace(fold=1).utcoffset():
        raise ScenarioError([f"{stamp} happened twice in {zone.key}: the recording needs offsets"])
    return t_ms


def _zone(tz: str) -> ZoneInfo:
    try:
        return ZoneInfo(tz)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ScenarioError([f"--tz: there is no zone {tz!r}"]) from error


def _moment(text: str | None, zone: ZoneInfo, option: str, otherwise_ms: int) -> int:
    if text is None:
        return otherwise_ms
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ScenarioError([f"{option}: {error}"]) from error
    moment = moment if moment.tzinfo else moment.replace(tzinfo=zone)
    return (moment - EPOCH) // timedelta(milliseconds=1)


@lru_cache(maxsize=4_096)
def _level(power_w: int) -> Mode:
    return Mode(state=State.STANDBY, curve=steady(power_w * 1_000), noise_mw=0)
