"""Tracebase: one file a device and local day, `dd/mm/yyyy HH:MM:SS;W of the last second;W mean of eight`, no header."""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from contract.units import mw_from_w
from metering.core.spans import Span, union
from metering.recordings.trace import Kind, Reading, Rows, Trace, count_order, utc_ms

_TIME = re.compile(r"(\d\d)/(\d\d)/(\d{4}) (\d\d):(\d\d):(\d\d)")
_POWER = re.compile(r"\d{1,7}")


def read(files: Iterable[Sequence[str]], zone: ZoneInfo) -> Trace:
    """Read the lines of one or more files; the period is the local days that have a reading."""
    rows, readings, days = Rows(), [], set[date]()
    for lines in files:
        found = list(_readings(lines, zone, rows))
        rows.out_of_order += count_order([reading for reading, _ in found])
        readings += [reading for reading, _ in found]
        days |= {day for _, day in found}
    return Trace(kind=Kind.POWER, readings=readings, period=union(_day(day, zone) for day in days), rows=rows)


def _readings(lines: Sequence[str], zone: ZoneInfo, rows: Rows) -> Iterator[tuple[Reading, date]]:
    for fields in csv.reader(lines, delimiter=";"):
        try:
            moment, power_w = _parsed(fields)
            reading = Reading(time_ms=utc_ms(moment, zone), value=mw_from_w(power_w))
        except ValueError:
            rows.broken += 1
        else:
            rows.read += 1
            yield reading, moment.date()


def _parsed(fields: Sequence[str]) -> tuple[datetime, int]:
    stamp, power, mean = fields
    found = _TIME.fullmatch(stamp)
    if found is None or not _POWER.fullmatch(power) or not _POWER.fullmatch(mean):
        raise ValueError(f"not a row of this format: {fields}")
    day, month, year, hour, minute, second = map(int, found.groups())
    return datetime(year, month, day, hour, minute, second), int(power)  # noqa: DTZ001 - the zone comes by --tz


def _day(day: date, zone: ZoneInfo) -> Span:
    edges = (datetime(d.year, d.month, d.day, tzinfo=zone) for d in (day, day + timedelta(days=1)))
    from_ms, to_ms = (round(edge.timestamp() * 1000) for edge in edges)
    return from_ms, to_ms
