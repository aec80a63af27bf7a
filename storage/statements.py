"""What metering decided, appended and read. A statement is never edited: a later one supersedes it.

Does not: compute or judge anything.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from contract.ids import InstrumentId
from storage.pool import Connection, mapped
from storage.queries import SQL


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """Hours of one instrument on one local day under one policy version.

    Attributes:
        day: the local day; [period_from_ms, period_to_ms) is its part in question, UTC.
        level: assurance level, 0-4.
        document: the whole statement, for people.
        digest: over everything that must not change; its name in the ledger.
        supersedes: digest of the statement this one corrects.
    """

    instrument: InstrumentId
    day: date
    period_from_ms: int
    period_to_ms: int
    policy_hash: bytes
    evidence_digest: bytes
    rules_version: str
    code_version: str
    provisional: bool
    level: int
    document: Mapping[str, Any]
    digest: bytes
    supersedes: bytes | None
    decided_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A stretch [from_ms, to_ms) of a statement: what it is, and how well it is proven."""

    from_ms: int
    to_ms: int
    kind: str
    level: int


def append(connection: Connection, statement: Statement, intervals: Sequence[Interval]) -> bool:
    """Append a statement and its intervals: durable when this returns.

    Returns:
        False if a statement with this digest is stored already; nothing is changed then.

    Raises:
        EvidenceError: NOT_STORABLE: `instrument` or `supersedes` is unknown, or it is superseded already.
        StorageError: the server failed.
    """
    values = {name: getattr(statement, name) for name in Statement.__dataclass_fields__}
    values["document"] = Jsonb(statement.document)
    with mapped(), connection.transaction():
        row = connection.execute(SQL["append_statement"], values).fetchone()
        if row is None:
            return False
        parts = [(one.from_ms, one.to_ms, one.kind, one.level) for one in intervals]
        columns = [list(column) for column in zip(*parts, strict=True)] or [[], [], [], []]
        connection.execute(SQL["append_intervals"], [row[0], *columns])
    return True


def read(connection: Connection, instrument: InstrumentId, from_ms: int, to_ms: int) -> tuple[Statement, ...]:
    """Statements in force (not superseded) whose period overlaps [from_ms, to_ms), by their beginning.

    Raises:
        StorageError: the server failed.
    """
    with mapped(), connection.cursor(row_factory=class_row(Statement)) as cursor:
        return tuple(cursor.execute(SQL["statements"], [instrument, to_ms, from_ms]).fetchall())


def intervals(connection: Connection, digest: bytes) -> tuple[Interval, ...]:
    """Intervals of one statement, by their beginning.

    Raises:
        StorageError: the server failed.
    """
    with mapped(), connection.cursor(row_factory=class_row(Interval)) as cursor:
        return tuple(cursor.execute(SQL["intervals"], [digest]).fetchall())
