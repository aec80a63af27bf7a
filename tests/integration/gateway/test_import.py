"""`jishi gateway import` as a process, over a real broker: interrupted, repeated, begun again from nothing."""

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fix_processes import eventually
from fix_servers import Mosquitto
from integration.gateway.twin import COLLECTOR_PUBLIC, GATEWAY, SITE, Collector

from contract.frame import Genesis, Measurement
from contract.states import ClockState, Source
from gateway import keys, spool
from gateway.disk import locked

ROOT = Path(__file__).parents[3]
HOURS = 30


class Bench:
    """A gateway's folder with a recording of thirty hours, a row each 10 s, and a collector twin."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.trace = folder, folder / "trace.csv"
        self.config, self.data = folder / "gateway.toml", folder / "data"
        self.config.write_text(
            f'site = "{SITE}"\ngateway = "{GATEWAY}"\ndata_dir = "data"\n[broker]\nhost = "127.0.0.1"\nport = {port}\n'
            f'[collector]\npublic_key = "{COLLECTOR_PUBLIC.hex()}"\n[[instrument]]\nid = "nmr-400"\n'
            '[instrument.meter]\nmodel = "sdm630"\nhost = "127.0.0.1"\n',
            "utf-8",
        )
        self.trace.write_text("time,power_w\n" + "".join(self.rows()), "utf-8")
        self.collector = Collector(port, keys.create(self.data))

    @staticmethod
    def rows(day: int = 1, hours: int = HOURS) -> Iterator[str]:
        for place in range(hours * 360):
            hour, rest = divmod(place * 10, 3_600)
            yield f"2025-03-{day + hour // 24:02}T{hour % 24:02}:{rest // 60:02}:{rest % 60:02}Z,{place % 90}.5\n"

    def command(self, *more: str | Path) -> list[str]:
        files = () if more and isinstance(more[0], Path) else (self.trace,)
        order = ("gateway", "import", *files, *more, "--config", self.config, "--instrument", "nmr-400")
        return [sys.executable, "-m", "jishi", *map(str, (*order, "--format", "csv", "--serial", "12345678", "--json"))]

    def run(self, *more: str | Path, status: int = 0) -> tuple[dict[str, Any], str]:
        answer = subprocess.run(self.command(*more), capture_output=True, text=True, check=False, cwd=ROOT)
        assert answer.returncode == status, answer.stderr
        return json.loads(answer.stdout.splitlines()[-1]) if answer.stdout else {}, answer.stderr


@pytest.fixture
def bench(tmp_path: Path, mosquitto: Mosquitto) -> Iterator[Bench]:
    opened = Bench(tmp_path, mosquitto.port)
    yield opened
    opened.collector.close()


def test_an_import_says_what_it_is_and_is_whole(bench: Bench) -> None:
    done, _ = bench.run()
    (told,) = bench.collector.stories().values()
    assert isinstance(told[0], Genesis)
    frames = [content for content in told[1:] if isinstance(content, Measurement)]
    assert len(frames) + 1 == len(told) == done["frames"] == done["in_custody"] == HOURS + 1
    assert {(frame.source, frame.clock, frame.meter.serial) for frame in frames} == {
        (Source.IMPORTED, ClockState.UNSYNCHRONISED, "12345678")
    }
    times = [utc_ms for frame in frames for utc_ms in frame.utc_ms]
    assert times == [*range(times[0], times[0] + HOURS * 3_600_000, 10_000)]


def test_repeated_or_from_a_lost_spool_it_sends_the_same_bytes_or_none(bench: Bench) -> None:
    first, _ = bench.run()
    heard = len(bench.collector.heard)
    again, _ = bench.run()
    assert (again["signed_now"], again["frames"], len(bench.collector.heard)) == (0, first["frames"], heard)
    for name in ("spool.sqlite", "spool.sqlite-wal", "spool.sqlite-shm"):
        (bench.data / name).unlink(missing_ok=True)
    # The twin fails the test where another frame comes under a place it holds.
    anew, _ = bench.run()
    assert (anew["stream"], anew["signed_now"]) == (first["stream"], first["frames"])
    assert len(bench.collector.frames) == first["frames"]


def test_killed_while_signing_it_goes_on_where_it_stopped(bench: Bench) -> None:
    hours = 600
    bench.trace.write_text("time,power_w\n" + "".join(bench.rows(hours=hours)), "utf-8")
    process = subprocess.Popen(bench.command(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=ROOT)
    assert eventually(lambda: any(stream["signed"] > 1 for stream in spool.status(bench.data)))
    process.send_signal(signal.SIGKILL)
    process.wait()
    (left,) = spool.status(bench.data)
    assert 1 < left["signed"] < hours + 1, "it was to be killed while it signed"
    done, _ = bench.run()
    assert done["frames"] == done["in_custody"] == hours + 1
    assert done["signed_now"] == hours + 1 - left["signed"]
    times = bench.collector.ticks_ms()["nmr-400"]
    assert times == [*range(times[0], times[0] + hours * 3_600_000, 10_000)]


def test_the_same_rows_are_not_told_twice_under_other_options_or_among_other_files(bench: Bench) -> None:
    bench.run()
    _, said = bench.run("--clock", "synchronised", status=2)
    assert "was imported for nmr-400 before" in said
    other = bench.folder / "next.csv"
    other.write_text("time,power_w\n" + "".join(bench.rows(20)), "utf-8")
    _, said = bench.run(shutil.copy(bench.trace, bench.folder / "copy.csv"), other, status=2)
    assert "copy.csv: was imported" in said
    done, _ = bench.run(other)
    assert done["signed_now"] == HOURS + 1


def test_while_a_gateway_runs_it_says_what_to_do(bench: Bench) -> None:
    with locked(bench.data):
        _, said = bench.run(status=2)
    assert "another gateway already runs" in said
    assert "stop it, then start this again" in said


def test_options_that_cannot_be_used_are_listed_at_once(bench: Bench) -> None:
    _, said = bench.run("--clock", "sundial", "--period-s", "0", "--ct-primary-a", "0", status=2)
    assert [line.split(":")[0].strip() for line in said.splitlines()[-3:]] == [
        "--clock",
        "--period-s",
        "--ct-primary-a",
    ]
