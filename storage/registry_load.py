"""Loads a registry file into the database: new records are added, stored ones are closed once and never edited.

Does not: take anything away; what a file leaves out stays as it is.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, LiteralString

from psycopg import errors
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from contract.errors import ConfigError
from storage.pool import Connection, mapped
from storage.queries import SQL
from storage.registry_file import Record, RegistryFile, records

_KEYS: Final = {
    "unit": ("unit_id",),
    "gateway": ("gateway_id",),
    "gateway_key": ("kid",),
    "instrument": ("instrument_id",),
    "meter": ("model", "serial"),
    "binding": ("instrument", "gateway", "meter_model", "meter_serial", "valid_from_ms"),
    "policy": ("policy_id", "version"),
    "session": ("session_id",),
}
"""Columns by which a record is known again."""
_REFERENCES: Final = {
    "unit": ("unit",),
    "gateway": ("gateway",),
    "instrument": ("instrument",),
    "meter": ("meter_model", "meter_serial"),
}
_ALL: Final[dict[str, LiteralString]] = {kind: SQL[f"all_{kind}"] for kind in _KEYS}
_CLASHES: Final = {
    "one_sole_meter_for_an_instrument": "the instrument has another sole meter in this period: close that one first",
    "a_sole_meter_serves_one_instrument": "the meter is the sole one of another instrument in this period",
    "one_policy_at_a_time": "another policy is in force for this instrument in this period: close that one first",
}

_Key = tuple[object, ...]


@dataclass(slots=True, kw_only=True)
class Loaded:
    """How many records were added, closed, and found unchanged."""

    added: int = 0
    closed: int = 0
    unchanged: int = 0


def load(connection: Connection, file: RegistryFile) -> Loaded:
    """Load a file in one transaction: all of it is durable when this returns, nothing if it raises.

    Raises:
        ConfigError: references to nothing, clashes in time, records that differ from stored ones: all of them, by key.
        StorageError: the server failed.
    """
    with mapped(), connection.transaction():
        connection.execute(SQL["lock_registry"])
        faults = list(_marked(connection, simulation=file.simulation))
        loading = _Loading(connection)
        for record in sorted(records(file), key=loading.closes_first):
            faults += [f"{record.at}{fault}" for fault in loading.take(record)]
        if faults:
            raise ConfigError("the registry was not changed", faults)
        if loading.result.added or loading.result.closed:
            connection.execute(SQL["revise_registry"])
        return loading.result


def _marked(connection: Connection, *, simulation: bool) -> Iterator[str]:
    connection.execute(SQL["mark_registry"], [simulation])
    row = connection.execute(SQL["registry_mark"]).fetchone()
    if row is not None and row[0] != simulation:
        yield f"simulation: this database is marked {str(row[0]).lower()} for ever: use another one"


class _Loading:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._stored = {kind: self._read(kind) for kind in _KEYS}
        self.result = Loaded()

    def closes_first(self, record: Record) -> tuple[int, bool]:
        """Sort key: within a kind, what is stored (and may be closed) before what is new (and may follow it)."""
        return list(_KEYS).index(record.kind), self._key(record) not in self._stored[record.kind]

    def take(self, record: Record) -> Iterator[str]:
        """Add, close or recognise one record; yields its faults, each to follow its place in the file."""
        unknown = list(self._unknown(record))
        stored = self._stored[record.kind].get(self._key(record))
        if unknown:
            yield from unknown
        elif stored is None:
            yield from self._write("add", record)
            self.result.added += 1
        elif stored == record.values:
            self.result.unchanged += 1
        elif stored | {"valid_to_ms": None} == record.values | {"valid_to_ms": None} and stored["valid_to_ms"] is None:
            yield from self._write("close", record)
            self.result.closed += 1
        else:
            yield from self._differences(stored, record)

    def _write(self, verb: str, record: Record) -> Iterator[str]:
        values = {name: Jsonb(value) if name == "rules" else value for name, value in record.values.items()}
        try:
            with self._connection.transaction():
                self._connection.execute(SQL[f"{verb}_{record.kind}"], values)
            self._stored[record.kind][self._key(record)] = record.values
        except errors.IntegrityError as error:
            clash = error.diag.constraint_name or ""
            yield f": {_CLASHES.get(clash, error.diag.message_primary)}"

    def _differences(self, stored: dict[str, Any], record: Record) -> Iterator[str]:
        for name, value in record.values.items():
            if stored[name] != value:
                yield f".{name}: is stored as {stored[name]!r} and cannot change; history is kept: add a new record"

    def _unknown(self, record: Record) -> Iterator[str]:
        for kind, names in _REFERENCES.items():
            wanted = tuple(record.values.get(name) for name in names)
            if None not in wanted and wanted not in self._stored[kind]:
                yield f".{names[0]}: there is no {kind} {' '.join(map(str, wanted))}, neither here nor stored"

    def _key(self, record: Record) -> _Key:
        return tuple(record.values[name] for name in _KEYS[record.kind])

    def _read(self, kind: str) -> dict[_Key, dict[str, Any]]:
        with self._connection.cursor(row_factory=dict_row) as cursor:
            rows = cursor.execute(_ALL[kind]).fetchall()
        return {tuple(row[name] for name in _KEYS[kind]): row for row in rows}
