"""Evidence out: the exact bytes of stored frames.

Does not: decode or verify them; whoever computes hours does both.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from psycopg.rows import class_row

from contract.ids import InstrumentId, StreamId, UnitId
from contract.registry import GatewayKey
from storage.pool import Connection, mapped
from storage.queries import SQL

_FETCH = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A stored frame without its bytes.

    Attributes:
        kind: as `projection.KINDS`.
        begin_ms, end_ms: the first and the last moment it speaks of.
        received_at_ms: when the collector heard it.
        size_bytes: of the exact bytes.
    """

    stream_id: StreamId
    seq: int
    frame_hash: bytes
    kind: int
    begin_ms: int
    end_ms: int
    received_at_ms: int
    size_bytes: int


def read(connection: Connection, instrument: InstrumentId, from_ms: int, to_ms: int) -> Iterator[bytes]:
    """Frames that speak of a moment in [from_ms, to_ms), of all streams of the instrument, by stream, then seq.

    Read through a cursor of the server's: a year takes no more memory than a day. Use the connection for nothing else
    until the iterator is exhausted or closed.

    Raises:
        StorageError: the server failed.
    """
    with mapped(), connection.transaction():
        for (stream_no,) in connection.execute(SQL["streams_of_instrument"], [instrument]).fetchall():
            with connection.cursor("frames", binary=True) as cursor:
                cursor.itersize = _FETCH
                cursor.execute(SQL["read_frames"], [stream_no, to_ms, from_ms])
                for (raw,) in cursor:
                    yield raw


def equivocated(connection: Connection, instrument: InstrumentId) -> dict[StreamId, int]:
    """Streams of the instrument under whose (stream, seq) two authentic frames were seen, and the lowest such seq.

    Raises:
        StorageError: the server failed.
    """
    with mapped():
        return {StreamId(stream): seq for stream, seq in connection.execute(SQL["equivocated"], [instrument])}


def newest(connection: Connection, instrument: InstrumentId) -> list[bytes]:
    """The newest frame of each stream of an instrument, by seq.

    Raises:
        StorageError: the server failed.
    """
    with mapped():
        return [raw for (raw,) in connection.execute(SQL["newest_of_instrument"], [instrument], binary=True)]


def entries(
    connection: Connection,
    instrument: InstrumentId,
    period: tuple[int, int],
    after: tuple[StreamId, int] | None,
    limit: int,
) -> tuple[Entry, ...]:
    """Frames that speak of a moment of a period, by stream, then seq: at most `limit` of those after a place.

    Raises:
        StorageError: the server failed.
    """
    stream, seq = after or (None, None)
    values = {
        "instrument": instrument,
        "from_ms": period[0],
        "to_ms": period[1],
        "stream": stream,
        "seq": seq,
        "limit": limit,
    }
    with mapped(), connection.cursor(row_factory=class_row(Entry)) as cursor:
        return tuple(cursor.execute(SQL["frame_entries"], values, binary=True).fetchall())


def by_hash(connection: Connection, frame_hash: bytes) -> tuple[UnitId, bytes] | None:
    """The managing unit and the exact bytes of a stored frame; None: there is no frame of this hash.

    Raises:
        StorageError: the server failed.
    """
    with mapped():
        row = connection.execute(SQL["frame_of_hash"], [frame_hash], binary=True).fetchone()
    return row and (UnitId(row[0]), row[1])


@contextmanager
def moment(connection: Connection) -> Iterator[None]:
    """A transaction in which everything that is read is of one moment, and results may be appended.

    Raises:
        StorageError: the server failed, or somebody else appended the same meanwhile: repeat the whole.
    """
    with mapped(), connection.transaction():
        connection.execute(SQL["one_moment_to_write"])
        yield


def placed(
    connection: Connection, instrument: InstrumentId, from_ms: int, to_ms: int
) -> Iterator[tuple[StreamId, int, int, bytes]]:
    """Stream, first and last moment (UTC ms) and exact bytes of the frames that `read` gives, by stream id, then seq.

    Read through a cursor of the server's, as `read`.

    Raises:
        StorageError: the server failed.
    """
    with mapped(), connection.transaction():
        for stream_no, stream_id in connection.execute(SQL["named_streams_of_instrument"], [instrument]).fetchall():
            with connection.cursor("placed", binary=True) as cursor:
                cursor.itersize = _FETCH
                cursor.execute(SQL["placed_frames"], [stream_no, to_ms, from_ms])
                for begin_ms, end_ms, raw in cursor:
                    yield StreamId(stream_id), begin_ms, end_ms, raw


def rivals(connection: Connection, instrument: InstrumentId) -> tuple[tuple[StreamId, bytes], ...]:
    """For each stream of `equivocated`, two different authentic frames of its lowest such seq, by stream, then hash.

    Raises:
        StorageError: the server failed.
    """
    with mapped():
        rows = connection.execute(SQL["rivals"], [instrument], binary=True).fetchall()
    return tuple((StreamId(stream_id), raw) for stream_id, raw in rows)


def signers(connection: Connection, instrument: InstrumentId) -> tuple[GatewayKey, ...]:
    """All keys of the gateways that have a stream of the instrument, by key id.

    Raises:
        StorageError: the server failed.
    """
    with mapped(), connection.cursor(row_factory=class_row(GatewayKey)) as cursor:
        return tuple(cursor.execute(SQL["signers"], [instrument]).fetchall())
