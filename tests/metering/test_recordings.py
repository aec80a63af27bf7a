"""The core on recordings that nobody here made, against runs that an independent script found in them."""

import gzip
import json
import os
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from metering.core.pipeline import Observed, judge
from metering.core.policy import Policy, Profile
from metering.core.rules import Run
from metering.core.states import by_power
from metering.core.tally import Tally, tally
from metering.core.timeline import Bound, Signal, between_samples

RECORDINGS = Path(os.environ.get("JISHI_REALDATA", Path(__file__).parents[2].parent / "shared" / "realdata"))
BERLIN = ZoneInfo("Europe/Berlin")
MAX_GAP_MS = 60_000

pytestmark = pytest.mark.skipif(
    not (RECORDINGS / "tracebase").is_dir(),
    reason=f"no recordings in {RECORDINGS}: name their folder in JISHI_REALDATA",
)


def day_of(path: Path, policy: Policy) -> Tally:
    """One file is one local day of one device: `dd/mm/yyyy HH:MM:SS;W now;W mean`."""
    rows = [line.split(";") for line in gzip.decompress(path.read_bytes()).decode("ascii").splitlines()]
    local = [datetime.strptime(row[0].strip('"'), "%d/%m/%Y %H:%M:%S").replace(tzinfo=BERLIN) for row in rows]
    times = np.array([round(moment.timestamp() * 1000) for moment in local], np.int64)
    power_mw = np.array([int(row[1]) * 1000 for row in rows], np.int64)
    signal = Signal(
        time_ms=times,
        value=power_mw,
        joined=np.arange(len(times)) > 0,
        hold_ms=np.full(len(times), MAX_GAP_MS, np.int64),
    )
    midnight = local[0].replace(hour=0, minute=0, second=0)
    within = tuple(round((midnight + timedelta(days=day)).timestamp() * 1000) for day in (0, 1))
    period = (within[0], within[1])
    low, point, high = (between_samples(signal, by_power(signal, policy, bound), period, bound) for bound in Bound)
    return tally(judge(Observed(low=low, point=point, high=high), policy), period)


def power_policy(watts: int, bridge_s: int, min_run_s: int, dwell_on_s: int = 0) -> Policy:
    return Policy(
        profile=Profile.POWER,
        enter_mw=watts * 1000,
        leave_mw=watts * 1000,
        bridge_ms=bridge_s * 1000,
        min_run_ms=min_run_s * 1000,
        dwell_on_ms=dwell_on_s * 1000,
        max_gap_ms=MAX_GAP_MS,
    )


def seconds(run: Run) -> float:
    return (run.to_ms - run.from_ms) / 1000


@pytest.mark.parametrize("name", ["Dishwasher_B7E6F4", "Washing_7297E3"])
def test_the_runs_of_the_strict_cases(name: str) -> None:
    reference = json.loads((RECORDINGS / "reference.json").read_text("utf-8"))[name]
    nominal = reference["nominal"]
    policy = power_policy(nominal["thr_w"], nominal["bridge_s"], nominal["min_s"])
    days = [day_of(path, policy) for path in sorted((RECORDINGS / "tracebase").glob(reference["files"]))]
    runs = [run for day in days for run in day.runs]
    assert len(runs) == reference["cycles"]
    assert sum(map(seconds, runs)) / 3600 == pytest.approx(reference["run_hours"], rel=0.005)
    for run, (begin, _, length) in zip(runs, reference["intervals"], strict=True):
        assert datetime.fromtimestamp(run.from_ms / 1000, BERLIN).replace(tzinfo=None) == datetime.fromisoformat(begin)
        assert seconds(run) == pytest.approx(length, rel=0.005)
    for day in days:
        assert day.effective.low_ms <= day.effective_ms <= day.effective.high_ms


@pytest.mark.parametrize("device", ["Freezer", "SolarThermalSystem"])
def test_single_seconds_of_kilowatts_are_no_runs(device: str) -> None:
    (path,) = (RECORDINGS / "tracebase").glob(f"{device}*")
    assert day_of(path, power_policy(1000, 0, 0, dwell_on_s=10)).runs == ()
