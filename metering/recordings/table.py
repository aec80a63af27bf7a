"""A table with a header as a trace: a column `time` and one of power in W (the row itself: `contract.recordings`)."""

from collections.abc import Iterable, Sequence

from contract.recordings import POWER_COLUMN, Columns, Rows, table
from metering.recordings.trace import Kind, Reading, Trace, zone_of


def read(files: Iterable[Sequence[str]], key: str | None, tz: str | None) -> Trace:
    """Read the lines of one or more files; the period is from the first reading to the last.

    Raises:
        ConfigError: a column is missing; a local time, and no zone was named.
    """
    zone = None if tz is None else zone_of(tz, "the trace")
    rows, columns = Rows(), Columns(power=key or POWER_COLUMN, option="--key")
    readings = [
        Reading(time_ms=row.time_ms, value=row.power_mw) for lines in files for row in table(lines, columns, zone, rows)
    ]
    times = [reading.time_ms for reading in readings]
    period = ((min(times), max(times)),) if times else ()
    return Trace(kind=Kind.POWER, readings=readings, period=period, rows=rows)
