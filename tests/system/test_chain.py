"""The whole chain on real parts, killed while it runs: nothing lost, nothing twice, hours right."""

import contextlib
import os
import signal
from pathlib import Path
from random import Random

import psycopg
import pytest
from fix_processes import Stage, eventually, family, is_running

from jishi import demo
from jishi.demo import importing
from jishi.demo.rig import Rig

SCENARIO = """
start = 2025-03-10T09:00:00+08:00
duration_s = 3600
[[instrument]]
id = "spectrometer-1"
class = "spectrometer"
[[instrument]]
id = "chromatograph-1"
class = "chromatograph"
"""


@pytest.fixture
def scenario(tmp_path: Path) -> str:
    path = tmp_path / "hour.toml"
    path.write_text(SCENARIO, "utf-8")
    return str(path)


def test_killing_gateway_and_collector_loses_nothing_and_doubles_nothing(
    scenario: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    random = Random(7)
    kills: list[str] = []
    with Rig(seed=3, scenario=scenario) as rig:
        # Each look at the progress is a chance to kill one of the two, wherever it just is.
        def tended() -> None:
            Rig.tend(rig)
            if len(kills) < 12 and random.random() < 0.25:
                victim = random.choice(("gateway", "collector"))
                with contextlib.suppress(ProcessLookupError):  # it is still dead from the last time
                    os.kill(rig.pid(victim), signal.SIGKILL)
                    kills.append(victim)

        monkeypatch.setattr(rig, "tend", tended)
        demo.wait_until_in_custody(rig, importing.start_recording(rig))
        result = demo.measure(rig)
        with psycopg.connect(rig.dsn) as connection:
            rows = connection.execute(
                "SELECT instrument_id, count(*), count(DISTINCT taken_at), max(taken_at) - min(taken_at) "
                "FROM power_sample JOIN instrument USING (instrument_no) "
                "WHERE instrument_id != 'recording-1' GROUP BY 1 ORDER BY 1"
            ).fetchall()
    assert {"gateway", "collector"} <= set(kills), "the test must have killed both"
    assert result["restarts"] >= 2
    assert result["ok"], result
    seconds = 3_601  # both ends of the hour are ticks
    assert [(name, count, distinct, span.total_seconds()) for name, count, distinct, span in rows] == [
        ("chromatograph-1", seconds, seconds, 3600),
        ("spectrometer-1", seconds, seconds, 3600),
    ]


def test_without_mosquitto_the_embedded_broker_carries_everything(
    scenario: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jishi.demo.broker.installed_mosquitto", lambda: None)
    with Rig(seed=4, scenario=scenario) as rig:
        demo.wait_until_in_custody(rig, importing.start_recording(rig))
        result = demo.measure(rig)
    assert (result["broker"], result["ok"]) == ("amqtt", True), result


def test_a_demo_killed_with_sigkill_leaves_nothing(scenario: str, stage: Stage) -> None:
    path = stage.folder / "hour.toml"
    path.write_text(Path(scenario).read_text("utf-8"), "utf-8")
    starter = stage.start(f"from jishi.demo.rig import Rig; rig = Rig(5, {str(path)!r}).__enter__(); print(rig.folder)")
    (folder,) = starter.words()
    started = family(starter.pid)
    assert len(started) > 8, "simulator, broker, database, collector and gateway, each under its guard"
    starter.kill()
    assert eventually(lambda: not Path(folder).exists())
    assert eventually(lambda: not any(is_running(pid) for pid in started))


def test_the_demo_is_right_for_any_user(scenario: str, stage: Stage) -> None:
    path = stage.folder / "hour.toml"
    path.write_text(Path(scenario).read_text("utf-8"), "utf-8")
    starter = stage.start(f"from jishi import demo; print(demo.run(6, {str(path)!r})['ok'])")
    assert starter.words() == ["True"]
