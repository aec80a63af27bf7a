"""The fifth instrument: a recording that nobody of this project made, with runs that an independent script found in it.

Where there is none, the simulator writes a trace of the same format, and its truth is the reference.
Does not: meter anything.
"""

import gzip
import json
import os
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple
from zoneinfo import ZoneInfo

from contract.errors import ConfigError
from contract.units import MS_PER_HOUR
from jishi.demo.parts import command

FOLDER_VARIABLE: Final = "JISHI_REALDATA"
_ZONE_OF_TRACEBASE: Final = "Europe/Berlin"
_STAND_IN_ZONE: Final = "Asia/Shanghai"
_STAND_IN_FROM: Final = "2025-02-24T00:00:00"
_STAND_IN_DAYS: Final = 2
_STAND_IN_RULES: Final = "enter_w = 150\nleave_w = 130\noff_w = 20\ndwell_on_s = 5\nbridge_s = 300\nmax_gap_s = 60\n"


class _Meter(NamedTuple):
    instrument: str
    model: str


METER: Final = _Meter("recording-1", "recorded-plug")
"""The instrument that was recorded, and what recorded it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A recording and what it should come to.

    Attributes:
        name: as its reference calls it; `origin` says who made it.
        files: tracebase, one a local day of `zone`; the days need not be neighbours.
        rules: TOML of the policy that the reference was made with.
        truth_ms: time in runs by the reference.
        serial: of the meter that recorded.
        names: of what was recorded, Chinese and English.
    """

    name: str
    origin: Literal["recording", "simulator"]
    files: tuple[Path, ...]
    zone: str
    days: tuple[tuple[int, int], ...]
    rules: str
    truth_ms: int
    serial: str
    names: tuple[str, str]

    @property
    def from_ms(self) -> int:
        """Beginning of the first day, UTC ms."""
        return self.days[0][0]

    @property
    def to_ms(self) -> int:
        """End of the last day, UTC ms."""
        return self.days[-1][1]


def chosen(folder: Path) -> Recording:
    """The first strict recording of `$JISHI_REALDATA`, or of the folder where it lies by custom; else a stand-in.

    Args:
        folder: where the stand-in may be written.

    Raises:
        ConfigError: there is a reference that cannot be used.
    """
    data = Path(os.environ.get(FOLDER_VARIABLE) or Path(__file__).parents[3] / "shared" / "realdata")
    reference = data / "reference.json"
    if not reference.is_file():
        return _stand_in(folder)
    try:
        for name, truth in json.loads(reference.read_text("utf-8")).items():
            if files := tuple(sorted((data / "tracebase").glob(truth["files"]))):
                return _real(name, truth, files)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(f"cannot use {reference}", [repr(error)]) from error
    return _stand_in(folder)


def _real(name: str, truth: dict[str, Any], files: tuple[Path, ...]) -> Recording:
    nominal, zone = truth["nominal"], ZoneInfo(_ZONE_OF_TRACEBASE)
    level = f"enter_w = {nominal['thr_w']}\nleave_w = {nominal['thr_w']}\n"
    limits = f"bridge_s = {nominal['bridge_s']}\nmin_run_s = {nominal['min_s']}\nmax_gap_s = 60\n"
    device = name.partition("_")[0]
    return Recording(
        name=name,
        origin="recording",
        files=files,
        zone=zone.key,
        days=tuple(sorted(_day(_first_day(path), zone) for path in files)),
        rules=f'profile = "power"\n{level}{limits}',
        truth_ms=round(truth["run_hours"] * MS_PER_HOUR),
        serial=name,
        names=(f"真实记录 {device}", f"A real recording: {device}"),
    )


def _stand_in(folder: Path) -> Recording:
    trace, truth_file = folder / "stand-in.csv.gz", folder / "stand-in.json"
    order = ["--out", str(trace), "--truth", str(truth_file), "--class", "spectrometer", "--id", METER.instrument]
    when = ["--from", _STAND_IN_FROM, "--days", str(_STAND_IN_DAYS), "--tz", _STAND_IN_ZONE, "--format", "tracebase"]
    command("sim", "trace", *order, *when)
    (truth,) = json.loads(truth_file.read_text("utf-8"))["instruments"]
    zone, first = ZoneInfo(_STAND_IN_ZONE), datetime.fromisoformat(_STAND_IN_FROM).date()
    return Recording(
        name="spectrometer",
        origin="simulator",
        files=(trace,),
        zone=zone.key,
        days=tuple(_day(first + timedelta(days=number), zone) for number in range(_STAND_IN_DAYS)),
        rules=f'profile = "power"\n{_STAND_IN_RULES}',
        truth_ms=truth["effective_ms"],
        serial="stand-in",
        names=("仿真记录", "A simulated recording"),
    )


def _first_day(path: Path) -> date:
    with gzip.open(path, "rt", encoding="ascii") if path.suffix == ".gz" else path.open(encoding="ascii") as file:
        return datetime.strptime(file.readline().lstrip('"')[:10], "%d/%m/%Y").date()  # noqa: DTZ007 - a local day


def _day(day: date, zone: ZoneInfo) -> tuple[int, int]:
    edges = (datetime(one.year, one.month, one.day, tzinfo=zone) for one in (day, day + timedelta(days=1)))
    begin, end = (round(edge.timestamp() * 1000) for edge in edges)
    return begin, end
