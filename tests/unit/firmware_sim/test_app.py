import json
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pymodbus.client import ModbusTcpClient

import firmware_sim
from firmware_sim.__main__ import EXAMPLE, parser

ROOT = Path(firmware_sim.__file__).parents[1]


def command(folder: Path, *more: str, scenario: str = "demo") -> list[str]:
    files = ["--truth", str(folder / "truth.json"), "--ready", str(folder / "ready.json")]
    return [sys.executable, "-m", "firmware_sim", "run", "--scenario", scenario, "--seed", "7", *files, *more]


@contextmanager
def started(folder: Path, *more: str) -> Iterator[subprocess.Popen[bytes]]:
    """The simulator as a process of its own, once it says it is ready."""
    ready = folder / "ready.json"
    with subprocess.Popen(command(folder, *more), cwd=ROOT, stdin=subprocess.PIPE) as process:
        try:
            while not ready.exists() or "stale" in ready.read_text():
                assert process.poll() is None
                time.sleep(0.01)
            yield process
        finally:
            process.kill()


def answers(ready: dict[str, Any]) -> bool:
    clock = ready["clock"]
    with ModbusTcpClient(clock["host"], port=clock["port"]) as client:
        return not client.read_holding_registers(0, count=20, device_id=clock["unit"]).isError()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_where_it_listens_and_ends_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    with started(tmp_path) as process:
        ready = json.loads((tmp_path / "ready.json").read_text())
        assert answers(ready)
        process.send_signal(number)
        assert process.wait() == 0
    assert (ready["start_ms"], ready["end_ms"]) == (1_741_568_400_000, 1_741_579_200_000)
    lines = ["start", "stop", "ready", "prepare", "post"]
    assert [
        (entry["id"], entry["class"], entry["profile"], entry["meter_unit"], entry["io_unit"], entry["lines"])
        for entry in ready["instruments"]
    ] == [
        ("spectrometer-1", "spectrometer", "power", 1, None, []),
        ("chromatograph-1", "chromatograph", "power+runstate", 1, 2, lines),
        ("chromatograph-2", "chromatograph", "power+runstate", 1, 2, lines),
        ("microscope-1", "microscope", "runstate", 1, 2, ["vacuum", "ht", "imaging"]),
    ]
    ports = [ready["clock"]["port"], *(entry["port"] for entry in ready["instruments"])]
    assert len(set(ports)) == 5


def test_the_truth_is_told_and_is_the_same_again(tmp_path: Path) -> None:
    told = []
    for _ in range(2):
        with started(tmp_path):
            told.append((tmp_path / "truth.json").read_text())
        (tmp_path / "truth.json").unlink()
        (tmp_path / "ready.json").write_text("stale")
    assert told[0] == told[1]
    truth = json.loads(told[0])
    assert truth["seed"] == 7
    for entry in truth["instruments"]:
        states = entry["states"]
        assert (states[0][0], states[-1][1]) == (truth["start_ms"], truth["end_ms"])
        assert {state for _, _, state in states} <= {"OFF", "STANDBY", "WARMUP", "RUNNING", "COOLDOWN"}


def test_it_ends_with_its_standard_input_only_when_told_so(tmp_path: Path) -> None:
    with started(tmp_path, "--until-eof") as process:
        assert process.stdin
        process.stdin.close()
        assert process.wait() == 0
    (tmp_path / "ready.json").unlink()
    with started(tmp_path) as process:
        assert process.stdin
        process.stdin.close()
        assert answers(json.loads((tmp_path / "ready.json").read_text()))
        assert process.poll() is None


def test_a_bad_scenario_is_refused_with_every_fault(tmp_path: Path) -> None:
    scenario = tmp_path / "bad.toml"
    scenario.write_text('duration_s = 1.5\n[[instrument]]\nid = "x"\n')
    refused = subprocess.run(
        command(tmp_path, scenario=str(scenario)), cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert refused.returncode == 2
    keys = [line.split(":")[0] for line in refused.stderr.splitlines()]
    assert keys == ["start", "duration_s", "instrument[0].class"]
    assert not (tmp_path / "truth.json").exists()


def test_an_old_ready_file_never_speaks_for_a_new_process(tmp_path: Path) -> None:
    (tmp_path / "ready.json").write_text("stale")
    elsewhere = command(tmp_path, "--host", "192.0.2.1")  # an address of no machine (RFC 5737): nothing can listen
    failed = subprocess.run(elsewhere, cwd=ROOT, capture_output=True, check=False)
    assert failed.returncode == 1
    assert not (tmp_path / "ready.json").exists()


def test_help_shows_an_example_that_parses(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parser().parse_args(["run", "--help"])
    assert EXAMPLE.strip() in capsys.readouterr().out
    example = next(line for line in EXAMPLE.splitlines() if "-m firmware_sim" in line)
    assert parser().parse_args(shlex.split(example)[3:]).scenario == "demo"
