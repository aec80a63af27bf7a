"""Quarantine: read, and frames moved out of it into their place.

A row of `quarantine` is never edited: a row of `readmission` names it and says when, by whom and under which state of
the registry its frame was admitted after all. Frame, projections and that row are one transaction.

Does not: decide what is admissible (the collector does), or move heads: what is quarantined in its place is held.
"""

from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from psycopg.rows import class_row

from contract import seal
from contract.errors import Reason
from contract.ids import GatewayId, InstrumentId, StreamId
from storage import projection
from storage.pool import Connection, mapped
from storage.queries import SQL
from storage.records import StoredFrame

_FETCH = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One quarantined message.

    Attributes:
        reason: as stored; a newer program may have written one that this one does not know.
        gateway, stream_id, seq, stream_no: where it stands; None where nobody known signed it.
        instrument: the one its stream speaks of; None until a frame of that stream is stored.
        raw: its exact bytes; None where they are kept by hash alone, or were not asked for.
        readmitted_at_ms, readmitted_by: when and by whom it was admitted after all; None while it is not.
    """

    quarantine_no: int
    reason: str
    detail: str
    topic: str
    authentic: bool
    gateway: GatewayId | None
    stream_id: StreamId | None
    stream_no: int | None
    seq: int | None
    instrument: InstrumentId | None
    received_at_ms: int
    sha256: bytes
    size_bytes: int
    raw: bytes | None
    readmitted_at_ms: int | None
    readmitted_by: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which entries are meant; None leaves a question open.

    Attributes:
        instrument: also gives entries of streams that speak of none yet: their bytes say which they mean.
        since_ms: heard at this moment or later.
        numbers: only these.
        waiting: only authentic ones that were not readmitted.
    """

    reason: str | None = None
    gateway: str | None = None
    instrument: str | None = None
    since_ms: int | None = None
    numbers: tuple[int, ...] | None = None
    waiting: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Occupant:
    """An authentic frame under a place, stored or quarantined.

    Attributes:
        prev_hash: the link it carries.
        first: whether it holds the place; False for the later one of two.
        quarantine_no: of its entry, which rises in order of arrival; 0 where it is stored.
    """

    frame_hash: bytes
    prev_hash: bytes
    first: bool
    quarantine_no: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What is written beside each frame that is readmitted."""

    at_ms: int
    by: str
    registry_revision: int


@dataclass(slots=True, kw_only=True)
class LockedStream:
    """A stream whose head nobody else moves until the transaction ends.

    Attributes:
        instrument: the one it speaks of.
        readmitted: which of the asked entries were readmitted before.
        places: who stands under each seq asked for and under its neighbours.
    """

    connection: Connection
    stream_no: int
    gateway: GatewayId
    instrument: InstrumentId | None
    readmitted: frozenset[int]
    places: Mapping[int, Sequence[Occupant]] = field(default_factory=dict)

    def admit(self, frames: Mapping[int, StoredFrame], note: Note) -> None:
        """Store frames with their projections, and mark their entries, by number; all of it or nothing.

        The months of their samples MUST exist (`make_months`). Durable when the transaction of the stream ends.

        Raises:
            EvidenceError: NOT_STORABLE, something in it cannot be stored.
        """
        stored = list(frames.values())
        measurements = projection.placed(stored)
        named = {frame.content.instrument for frame in stored}
        with mapped(), self.connection.transaction():
            known: dict[InstrumentId, int] = dict(
                self.connection.execute(SQL["instrument_numbers"], [sorted(named)]).fetchall()
            )
            _copy(
                self.connection,
                "copy_frames",
                projection.frame_rows(stored, {stored[0].place.stream_id: self.stream_no}),
            )
            for statement, columns in (
                ("copy_power_samples", projection.power_samples(measurements, known)),
                ("copy_run_states", projection.run_states(measurements, known)),
            ):
                if len(columns[0]):
                    _copy(self.connection, statement, projection.rows(columns))
            marks = [note.at_ms, note.by, note.registry_revision, list(frames)]
            self.connection.execute(SQL["readmit"], marks)
            if self.instrument is None:
                self.connection.execute(SQL["name_instruments"], [[self.stream_no], [stored[0].content.instrument]])
                # A collector that still believes that the stream speaks of nothing must read its head again.
                self.connection.execute(SQL["fence_head"], [self.stream_no])
        self.instrument = self.instrument or stored[0].content.instrument


def listed(connection: Connection, wanted: Wanted) -> Generator[Entry, None, None]:
    """Entries, the newest first; with bytes only where the stream speaks of no instrument yet.

    Use the connection for nothing else until the iterator is exhausted or closed.

    Raises:
        StorageError: the server failed. So do all functions here.
    """
    values = {
        "reason": wanted.reason,
        "gateway": wanted.gateway,
        "instrument": wanted.instrument,
        "since_ms": wanted.since_ms,
        "numbers": None if wanted.numbers is None else list(wanted.numbers),
        "waiting": wanted.waiting,
    }
    rows = class_row(Entry)
    with mapped(), connection.transaction(), connection.cursor("quarantine", row_factory=rows) as cursor:
        cursor.itersize = _FETCH
        yield from cursor.execute(SQL["quarantine_entries"], values, binary=True)


def whole(connection: Connection, numbers: Collection[int]) -> dict[int, Entry]:
    """Entries by their number, with all bytes that are kept; those that are not there are left out."""
    found = {one.quarantine_no: one for one in listed(connection, Wanted(numbers=tuple(numbers)))}
    with mapped():
        rows = connection.execute(SQL["quarantine_bytes"], [list(found)], binary=True).fetchall()
    return {number: replace(found[number], raw=raw) for number, raw in rows}


def make_months(connection: Connection, frames: Sequence[StoredFrame]) -> None:
    """Make room for the samples of frames. Not within a transaction: it would keep every collector waiting."""
    measurements = projection.placed(frames)
    nobody = dict.fromkeys((one.instrument for one in measurements), 0)
    power, lines = projection.power_samples(measurements, nobody), projection.run_states(measurements, nobody)
    with mapped():
        for month in sorted({*projection.months(power), *projection.months(lines)}):
            connection.execute(SQL["ensure_month"], [month])


@contextmanager
def locked(connection: Connection, stream_no: int, entries: Collection[Entry]) -> Iterator[LockedStream]:
    """A transaction in which the head of one stream stands still; what is admitted in it is durable when it ends."""
    seqs = {one.seq + step for one in entries for step in (-1, 0, 1) if one.seq is not None}
    with mapped(), connection.transaction():
        # First the lock, then the questions: an answer from before the lock may be out of date.
        connection.execute(SQL["lock_head"], [stream_no])
        named = connection.execute(SQL["stream_named"], [stream_no]).fetchone() or (None, None)
        numbers = [one.quarantine_no for one in entries]
        done = connection.execute(SQL["readmitted"], [numbers]).fetchall()
        places: dict[int, list[Occupant]] = {}
        asked = {"stream_no": stream_no, "seqs": sorted(seqs), "later": Reason.EQUIVOCATION}
        for seq, frame_hash, prev_hash, raw, first, number in connection.execute(SQL["occupants"], asked, binary=True):
            link = prev_hash if raw is None else seal.open_frame(raw).envelope.prev_hash
            one = Occupant(frame_hash=frame_hash, prev_hash=link, first=first, quarantine_no=number)
            places.setdefault(seq, []).append(one)
        yield LockedStream(
            connection=connection,
            stream_no=stream_no,
            gateway=named[0],
            instrument=named[1],
            readmitted=frozenset(number for (number,) in done),
            places=places,
        )


def _copy(connection: Connection, statement: str, rows: bytes) -> None:
    with connection.cursor().copy(SQL[statement]) as copy:
        copy.write(rows)
