"""Simulator -> gateway process -> mosquitto -> a collector twin. Nothing lost, nothing twice, whatever is killed."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from fix_processes import eventually
from fix_servers import Mosquitto
from integration.gateway.twin import Bench, Collector

from contract.frame import Measurement, Outage
from contract.states import ClockState, MeterState, OutageCause
from gateway.clocks import system_boot_id

SECONDS = 300
SCENARIO = f"""
start = 2025-03-10T09:00:00+08:00
duration_s = {SECONDS}

[[instrument]]
id = "spectrometer-1"
class = "spectrometer"

[[instrument]]
id = "chromatograph-1"
class = "chromatograph"
"""
CUT = """
  [[instrument.fault]]
  kind = "link-cut"
  from_s = 100
  to_s = 130
"""


@pytest.fixture(params=["5", "3.1.1"])
def bench(request: pytest.FixtureRequest, tmp_path: Path, mosquitto: Mosquitto) -> Iterator[Bench]:
    made = Bench(tmp_path, mosquitto.port, SCENARIO, protocol=request.param)
    yield made
    made.close()


@pytest.fixture
def collector(bench: Bench, mosquitto: Mosquitto) -> Iterator[Collector]:
    twin = Collector(mosquitto.port, bench.public_key)
    yield twin
    twin.close()


def every_second(bench: Bench) -> dict[str, list[int]]:
    ticks = list(range(bench.ready["start_ms"], bench.ready["end_ms"] + 1, 1_000))
    return {entry["id"]: ticks for entry in bench.ready["instruments"]}


def test_every_tick_arrives_once_and_then_the_gateway_idles(bench: Bench, collector: Collector) -> None:
    process = bench.start()
    assert eventually(lambda: collector.ticks_ms() == every_second(bench)), bench.log.read_text("utf-8")
    assert process.is_running
    told = [content for story in collector.stories().values() for content in story]
    assert not [content for content in told if isinstance(content, Outage)]
    assert {content.clock for content in told} == {ClockState.SIMULATED}
    measured = [content for content in told if isinstance(content, Measurement)]
    assert all(content.energy_begin and content.energy_end for content in measured)
    assert {content.meter_state for content in measured} == {MeterState.OK}
    assert eventually(lambda: '"waiting": 0' in bench.command("status"))
    assert process.stop() == 0
    assert process.said('"event": "stopped"')
    assert eventually(lambda: [status["state"] for status in collector.statuses] == ["online", "offline"])
    first, last = collector.statuses
    assert (first["boot_id"], first["connection"]) == (last["boot_id"], last["connection"])


def test_sigkill_in_the_middle_loses_and_doubles_nothing(bench: Bench, collector: Collector) -> None:
    kills = 0
    for part in (1, 2, 3, 4, 5):
        process = bench.start()
        wanted = part * SECONDS // 6
        assert eventually(lambda: min(map(len, collector.ticks_ms().values()), default=0) >= wanted)  # noqa: B023
        kills += process.is_running
        process.kill()
    bench.start()
    assert kills == 5
    assert eventually(lambda: collector.ticks_ms() == every_second(bench)), bench.log.read_text("utf-8")


def test_sigterm_closes_the_open_frame_and_the_next_process_goes_on(bench: Bench, collector: Collector) -> None:
    process = bench.start()
    assert eventually(lambda: len(collector.frames) > 4)
    assert process.stop() == 0
    assert not list(bench.data_dir.glob("*.journal"))
    bench.start()
    assert eventually(lambda: collector.ticks_ms() == every_second(bench)), bench.log.read_text("utf-8")


def test_frames_the_broker_lost_are_sent_again(bench: Bench, collector: Collector) -> None:
    collector.lose = lambda seq, times: seq % 7 == 3 and times == 1
    bench.start()
    assert eventually(lambda: collector.ticks_ms() == every_second(bench)), bench.log.read_text("utf-8")
    assert len(collector.heard) > len(set(collector.heard))


def test_without_the_broker_recording_goes_on_and_all_arrives_later(
    bench: Bench, collector: Collector, mosquitto: Mosquitto
) -> None:
    mosquitto.kill()
    process = bench.start()
    assert eventually(lambda: process.said("time has ended")), bench.log.read_text("utf-8")
    assert process.log.read_text("utf-8").count("broker away") == 1
    mosquitto.restart()
    assert eventually(lambda: collector.ticks_ms() == every_second(bench)), bench.log.read_text("utf-8")


def test_a_killed_gateway_leaves_a_will(bench: Bench, collector: Collector) -> None:
    process = bench.start()
    assert eventually(lambda: collector.statuses != [])
    process.kill()
    assert eventually(lambda: collector.statuses[-1]["state"] == "offline")
    assert collector.statuses[-1]["connection"] == collector.statuses[0]["connection"]
    bench.start()
    assert eventually(lambda: collector.statuses[-1]["state"] == "online")
    assert collector.statuses[-1]["connection"] == collector.statuses[0]["connection"] + 1


def test_a_cut_link_is_an_outage_and_a_reconnection(tmp_path: Path, mosquitto: Mosquitto) -> None:
    bench = Bench(tmp_path, mosquitto.port, SCENARIO + CUT)
    collector = Collector(mosquitto.port, bench.public_key)
    try:
        bench.start()
        assert eventually(lambda: bench.ready["end_ms"] in collector.ticks_ms().get("chromatograph-1", []))
        assert eventually(lambda: bench.ready["end_ms"] in collector.ticks_ms().get("spectrometer-1", []))
        assert collector.ticks_ms()["spectrometer-1"] == every_second(bench)["spectrometer-1"]
        story = collector.stories()["chromatograph-1"]
        (outage,) = [content for content in story if isinstance(content, Outage)]
        after = story[story.index(outage) + 1]
        start_ms = bench.ready["start_ms"]
        assert outage.cause is OutageCause.METER_LINK
        assert outage.from_ms == start_ms + 99_000
        # Back within the longest pause of the driver.
        assert start_ms + 130_000 <= outage.to_ms <= start_ms + 140_000
        assert outage.energy_after is not None
        assert isinstance(after, Measurement)
        assert after.meter_state is MeterState.RECONNECTED
    finally:
        bench.close()
        collector.close()


def test_a_real_clock_ticks_in_real_time(bench: Bench, collector: Collector) -> None:
    lines = bench.config.read_text("utf-8").replace("frame_s = 10", "frame_s = 1").splitlines()
    bench.config.write_text("\n".join(line for line in lines if "clock" not in line), "utf-8")
    bench.start()
    assert eventually(lambda: min(map(len, collector.ticks_ms().values()), default=0) >= 3)
    told = [content for story in collector.stories().values() for content in story]
    assert {content.clock for content in told} <= {ClockState.SYNCHRONISED, ClockState.UNSYNCHRONISED}
    assert {content.boot_id for content in told} == {system_boot_id()}
    assert not [content for content in told if isinstance(content, Outage)]


def test_a_second_gateway_on_one_folder_is_refused_in_words(bench: Bench, collector: Collector) -> None:
    bench.start()
    assert eventually(lambda: collector.frames != {})
    command = [sys.executable, "-m", "gateway", "run", "--config", str(bench.config)]
    second = subprocess.run(command, check=False, capture_output=True, text=True)
    assert second.returncode == 1
    assert "another gateway already runs" in second.stderr
    assert "Traceback" not in second.stderr


def test_no_secret_is_in_the_log(bench: Bench, collector: Collector) -> None:
    process = bench.start()
    assert eventually(lambda: collector.frames != {})
    process.stop()
    pem = (bench.data_dir / "key.pem").read_text("utf-8").splitlines()[1]
    assert pem not in bench.log.read_text("utf-8")
