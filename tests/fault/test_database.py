"""A database that lets nobody in or nothing be written, or dies while it is migrated."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

import psycopg
import pytest
from fault.books import Ticks, audit
from fault.plant import CHECKOUT, Database, Plant, until
from fix_servers import Mosquitto
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from storage.migrate import migrate, status

Trouble = Callable[[str], AbstractContextManager[None]]


@contextmanager
def read_only(dsn: str) -> Iterator[None]:
    """Nothing may be written in this database, by whoever connects from now on."""
    name = sql.Identifier(str(conninfo_to_dict(dsn)["dbname"]))
    with psycopg.connect(dsn, autocommit=True) as admin:
        admin.execute(sql.SQL("ALTER DATABASE {} SET default_transaction_read_only = on").format(name))
        _dismiss(admin)
        yield
        admin.execute("SET default_transaction_read_only = off")
        admin.execute(sql.SQL("ALTER DATABASE {} RESET default_transaction_read_only").format(name))


@contextmanager
def out_of_connections(dsn: str) -> Iterator[None]:
    """Every connection that the server has is taken."""
    with ExitStack() as stack, psycopg.connect(dsn, autocommit=True) as admin:
        # One is kept back here: until the others are gone the collector might be the faster one.
        until(lambda: _is_full(stack, dsn, admin))
        yield


def _is_full(stack: ExitStack, dsn: str, admin: psycopg.Connection[tuple[object, ...]]) -> bool:
    _dismiss(admin)
    try:
        while True:
            stack.enter_context(psycopg.connect(dsn))
    except psycopg.OperationalError:
        query = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'jishi'"
        return admin.execute(query).fetchone() == (0,)


def _dismiss(admin: psycopg.Connection[tuple[object, ...]]) -> None:
    """End every session of ours."""
    admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'jishi'")


@pytest.mark.parametrize(("trouble", "words"), [(read_only, "25006"), (out_of_connections, "too many clients")])
def test_a_database_that_takes_nothing_for_a_while_costs_nothing(
    tmp_path: Path, own_database: Database, mosquitto: Mosquitto, truth: Ticks, trouble: Trouble, words: str
) -> None:
    own_database.migrate()
    dsn = own_database.server.dsn
    with Plant(tmp_path, dsn, mosquitto.port, pace=20) as plant:
        plant.start()
        until(lambda: plant.gateway.signed() - plant.gateway.waiting() > 4, plant.words)
        with trouble(dsn):
            until(lambda: plant.collector.says("nothing is acknowledged"), plant.words)
            until(lambda: plant.collector.says(words), plant.words)
        until(plant.gateway.has_told_all, plant.words)
        audit(plant, truth)


def test_a_server_that_dies_while_it_is_migrated_is_migrated_again(own_database: Database) -> None:
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
    for statement in (20, 60, 110):
        server = own_database.server
        command = [sys.executable, "-c", _KILLS_AT.format(statement=statement, pid=server.server.pid, dsn=server.dsn)]
        tried = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)
        assert "StorageError" in tried.stderr, statement
        server.stop()
        own_database.start()
        assert status(own_database.server.dsn).applied == (), "all of it or nothing"
    assert migrate(own_database.server.dsn).pending == ()


_KILLS_AT = """
import os, psycopg
from storage.migrate import migrate
real, left = psycopg.Cursor.execute, [{statement}]
def execute(self, *args, **kwargs):
    left[0] -= 1
    if left[0] == 0:
        os.kill({pid}, 9)
    return real(self, *args, **kwargs)
psycopg.Cursor.execute = execute
migrate({dsn!r})
"""
