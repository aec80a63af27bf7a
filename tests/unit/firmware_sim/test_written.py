"""Long traces: what a meter and lines would show, days like those of a laboratory, and a truth that fits."""

import gzip
import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from firmware_sim.instruments.catalogue import CLASSES
from firmware_sim.load import Load
from firmware_sim.noise import source
from firmware_sim.timetable import LEAST_MS
from firmware_sim.workdays import lay_workdays
from firmware_sim.written import Order, run

SHANGHAI = ZoneInfo("Asia/Shanghai")
START_MS = 1_740_758_400_000  # Saturday 2025-03-01, midnight in Shanghai
DAY_MS = 86_400_000
MONTH = (START_MS, START_MS + 30 * DAY_MS)


def trace(folder: Path, order: Order, name: str = "trace.csv") -> tuple[list[str], dict[str, Any]]:
    assert run(order, folder / name, folder / "truth.json") == 0
    raw = (folder / name).read_bytes()
    text = (gzip.decompress(raw) if name.endswith(".gz") else raw).decode()
    return text.splitlines(), json.loads((folder / "truth.json").read_text())


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_a_table_shows_what_the_meter_and_the_lines_would(tmp_path: Path, name: str) -> None:
    order = Order(class_name=name, instrument_id="i-1", form="csv", period_s=10, days=30, seed=3)
    rows, truth = trace(tmp_path, order)
    kind = CLASSES[name]
    assert rows[0] == ",".join(["time", "power_w", *kind.lines])
    assert len(rows) == 1 + 30 * 8_640
    timetable = lay_workdays(kind, "i-1", seed=3, period_ms=MONTH, zone=SHANGHAI)
    load = Load(timetable, source(3, "i-1", "power"))
    for row in rows[1::997]:
        time, power_w, *lines = row.split(",")
        t_ms = round(datetime.fromisoformat(time).timestamp() * 1_000)
        assert round(float(power_w) * 1_000) == load.power_mw(t_ms)
        assert lines == [str(int(line in timetable.at(t_ms).mode.closed)) for line in kind.lines]
    (told,) = truth["instruments"]
    assert [tuple(state) for state in told["states"]] == timetable.states()
    assert sum(told["days"].values()) == told["effective_ms"] == sum(b - a for a, b in told["effective"])
    assert [*told["days"]] == [(date(2025, 3, 1) + timedelta(days=n)).isoformat() for n in range(30)]


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_a_month_looks_like_one_of_a_laboratory(name: str) -> None:
    kind = CLASSES[name]
    worked = {False: 0, True: 0}
    for seed in range(10):
        states = lay_workdays(kind, "i-1", seed=seed, period_ms=MONTH, zone=SHANGHAI).states()
        assert (states[0][0], states[-1][1]) == MONTH
        assert all(before[1] == after[0] for before, after in pairwise(states))
        assert min(to_ms - from_ms for from_ms, to_ms, _ in states) >= LEAST_MS
        begun = [from_ms / 1_000 for from_ms, _, state in states if state == "RUNNING"]
        moments = [datetime.fromtimestamp(second, UTC).astimezone(SHANGHAI) for second in begun]
        assert all(8 <= moment.hour < 23 for moment in moments), "nights are at rest"
        for day in {moment.date() for moment in moments}:
            worked[day.weekday() >= 5] += 1
    assert 0.8 < worked[False] / (10 * 20) < 1, "most weekdays are worked"
    assert 0 < worked[True] / (10 * 10) < 0.4, "few days of weekends are"


def test_a_day_is_the_same_in_whichever_period_it_lies() -> None:
    kind, monday_ms = CLASSES["spectrometer"], START_MS + 2 * DAY_MS
    month = lay_workdays(kind, "i-1", seed=1, period_ms=MONTH, zone=SHANGHAI)
    alone = lay_workdays(kind, "i-1", seed=1, period_ms=(monday_ms, monday_ms + DAY_MS), zone=SHANGHAI)
    edges = [state for state in month.states() if monday_ms <= state[0] and state[1] <= monday_ms + DAY_MS]
    assert edges
    assert set(edges) <= set(alone.states())


def test_a_stand_in_of_a_recording_tells_runs_by_power_alone(tmp_path: Path) -> None:
    rows, truth = trace(tmp_path, Order(from_time="2025-03-10", days=1), "day.csv.gz")
    assert len(rows) == 86_400
    assert (rows[0][:19], rows[-1][:19]) == ("10/03/2025 00:00:00", "10/03/2025 23:59:59")
    powers, means = zip(*(map(int, row.split(";")[1:]) for row in rows), strict=True)
    assert means[7] == round(sum(powers[:8]) / 8)
    assert truth["rules"]["prep_cap_ms"] == truth["rules"]["post_cap_ms"] == 0
    running = sum(power >= 150 for power in powers)
    states = truth["instruments"][0]["states"]
    true_s = sum(to_ms - from_ms for from_ms, to_ms, state in states if state == "RUNNING") / 1_000
    inrushes = sum(state == "OFF" for *_, state in states)
    assert running == pytest.approx(true_s, abs=len(states) + 2 * inrushes)


def test_the_same_order_writes_the_same_bytes(tmp_path: Path) -> None:
    order = Order(class_name="microscope", form="csv", period_s=60, days=2)
    first, again = ((trace(tmp_path, order, name), (tmp_path / name).read_bytes()) for name in ("a.gz", "b.gz"))
    assert first == again
    assert trace(tmp_path, replace(order, seed=2)) != trace(tmp_path, order)
    assert not [*tmp_path.glob("*.part")]


def test_what_cannot_be_written_lists_every_fault(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for order, keys in (
        (Order(class_name="x", instrument_id="A", form="y", days=0, period_s=0), 5 * ["--"]),
        (Order(tz="Asia/Atlantis"), ["--tz, --from"]),
        (Order(class_name="microscope", period_s=10), ["--class", "--period-s, --from"]),
        (Order(tz="Europe/Berlin", from_time="2025-03-29", days=3), ["--tz"]),
    ):
        assert run(order, tmp_path / "out", tmp_path / "truth") == 2
        said = capsys.readouterr().err.splitlines()
        assert len(said) == len(keys)
        assert all(line.startswith(key) for line, key in zip(said, keys, strict=True))
    assert [*tmp_path.iterdir()] == []
