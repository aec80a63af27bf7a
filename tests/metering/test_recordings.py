"""The core on recordings that nobody here made, against runs that an independent script found in them."""

import json
import os
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from metering.recordings.meter import meter_files

RECORDINGS = Path(os.environ.get("JISHI_REALDATA", Path(__file__).parents[2].parent / "shared" / "realdata"))
BERLIN = "Europe/Berlin"

pytestmark = pytest.mark.skipif(
    not (RECORDINGS / "tracebase").is_dir(),
    reason=f"no recordings in {RECORDINGS}: name their folder in JISHI_REALDATA",
)


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    return tmp_path / "policy.toml"


def metered(policy: Path, pattern: str, **rules: float) -> dict[str, Any]:
    policy.write_text("".join(f"{key} = {value}\n" for key, value in rules.items()) + "max_gap_s = 60\n", "utf-8")
    files = sorted((RECORDINGS / "tracebase").glob(pattern))
    assert files
    return meter_files(files, policy, "tracebase", tz=BERLIN)


@pytest.mark.parametrize("name", ["Dishwasher_B7E6F4", "Washing_7297E3"])
def test_the_strict_cases(policy: Path, name: str) -> None:
    reference = json.loads((RECORDINGS / "reference.json").read_text("utf-8"))[name]
    nominal = reference["nominal"]
    rules = {"enter_w": nominal["thr_w"], "bridge_s": nominal["bridge_s"], "min_run_s": nominal["min_s"]}
    found = metered(policy, reference["files"], **rules)
    assert len(found["runs"]) == reference["cycles"]
    assert found["run_h"] == pytest.approx(reference["run_hours"], rel=0.005)
    assert found["energy_kwh"] == pytest.approx(reference["kwh_total"], rel=0.005)
    assert found["coverage"] == pytest.approx(reference["coverage"], abs=0.001)
    for run, (begin, _, length) in zip(found["runs"], reference["intervals"], strict=True):
        assert datetime.fromisoformat(run["start"]).replace(tzinfo=None) == datetime.fromisoformat(begin)
        assert run["seconds"] == pytest.approx(length, rel=0.005)
    assert found["effective_low_h"] <= found["effective_h"] <= found["effective_high_h"]
    assert sum(found["states_s"].values()) == reference["days"] * 86_400
    assert (found["assurance"], found["rows"]["broken"]) == ("L2", 0)


@pytest.mark.parametrize("device", ["Freezer", "SolarThermalSystem"])
def test_single_seconds_of_kilowatts_are_no_runs(policy: Path, device: str) -> None:
    assert metered(policy, f"{device}*", enter_w=1000, dwell_on_s=10)["runs"] == []


def test_quoted_stamps_are_read_whole(policy: Path) -> None:
    found = metered(policy, "Monitor-CRT*", enter_w=50)
    assert (found["rows"]["read"], found["rows"]["broken"]) == (85_910, 0)


def test_a_controller_is_active_for_its_recordings_and_nothing_between(policy: Path) -> None:
    policy.write_text("bridge_s = 0\nmax_gap_s = 60\n", "utf-8")
    found = meter_files([RECORDINGS / "mtconnect" / "okuma.txt.gz"], policy, "shdr", key="pexecution")
    assert [run["seconds"] for run in found["runs"]] == pytest.approx([604.963, 186.730, 16.752, 548.932], abs=0.0015)
    assert found["states_s"]["RUNNING"] == pytest.approx(1357.376, abs=0.0015)
    assert found["effective_h"] == pytest.approx(1357.376 / 3600, abs=1e-6)
    assert (found["energy_kwh"], found["rows"]["broken"]) == (None, 0)
