"""Migrations: the golden schema, twice, at once, killed, refused; and what the services' role may not do."""

import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import psycopg
import pytest

from contract.errors import ConfigError, StorageError
from storage import migrate as migrations
from storage.embedded_programs import installed
from storage.migrate import Status, migrate, status
from storage.pool import Connection, connect

GOLDEN = Path(migrations.__file__).parent / "sql" / "schema.sql"
NUMBERED = sorted(path.stem for path in (GOLDEN.parent / "migrations").iterdir())
APPEND_ONLY = ["frame", "quarantine", "usage_session", "statement", "statement_interval", "store_epoch"]


def dumped(dsn: str) -> str:
    """The schema as pg_dump writes it, without what changes from run to run."""
    command = [str(installed() / "bin" / "pg_dump"), "--schema-only", "--no-owner", "--exclude-table=_yoyo*", dsn]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    lines = [line for line in text.splitlines() if not re.match(r"(--|SET |SELECT pg_catalog|\\)", line)]
    return re.sub(r"\n{2,}", "\n\n", "\n".join(lines)).strip() + "\n"


def test_the_schema_is_the_golden_one(migrated: str, request: pytest.FixtureRequest) -> None:
    """Written anew by JISHI_GOLDEN=write .venv/bin/pytest tests/integration/storage/test_migrate.py -k golden."""
    if request.config.getoption("--dsn"):
        pytest.skip("the golden dump is of the embedded server, without TimescaleDB")
    if os.environ.get("JISHI_GOLDEN") == "write":
        GOLDEN.write_text(dumped(migrated), "utf-8")
    assert dumped(migrated) == GOLDEN.read_text("utf-8")


def test_migrating_twice_changes_nothing(database: str) -> None:
    assert list(status(database).pending) == NUMBERED
    first = migrate(database)
    with connect(database) as connection:
        before = connection.execute("SELECT epoch FROM store_epoch").fetchall()
    assert list(first.applied) == NUMBERED
    assert first.pending == ()
    assert migrate(database) == status(database) == first
    with connect(database) as connection:
        assert connection.execute("SELECT epoch FROM store_epoch").fetchall() == before


def test_migrating_twice_at_once_is_migrating_once(database: str) -> None:
    ends: list[Status] = []
    both = [threading.Thread(target=lambda: ends.append(migrate(database))) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert [list(end.applied) for end in ends] == [NUMBERED, NUMBERED]


@pytest.mark.parametrize("after", range(3, 130, 14))
def test_a_killed_migration_is_simply_run_again(database: str, after: int) -> None:
    code = f"""
import os, psycopg
from storage.migrate import migrate
real, left = psycopg.Cursor.execute, [{after}]
def execute(self, *args, **kwargs):
    left[0] -= 1
    if left[0] < 0:
        os.kill(os.getpid(), 9)
    return real(self, *args, **kwargs)
psycopg.Cursor.execute = execute
migrate({database!r})
"""
    killed = subprocess.run([sys.executable, "-c", code], cwd=GOLDEN.parents[2], check=False, capture_output=True)
    assert killed.returncode == -9, killed.stderr
    assert list(migrate(database).applied) == NUMBERED


def test_a_failing_migration_changes_nothing(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "0001-good.sql").write_text("CREATE TABLE good ();", "utf-8")
    (tmp_path / "0002-bad.sql").write_text("CREATE TABLE bad (); SELECT 1 / 0;", "utf-8")
    monkeypatch.setattr(migrations, "_MIGRATIONS", tmp_path)
    with pytest.raises(StorageError, match="nothing was changed"):
        migrate(database)
    with connect(database) as connection:
        found = connection.execute("SELECT to_regclass('good'), to_regclass('bad')").fetchone()
    assert found == (None, None)


def test_a_database_of_a_newer_program_is_refused(
    migrated: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "0001-registry.sql").write_text("SELECT 1;", "utf-8")
    monkeypatch.setattr(migrations, "_MIGRATIONS", tmp_path)
    with pytest.raises(ConfigError, match="newer"):
        migrate(migrated)


def test_another_postgresql_is_refused(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.pool.VERSIONS", range(90, 92))
    with pytest.raises(ConfigError, match="versions 90 to 91 are supported"):
        connect(database)


def test_a_server_that_does_not_answer_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot be reached"):
        connect(f"host={tmp_path} dbname=nothing")


@pytest.mark.parametrize("verb", ["UPDATE {} SET {} = DEFAULT", "DELETE FROM {}", "TRUNCATE {}"])
def test_services_cannot_change_what_is_append_only(connection: Connection, verb: str) -> None:
    first = "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum = 1"
    columns = {table: connection.execute(first, [table]).fetchone() for table in APPEND_ONLY}
    connection.execute("SET ROLE jishi_service")
    for table, column in columns.items():
        assert column
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(verb.format(table, column[0]))


def test_the_role_of_services_has_no_power_over_the_server(connection: Connection) -> None:
    held = "SELECT rolcanlogin, rolsuper, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = 'jishi_service'"
    assert connection.execute(held).fetchall() == [(False, False, False, False)]
