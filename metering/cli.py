"""What `jishi hours` does and shows.

Does not: parse the command line (`jishi.cli`) or compute (`job`, `core`).
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import track
from rich.table import Table

from contract.errors import ConfigError
from contract.states import Assurance
from contract.units import MS_PER_HOUR, bounds_text, hours, hours_text, parse_utc_ms, share_text
from metering import job
from metering.recordings.meter import meter_files
from storage import registry
from storage.pool import connect

_EARLIEST_MS, _LATEST_MS = 0, parse_utc_ms("9000-01-01T00:00:00Z")
"""No calendar arithmetic leaves the years that `datetime` knows."""


def hours_of(total: Mapping[str, Any]) -> dict[str, Any]:
    """A total in hours, for JSON: point, bounds, external per attribution level, coverage."""
    return {
        "effective_h": hours(total["effective_ms"]),
        "effective_low_h": hours(total["effective_low_ms"]),
        "effective_high_h": hours(total["effective_high_ms"]),
        "external_h": {level: [hours(low), hours(high)] for level, (low, high) in total["external_ms"].items()},
        "coverage": total["coverage"],
        "edges": total["edges"],
        "states_h": {state: hours(duration) for state, duration in total["states_ms"].items()},
    }


def hours_run(dsn: str | None, period: tuple[str, str], only: Sequence[str] | None, level: int) -> dict[str, Any]:
    """Measure instruments over a period and append the statements of its days.

    Raises:
        ConfigError: the period or an instrument's name cannot be used; all faults at once.
        StorageError: the database failed.
    """
    asked = _period(*period)
    with connect(dsn) as connection:
        known = {found.instrument: found for found in registry.instruments(connection)}
        if unknown := sorted(set(only or ()) - known.keys()):
            raise ConfigError(
                "nothing was measured", [f"--instrument: {name} is not in the registry" for name in unknown]
            )
        chosen = [found for name, found in known.items() if not only or name in only]
        measured = [
            job.run(connection, found, asked, Assurance(level))
            for found in track(chosen, description="measuring", console=Console(stderr=True), transient=True)
        ]
    return {
        "from": period[0],
        "to": period[1],
        "level": level,
        "instruments": [
            {
                "id": one.instrument.instrument,
                "name_zh": one.instrument.name_zh,
                "name_en": one.instrument.name_en,
                **hours_of(one.total),
                "total": one.total,
                "days": one.days,
                "appended": one.appended,
                "unread": list(one.unread),
            }
            for one in measured
        ],
    }


def show(report: Mapping[str, Any]) -> None:
    """A table for people, Chinese and English."""
    table = Table(title=f"有效机时 effective machine-hours, L{report['level']}\n{report['from']} - {report['to']}")
    table.add_column("仪器 instrument", overflow="fold")
    for heading in ("机时\nhours", "[下限, 上限]\nbounds", "对外\nexternal (A1)", "覆盖率\ncoverage"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in report["instruments"]:
        total = row["total"]
        length = total["period_ms"][1] - total["period_ms"][0]
        table.add_row(
            f"{row['id']}\n{escape(row['name_zh'])}",
            hours_text(total["effective_ms"]),
            escape(bounds_text(total["effective_low_ms"], total["effective_high_ms"])),
            escape(bounds_text(*total["external_ms"]["A1"])),
            share_text(length - total["states_ms"]["UNKNOWN"], length),
        )
    Console().print(table)


def file_hours(traces: Sequence[Path], policy: Path, form: str, key: str | None, tz: str | None) -> dict[str, Any]:
    """Meter a recording (see `recordings.meter.meter_files`), with a sign of life while it is read."""
    with Console(stderr=True).status(f"reading {len(traces)} files"):
        return meter_files(traces, policy, form, key, tz)


def show_file(report: Mapping[str, Any]) -> None:
    """A table of runs for people, and the totals beneath."""
    table = Table(title=f"运行 runs, {report['assurance']}")
    for heading in ("开始 start", "结束 end", "秒 s", "缺口 gap"):
        table.add_column(heading)
    for run in report["runs"]:
        start, end = (run[edge][:19].replace("T", " ") + run[edge][-6:] for edge in ("start", "end"))
        table.add_row(start, end, f"{run['seconds']:.3f}", "是 yes" if run["has_gap"] else "")
    console = Console()
    console.print(table)
    point, low, high = (report[name] for name in ("effective_h", "effective_low_h", "effective_high_h"))
    energy = "无功率 no power" if report["energy_kwh"] is None else f"{report['energy_kwh']:.3f} kWh"
    bounds = bounds_text(round(low * MS_PER_HOUR), round(high * MS_PER_HOUR))
    console.print(f"有效机时 effective {hours_text(round(point * MS_PER_HOUR))} h {escape(bounds)}, {energy}")
    rows = report["rows"]
    coverage = share_text(round(report["coverage"] * 1e9), 10**9)
    console.print(
        f"覆盖率 coverage {coverage}; 行 rows: {rows['read']} read, {rows['broken']} broken, "
        f"{rows['out_of_order']} out of order"
    )


def _period(from_time: str, to_time: str) -> tuple[int, int]:
    faults, times = [], []
    for option, text in (("--from", from_time), ("--to", to_time)):
        try:
            times.append(parse_utc_ms(text))
        except ValueError as error:
            faults.append(f"{option}: {error}")
        else:
            if not _EARLIEST_MS <= times[-1] <= _LATEST_MS:
                faults.append(f"{option}: {text} is outside the years 1970 to 9000")
    if not faults and times[0] >= times[1]:
        faults.append("--to: must be later than --from")
    if faults:
        raise ConfigError("nothing was measured", faults)
    return times[0], times[1]
