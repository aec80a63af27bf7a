"""Brings a database to the schema of this program: `python -m storage.migrate DSN`.

The numbered files in `sql/migrations` are the only source of the schema. All pending ones are applied in one
transaction: a migration that is killed leaves the database as it was, and is simply run again.

Does not: go back. A mistake is mended by a later migration.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from yoyo import read_migrations  # type: ignore[import-untyped]
from yoyo.backends.core.postgresql import PostgresqlPsycopgBackend  # type: ignore[import-untyped]
from yoyo.connections import parse_uri  # type: ignore[import-untyped]
from yoyo.migrations import default_migration_table  # type: ignore[import-untyped]

from contract.errors import ConfigError, EvidenceError, StorageError
from storage.pool import Connection, connect, mapped
from storage.queries import SQL

_MIGRATIONS = Path(__file__).parent / "sql" / "migrations"


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """State of a database.

    Attributes:
        postgres: version of the server, such as `18.4`.
        timescaledb: version in use in this database; None: plain PostgreSQL.
        applied, pending: names of migrations in their order.
    """

    postgres: str
    timescaledb: str | None
    applied: tuple[str, ...]
    pending: tuple[str, ...]


class _Backend(PostgresqlPsycopgBackend):  # type: ignore[misc]
    """yoyo on a connection of ours, applying and marking in the caller's transaction.

    Its own way marks a migration after the commit of its statements, and keeps a lock row that outlives a kill.
    """

    def __init__(self, connection: Connection) -> None:
        self._ours = connection
        super().__init__(parse_uri("postgresql+psycopg:///"), default_migration_table)

    def connect(self, _uri: object) -> Connection:
        return self._ours

    @contextmanager
    def lock(self, timeout: float = 0) -> Iterator[None]:  # noqa: ARG002 - the advisory lock of `migrate` is held
        yield

    def apply_one(self, migration: object, force: bool = False, mark: bool = True) -> None:  # noqa: ARG002, FBT001, FBT002
        migration.process_steps(self, "apply")  # type: ignore[attr-defined]
        self.mark_one(migration, log=False)


def migrate(dsn: str | None = None) -> Status:
    """Apply what is pending. Durable when it returns; a second run, or one beside it, changes nothing.

    Raises:
        ConfigError: no usable DSN, a server that is not PostgreSQL 16-18, or a database of a newer program.
        StorageError: the server failed or refused.
    """
    with connect(dsn) as connection, _named_errors():
        connection.execute(SQL["lock_migrations"])
        backend = _Backend(connection)
        _, pending = _listed(backend)
        with backend.transaction():
            backend.apply_migrations(pending)
        return _status(connection, backend)


def status(dsn: str | None = None) -> Status:
    """What is applied and what is pending. Changes nothing but yoyo's own empty tables.

    Raises:
        ConfigError, StorageError: as `migrate`.
    """
    with connect(dsn) as connection, _named_errors():
        connection.execute(SQL["lock_migrations"])
        return _status(connection, _Backend(connection))


@contextmanager
def _named_errors() -> Iterator[None]:
    try:
        with mapped():
            yield
    except EvidenceError as error:
        raise StorageError(f"a migration failed, nothing was changed: {error}") from error


def _listed(backend: _Backend) -> tuple[list[str], object]:
    """Names of what is applied, and the pending migrations."""
    known = read_migrations(str(_MIGRATIONS))
    names = {migration.hash: migration.id for migration in known}
    applied = backend.get_applied_migration_hashes()
    if unknown := [one for one in applied if one not in names]:
        fault = f"dsn: this database has {len(unknown)} migrations that this program does not know: update the program"
        raise ConfigError("the database is newer than this program", [fault])
    return sorted(names[one] for one in applied), backend.to_apply(known)


def _status(connection: Connection, backend: _Backend) -> Status:
    applied, pending = _listed(backend)
    row = connection.execute(SQL["timescaledb_version"]).fetchone()
    return Status(
        postgres=connection.info.parameter_status("server_version") or "",
        timescaledb=str(row[0]) if row else None,
        applied=tuple(applied),
        pending=tuple(migration.id for migration in pending),  # type: ignore[attr-defined]
    )


if __name__ == "__main__":
    sys.stdout.write(f"{migrate(*sys.argv[1:2])}\n")
