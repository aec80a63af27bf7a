"""The chain on real parts, each a process that can be ended anywhere: a lab, gateways, a collector, their wires.

Broker and database are given: by a fixture, or a `Database` of one's own where the server itself is to fail.
"""

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final, Self

from fault.doomed import Plan
from psycopg.conninfo import make_conninfo

from collector import keys as collector_keys
from contract.units import utc_text
from gateway import keys as gateway_keys
from gateway import spool
from jishi.demo import lab as demo_lab
from storage import registry_file, registry_load
from storage.embedded import EmbeddedPostgres
from storage.guard import Guarded
from storage.migrate import migrate
from storage.pool import connect

CHECKOUT: Final = Path(__file__).parents[2]
SITE, GATEWAY = "huaian", "gw-1"
HOST: Final = "127.0.0.1"
FRAME_S: Final = 5
SECONDS: Final = 240
KILLED: Final = 128 + signal.SIGKILL
_PATIENCE_S: Final = 120.0
_SCENARIO: Final = """start = 2025-03-10T09:00:00+08:00
duration_s = {seconds}
[[instrument]]
id = "spectrometer-1"
class = "spectrometer"
[[instrument]]
id = "chromatograph-1"
class = "chromatograph"
"""


def until(condition: Callable[[], object], words: Callable[[], str] = str) -> None:
    """Wait for a condition; the bound is generous, no test is about speed. Where it never comes, `words` say more."""
    deadline_s = time.monotonic() + _PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline_s, words()
        time.sleep(0.02)


class Part:
    """A command of a room, run again and again in processes of its own.

    Attributes:
        log: where all of them write.
    """

    def __init__(self, log: Path, room: str, *arguments: str | Path, **environment: str) -> None:
        self.log, self._room, self._arguments = log, room, [str(argument) for argument in arguments]
        paths = {"PYTHONPATH": f"{CHECKOUT}:{CHECKOUT / 'tests'}"}
        self._environment = {**os.environ, **paths, **environment}
        self.process: Guarded | None = None

    def start(self, plan: Plan | None = None) -> None:
        """Start, as planned."""
        if self.process:
            self.process.stop()
        room = ["fault.doomed", plan.text(), self._room] if plan else [self._room]
        command = [sys.executable, "-m", *room, *self._arguments]
        with self.log.open("ab") as output:
            self.process = Guarded(["env", "-C", str(CHECKOUT), *command], env=self._environment, output=output)

    def dies(self, plan: Plan) -> None:
        """Start, and wait until it has ended itself where the plan says."""
        self.start(plan)
        assert self.process
        until(lambda: not self.is_running(), lambda: f"{plan.point} never came: {self.said()}")
        assert self.process.poll() == KILLED, (plan.point, self.said())

    def kill(self) -> None:
        """SIGKILL."""
        assert self.process
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.stop()

    def stop(self) -> int:
        """SIGTERM; its exit status."""
        return self.process.stop() if self.process else 0

    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def says(self, words: str) -> bool:
        return self.log.exists() and words in self.log.read_text("utf-8")

    def said(self) -> str:
        return self.log.read_text("utf-8")[-3000:] if self.log.exists() else ""


class Lab(Part):
    """Simulated instruments; what they show is a function of `seconds`, `seed` and simulated time.

    Attributes:
        ready: what it serves, and where.
    """

    def __init__(self, folder: Path, *, seconds: int = SECONDS, seed: int = 7, pace: int = 0) -> None:
        folder.mkdir(exist_ok=True)
        scenario, ready = folder / "scenario.toml", folder / "ready.json"
        scenario.write_text(_SCENARIO.format(seconds=seconds), "utf-8")
        options: list[str | Path] = ["--scenario", scenario, "--seed", str(seed), "--pace", str(pace)]
        super().__init__(
            folder / "lab.log", "firmware_sim", "run", *options, "--truth", folder / "truth.json", "--ready", ready
        )
        self.start()
        until(ready.exists, self.said)
        self.ready: dict[str, Any] = json.loads(ready.read_text("utf-8"))


class Gateway(Part):
    """A gateway on a data folder of its own.

    Attributes:
        data_dir: key, journals and spool.
        public: its raw public key.
    """

    def __init__(
        self,
        folder: Path,
        lab: Lab,
        port: int,
        collector_key: bytes,
        *,
        data_dir: Path | None = None,
        sampling: str = "",
    ) -> None:
        folder.mkdir(exist_ok=True)
        self.data_dir, self._config = data_dir or folder / "data", folder / "gateway.toml"
        clock = lab.ready["clock"]
        lines = [f'site = "{SITE}"\ngateway = "{GATEWAY}"\ndata_dir = "{self.data_dir}"']
        lines += [
            sampling
            or f'frame_s = {FRAME_S}\nclock = "simulated"\n'
            f'simulated_clock = {{ host = "{HOST}", port = {clock["port"]}, unit = {clock["unit"]} }}',
            f'broker = {{ host = "{HOST}", port = {port} }}\ncollector = {{ public_key = "{collector_key.hex()}" }}',
        ]
        self._config.write_text("\n".join([*lines, *map(_instrument, lab.ready["instruments"])]), "utf-8")
        if not (self.data_dir / "key.pem").exists():
            gateway_keys.create(self.data_dir)
        self.public = gateway_keys.load(self.data_dir).public_key().public_bytes_raw()
        super().__init__(folder / "gateway.log", "gateway", "run", "--config", self._config)

    def signed(self) -> int:
        return sum(stream["signed"] for stream in spool.status(self.data_dir))

    def waiting(self) -> int:
        """Frames that are not known to be in custody."""
        return sum(stream["waiting"] for stream in spool.status(self.data_dir))

    def has_told_all(self) -> bool:
        """Whether simulated time has ended for the process that runs, and all is in custody."""
        return self.says("time has ended") and self.is_running() and not self.waiting()


class Collector(Part):
    """A collector with batches of three frames: many moments between two of them.

    Attributes:
        public: the raw public key of its receipts.
    """

    def __init__(self, folder: Path, port: int, dsn: str, key_name: str = "collector.key") -> None:
        folder.mkdir(exist_ok=True)
        self._config, self._port, self._folder = folder / "collector.toml", port, folder
        super().__init__(folder / "collector.log", "collector", "run", "--config", self._config, JISHI_DSN=dsn)
        self.public = self.use_key(key_name)

    def use_key(self, name: str) -> bytes:
        """Sign receipts with the key of this name from the next start on; its public half."""
        key = self._folder / name
        made = collector_keys.load(key) if key.exists() else collector_keys.create(key)
        text = f'key_file = "{key}"\nbroker = {{ port = {self._port} }}\nbatch = {{ frames = 3, age_ms = 20 }}\n'
        self._config.write_text(text, "utf-8")
        return made.public_key().public_bytes_raw()

    def start_listening(self, plan: Plan | None = None) -> None:
        """Start; returns when the broker keeps messages for it."""
        before = self.listened()
        self.start(plan)
        until(lambda: self.listened() > before, self.said)

    def listened(self) -> int:
        return self.log.read_text("utf-8").count('"listening"') if self.log.exists() else 0


class Plant:
    """A lab, its gateway and a collector, enrolled and ready to start; a context manager that ends them."""

    def __init__(  # noqa: PLR0913 - each is a property of the test's stage
        self,
        folder: Path,
        dsn: str,
        broker: int,
        *,
        seconds: int = SECONDS,
        pace: int = 0,
        gateway_broker: int | None = None,
        data_dir: Path | None = None,
        sampling: str = "",
    ) -> None:
        """Settle who speaks to whom.

        Args:
            folder: for everything that is written.
            dsn: of a migrated database, as the collector reaches it.
            broker: its port, as the collector reaches it.
            seconds: of simulated time.
            pace: simulated seconds in a real one, at most; 0: as fast as it goes.
            gateway_broker: the broker's port as the gateway reaches it, where that is another.
            data_dir: of the gateway.
            sampling: TOML in place of frame length and simulated clock; the registry is then no simulation.
        """
        self.folder, self.dsn = folder, dsn
        self.lab = Lab(folder, seconds=seconds, pace=pace)
        self.collector = Collector(folder, broker, dsn)
        self.gateway = Gateway(
            folder, self.lab, gateway_broker or broker, self.collector.public, data_dir=data_dir, sampling=sampling
        )
        enrol(dsn, folder, self.lab.ready, self.gateway.public, simulation=not sampling)

    def start(self) -> None:
        """Start collector and gateway; nothing that the gateway sends finds nobody subscribed."""
        self.collector.start_listening()
        self.gateway.start()

    def words(self) -> str:
        """The end of what gateway and collector said."""
        return f"{self.gateway.said()}\n{self.collector.said()}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with ExitStack() as stack:
            for part in (self.lab, self.collector, self.gateway):
                stack.callback(part.stop)


class Database:
    """A PostgreSQL server of one's own, to be killed; its data stay.

    Attributes:
        socket: where it listens now.
    """

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self.start()

    def start(self) -> None:
        self.server = EmbeddedPostgres.start(self._data_dir)
        folder = self.server.dsn.partition("host=")[2].partition("&")[0].replace("%2F", "/")
        self.socket = Path(folder) / ".s.PGSQL.5432"

    def dsn(self, port: int) -> str:
        """Its address at the end of a wire that begins at this port: the same for each of its lives."""
        return make_conninfo(host=HOST, port=port, user="postgres", dbname="postgres")

    def kill(self) -> None:
        """SIGKILL of the server; its children end with it."""
        os.kill(self.server.server.pid, signal.SIGKILL)
        self.server.stop()

    def migrate(self) -> None:
        migrate(self.server.dsn)


def enrol(dsn: str, folder: Path, ready: Mapping[str, Any], public: bytes, *, simulation: bool = True) -> None:
    """Register one gateway, and what the lab serves as its instruments."""
    since = f'valid_from = "{utc_text(0)}"'
    parts = [f'simulation = {str(simulation).lower()}\n{_named("unit", "unit")}time_zone = "Asia/Shanghai"']
    parts.append(f'[[gateway]]\nid = "{GATEWAY}"\nsite = "{SITE}"\nunit = "unit"')
    parts.append(f'[[gateway.key]]\npublic_key = "{public.hex()}"\n{since}')
    for served in ready["instruments"]:
        meter = (served["meter_model"], demo_lab.serial_of(served))
        parts.append(f'{_named("instrument", served["id"])}unit = "unit"\nclass = "{served["class"]}"')
        parts.append('[[meter]]\nmodel = "{}"\nserial = "{}"'.format(*meter))
        bound = f'instrument = "{served["id"]}"\ngateway = "{GATEWAY}"'
        parts.append('[[binding]]\n{}\nmeter_model = "{}"\nmeter_serial = "{}"\n{}'.format(bound, *meter, since))
    path = folder / "registry.toml"
    path.write_text("\n".join(parts), "utf-8")
    with connect(dsn) as connection:
        registry_load.load(connection, registry_file.read(path))


def _named(kind: str, name: str) -> str:
    return f'[[{kind}]]\nid = "{name}"\nname_zh = "{name}"\nname_en = "{name}"\n'


def _instrument(served: Mapping[str, Any]) -> str:
    address = f'host = "{served["host"]}", port = {served["port"]}'
    lines = ["[[instrument]]", f'id = "{served["id"]}"']
    lines += [f'meter = {{ model = "{served["meter_model"]}", {address}, unit = {served["meter_unit"]} }}']
    if served["io_unit"] is not None:
        names = json.dumps(served["lines"])
        lines += [f"run_state = {{ {address}, unit = {served['io_unit']}, lines = {names} }}"]
    return "\n".join(lines)
