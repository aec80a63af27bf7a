"""CSV with a header: a column `time` (RFC 3339; with --tz also without offset) and one of power in W."""

import csv
from collections.abc import Iterable, Sequence
from datetime import datetime
from math import isfinite
from zoneinfo import ZoneInfo

from contract.errors import ConfigError
from contract.frame import MAX_POWER_MW
from contract.units import mw_from_w, parse_utc_ms
from metering.recordings.trace import Kind, Reading, Rows, Trace, count_order, utc_ms, zone_of

POWER_COLUMN = "power_w"


def read(files: Iterable[Sequence[str]], key: str | None, tz: str | None) -> Trace:
    """Read the lines of one or more files; the period is from the first reading to the last.

    Raises:
        ConfigError: a column is missing; a local time, and no zone was named.
    """
    zone = None if tz is None else zone_of(tz, "the trace")
    rows, readings = Rows(), list[Reading]()
    for lines in files:
        found = _readings(lines, key or POWER_COLUMN, zone, rows)
        rows.out_of_order += count_order(found)
        readings += found
    times = [reading.time_ms for reading in readings]
    period = ((min(times), max(times)),) if times else ()
    return Trace(kind=Kind.POWER, readings=readings, period=period, rows=rows)


def _readings(lines: Sequence[str], column: str, zone: ZoneInfo | None, rows: Rows) -> list[Reading]:
    table = csv.DictReader(lines)
    if missing := [name for name in ("time", column) if name not in (table.fieldnames or ())]:
        has = ", ".join(table.fieldnames or ())
        raise ConfigError(
            "nothing was measured", [f"--key: there is no column {name}; there are {has}" for name in missing]
        )
    readings = []
    for row in table:
        try:
            power_mw = mw_from_w(_finite(row[column]))
            reading = Reading(time_ms=_time_ms(row["time"], zone), value=power_mw)
        except (ValueError, TypeError):
            rows.broken += 1
        else:
            rows.read += 1
            readings.append(reading)
    return readings


def _finite(text: str) -> float:
    value = float(text)
    if not isfinite(value) or abs(value) * 1000 > MAX_POWER_MW:
        raise ValueError(f"no power: {text}")
    return value


def _time_ms(text: str, zone: ZoneInfo | None) -> int:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is not None:
        return parse_utc_ms(text)
    if zone is None:
        raise ConfigError("nothing was measured", [f"--tz: {text} is a local time: name its zone, Asia/Shanghai say"])
    return utc_ms(moment, zone)
