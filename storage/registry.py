"""The registry read: a snapshot for admission, and what metering asks about one instrument.

Does not: change anything (`registry_load`).
"""

from psycopg.rows import class_row

from contract.ids import GatewayId, InstrumentId, KeyId
from contract.registry import Binding, GatewayKey, Instrument, PolicyVersion, Registry, Role
from contract.usage import Attribution, Party, Purpose, Session, Way
from storage.pool import Connection, mapped
from storage.queries import SQL


def revision(connection: Connection) -> int:
    """A number that rises with each change of the registry; 0 while nothing was ever loaded.

    Raises:
        StorageError: the server failed. So do all functions here.
    """
    with mapped():
        row = connection.execute(SQL["registry_mark"]).fetchone()
    return row[1] if row else 0


def simulation(connection: Connection) -> bool:
    """Whether the registry is marked as a simulation."""
    with mapped():
        row = connection.execute(SQL["registry_mark"]).fetchone()
    return bool(row and row[0])


def snapshot(connection: Connection) -> Registry:
    """Everything admission needs, of one moment. Without a registry: no keys, no bindings, not a simulation."""
    with mapped(), connection.transaction():
        connection.execute(SQL["one_moment"])
        mark = connection.execute(SQL["registry_mark"]).fetchone()
        with connection.cursor(row_factory=class_row(GatewayKey)) as cursor:
            keys = cursor.execute(SQL["snapshot_keys"]).fetchall()
        bound: dict[tuple[GatewayId, InstrumentId], list[Binding]] = {}
        for binding in _bindings(connection, None):
            bound.setdefault((binding.gateway, binding.instrument), []).append(binding)
    return Registry(
        keys={KeyId(key.kid): key for key in keys},
        bindings={pair: tuple(found) for pair, found in bound.items()},
        simulation=bool(mark and mark[0]),
    )


def instruments(connection: Connection) -> tuple[Instrument, ...]:
    """All instruments, by id."""
    with mapped(), connection.cursor(row_factory=class_row(Instrument)) as cursor:
        return tuple(cursor.execute(SQL["instruments"]).fetchall())


def bindings(connection: Connection, instrument: InstrumentId) -> tuple[Binding, ...]:
    """All bindings of an instrument, present and past, by their beginning."""
    with mapped():
        return _bindings(connection, instrument)


def policies(connection: Connection, instrument: InstrumentId, from_ms: int, to_ms: int) -> tuple[PolicyVersion, ...]:
    """Policies of an instrument that are in force at some moment of [from_ms, to_ms), by their beginning."""
    with mapped(), connection.cursor(row_factory=class_row(PolicyVersion)) as cursor:
        return tuple(cursor.execute(SQL["policies"], [instrument, to_ms, from_ms]).fetchall())


def sessions(connection: Connection, instrument: InstrumentId, from_ms: int, to_ms: int) -> tuple[Session, ...]:
    """Sessions of an instrument that overlap [from_ms, to_ms), by start, then id."""
    with mapped():
        rows = connection.execute(SQL["sessions"], [instrument, to_ms, from_ms]).fetchall()
    return tuple(
        Session(
            session_id=session_id,
            instrument=instrument,
            start_ms=start_ms,
            end_ms=end_ms,
            party=Party(party),
            purpose=Purpose(purpose),
            way=Way(way),
            attribution=Attribution(attribution),
            entered_at_ms=entered_at_ms,
        )
        for session_id, start_ms, end_ms, party, purpose, way, attribution, entered_at_ms in rows
    )


def _bindings(connection: Connection, instrument: InstrumentId | None) -> tuple[Binding, ...]:
    """Of one instrument, or of all."""
    return tuple(
        Binding(
            instrument=InstrumentId(of),
            gateway=GatewayId(gateway),
            meter_model=model,
            meter_serial=serial,
            ct_primary_a=ct_primary_a,
            ct_secondary_a=ct_secondary_a,
            role=Role(role),
            valid_from_ms=valid_from_ms,
            valid_to_ms=valid_to_ms,
        )
        for of, gateway, model, serial, ct_primary_a, ct_secondary_a, role, valid_from_ms, valid_to_ms in (
            connection.execute(SQL["bindings"], [instrument, instrument])
        )
    )
