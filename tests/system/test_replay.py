"""Recordings that nobody here made, through the whole chain: imported as a file, and replayed as a meter."""

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from fix_collector import Collector
from fix_processes import eventually
from fix_servers import Mosquitto

from gateway import spool
from jishi.demo.lab import serial_of
from metering import cli as metering
from storage import counters, registry_file, registry_load
from storage.guard import Guarded
from storage.pool import connect

CHECKOUT: Final = Path(__file__).parents[2]
RECORDINGS: Final = Path(os.environ.get("JISHI_REALDATA", CHECKOUT.parent / "shared" / "realdata"))
SERIAL: Final = "B7E6F4"
NAME: Final = "plug-1"
DISHWASHER: Final = "enter_w = 5\nleave_w = 5\nbridge_s = 900\nmin_run_s = 300\nmax_gap_s = 60\n"
SPECTROMETER: Final = "enter_w = 150\nleave_w = 130\noff_w = 20\ndwell_on_s = 5\nbridge_s = 300\nmax_gap_s = 60\n"

needs_recordings = pytest.mark.skipif(
    not (RECORDINGS / "tracebase").is_dir(),
    reason=f"no recordings in {RECORDINGS}: name their folder in JISHI_REALDATA",
)


def jishi(*arguments: str | Path, status: int = 0) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "jishi", *map(str, arguments)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False, cwd=CHECKOUT)
    assert answer.returncode == status, answer.stderr
    return answer


def last_object(answer: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(answer.stdout.splitlines()[-1])
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A collector that runs, and a gateway that does not yet."""

    folder: Path
    dsn: str
    broker_port: int
    collector: Collector

    @property
    def config(self) -> Path:
        return self.folder / "gateway.toml"

    @property
    def data(self) -> Path:
        return self.folder / "gateway-data"

    def settle(self, meter: str, rules: str, serial: str, *, top: str = "") -> None:
        """Write the gateway's config, make its key, and register it with one instrument under these rules."""
        self.config.write_text(
            f'site = "home"\ngateway = "gw-1"\ndata_dir = "gateway-data"\n{top}[broker]\nhost = "127.0.0.1"\n'
            f'port = {self.broker_port}\n[collector]\npublic_key = "{self.collector.public.hex()}"\n'
            f'[[instrument]]\nid = "{NAME}"\n[instrument.meter]\nmodel = "sdm630"\n{meter}',
            "utf-8",
        )
        key = jishi("gateway", "key", "--config", self.config).stdout.strip()
        registered = self.folder / "registry.toml"
        registered.write_text(_registry(key, serial, rules), "utf-8")
        with connect(self.dsn) as connection:
            registry_load.load(connection, registry_file.read(registered))
        self.collector.start()

    def hours(self, day: str, zone: str = "+01:00", level: int = 2) -> dict[str, Any]:
        """The total of one local day."""
        begin, number = f"{day}T00:00:00{zone}", int(day[-2:]) + 1
        found = metering.hours_run(self.dsn, (begin, f"{day[:-2]}{number:02}T00:00:00{zone}"), None, level)
        measured: dict[str, Any] = found["instruments"][0]
        return measured


@pytest.fixture
def site(tmp_path: Path, migrated: str, mosquitto: Mosquitto, collector: Callable[..., Collector]) -> Site:
    return Site(folder=tmp_path, dsn=migrated, broker_port=mosquitto.port, collector=collector())


@needs_recordings
def test_an_imported_recording_earns_the_hours_that_are_in_it_and_none_at_l3(site: Site) -> None:
    reference = json.loads((RECORDINGS / "reference.json").read_text("utf-8"))["Dishwasher_B7E6F4"]
    files = sorted((RECORDINGS / "tracebase").glob(reference["files"]))
    days = sorted({f"{begin[:10]}" for begin, _, _ in reference["intervals"]})
    site.settle('host = "127.0.0.1"\n', DISHWASHER, SERIAL)
    order: tuple[str | Path, ...] = ("gateway", "import", *files[::-1], "--config", site.config, "--instrument", NAME)
    order += ("--tz", "Europe/Berlin", "--serial", SERIAL, "--json")
    done = last_object(jishi(*order))
    assert (done["rows"]["broken"], done["in_custody"]) == (0, done["frames"])
    # Given again it signs and sends nothing.
    again = last_object(jishi(*order))
    assert (again["stream"], again["signed_now"], again["frames"]) == (done["stream"], 0, done["frames"])
    with connect(site.dsn) as connection:
        counted = counters.read(connection)
    assert (counted.frames, counted.duplicate, counted.quarantined) == (done["frames"], 0, 0)
    measured = [site.hours(day) for day in days]
    run_h = sum(one["effective_h"] for one in measured)
    assert run_h == pytest.approx(reference["run_hours"], rel=0.005)
    assert sum(len(one["days"][0]["intervals_ms"]) for one in measured) == reference["cycles"]
    assert all(one["effective_low_h"] <= one["effective_h"] <= one["effective_high_h"] for one in measured)
    assert sum(one["coverage"] for one in measured) / len(measured) == pytest.approx(1, abs=0.001)
    assert sum(site.hours(day, level=3)["effective_h"] for day in days) == 0


@contextmanager
def replayed(site: Site, *arguments: str | Path) -> Iterator[dict[str, Any]]:
    """The recording as a meter that listens."""
    ready = site.folder / "ready.json"
    files = ("--truth", site.folder / "truth.json", "--ready", ready)
    command = [sys.executable, "-m", "jishi", "sim", "replay", *map(str, (*arguments, "--id", NAME, *files))]
    with (site.folder / "replay.log").open("ab") as output:
        process = Guarded(["env", "-C", str(CHECKOUT), *command], output=output)
    try:
        assert eventually(ready.exists), (site.folder / "replay.log").read_text("utf-8")
        yield json.loads(ready.read_text("utf-8"))
    finally:
        process.stop()


def sampled(site: Site, ready: dict[str, Any], rules: str) -> None:
    """Run a gateway on the replay until all of it is in custody."""
    clock, served = ready["clock"], ready["instruments"][0]
    at = f'{{ host = "{clock["host"]}", port = {clock["port"]}, unit = {clock["unit"]} }}'
    meter = f'host = "{served["host"]}"\nport = {served["port"]}\nunit = {served["meter_unit"]}\n'
    site.settle(meter, rules, serial_of(served), top=f'clock = "simulated"\nsimulated_clock = {at}\n')
    with (site.folder / "gateway.log").open("ab") as output:
        command = ["env", "-C", str(CHECKOUT), sys.executable, "-m", "gateway", "run", "--config", str(site.config)]
        process = Guarded(command, output=output)

    def ended() -> bool:
        streams = spool.status(site.data)
        over = "time has ended" in (site.folder / "gateway.log").read_text("utf-8")
        return over and all(stream["waiting"] == 0 for stream in streams)

    try:
        assert eventually(ended), (site.folder / "gateway.log").read_text("utf-8")
    finally:
        process.stop()


@needs_recordings
def test_two_replayed_hours_of_a_recording_earn_the_run_that_is_in_them(site: Site) -> None:
    reference = json.loads((RECORDINGS / "reference.json").read_text("utf-8"))["Dishwasher_B7E6F4"]
    begin, end, seconds = reference["intervals"][0]
    (file,) = (RECORDINGS / "tracebase").glob("Dishwasher_dev_B7E6F4_2012.02.03*")
    part = ("--from", f"{begin[:11]}07:30:00", "--to", f"{end[:11]}09:30:00")
    limits = ("--enter-w", "5", "--bridge-s", "900", "--min-run-s", "300")
    with replayed(site, file, "--tz", "Europe/Berlin", *limits, *part) as ready:
        sampled(site, ready, DISHWASHER)
    told = json.loads((site.folder / "truth.json").read_text("utf-8"))["instruments"][0]
    assert told["effective_ms"] == seconds * 1_000
    measured = site.hours(begin[:10], level=3)["total"]
    assert measured["effective_ms"] == pytest.approx(seconds * 1_000, rel=0.005)
    assert measured["effective_low_ms"] <= seconds * 1_000 <= measured["effective_high_ms"]


def test_a_replayed_stand_in_earns_its_true_hours_and_its_silence_is_an_outage(site: Site) -> None:
    trace, truth_file = site.folder / "day.csv.gz", site.folder / "day.json"
    jishi("sim", "trace", "--from", "2025-03-10", "--days", "1", "--out", trace, "--truth", truth_file)
    truth = json.loads(truth_file.read_text("utf-8"))["instruments"][0]
    assert truth["effective_ms"] > 0
    part = ("--from", "2025-03-10T10:00:00", "--to", "2025-03-10T11:00:00")
    silent = _with_silence(trace, site.folder / "silent.csv", "10/03/2025 10:30", "10/03/2025 10:35")
    with replayed(site, silent, "--tz", "Asia/Shanghai", "--enter-w", "150", *part) as ready:
        sampled(site, ready, SPECTROMETER)
    told = json.loads((site.folder / "truth.json").read_text("utf-8"))["instruments"][0]
    ((from_ms, to_ms),) = told["silences"]
    assert to_ms - from_ms == 301_000
    measured = site.hours("2025-03-10", "+08:00", level=3)
    assert measured["states_h"]["UNKNOWN"] == pytest.approx(23 + 301 / 3_600, abs=0.002)
    low_ms, high_ms = (measured["total"][f"effective_{bound}_ms"] for bound in ("low", "high"))
    inside = [(max(a, ready["start_ms"]), min(b, ready["end_ms"])) for a, b in truth["effective"]]
    true_ms = sum(max(0, b - a) for a, b in inside)
    assert low_ms <= true_ms <= high_ms
    assert measured["total"]["effective_ms"] == pytest.approx(told["effective_ms"], abs=2_000 * len(told["states"]))


def _with_silence(trace: Path, silent: Path, first: str, end: str) -> Path:
    rows = gzip.decompress(trace.read_bytes()).decode().splitlines(keepends=True)
    silent.write_text("".join(row for row in rows if not first <= row[:16] < end), "utf-8")
    return silent


def _registry(key: str, serial: str, rules: str) -> str:
    since = '"2011-01-01T00:00:00Z"'
    return f"""simulation = true
[[unit]]
id = "home"
name_zh = "家"
name_en = "Home"
time_zone = "Europe/Berlin"
[[gateway]]
id = "gw-1"
site = "home"
unit = "home"
[[gateway.key]]
public_key = "{key}"
valid_from = {since}
[[instrument]]
id = "{NAME}"
unit = "home"
name_zh = "洗碗机"
name_en = "Dishwasher"
class = "plug"
[[meter]]
model = "sdm630"
serial = "{serial}"
[[binding]]
instrument = "{NAME}"
gateway = "gw-1"
meter_model = "sdm630"
meter_serial = "{serial}"
valid_from = {since}
[[policy]]
id = "{NAME}-hours"
version = 1
instrument = "{NAME}"
proposed_by = "a"
proposed_body = "b"
approved_by = "c"
approved_body = "d"
approved_at = {since}
valid_from = {since}
[policy.rules]
profile = "power"
{rules}"""
