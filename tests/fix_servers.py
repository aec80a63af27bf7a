"""Real servers: PostgreSQL (embedded, or the one of --dsn) and mosquitto. Their versions stand in the header."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from contract.errors import ConfigError
from storage.embedded import EmbeddedPostgres
from storage.embedded_programs import installed
from storage.guard import Guarded

_SERVER_START_S = 60.0


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("jishi")
    group.addoption("--dsn", help="use this PostgreSQL server; tests create and drop databases of their own in it")
    group.addoption("--long", action="store_true", help="full sizes in place of the quick ones")


def pytest_report_header(config: pytest.Config) -> list[str]:
    dsn: str | None = config.getoption("--dsn")
    broker = _mosquitto()
    return [
        *(_server_versions(dsn) if dsn else [f"embedded: {_embedded_version()}"]),
        f"broker: {_first_line(broker, '-h') if broker else 'mosquitto is not installed'}",
    ]


@pytest.fixture(scope="session")
def postgres_server(request: pytest.FixtureRequest) -> Iterator[str]:
    """DSN of a superuser on the server of this test worker."""
    dsn: str | None = request.config.getoption("--dsn")
    if dsn:
        yield dsn
        return
    with EmbeddedPostgres.start(durable=False) as server:
        yield server.dsn


@pytest.fixture
def database(postgres_server: str) -> Iterator[str]:
    """DSN of an empty database, dropped afterwards whoever is still connected."""
    name = sql.Identifier(f"test_{uuid4().hex}")
    with psycopg.connect(postgres_server, autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(name))
        yield make_conninfo(postgres_server, dbname=name.as_string().strip('"'))
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


class Mosquitto:
    """A broker on a loopback port of its own, with its own store.

    Attributes:
        host: the loopback address.
        port: stays the same across restarts.
        pid: of the broker that runs now.
    """

    host = "127.0.0.1"

    def __init__(self, program: str, folder: Path) -> None:
        self._program, self._folder = program, folder
        # Bound but never listening: keeps the port ours while the broker is down, and both set SO_REUSEADDR.
        self._reserved = socket.socket()
        self._reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._reserved.bind((self.host, 0))
        self.port: int = self._reserved.getsockname()[1]
        (folder / "mosquitto.conf").write_text(_conf(self.host, self.port, folder), "utf-8")
        self._start()

    @property
    def pid(self) -> int:
        return self._server.pid

    def kill(self) -> None:
        """SIGKILL: what was not written to the store is lost. `restart` brings the broker back."""
        os.kill(self.pid, signal.SIGKILL)
        self._server.stop()

    def restart(self) -> None:
        """Stop in good order if it runs, then start again with the same port and store."""
        self._server.stop()
        self._start()

    def close(self) -> None:
        self._server.stop()
        self._reserved.close()

    def _start(self) -> None:
        log = self._folder / "mosquitto.log"
        with log.open("ab") as output:
            self._server = Guarded([self._program, "-c", str(self._folder / "mosquitto.conf")], output=output)
        deadline = time.monotonic() + _SERVER_START_S
        while not _accepts(self.host, self.port):
            if self._server.poll() is not None or time.monotonic() > deadline:
                self.close()
                pytest.fail(f"mosquitto did not start: {log.read_text('utf-8')}")
            time.sleep(0.01)


@pytest.fixture
def mosquitto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    """A running broker, without queue limits and open to anyone on this machine."""
    broker = Mosquitto(_required_mosquitto(), tmp_path_factory.mktemp("mosquitto"))
    yield broker
    broker.close()


def _required_mosquitto() -> str:
    if program := _mosquitto():
        return program
    missing = "mosquitto is not installed: apt-get install mosquitto (scripts/test does it where it may)"
    if os.environ.get("CI") == "true":
        pytest.fail(missing)
    pytest.skip(missing)


def _conf(host: str, port: int, folder: Path) -> str:
    # Started by root it would become `mosquitto`, who cannot enter the tests' folders.
    user = "user root\n" if os.geteuid() == 0 else ""
    return f"""{user}listener {port} {host}
allow_anonymous true
persistence true
persistence_location {folder}/
max_queued_messages 0
max_inflight_messages 10000
set_tcp_nodelay true
log_dest stderr
"""


def _accepts(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port)).close()
    except ConnectionRefusedError:
        return False
    return True


def _mosquitto() -> str | None:
    return shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


def _first_line(*command: str | Path) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.partition("\n")[0]


def _embedded_version() -> str:
    try:
        return _first_line(installed() / "bin" / "postgres", "--version")
    except ConfigError as error:
        return str(error)


def _server_versions(dsn: str) -> list[str]:
    query = "SELECT version(), (SELECT default_version FROM pg_available_extensions WHERE name = 'timescaledb')"
    try:
        with psycopg.connect(dsn) as connection:
            postgres, timescale = connection.execute(query).fetchone() or ("", None)
    except psycopg.Error as error:
        raise pytest.UsageError(f"--dsn: {error}") from error
    return [f"--dsn: {postgres}", f"TimescaleDB: {timescale or 'not available'}"]
