"""Writes a long trace of one instrument without Modbus: what its meter and lines would show, and the truth beside it.

Two forms: `tracebase` (whole W at 1 Hz in local time, for what power alone can show) and `csv` (a column a line, UTC,
any period).
"""

import gzip
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import TextIOWrapper
from itertools import islice
from math import ceil
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from firmware_sim.app import BAD_SCENARIO, write_json
from firmware_sim.instruments.catalogue import CLASSES
from firmware_sim.instruments.mode import InstrumentClass
from firmware_sim.load import Load
from firmware_sim.noise import source
from firmware_sim.scenario import EPOCH, ID, InstrumentSpec, Scenario, ScenarioError
from firmware_sim.timetable import Timetable
from firmware_sim.truth import AS_PUBLISHED, RUNS_ALONE, truth
from firmware_sim.workdays import days_of, lay_workdays, midnight_ms

FORMS = ("tracebase", "csv")
DAY_MS = 86_400_000
MOST_DAYS = 3_660
MEAN_OF = 8  # seconds, in tracebase's third column
ROWS_A_WRITE = 4_096
QUICK = 3  # level of gzip: a third of the time of its default for a tenth more bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be written.

    Attributes:
        class_name: of the instrument.
        instrument_id: chooses its days, together with the seed.
        from_time: beginning, ISO 8601; without an offset it is in the zone.
        days: length in days of 24 hours, which need not be whole.
        period_s: between rows.
        seed: the same seed writes the same.
        form: one of FORMS.
        tz: the zone of working hours, and of tracebase's stamps.
    """

    class_name: str = "spectrometer"
    instrument_id: str = "spectrometer-1"
    from_time: str = "2025-03-01T00:00:00"
    days: float = 30
    period_s: int = 1
    seed: int = 1
    form: str = "tracebase"
    tz: str = "Asia/Shanghai"


def run(order: Order, out: Path, truth_file: Path) -> int:
    """Write a trace (packed where its name ends in `.gz`) and its truth; both appear whole.

    Returns:
        The process's exit status: 0, or 2 for an order that cannot be written, every fault of which is on stderr.
    """
    try:
        start_ms, zone = _checked(order)
    except ScenarioError as error:
        sys.stderr.write(f"{error}\n")
        return BAD_SCENARIO
    end_ms = start_ms + round(order.days * DAY_MS)
    kind, name = CLASSES[order.class_name], order.instrument_id
    timetable = lay_workdays(kind, name, seed=order.seed, period_ms=(start_ms, end_ms), zone=zone)
    times = range(start_ms, end_ms, order.period_s * 1_000)
    load = Load(timetable, source(order.seed, name, "power"))
    rows = _tracebase(load, times, zone) if order.form == "tracebase" else _table(load, timetable, kind, times)
    with _whole(out) as file:
        while chunk := "".join(islice(rows, ROWS_A_WRITE)):
            file.write(chunk)
    write_json(truth_file, _truth(order, timetable, (start_ms, end_ms), zone))
    return 0


def _checked(order: Order) -> tuple[int, ZoneInfo]:
    faults = []
    zone, moment = ZoneInfo("UTC"), EPOCH
    if order.class_name not in CLASSES:
        faults.append(f"--class: must be one of {', '.join(CLASSES)}")
    if not ID.fullmatch(order.instrument_id):
        faults.append(f"--id: must match {ID.pattern}")
    if order.form not in FORMS:
        faults.append(f"--format: must be one of {', '.join(FORMS)}")
    if not 0 < order.days <= MOST_DAYS:
        faults.append(f"--days: must be more than 0, and {MOST_DAYS} at most")
    if order.period_s < 1:
        faults.append("--period-s: must be a whole number of seconds from 1 on")
    try:
        zone = ZoneInfo(order.tz)
        moment = datetime.fromisoformat(order.from_time)
    except (ZoneInfoNotFoundError, ValueError) as error:
        faults.append(f"--tz, --from: {error}")
    start = moment if moment.tzinfo else moment.replace(tzinfo=zone)
    start_ms = (start - EPOCH) // timedelta(milliseconds=1)
    if not faults and order.form == "tracebase":
        faults += _unfit_for_tracebase(order, start_ms, zone)
    if faults:
        raise ScenarioError(faults)
    return start_ms, zone


def _unfit_for_tracebase(order: Order, start_ms: int, zone: ZoneInfo) -> list[str]:
    faults = []
    if CLASSES[order.class_name].profile != "power":
        faults.append("--class: tracebase has power alone, which does not tell what this class does: write csv")
    if order.period_s != 1 or start_ms % 1_000:
        faults.append("--period-s, --from: tracebase has a row each whole second")
    offsets = {
        (EPOCH + timedelta(milliseconds=start_ms + day * DAY_MS)).astimezone(zone).utcoffset()
        for day in range(ceil(order.days) + 1)
    }
    if len(offsets) > 1:
        faults.append("--tz: its clocks change within these days, and tracebase's stamps have no offset")
    return faults


def _tracebase(load: Load, times: range, zone: ZoneInfo) -> Iterator[str]:
    offset = (EPOCH + timedelta(milliseconds=times.start)).astimezone(zone).utcoffset() or timedelta()
    first = EPOCH + timedelta(milliseconds=times.start) + offset
    recent: deque[int] = deque(maxlen=MEAN_OF)
    for second, t_ms in enumerate(times):
        recent.append(round(load.power_mw(t_ms) / 1_000))
        moment = first + timedelta(seconds=second)
        yield f"{moment:%d/%m/%Y %H:%M:%S};{recent[-1]};{round(sum(recent) / len(recent))}\n"


def _table(load: Load, timetable: Timetable, kind: InstrumentClass, times: range) -> Iterator[str]:
    yield ",".join(["time", "power_w", *kind.lines]) + "\n"
    masks: dict[frozenset[str], str] = {}
    for stage in timetable.stages:
        closed = stage.mode.closed
        masks.setdefault(closed, "".join(f",{int(line in closed)}" for line in kind.lines))
    for t_ms in times:
        moment = EPOCH + timedelta(milliseconds=t_ms)
        power_w = load.power_mw(t_ms) / 1_000
        lines = masks[timetable.at(t_ms).mode.closed] if kind.lines else ""
        yield f"{moment.isoformat(timespec='milliseconds')[:23]}Z,{power_w:.1f}{lines}\n"


def _truth(order: Order, timetable: Timetable, period_ms: tuple[int, int], zone: ZoneInfo) -> dict[str, object]:
    spec = InstrumentSpec(id=order.instrument_id, class_name=order.class_name, cuts=())
    scenario = Scenario(start_ms=period_ms[0], end_ms=period_ms[1], instruments=(spec,))
    rules = RUNS_ALONE if order.form == "tracebase" else AS_PUBLISHED
    return truth(scenario, {spec.id: timetable}, order.seed, rules, _days(period_ms, zone))


def _days(period_ms: tuple[int, int], zone: ZoneInfo) -> dict[str, tuple[int, int]]:
    from_ms, to_ms = period_ms
    return {
        day.isoformat(): (max(from_ms, midnight_ms(day, zone)), min(to_ms, midnight_ms(day + timedelta(days=1), zone)))
        for day in days_of(from_ms, to_ms, zone)
    }


@contextmanager
def _whole(path: Path) -> Iterator[TextIOWrapper]:
    """A text file that is either absent or whole; packed without a date, so that the same trace is the same bytes."""
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("wb") as raw:
            packed = gzip.GzipFile("", "wb", QUICK, raw, 0) if path.suffix == ".gz" else raw
            with TextIOWrapper(packed, "utf-8", write_through=True) as file:
                yield file
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
