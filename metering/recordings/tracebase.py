"""Tracebase files as a trace: one file a device and local day (the row itself: `contract.recordings`)."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from contract.recordings import Rows, tracebase
from metering.core.spans import Span, union
from metering.recordings.trace import Kind, Reading, Trace

_MINUTE_MS = 60_000


def read(files: Iterable[Sequence[str]], zone: ZoneInfo) -> Trace:
    """Read the lines of one or more files; the period is the local days that have a reading."""
    rows = Rows()
    readings = [
        Reading(time_ms=row.time_ms, value=row.power_mw) for lines in files for row in tracebase(lines, zone, rows)
    ]
    minutes = {reading.time_ms // _MINUTE_MS for reading in readings}
    days = {datetime.fromtimestamp(minute * 60, UTC).astimezone(zone).date() for minute in minutes}
    return Trace(kind=Kind.POWER, readings=readings, period=union(_day(day, zone) for day in days), rows=rows)


def _day(day: date, zone: ZoneInfo) -> Span:
    edges = (datetime(d.year, d.month, d.day, tzinfo=zone) for d in (day, day + timedelta(days=1)))
    from_ms, to_ms = (round(edge.timestamp() * 1000) for edge in edges)
    return from_ms, to_ms
