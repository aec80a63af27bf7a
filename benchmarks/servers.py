"""The real servers of a benchmark: PostgreSQL as an installation would run it, mosquitto, and who used how much CPU.

The database is durable: a commit waits for the disk. The broker keeps nothing on disk: what it would cost to do so is
no part of what is measured here, and receipts, not the broker, promise custody.
"""

import os
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from contract import clock
from contract.errors import ConfigError, StorageError
from jishi.demo.broker import HOST, free_port, installed_mosquitto
from storage.guard import Guarded

SETTINGS: Final = (
    "server_version",
    "fsync",
    "synchronous_commit",
    "full_page_writes",
    "shared_buffers",
    "max_wal_size",
)
BROKER: Final = "persistence false\nmax_queued_messages 0\nmax_inflight_messages 20000\nset_tcp_nodelay true\n"
_START_S: Final = 30.0
_POLL_S: Final = 0.01
_TICKS_A_S: Final = os.sysconf("SC_CLK_TCK")


def settings(dsn: str) -> dict[str, str]:
    """What the server runs with, as it says itself."""
    with psycopg.connect(dsn) as connection:
        said = {name: connection.execute(sql.SQL("SHOW {}").format(sql.Identifier(name))) for name in SETTINGS}
        return {name: str((answer.fetchone() or [""])[0]) for name, answer in said.items()}


def copy_of(server: str, template: str, name: str) -> str:
    """DSN of a new database that begins as a copy of another."""
    with psycopg.connect(server, autocommit=True) as admin:
        words = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        admin.execute(words.format(sql.Identifier(name), sql.Identifier(template)))
    return make_conninfo(server, dbname=name)


@contextmanager
def broker(folder: Path) -> Iterator[tuple[int, int]]:
    """A new mosquitto for the time of the block: its port and pid.

    Raises:
        ConfigError: it is not installed.
        StorageError: it did not start.
    """
    program = installed_mosquitto()
    if program is None:
        raise ConfigError("no broker", ["mosquitto: install it (scripts/bench does where it may)"])
    port = free_port()
    conf = folder / f"mosquitto-{port}.conf"
    user = "user root\n" if os.geteuid() == 0 else ""
    conf.write_text(f"{user}listener {port} {HOST}\nallow_anonymous true\nlog_dest none\n{BROKER}", "utf-8")
    with Guarded([program, "-c", str(conf)]) as running:
        await_(lambda: _listens(port), running, "mosquitto")
        yield port, running.pid


@contextmanager
def program(folder: Path, dsn: str, *arguments: str) -> Iterator[tuple[Guarded, Path]]:
    """One of our programs (`python -m ARGUMENTS`) for the time of the block, and what it says."""
    log = folder / f"{arguments[0]}.log"
    with log.open("wb") as output:
        running = Guarded([sys.executable, "-m", *arguments], env={**os.environ, "JISHI_DSN": dsn}, output=output)
    with running:
        yield running, log


def await_(done: Callable[[], bool], running: Guarded, what: str, limit_s: float = _START_S) -> None:
    """Wait until something is so.

    Raises:
        StorageError: the program ended first, or it took too long.
    """
    deadline_s = clock.elapsed_s() + limit_s
    while not done():
        if running.poll() is not None or clock.elapsed_s() > deadline_s:
            raise StorageError(f"{what} ended, or said nothing for {limit_s:.0f} s")
        time.sleep(_POLL_S)


def cpu_s(pid: int) -> float:
    """CPU seconds that a process and all its children, present and past, have used."""
    parents, used = {}, {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text("utf-8").rpartition(")")[2].split()
            except OSError:  # it has just ended
                continue
            parents[int(entry.name)] = int(fields[1])
            used[int(entry.name)] = sum(map(int, fields[11:15])) / _TICKS_A_S
    family, grown = {pid}, True
    while grown:
        more = {child for child, parent in parents.items() if parent in family} - family
        family, grown = family | more, bool(more)
    return sum(used.get(member, 0.0) for member in family)


def _listens(port: int) -> bool:
    try:
        socket.create_connection((HOST, port), timeout=1).close()
    except OSError:
        return False
    return True
