"""Evidence out: the exact bytes of stored frames.

Does not: decode or verify them; whoever computes hours does both.
"""

from collections.abc import Iterator

from contract.ids import InstrumentId, StreamId
from storage.pool import Connection, mapped
from storage.queries import SQL

_FETCH = 2_000


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


def reach(connection: Connection, instrument: InstrumentId) -> int:
    """The latest moment (UTC ms) that the newest frame of any stream of an instrument speaks of; 0 without frames.

    Raises:
        StorageError: the server failed.
    """
    with mapped():
        row = connection.execute(SQL["reach"], [instrument]).fetchone()
    return (row and row[0]) or 0
