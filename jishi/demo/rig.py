"""Everything running on this machine: simulator, broker, database, collector, gateway; and nothing of it afterwards.

The parts are the real ones, each a process of its own under a guard, which ends it when this process ends, even by
SIGKILL. A gateway or collector that dies meanwhile is started again, as an operator's service manager would do.
"""

import json
import os
import shutil
import sys
import tempfile
import time
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from collector import keys as collector_keys
from contract import clock
from contract.errors import JishiError, StorageError
from gateway import keys as gateway_keys
from jishi.demo import broker, lab, recording, setting
from storage import registry_file, registry_load
from storage.embedded import EmbeddedPostgres
from storage.guard import Guarded
from storage.migrate import migrate
from storage.pool import connect

_READY_S: Final = 60.0
_POLL_S: Final = 0.05


class Rig:
    """The running parts; a context manager.

    Attributes:
        folder: configs, logs and the gateways' data; removed at the end.
        dsn: of the database.
        ready: what the simulator serves, and from when to when.
        recording: what the importer is handed as the fifth instrument.
        broker: what carries the messages.
        restarts: how often a part had to be started again.
    """

    folder: Path
    dsn: str
    ready: dict[str, Any]
    recording: recording.Recording
    broker: broker.Broker
    restarts: int = 0

    def __init__(self, seed: int, scenario: str = "demo", *, pace: int = 0, history_ms: int | None = None) -> None:
        """Choose what is played.

        Args:
            seed: which simulated day.
            scenario: a shipped scenario, or the path of a TOML file.
            pace: simulated seconds in a real one, at most; 0: as fast as it goes.
            history_ms: how much of the instruments' past the importer tells; None: nothing.
        """
        self._seed, self._scenario, self._pace, self._history_ms = seed, scenario, pace, history_ms
        self._stack = ExitStack()
        self._services: dict[str, Guarded] = {}
        self._commands: dict[str, list[str]] = {}

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self.folder = Path(tempfile.mkdtemp(prefix="jishi-demo-"))
            # The folder goes with the last part that could write to it, the simulator's guard, killed or not.
            stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
            self._start(stack)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stack.close()

    @property
    def truth(self) -> dict[str, Any]:
        """What really happened. Only the demo's last line and tests read it."""
        return _json(self.folder / "truth.json")

    @property
    def gateway_data(self) -> Path:
        """The gateway's data folder."""
        return self.folder / "gateway"

    @property
    def importer_data(self) -> Path:
        """The importer's data folder."""
        return self.folder / "importer"

    @property
    def history_from_ms(self) -> int | None:
        """Since when the importer tells the instruments' past, a local midnight; None: there is none."""
        if self._history_ms is None:
            return None
        start: int = self.ready["start_ms"]
        return start - self._history_ms

    def pid(self, service: str) -> int:
        """Process id of the `gateway` or the `collector`."""
        return self._services[service].pid

    def tend(self) -> None:
        """Start again what died."""
        for name, process in tuple(self._services.items()):
            if process.poll() is not None:
                self.restarts += 1
                process.stop()
                self._serve(name)

    def _start(self, stack: ExitStack) -> None:
        self.recording = recording.chosen(self.folder)
        self.ready = self._simulator(stack)
        server = stack.enter_context(EmbeddedPostgres.start())
        self.dsn = server.dsn
        self.broker = broker.start(self.folder)
        stack.callback(self.broker.process.stop)
        self._write_settings()
        for name in ("collector", "gateway"):
            self._commands[name] = ["-m", "jishi", name, "run", "--config", str(self.folder / f"{name}.toml")]
            self._serve(name)
            stack.callback(partial(self._stop, name))

    def _simulator(self, stack: ExitStack) -> dict[str, Any]:
        ready = self.folder / "ready.json"
        command = ["-m", "firmware_sim", "run", "--scenario", self._scenario, "--seed", str(self._seed)]
        command += ["--truth", str(self.folder / "truth.json"), "--ready", str(ready), "--pace", str(self._pace)]
        process = self._guarded("simulator", command, remove=self.folder)
        stack.callback(process.stop)
        deadline = clock.elapsed_s() + _READY_S
        while not ready.exists():
            if process.poll() is not None or clock.elapsed_s() > deadline:
                raise StorageError(f"the simulator did not start: {self.log('simulator')}")
            time.sleep(_POLL_S)
        return _json(ready)

    def _write_settings(self) -> None:
        address = (self.broker.port, self.broker.protocol)
        receipts = collector_keys.public_hex(collector_keys.create(self.folder / "collector.key"))
        (self.folder / "collector.toml").write_text(setting.collector_config(self.folder, address), "utf-8")
        gateway = setting.gateway_config(self.gateway_data, self.ready, address, receipts)
        (self.folder / "gateway.toml").write_text(gateway, "utf-8")
        importer = setting.importer_config(self.importer_data, self.ready, address, receipts)
        (self.folder / "importer.toml").write_text(importer, "utf-8")
        laboratory = setting.Laboratory(
            ready=self.ready,
            serials={served["id"]: lab.serial_of(served) for served in self.ready["instruments"]},
            keys={
                setting.GATEWAY: gateway_keys.create(self.gateway_data).hex(),
                setting.IMPORTER: gateway_keys.create(self.importer_data).hex(),
            },
            recording=self.recording,
            history_from_ms=self.history_from_ms,
        )
        registry = self.folder / "registry.toml"
        registry.write_text(setting.registry(laboratory), "utf-8")
        migrate(self.dsn)
        with connect(self.dsn) as connection:
            registry_load.load(connection, registry_file.read(registry))

    def _serve(self, name: str) -> None:
        self._services[name] = self._guarded(name, self._commands[name])

    def _stop(self, name: str) -> None:
        self._services[name].stop()

    def start(self, name: str, *arguments: str) -> Guarded:
        """Start `jishi ARGUMENTS` as a part that runs to an end of its own; it never outlives the rig."""
        process = self._guarded(name, ["-m", "jishi", *arguments])
        self._stack.callback(process.stop)
        return process

    def serve(self, name: str, *arguments: str) -> None:
        """Start `jishi ARGUMENTS` as one more part that is tended."""
        self._commands[name] = ["-m", "jishi", *arguments]
        self._serve(name)
        self._stack.callback(partial(self._stop, name))

    def _guarded(self, name: str, arguments: list[str], remove: Path | None = None) -> Guarded:
        with (self.folder / f"{name}.log").open("ab") as output:
            return Guarded(
                [sys.executable, *arguments], env={**os.environ, "JISHI_DSN": getattr(self, "dsn", "")},
                output=output, remove=remove,
            )  # fmt: skip

    def log(self, name: str) -> str:
        """The end of what a part said."""
        return (self.folder / f"{name}.log").read_text("utf-8", "replace")[-2000:]


def _json(path: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise JishiError(f"the demo's folder is gone: {error}") from error
    return content
