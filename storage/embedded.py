"""The embedded PostgreSQL: a server of our own for the demo and the tests, from the binaries of a Python package.

It listens on a socket in a private folder only, and trusts everyone there: whoever reaches the socket could read the
data files as well. As root it runs as `nobody`. It does not take backups or upgrade data between major versions.

Source: design.md, section 4; PostgreSQL 18 manual, 18.3 (starting), 18.5 (shutting down), 20.4 (trust).
"""

import os
import shlex
import signal
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from contract.clock import elapsed_s
from contract.errors import StorageError

from .embedded_folders import check_major, claim_data_folder, locked_log, run_folder
from .embedded_programs import runnable_programs
from .guard import Guarded
from .server_user import ServerUser

_START_S = 120.0  # long enough for recovery after a crash on a slow disk
_WORDS_BYTES = 1 << 14  # of the log, searched for the reason of a failed start
_SHUTDOWN_S = 30.0  # the last checkpoint, on a slow disk


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedPostgres:
    """A running server; also a context manager that stops it. It ends with this process, however that ends.

    Attributes:
        dsn: libpq URI of the superuser `postgres` in the database `postgres`.
        version: of the server, such as `18.4`.
        server: the guarded process; its `pid` is the postmaster's.
    """

    dsn: str
    version: str
    server: Guarded

    @classmethod
    def start(cls, data_dir: Path | None = None, *, durable: bool = True) -> Self:
        """Start a server and return once it takes connections; a new data folder is initialised first.

        Args:
            data_dir: folder that keeps the data; None: a temporary cluster, removed with the server.
            durable: whether a commit MUST be on disk before it is acknowledged. False (fsync off) is for tests only: a
                power cut may then destroy the cluster.

        Raises:
            ConfigError: binaries missing or not runnable; `data_dir` in use, not ours, or of another major version.
            StorageError: no space left, no usable temporary folder, or PostgreSQL did not start (its words follow).
        """
        try:
            return cls._start(data_dir and data_dir.resolve(), durable=durable)
        except OSError as error:
            place = data_dir or "the folder TMPDIR"
            raise StorageError(f"PostgreSQL cannot start: {error}; it needs 100 MB of free space in {place}") from error

    @classmethod
    def _start(cls, data_dir: Path | None, *, durable: bool) -> Self:
        user = ServerUser.here()
        with run_folder(user) as run:
            programs, version = runnable_programs(user, run / "runtime")
            if data_dir:
                claim_data_folder(data_dir, user)
                check_major(data_dir, version)
            command = ["/bin/sh", "-c", _script(data_dir or run, programs, run, durable=durable)]
            server = _launch(command, data_dir or run, run, user)
        dsn = f"postgresql://postgres@/postgres?host={quote(str(run), safe='')}&port=5432"
        return cls(dsn=dsn, version=version, server=server)

    def stop(self) -> None:
        """End all sessions and stop; returns when every process and the run folder are gone."""
        self.server.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()


def _launch(command: list[str], home: Path, run: Path, user: ServerUser) -> Guarded:
    """Start the server and wait until it takes connections."""
    with locked_log(home) as log, ExitStack() as on_failure:
        said_before = os.fstat(log).st_size
        server = Guarded(
            command,
            env=_environment(),
            output=log,
            stop_signal=signal.SIGINT,  # "fast": ends all sessions, then writes a checkpoint
            grace_s=_SHUTDOWN_S,
            user=user.stand_in,
            remove=run,
        )
        on_failure.callback(server.stop)
        if not _became_ready(server, home):
            words_begin = max(said_before, os.fstat(log).st_size - _WORDS_BYTES)
            raise StorageError(_explained(home, os.pread(log, _WORDS_BYTES, words_begin)))
        on_failure.pop_all()
        return server


def _script(home: Path, programs: Path, run: Path, *, durable: bool) -> str:
    """Initialise if need be, then become the server: one process for one guard, from the first moment on."""
    initdb = [str(programs / "initdb"), "-D", "cluster.new", "-U", "postgres", "-A", "trust", "-E", "UTF8"]
    initdb += ["--no-locale", "--no-instructions"]
    if home == run or not durable:
        initdb += ["--no-sync"]  # nobody needs a temporary cluster after a power cut
    settings = {
        "listen_addresses": "",
        "unix_socket_directories": f'"{run}"',
        "max_connections": "50",
        "shared_buffers": "128MB",
        "jit": "off",
        "timezone": "UTC",
        "log_timezone": "UTC",
        **({} if durable else dict.fromkeys(("fsync", "synchronous_commit", "full_page_writes"), "off")),
    }
    postgres = [str(programs / "postgres"), "-D", "cluster", *(f"--{name}={value}" for name, value in settings.items())]
    # An initialisation that was cut off leaves cluster.new, which the next start throws away. So the final name MUST be
    # on disk before the first commit is.
    return f"""
        set -e
        cd {shlex.quote(str(home))}
        if [ ! -d cluster ]; then
            rm -rf cluster.new
            {shlex.join(initdb)}
            mv cluster.new cluster
            sync .
        fi
        exec {shlex.join(postgres)}
    """


def _environment() -> dict[str, str]:
    """Ours, without what would steer PostgreSQL past its command line (PGDATA, PGOPTIONS and their like).

    Messages in English, which `_explained` reads; and a time zone that initdb need not search for.
    """
    ours = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return ours | {"LC_ALL": "C", "TZ": "UTC"}


def _became_ready(server: Guarded, home: Path) -> bool:
    """Wait until the server takes connections (True) or has ended (False)."""
    deadline_s = elapsed_s() + _START_S
    while server.poll() is None:
        if _is_ready(home / "cluster" / "postmaster.pid", server.pid):
            return True
        if elapsed_s() > deadline_s:
            raise StorageError(f"PostgreSQL was not ready within {_START_S:.0f} s: see {home / 'postgres.log'}")
        time.sleep(0.01)
    return False


def _is_ready(status: Path, pid: int) -> bool:
    """Whether the postmaster's own note says so: its first line is its pid, the eighth its state."""
    try:
        lines = status.read_text("utf-8").splitlines()
    except FileNotFoundError:
        return False
    return lines[:1] == [str(pid)] and [line.strip() for line in lines[7:8]] == ["ready"]


def _explained(home: Path, log: bytes) -> str:
    """What to do, then PostgreSQL's own last words."""
    words = log.decode(errors="replace")
    what = f"PostgreSQL did not start in {home}"
    if any(sign in words for sign in ("No space left on device", "Check free disk space")):
        what = f"the disk is full: PostgreSQL needs 100 MB of free space in {home}"
    return "\n".join([f"{what}; its log ends:", *(f"  {line}" for line in words.splitlines()[-6:])])
