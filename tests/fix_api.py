"""A database with two units, evidence and statements in it; an application on it; keys of every role."""

import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from evidence import DAY_MS, FROM_MS, LATER_MS, Gateway, Stream, enrol
from fastapi import FastAPI
from fix_processes import eventually
from starlette.testclient import TestClient

from collector.sink import Sink
from collector.subscriber import Message
from contract import clock
from contract.ids import UnitId
from contract.units import utc_text
from metering import job
from storage import accounts, registry, registry_file, registry_load
from storage.accounts import NewAccount, Role
from storage.guard import Guarded
from storage.intake import Intake
from storage.pool import connect

ALPHA, BETA = Gateway(name="alpha"), Gateway(name="beta")
"""An instrument of `unit`, and one of `other`."""
MIDNIGHT_MS = DAY_MS - 8 * 3_600_000  # of 10 March in Shanghai; frames begin at 08:00 there
DAY = (MIDNIGHT_MS, MIDNIGHT_MS + 86_400_000)
_CHECKOUT = Path(__file__).parent.parent
_OTHER = """[[unit]]
id = "other"
name_zh = "别的单位"
name_en = "Other"
time_zone = "Asia/Shanghai"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lab:
    """What a test asks.

    Attributes:
        keys: by name: each role unbound where it may be, `lab` bound to `unit`, `other-lab` and `other-auditor` to the
            other one.
        frames: of ALPHA, as stored.
    """

    dsn: str
    folder: Path
    keys: Mapping[str, str]
    frames: tuple[bytes, ...]

    def app(self) -> FastAPI:
        # Imported where it is used: tests of other rooms do without the web.
        from api.app import create  # noqa: PLC0415
        from api.config import Config  # noqa: PLC0415

        return create(Config(dsn=self.dsn, poll_s=0.1))

    def headers(self, who: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.keys[who]}"}


@pytest.fixture
def deliver(migrated: str) -> Callable[..., None]:
    """Admits and stores a stream's frames as the collector does, which heard them at some moment."""

    def put(stream: Stream, received_at_ms: int = LATER_MS) -> None:
        intake = Intake(migrated, "test")
        heard = {"topic": stream.gateway.topic, "received_at_ms": received_at_ms, "mid": 1, "qos": 1, "connection": 0}
        messages = [Message(raw=raw, **heard) for raw in stream.frames]  # type: ignore[arg-type]  # fields by name
        Sink(intake, lambda _: True).take(messages)
        intake.close()

    return put


@pytest.fixture
def lab(migrated: str, tmp_path: Path, deliver: Callable[[Stream], None]) -> Lab:
    """ALPHA and BETA enrolled, each with ten frames, a policy and the statement of one day."""
    enrol(migrated, tmp_path, ALPHA)
    load(migrated, tmp_path, _OTHER + instrument_of(BETA, "other"))
    for gateway in (ALPHA, BETA):
        load(migrated, tmp_path, policy(gateway))
    streams = [Stream(gateway=gateway) for gateway in (ALPHA, BETA)]
    for stream in streams:
        stream.grow(10)
        deliver(stream)
    with connect(migrated) as connection:
        for instrument in registry.instruments(connection):
            job.run(connection, instrument, DAY)
        keys = {role.value: _key(migrated, role.value, role) for role in Role}
        keys["other-lab"] = _key(migrated, "other-lab", Role.LAB, "other")
        keys["other-auditor"] = _key(migrated, "other-auditor", Role.AUDITOR, "other")
    return Lab(dsn=migrated, folder=tmp_path, keys=keys, frames=tuple(streams[0].frames))


@pytest.fixture
def client(lab: Lab) -> Iterator[TestClient]:
    """Asks an application in this process."""
    with TestClient(lab.app(), follow_redirects=False) as opened:
        yield opened


class Served:
    """`python -m api run` as a process of its own.

    Attributes:
        url: where it listens, with a closing slash.
    """

    def __init__(self, lab: Lab, more: str = "") -> None:
        config, self._log = lab.folder / "api.toml", lab.folder / "api.log"
        config.write_text(f"port = 0\npoll_s = 0.1\n{more}", "utf-8")
        command = ["env", "-C", str(_CHECKOUT), sys.executable, "-m", "api", "run", "--config", str(config)]
        with self._log.open("ab") as output:
            self.process = Guarded(command, env={**os.environ, "JISHI_DSN": lab.dsn}, output=output)
        assert eventually(lambda: "listening" in self.log() or self.process.poll() is not None), self.log()
        found = re.search(r"http://[^/]+/", self.log())
        assert found, self.log()
        self.url = found[0]

    def log(self) -> str:
        return self._log.read_text("utf-8")


@pytest.fixture
def served(lab: Lab) -> Iterator[Served]:
    running = Served(lab)
    yield running
    running.process.stop()


def load(dsn: str, folder: Path, text: str) -> None:
    """Load more of a registry."""
    path = folder / "more.toml"
    path.write_text(f"simulation = false\n{text}", "utf-8")
    with connect(dsn) as connection:
        registry_load.load(connection, registry_file.read(path))


def instrument_of(gateway: Gateway, unit: str) -> str:
    """TOML of a gateway with its key, meter and instrument, all of one unit."""
    since = f'valid_from = "{utc_text(FROM_MS)}"'
    return f"""[[gateway]]
id = "{gateway.name}"
site = "{gateway.site}"
unit = "{unit}"
[[gateway.key]]
public_key = "{gateway.public.hex()}"
{since}
[[instrument]]
id = "{gateway.instrument}"
name_zh = "色谱仪"
name_en = "LC"
unit = "{unit}"
class = "chromatograph"
[[meter]]
model = "{gateway.meter.model}"
serial = "{gateway.meter.serial}"
[[binding]]
instrument = "{gateway.instrument}"
gateway = "{gateway.name}"
meter_model = "{gateway.meter.model}"
meter_serial = "{gateway.meter.serial}"
{since}
"""


def policy(gateway: Gateway) -> str:
    """TOML of a policy by the run line alone, in force from the test's day on."""
    return f"""[[policy]]
id = "hours-{gateway.name}"
version = 1
instrument = "{gateway.instrument}"
proposed_by = "a"
proposed_body = "laboratory"
approved_by = "b"
approved_body = "office"
approved_at = "{utc_text(MIDNIGHT_MS)}"
valid_from = "{utc_text(MIDNIGHT_MS)}"
[policy.rules]
profile = "runstate"
bridge_s = 0
max_gap_s = 61
lines = [{{ line = "run", state = "RUNNING" }}]
"""


def _key(dsn: str, name: str, role: Role, unit: str = "unit") -> str:
    bound = UnitId(unit) if role is Role.LAB or unit != "unit" else None
    with connect(dsn) as connection:
        return accounts.add(connection, NewAccount(name=name, role=role, unit=bound), clock.utc_ms())
