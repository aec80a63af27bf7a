"""A recording behind Modbus: the last value at each tick, a register that counts it, no answer where it is silent."""

import asyncio
import gzip
import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from unit.firmware_sim.client import HOST, IMPORT_KWH, TOTAL_W, Reader
from unit.firmware_sim.test_lab import refused

import firmware_sim
from firmware_sim.lab import Lab
from firmware_sim.recording import PLUG, Recording, read
from firmware_sim.replay import CLASS, Replay, run
from firmware_sim.scenario import InstrumentSpec, Scenario, ScenarioError

ROOT = Path(firmware_sim.__file__).parents[1]
T0_MS = 1_741_568_400_000  # 2025-03-10 09:00:00 in Shanghai
SHANGHAI = "Asia/Shanghai"


def written(folder: Path, *rows: str, name: str = "day.csv") -> Path:
    path = folder / name
    text = "".join(f"{row}\n" for row in rows).encode()
    path.write_bytes(gzip.compress(text) if name.endswith(".gz") else text)
    return path


def at(clock: str, power_w: int, day: str = "10/03/2025") -> str:
    return f"{day} {clock};{power_w};0"


ROWS = (
    at("09:00:00", 100),
    at("09:00:03", 2_000),
    at("09:00:10", 90_000),  # 7.25 kWh by the next row, had it lasted
    at("09:05:00", 7),
    at("09:05:01", 8),
)


def lab(recording: Recording) -> Lab:
    spec = InstrumentSpec(id="plug", class_name=CLASS, cuts=recording.cuts(60_000))
    scenario = Scenario(start_ms=recording.start_ms, end_ms=recording.end_ms, instruments=(spec,))
    return Lab(scenario, {"plug": recording.timetable(60_000)}, seed=0, host=HOST, classes={CLASS: PLUG})


def test_the_meter_shows_what_holds_counts_it_and_is_silent_where_the_recording_is(tmp_path: Path) -> None:
    recording = read([written(tmp_path, *ROWS, name="day.csv.gz")], SHANGHAI)

    async def check() -> None:
        served = lab(recording)
        await served.open()
        try:
            async with Reader(served.ready()) as reader:
                begin_kwh = await reader.meter("plug", IMPORT_KWH)
                shown = []
                for second in range(11):
                    await reader.advance(T0_MS + 1_000 * second)
                    shown.append(await reader.meter("plug", TOTAL_W))
                assert shown == [100] * 3 + [2_000] * 7 + [90_000]
                counted_kwh = await reader.meter("plug", IMPORT_KWH) - begin_kwh
                assert counted_kwh == pytest.approx((3 * 100 + 7 * 2_000) / 3.6e6, abs=5e-4)
                for second in (11, 60, 299):
                    await reader.advance(T0_MS + 1_000 * second)
                    assert refused(reader, "plug")
                await reader.advance(T0_MS + 300_000)
                async with Reader(served.ready()) as again:
                    assert await again.meter("plug", TOTAL_W) == 7
                    assert await again.meter("plug", IMPORT_KWH) == pytest.approx(begin_kwh + counted_kwh, abs=1e-3)
                    await again.advance(recording.end_ms)
                    assert await again.meter("plug", TOTAL_W) == 8
        finally:
            await served.close()

    asyncio.run(check())


def test_broken_rows_are_counted_and_rows_put_in_order(tmp_path: Path) -> None:
    rows = [ROWS[1], ROWS[0], "31/02/2025 09:00:05;1;1", "rubbish", '"10/03/2025 09:00:04";3;"1"', at("09:00:61", 1)]
    found = read([written(tmp_path, *rows, ROWS[0])], SHANGHAI)
    assert found.values == ((T0_MS, 100), (T0_MS + 3_000, 2_000), (T0_MS + 4_000, 3))
    assert (found.read, found.broken, found.out_of_order) == (4, 3, 2)


def test_a_part_is_cut_out(tmp_path: Path) -> None:
    path = written(tmp_path, *ROWS)
    found = read([path], SHANGHAI, "2025-03-10T09:00:03", "2025-03-10T01:00:10Z")
    assert (found.start_ms, found.end_ms) == (T0_MS + 3_000, T0_MS + 10_000)


def test_what_cannot_be_played_says_why(tmp_path: Path) -> None:
    apart = written(tmp_path, at("23:59:59", 1), at("00:00:00", 1, "12/03/2025"), name="apart.csv")
    with pytest.raises(ScenarioError, match=r"nothing between 2025-03-10 and 2025-03-12: .*one at a time"):
        read([apart], SHANGHAI)
    with pytest.raises(ScenarioError, match="0 rows read, 1 broken"):
        read([written(tmp_path, "rubbish", name="rubbish.csv")], SHANGHAI)
    with pytest.raises(ScenarioError, match="happened twice"):
        read([written(tmp_path, "26/10/2025 02:30:00;1;1", name="twice.csv")], "Europe/Berlin")
    with pytest.raises(ScenarioError, match="--tz"):
        read([apart], "Asia/Atlantis")
    with pytest.raises(ScenarioError, match=r"none\.csv"):
        read([tmp_path / "none.csv"], SHANGHAI)


def test_a_bad_order_leaves_no_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    order = Replay(files=[tmp_path / "none.csv"], tz=SHANGHAI, instrument_id="A B", silent_s=0)
    assert run(order, truth=tmp_path / "truth.json", ready=tmp_path / "ready.json") == 2
    assert [line.split(":")[0] for line in capsys.readouterr().err.splitlines()] == ["--id", "--silent-s"]
    assert [*tmp_path.iterdir()] == []


def test_the_truth_tells_the_runs_of_a_threshold_and_the_silences(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "jishi", "sim", "replay", str(written(tmp_path, *ROWS, "rubbish"))]
    command += ["--tz", SHANGHAI, "--enter-w", "90", "--id", "plug", "--truth", str(tmp_path / "truth.json")]
    ready = tmp_path / "ready.json"
    with subprocess.Popen([*command, "--ready", str(ready)], cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        while not ready.exists():
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        assert process.wait() == 0
        assert process.stderr
        assert process.stderr.read() == "5 rows read, 1 broken, 0 out of order\n"
    truth: dict[str, Any] = json.loads((tmp_path / "truth.json").read_text())
    (told,) = truth["instruments"]
    assert told["states"] == [
        [T0_MS, T0_MS + 10_000, "RUNNING"],
        [T0_MS + 10_000, T0_MS + 300_000, "UNKNOWN"],
        [T0_MS + 300_000, T0_MS + 301_000, "STANDBY"],
    ]
    assert (told["effective_ms"], told["silences"]) == (10_000, [[T0_MS + 10_000, T0_MS + 300_000]])
    assert told["energy_mw_ms"] == (3 * 100 + 7 * 2_000 + 7) * 1_000_000
    assert (truth["start_ms"], truth["end_ms"]) == (T0_MS, T0_MS + 301_000)
