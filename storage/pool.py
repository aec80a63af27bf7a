"""Connections to PostgreSQL, and the one table that says what its errors mean to us.

Does not: run statements (their owners do) or retry (the caller knows what may be repeated).
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import psycopg
from psycopg.rows import TupleRow

from contract.errors import ConfigError, EvidenceError, JishiError, Reason, StorageError

Connection = psycopg.Connection[TupleRow]

DSN_VARIABLE: Final = "JISHI_DSN"
VERSIONS: Final = range(16, 19)
"""Major versions of PostgreSQL that every test passes on."""

_BAD_DATA: Final = {"22", "23"}
"""SQLSTATE classes that blame what we tried to write: repeating it changes nothing."""
_ADVICE: Final = {
    "08": "the connection was lost; it will be tried again",
    "28": "the server refused the user or the password: mend the DSN",
    "3D": "there is no such database: create it, or mend the DSN",
    "40": "another transaction was in the way; it will be tried again",
    "42": "the tables are missing, older than this program, or closed to this user: run `jishi db migrate`",
    "53": "the server lacks room or connections: look at its disk and its limits",
    "57": "the server was shut down or restarted; it will be tried again",
    "58": "the server's own files or system failed: look at its log",
}


def connect(dsn: str | None = None) -> Connection:
    """Open a connection in autocommit mode; a commit on it MUST be on the server's disk before it returns.

    Args:
        dsn: libpq URI or keyword string; the environment's JISHI_DSN by default. It is a secret: it is never logged.

    Raises:
        ConfigError: no DSN, one that cannot be read, or a server that is not PostgreSQL 16-18.
        StorageError: the server cannot be reached or refuses us.
    """
    dsn = dsn or os.environ.get(DSN_VARIABLE)
    if not dsn:
        raise ConfigError(
            "no database", [f"dsn: name a PostgreSQL server, here or in the environment's {DSN_VARIABLE}"]
        )
    connection = _open(dsn)
    major = connection.info.server_version // 10_000
    if major not in VERSIONS:
        connection.close()
        wanted = f"{VERSIONS[0]} to {VERSIONS[-1]}"
        raise ConfigError("wrong server", [f"dsn: this is PostgreSQL {major}, versions {wanted} are supported"])
    return connection


@contextmanager
def mapped() -> Iterator[None]:
    """Turn the errors of psycopg into ours, by SQLSTATE.

    Raises:
        EvidenceError: NOT_STORABLE, classes 22 and 23: the data cannot be stored, here or ever.
        StorageError: everything else.
    """
    try:
        yield
    except psycopg.Error as error:
        raise _translated(error) from error


def _open(dsn: str) -> Connection:
    try:
        return psycopg.connect(
            dsn,
            autocommit=True,
            connect_timeout=10,
            application_name="jishi",
            # A server that vanished without a word must become an error, not a wait for ever.
            keepalives_idle=30,
            keepalives_interval=10,
            keepalives_count=3,
            tcp_user_timeout=30_000,
            options="-c synchronous_commit=on -c timezone=UTC",
        )
    except psycopg.ProgrammingError as error:
        raise ConfigError("the DSN cannot be read", ["dsn: write postgresql://user@host:port/database"]) from error
    except psycopg.Error as error:
        if error.sqlstate is None:
            raise StorageError(f"the database cannot be reached: {_words(error)}") from error
        raise _translated(error) from error


def _translated(error: psycopg.Error) -> JishiError:
    state = error.sqlstate or "08"
    words = _words(error)
    if state[:2] in _BAD_DATA:
        return EvidenceError(Reason.NOT_STORABLE, words)
    return StorageError(f"{_ADVICE.get(state[:2], 'the database failed')} ({state}: {words})")


def _words(error: psycopg.Error) -> str:
    return " ".join(str(error).split())
