"""Heads of streams in the database: read, and moved by compare-and-swap.

Does not: decide where a frame belongs (the collector's admission does).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from psycopg.types.json import Jsonb

from contract.ids import StreamId
from contract.seal import FIRST_PREV_HASH
from storage.pool import Connection
from storage.queries import SQL
from storage.records import Head, HeadsMovedError, Run

_NO_HASH = bytes(32)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredHead:
    """A head as committed, with what compare-and-swap needs."""

    stream_no: int
    version: int
    head: Head


def fetch(connection: Connection, streams: Sequence[StreamId]) -> dict[StreamId, StoredHead]:
    """The heads of the streams that are known."""
    found = connection.execute(SQL["heads"], [list(streams)], binary=True)
    return {
        StreamId(stream_id): StoredHead(
            stream_no=stream_no,
            version=version,
            head=Head(gateway=gateway, instrument=instrument, runs=_runs(upto, upto_hash, held)),
        )
        for stream_id, stream_no, version, gateway, instrument, upto, upto_hash, held in found
    }


def move(
    connection: Connection, stored: Mapping[StreamId, StoredHead], heads: Mapping[StreamId, Head]
) -> dict[StreamId, StoredHead]:
    """Write new heads within the caller's transaction; streams not in `stored` are made.

    Raises:
        HeadsMovedError: a head is no longer as it was in `stored`; the transaction MUST be rolled back.
    """
    before = {**stored, **_make(connection, {one: heads[one] for one in heads if one not in stored})}
    rows = [(before[one].stream_no, before[one].version, *_columns(heads[one].runs)) for one in heads]
    # In one order always, so that two collectors wait for each other in turn and not in a circle.
    moved = connection.execute(SQL["move_heads"], [list(column) for column in zip(*sorted(rows), strict=True)])
    if moved.rowcount != len(rows):
        raise HeadsMovedError("another collector moved a head of this batch: is one running under another name?")
    _name_instruments(connection, before, heads)
    return {
        one: StoredHead(stream_no=before[one].stream_no, version=before[one].version + 1, head=heads[one])
        for one in heads
    }


def held_ranges(held: Sequence[Sequence[object]]) -> tuple[tuple[int, int], ...]:
    """Column `held` as closed ranges of seq."""
    return tuple((int(str(first)), int(str(last))) for first, last, _, _ in held)


def _make(connection: Connection, heads: Mapping[StreamId, Head]) -> dict[StreamId, StoredHead]:
    if not heads:
        return {}
    streams = sorted(heads)
    made = connection.execute(SQL["make_streams"], [streams, [heads[one].gateway for one in streams]]).fetchall()
    if len(made) != len(streams):
        raise HeadsMovedError("another collector has just begun a stream of this batch")
    return {
        StreamId(stream_id): StoredHead(stream_no=number, version=0, head=Head(gateway=heads[stream_id].gateway))
        for number, stream_id in made
    }


def _name_instruments(
    connection: Connection, before: Mapping[StreamId, StoredHead], heads: Mapping[StreamId, Head]
) -> None:
    named = [
        (before[one].stream_no, head.instrument)
        for one, head in heads.items()
        if head.instrument and not before[one].head.instrument
    ]
    if named:
        connection.execute(SQL["name_instruments"], [list(column) for column in zip(*named, strict=True)])


def _columns(runs: Sequence[Run]) -> tuple[int, bytes, Jsonb]:
    """Columns upto, upto_hash and held."""
    leading = runs[:1] if runs and runs[0].first == 0 else ()
    held = [[run.first, run.last, run.prev_hash.hex(), run.last_hash.hex()] for run in runs[len(leading) :]]
    upto, upto_hash = (leading[0].last, leading[0].last_hash) if leading else (-1, _NO_HASH)
    return upto, upto_hash, Jsonb(held)


def _runs(upto: int, upto_hash: bytes, held: Sequence[tuple[int, int, str, str]]) -> tuple[Run, ...]:
    leading = (Run(first=0, last=upto, prev_hash=FIRST_PREV_HASH, last_hash=upto_hash),) if upto >= 0 else ()
    return leading + tuple(
        Run(first=first, last=last, prev_hash=bytes.fromhex(prev_hash), last_hash=bytes.fromhex(last_hash))
        for first, last, prev_hash, last_hash in held
    )
