"""What is newest: the last frames of streams, and how far custody reaches.

"Newest" is by seq within a stream, which no clock and no network can change, and by measured time between streams;
where that is later than the frame was heard, by the time of hearing.
Does not: decode frames, or judge what they say.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg.rows import class_row

from contract.ids import GatewayId, InstrumentId, StreamId, UnitId
from storage.pool import Connection, mapped
from storage.queries import SQL


@dataclass(frozen=True, slots=True, kw_only=True)
class Newest:
    """The newest frame of one stream.

    Attributes:
        end_ms: the last moment it speaks of.
        received_at_ms: when the collector heard it.
    """

    instrument: InstrumentId
    stream_id: StreamId
    seq: int
    end_ms: int
    received_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamCustody:
    """How far one stream is in custody.

    Attributes:
        instrument: None until a first frame is stored.
        unit: the instrument's managing unit, or the gateway's while there is no instrument.
        upto: every seq from 0 to here is held; -1 where seq 0 is not.
        held: runs beyond it, as `[first, last, ...]`; frames between them are missing.
        newest_seq, newest_end_ms, newest_received_at_ms: of the newest frame stored; None without one.
    """

    stream_id: StreamId
    gateway: GatewayId
    instrument: InstrumentId | None
    unit: UnitId
    upto: int
    held: Sequence[Sequence[object]]
    newest_seq: int | None
    newest_end_ms: int | None
    newest_received_at_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """What all collectors took in. `received` MUST equal stored + duplicate + quarantined."""

    received: int
    stored: int
    duplicate: int
    quarantined: int

    @property
    def balanced(self) -> bool:
        """Whether every message has exactly one outcome."""
        return self.received == self.stored + self.duplicate + self.quarantined


def newest(connection: Connection) -> tuple[Newest, ...]:
    """The newest frame of each stream, by instrument; of one instrument, the newest first.

    Raises:
        StorageError: the server failed. So do all functions here.
    """
    with mapped(), connection.cursor(row_factory=class_row(Newest)) as cursor:
        found = cursor.execute(SQL["newest_frames"], binary=True).fetchall()
    # A clock that was years ahead would hide every later stream.
    return tuple(sorted(found, key=lambda one: (one.instrument, -min(one.end_ms, one.received_at_ms))))


def tail(connection: Connection, stream_id: StreamId, count: int) -> list[bytes]:
    """The last frames of a stream, by seq, at most so many."""
    with mapped():
        rows = connection.execute(SQL["last_frames"], [stream_id, count], binary=True).fetchall()
    return [raw for (raw,) in reversed(rows)]


def custody(connection: Connection) -> tuple[StreamCustody, ...]:
    """Every stream, by instrument."""
    with mapped(), connection.cursor(row_factory=class_row(StreamCustody)) as cursor:
        return tuple(cursor.execute(SQL["stream_custody"], binary=True).fetchall())


def totals(connection: Connection) -> Totals:
    """Sums over all collectors. Cheap: unlike `storage.counters`, it counts no rows of frames and samples."""
    with mapped(), connection.cursor(row_factory=class_row(Totals)) as cursor:
        return cursor.execute(SQL["intake_totals"]).fetchone() or Totals(
            received=0, stored=0, duplicate=0, quarantined=0
        )
