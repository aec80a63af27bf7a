"""Rows of recordings that others made, as numbers: tracebase files and tables with a header.

One reading of the formats for every room. A row is used whole or not at all: what is wrong with one is counted in
`Rows`. Does not: open files, sort, or judge gaps.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Final, NamedTuple

from contract.errors import ConfigError
from contract.frame import MAX_ENERGY_MWH, MAX_POWER_MW, MAX_TIME_MS, MIN_TIME_MS
from contract.units import mw_from_w, mwh_from_kwh, parse_utc_ms

TIME_COLUMN: Final = "time"
POWER_COLUMN: Final = "power_w"
ENERGY_COLUMN: Final = "energy_kwh"

_TRACEBASE: Final = re.compile(
    r'"?(\d\d/\d\d/\d{4} \d\d:\d\d):([0-5]\d)"?;"?(\d{1,7})"?;"?(\d{1,7})"?', re.ASCII
)  # fmt: skip
_NUMBER: Final = re.compile(r"[+-]?\d{1,20}(\.\d{0,20})?([eE][+-]?\d{1,3})?", re.ASCII)
_SWITCH: Final = {"0": 0, "1": 1}


class Sample(NamedTuple):
    """One row: POSIX ms (UTC), mW, run-state bits and energy register (mWh) where the recording has them."""

    time_ms: int
    power_mw: int
    lines: int | None = None
    energy_mwh: int | None = None


@dataclass(slots=True, kw_only=True)
class Rows:
    """What became of the rows.

    Attributes:
        read: rows that became a reading.
        broken: rows that could not be read; none of them is used, not even in part.
        out_of_order: rows among `read` that are earlier than the row before them.
    """

    read: int = 0
    broken: int = 0
    out_of_order: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Which columns of a table mean what.

    Attributes:
        power: the one of active power, W.
        lines: those of run-state lines (0 or 1), in the order of their bits.
        energy: the one of the meter's energy register, kWh; None: it is not asked for.
        option: how the person who chose `power` did so, for the error's first word.
    """

    power: str = POWER_COLUMN
    lines: tuple[str, ...] = ()
    energy: str | None = None
    option: str = "--power-column"


def tracebase(lines: Iterable[str], zone: tzinfo, rows: Rows) -> Iterator[Sample]:
    """Rows `dd/mm/yyyy HH:MM:SS;W of the last second;W mean of eight`, in local time, in the order of the file.

    Raises:
        ConfigError: a local time that the zone had twice.
    """
    minute, minute_ms, last_ms = "", 0, 0
    for line in lines:
        found = _TRACEBASE.fullmatch(line.rstrip("\r\n"))
        if found is None:
            rows.broken += 1
            continue
        # Offsets of zones are whole minutes, so a minute is looked up once.
        if found[1] != minute:
            try:
                minute_ms = utc_ms(datetime.strptime(found[1], "%d/%m/%Y %H:%M"), zone)  # noqa: DTZ007 - local time
            except (ValueError, OverflowError):
                rows.broken += 1
                continue
            minute = found[1]
        time_ms = minute_ms + int(found[2]) * 1_000
        rows.read += 1
        rows.out_of_order += time_ms < last_ms
        last_ms = time_ms
        yield Sample(time_ms, int(found[3]) * 1_000)


def table(lines: Iterable[str], columns: Columns, zone: tzinfo | None, rows: Rows) -> Iterator[Sample]:
    """Rows of CSV under a header, in the order of the file; empty lines are no rows.

    Args:
        lines: the file's, the header first.
        columns: which columns are asked for; others are not looked at.
        zone: of times without an offset; None: every time has one.
        rows: is counted up.

    Raises:
        ConfigError: a column is missing, or a local time came without a zone, or the zone had it twice.
    """
    filled = (line for line in lines if line and not line.isspace())
    place = _places(header(next(filled, "")), columns)
    last_ms = 0
    for line in filled:
        try:
            sample = _sample(_fields(line), place, columns, zone)
        except (ValueError, OverflowError, IndexError, KeyError):
            rows.broken += 1
            continue
        rows.read += 1
        rows.out_of_order += sample.time_ms < last_ms
        last_ms = sample.time_ms
        yield sample


def header(line: str) -> tuple[str, ...]:
    """The names of a table's columns, of its first line.

    Raises:
        ConfigError: it is no line of CSV.
    """
    try:
        return tuple(_fields(line))
    except ValueError as error:
        raise _unusable(f"the header is not CSV: {error}") from error


def utc_ms(moment: datetime, zone: tzinfo) -> int:
    """A local time without an offset as POSIX ms.

    Raises:
        ValueError: the zone skipped this time, or no frame could say it.
        ConfigError: the zone had it twice: only an offset could say which.
    """
    first, second = (moment.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    if first.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != moment:
        raise ValueError(f"{moment} did not exist in {zone}")
    if first.utcoffset() != second.utcoffset():
        raise _unusable(f"{moment} happened twice in {zone}: the trace needs offsets")
    return _sayable(round(first.timestamp() * 1000))


def _fields(line: str) -> list[str]:
    line = line.rstrip("\r\n")
    if '"' not in line:
        return line.split(",")
    try:
        # Line by line: a stray quote costs its own row, not the rest of the file.
        return next(csv.reader((line,), strict=True))
    except csv.Error as error:
        raise ValueError(str(error)) from error


def _places(names: Sequence[str], columns: Columns) -> Mapping[str, int]:
    asked = [TIME_COLUMN, columns.power, *columns.lines, *([columns.energy] if columns.energy else [])]
    if missing := [name for name in asked if name not in names]:
        has = ", ".join(names)
        raise _unusable(*(f"{columns.option}: there is no column {name}; there are {has}" for name in missing))
    return {name: names.index(name) for name in asked}


def _sample(fields: Sequence[str], place: Mapping[str, int], columns: Columns, zone: tzinfo | None) -> Sample:
    power_mw = mw_from_w(_number(fields[place[columns.power]]))
    if not -MAX_POWER_MW <= power_mw <= MAX_POWER_MW:
        raise ValueError("no power")
    lines = energy_mwh = None
    if columns.lines:
        lines = 0
        for bit, name in enumerate(columns.lines):
            lines |= _SWITCH[fields[place[name]]] << bit
    if columns.energy and (text := fields[place[columns.energy]]):
        energy_mwh = mwh_from_kwh(_number(text))
        if not 0 <= energy_mwh <= MAX_ENERGY_MWH:
            raise ValueError("no energy register")
    return Sample(_time_ms(fields[place[TIME_COLUMN]], zone), power_mw, lines, energy_mwh)


def _number(text: str) -> float:
    """A plain decimal number: `float` alone would also take 1_0, full-width digits and nan."""
    if not _NUMBER.fullmatch(text.strip()):
        raise ValueError("no number")
    return float(text)


def _time_ms(text: str, zone: tzinfo | None) -> int:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is not None:
        return _sayable(parse_utc_ms(text))
    if zone is None:
        raise _unusable(f"--tz: {text} is a local time: name its zone, Asia/Shanghai say")
    return utc_ms(moment, zone)


def _sayable(time_ms: int) -> int:
    if not MIN_TIME_MS <= time_ms <= MAX_TIME_MS:
        raise ValueError("no frame can say this time")
    return time_ms


def _unusable(*faults: str) -> ConfigError:
    return ConfigError("the recording cannot be used", faults)
