"""The probe as a technician runs it, against simulated meters and against servers of the test's own."""

import asyncio
import json
import os
import signal
import struct
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from pymodbus.client import ModbusTcpClient
from pymodbus.constants import ExcCodes
from unit.firmware_sim.client import serving

from firmware_sim.scenario import parse
from firmware_sim.wire import READ_HOLDING, READ_INPUT, Port, Unit, float_words, uint32_words
from gateway import config as configuration
from gateway.disk import locked
from gateway.meters.modbus import ModbusUnit
from gateway.meters.port import LinkDownError, RefusedError
from gateway.meters.registers import load_model
from gateway.probe import session
from gateway.probe.look import Look, look
from gateway.probe.report import Report
from gateway.probe.words import Code

HOST = "127.0.0.1"
PUBLIC_KEY = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
SCENARIO = """
start = 2025-03-10T09:00:00+08:00
duration_s = 7200
[[instrument]]
id = "sound"
class = "chromatograph"
[[instrument]]
id = "single"
class = "spectrometer"
meter = "sdm120"
[[instrument]]
id = "reversed"
class = "microscope"
wiring = "ct-reversed-l2"
[[instrument]]
id = "swapped"
class = "microscope"
wiring = "cts-swapped-l1-l2"
[[instrument]]
id = "away"
class = "microscope"
fault = [{ kind = "link-cut", from_s = 4000, to_s = 7200 }]
"""


def toml(ready: Mapping[str, Any]) -> str:
    """A gateway's config for all that a lab serves."""
    clock = ready["clock"]
    text = f"""site = "huaian"
gateway = "gw-1"
data_dir = "data"
clock = "simulated"
simulated_clock = {{ host = "{clock["host"]}", port = {clock["port"]}, unit = {clock["unit"]} }}
broker = {{ host = "{HOST}" }}
collector = {{ public_key = "{PUBLIC_KEY}" }}
"""
    for entry in ready["instruments"]:
        address = f'host = "{entry["host"]}", port = {entry["port"]}'
        text += f'[[instrument]]\nid = "{entry["id"]}"\n'
        text += f'meter = {{ model = "{entry["meter_model"]}", {address}, unit = {entry["meter_unit"]} }}\n'
        if entry["io_unit"]:
            lines = json.dumps(entry["lines"])
            text += f"run_state = {{ {address}, unit = {entry['io_unit']}, lines = {lines} }}\n"
    return text


class Rack:
    """A simulated lab in a process of its own, and a gateway's config for it."""

    def __init__(self, folder: Path) -> None:
        (folder / "scenario.toml").write_text(SCENARIO, "utf-8")
        self.config, self._folder = folder / "gateway.toml", folder
        command = ["firmware_sim", "run", "--scenario", str(folder / "scenario.toml"), "--seed", "7", "--until-eof"]
        files = ["--truth", str(folder / "truth.json"), "--ready", str(folder / "ready.json")]
        self._lab = subprocess.Popen([sys.executable, "-m", *command, *files], stdin=subprocess.PIPE)
        while not (folder / "ready.json").exists():
            assert self._lab.poll() is None
            time.sleep(0.05)
        self.ready = json.loads((folder / "ready.json").read_text("utf-8"))
        self.config.write_text(toml(self.ready), "utf-8")
        clock = self.ready["clock"]
        self._clock = ModbusTcpClient(clock["host"], port=clock["port"])
        assert self._clock.connect()  # type: ignore[no-untyped-call]
        self.now_ms = self.ready["start_ms"]

    def advance(self, to_ms: int) -> None:
        words = list(struct.unpack(">4H", to_ms.to_bytes(8, "big")))
        assert not self._clock.write_registers(12, words, device_id=247).isError()
        self.now_ms = to_ms

    def probe(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(self.command(*arguments), capture_output=True, text=True, check=False)

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "jishi", "gateway", "probe", "--config", str(self.config), *arguments]

    def close(self) -> None:
        self._clock.close()  # type: ignore[no-untyped-call]
        with self._lab:
            assert self._lab.stdin
            self._lab.stdin.close()


@pytest.fixture(scope="module")
def rack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rack]:
    made = Rack(tmp_path_factory.mktemp("rack"))
    try:
        made.advance(made.ready["start_ms"] + 5_400_000)
        yield made
    finally:
        made.close()


def one(answer: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """The one object on one line."""
    (line,) = answer.stdout.splitlines()
    result: dict[str, Any] = json.loads(line)
    return result


def codes(instrument: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    return [(each["code"], each["phases"]) for each in instrument["findings"] if each["light"] != "green"]


def test_two_sound_models_are_green_with_everything_they_show(rack: Rack) -> None:
    answer = rack.probe("--json", "--instrument", "sound", "--instrument", "single")
    assert (answer.returncode, answer.stderr) == (0, "")
    report = one(answer)
    sound, single = report["instruments"]
    assert (report["light"], sound["light"], single["light"]) == ("green", "green", "green")
    assert (sound["model"], single["model"]) == ("sdm630", "sdm120")
    assert list(sound["meter"]["phases"]) == ["L1", "L2", "L3"]
    assert list(single["meter"]["phases"]) == ["L"]
    assert sound["meter"]["serial"] != single["meter"]["serial"]
    assert sum(phase["power_w"] for phase in sound["meter"]["phases"].values()) == pytest.approx(
        sound["meter"]["power_w"]
    )
    assert list(sound["meter"]["line_voltage_v"]) == ["L1-L2", "L2-L3", "L3-L1"]
    assert sound["meter"]["frequency_hz"] == pytest.approx(50, abs=0.1)
    assert sound["meter"]["energy_kwh"] > 1_000
    assert list(sound["lines"]) == ["start", "stop", "ready", "prepare", "post"]
    assert single["lines"] is None


def test_wrong_wiring_is_red_by_its_phases(rack: Rack) -> None:
    answer = rack.probe("--json", "--instrument", "reversed", "--instrument", "swapped")
    assert answer.returncode == 1
    turned, swapped = one(answer)["instruments"]
    assert codes(turned) == [("ct-reversed", ["L2"])]
    assert codes(swapped) == [("cts-swapped", ["L1", "L2"])]


def test_a_device_that_is_away_is_told_beside_those_that_answer(rack: Rack) -> None:
    answer = rack.probe("--json", "--instrument", "away", "--instrument", "sound")
    assert answer.returncode == 2
    sound, away = one(answer)["instruments"]
    assert sound["light"] == "green"
    assert (away["light"], away["meter"], away["lines"]) == ("red", None, None)
    assert [failure.split(":")[0] for failure in away["failures"]] == ["meter", "run-state lines"]


def test_it_moves_no_clock_writes_nothing_and_needs_no_lock(rack: Rack) -> None:
    data = rack.config.parent / "data"
    assert not data.exists()
    rack.probe("--json", "--instrument", "sound")
    assert not data.exists()
    rack.advance(rack.now_ms)  # refused, had the probe moved time
    data.mkdir()
    with locked(data):
        before = sorted(data.iterdir())
        assert rack.probe("--json", "--instrument", "sound").returncode == 0
        assert sorted(data.iterdir()) == before


@pytest.mark.parametrize("columns", [80, 120])
def test_the_table_fits_and_says_it_in_two_languages(rack: Rack, columns: int) -> None:
    environment = os.environ | {"COLUMNS": str(columns), "PYTHONIOENCODING": "utf-8"}
    answer = subprocess.run(rack.command(), capture_output=True, text=True, check=False, env=environment)
    assert answer.returncode == 2
    for words in ("● 绿 green", "● 红 red", "电压 voltage V", "L2 功率为负", "current reversed", "cannot reach"):
        assert words in answer.stdout
    wide = [line for line in answer.stdout.splitlines() if sum(1 + (each > "⺀") for each in line) > columns]
    assert wide == []


def test_a_watch_goes_on_until_ctrl_c_and_ends_with_the_last_light(rack: Rack) -> None:
    with subprocess.Popen(
        rack.command("--json", "--watch", "--instrument", "sound"), stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        shown = []
        for _ in range(3):
            shown.append(json.loads(process.stdout.readline())["instruments"][0]["meter"])
            rack.advance(rack.now_ms + 60_000)
        process.send_signal(signal.SIGINT)
        process.stdout.read()
        assert process.wait(10) == 0
    assert shown[0]["energy_kwh"] < shown[1]["energy_kwh"] < shown[2]["energy_kwh"]


def test_a_watch_judges_the_energy_register_by_the_clock_it_lives_by(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "_PERIOD_S", 0.0)

    async def play() -> list[Report]:
        async with serving(parse(tomllib.loads(SCENARIO))) as lab:
            (tmp_path / "gateway.toml").write_text(toml(lab.ready()), "utf-8")
            config = configuration.load(tmp_path / "gateway.toml")
            await lab.advance(lab.clock.start_ms + 3_000_000)
            reports: list[Report] = []

            def show(report: Report) -> None:
                reports.append(report)
                lab.clock.now_ms += 4_000
                if len(reports) == 60:
                    work.cancel()

            work = asyncio.ensure_future(session._probe(config, config.instrument[:1], watch=True, show=show))
            with pytest.raises(asyncio.CancelledError):
                await work
            return reports

    reports = asyncio.run(play())
    found = [[each.code for each in report.instruments[0].findings] for report in reports]
    assert found[0] == [Code.ENERGY_UNSEEN]
    assert found[-1] == []


@pytest.mark.parametrize(
    ("config", "arguments", "said"),
    [("nowhere.toml", [], "cannot read"), (None, ["--instrument", "nmr"], "--instrument nmr: is not in the config")],
)
def test_what_cannot_be_probed_is_one_sentence(rack: Rack, config: str | None, arguments: list[str], said: str) -> None:
    command = rack.command(*arguments)
    if config is not None:
        command[command.index("--config") + 1] = config
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == 2
    assert said in answer.stderr
    assert "Traceback" not in answer.stderr


Registers = dict[int, tuple[int, int]]


def meter(inputs: Registers, holdings: Registers, asked: list[tuple[int, int]]) -> Unit:
    def reading(table: Registers) -> Callable[[int, int], list[int] | ExcCodes]:
        def read(address: int, count: int) -> list[int] | ExcCodes:
            asked.append((address, count))
            words = [word for at in range(address, address + count, 2) for word in table.get(at, ())]
            return words if len(words) == count else ExcCodes.ILLEGAL_ADDRESS

        return read

    return Unit(reads={READ_INPUT: reading(inputs), READ_HOLDING: reading(holdings)})


def look_at(unit: Unit | None, model: str = "sdm120") -> Look:
    """A look at a server of the test's own; None is one where the unit does not answer."""

    async def play() -> Look:
        port = Port(HOST, {} if unit is None else {1: unit})
        await port.join()
        asked = ModbusUnit(host=HOST, port=port.port, unit=1, timeout_s=1)
        try:
            return await look(asked, load_model(model), 7)
        finally:
            asked.close()
            await port.close()

    return asyncio.run(play())


SHOWN = {0x00: 230.5, 0x06: 0.843, 0x0C: 178.7, 0x1E: 0.92, 0x46: 50.0, 0x48: 2226.055}


def test_registers_that_lie_together_are_one_question() -> None:
    asked: list[tuple[int, int]] = []
    inputs = {address: float_words(value) for address, value in SHOWN.items()}
    shown = look_at(meter(inputs, {0xFC00: uint32_words(83282638)}, asked))
    assert (shown.at_ms, shown.serial, shown.power_mw, shown.unread) == (7, 83282638, 178_700, ())
    assert (shown.phases[0].voltage_mv, shown.phases[0].current_ma) == (230_500, 843)
    assert (shown.frequency_millihz, shown.energy_mwh) == (50_000, 2_226_055_000)
    assert sorted(asked) == [(0x00, 2), (0x06, 2), (0x0C, 2), (0x1E, 2), (0x46, 4), (0xFC00, 2)]


def test_a_register_that_is_not_there_or_shows_no_number_is_absent_and_its_neighbour_is_not() -> None:
    inputs = {address: float_words(value) for address, value in SHOWN.items() if address != 0x46}
    inputs[0x06] = (0x7FC0, 0)
    shown = look_at(meter(inputs, {0xFC00: uint32_words(1)}, []))
    assert (shown.frequency_millihz, shown.energy_mwh) == (None, 2_226_055_000)
    assert shown.phases[0].current_ma is None
    assert shown.unread == ("frequency", "current")


def test_a_meter_that_knows_no_register_is_silent_and_one_behind_a_dead_bus_is_away() -> None:
    shown = look_at(meter({}, {}, []))
    assert (shown.serial, shown.power_mw, shown.phases[0].voltage_mv) == (None, None, None)
    with pytest.raises(RefusedError, match="does not answer its gateway"):
        look_at(None)
    with pytest.raises(LinkDownError):
        asyncio.run(look(ModbusUnit(host=HOST, port=1, unit=1, timeout_s=1), load_model("sdm630"), 0))


def test_codes_are_words_that_machines_may_keep() -> None:
    assert all(code.replace("-", "").isalpha() and code.islower() for code in Code)
