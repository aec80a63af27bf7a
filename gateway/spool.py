"""The spool: signed frames in sqlite until a receipt lets them go, and then as long as there is room.

Durability (WAL, `synchronous=FULL`): when `append` returns, the frame and its stream's head MUST survive a power cut,
together or not at all. Nothing is ever published but from here. Only frames that a believed receipt covers are deleted,
oldest first, and only for room: after 30 days, or above 80 % of the quota, so that a restored collector can ask again.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self, TypedDict

from contract import seal
from contract.errors import StorageError
from contract.ids import InstrumentId, StreamId
from gateway.disk import storing

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS trace (
  instrument TEXT NOT NULL, digest BLOB NOT NULL, stream INTEGER NOT NULL, PRIMARY KEY (instrument, digest));
CREATE TABLE IF NOT EXISTS stream (
  number INTEGER PRIMARY KEY, stream_id BLOB NOT NULL UNIQUE, instrument TEXT NOT NULL,
  next_seq INTEGER NOT NULL, head_hash BLOB NOT NULL, upto INTEGER NOT NULL DEFAULT -1);
CREATE TABLE IF NOT EXISTS frame (
  stream INTEGER NOT NULL, seq INTEGER NOT NULL, until_ms INTEGER NOT NULL, raw BLOB NOT NULL,
  PRIMARY KEY (stream, seq)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS receipt (
  number INTEGER PRIMARY KEY, epoch BLOB NOT NULL UNIQUE, raw BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS connection (number INTEGER PRIMARY KEY, count INTEGER NOT NULL);
"""
_KEPT_MS: Final = 30 * 86_400_000
_ROOMY: Final = 0.8
_MEBIBYTE: Final = 1 << 20
_PAGE_BYTES: Final = 4_096
_BATCH: Final = 256
_RESUMED_FROM: Final = 16
"""The newest frames of a stream are never deleted: a restart reads from them what was last said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """One stream of the spool.

    Attributes:
        upto: the last seq in custody, -1 where there is none.
        imported: it tells a recording; what is sampled is never told in it.
    """

    number: int
    stream_id: StreamId
    instrument: InstrumentId
    next_seq: int
    head_hash: bytes
    upto: int
    imported: bool = False


class Spool:
    """The open spool; the data folder MUST be locked (`disk.locked`)."""

    def __init__(self, connection: sqlite3.Connection, quota_bytes: int) -> None:
        self._db, self._quota_bytes = connection, quota_bytes

    @classmethod
    def open(cls, data_dir: Path, quota_mb: int) -> Self:
        """Open the spool of a data folder, or begin one.

        Raises:
            StorageError: it cannot be opened.
        """
        with storing("spool"):
            db = sqlite3.connect(path_in(data_dir), isolation_level=None)
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("PRAGMA synchronous=FULL")
            # sqlite keeps the quota itself: past it, a write fails as on a full disk.
            db.execute(f"PRAGMA max_page_count={quota_mb * _MEBIBYTE // _PAGE_BYTES}")
            db.executescript(_SCHEMA)
        return cls(db, quota_mb * _MEBIBYTE)

    def close(self) -> None:
        """Close it."""
        self._db.close()

    def streams(self) -> list[Stream]:
        """All streams, the newest of an instrument last."""
        rows = self._db.execute(
            "SELECT number, stream_id, instrument, next_seq, head_hash, upto, number IN (SELECT stream FROM trace) "
            "FROM stream ORDER BY 1"
        )
        return [
            Stream(
                number=n, stream_id=StreamId(s), instrument=InstrumentId(i), next_seq=q, head_hash=h, upto=u,
                imported=bool(t),
            )
            for n, s, i, q, h, u, t in rows
        ]  # fmt: skip

    def teller(self, instrument: InstrumentId, digest: bytes) -> StreamId | None:
        """The stream that tells a recording (SHA-256 of its text) for an instrument; None where there is none."""
        row = self._db.execute(
            "SELECT stream_id FROM trace JOIN stream ON number = stream WHERE trace.instrument = ? AND digest = ?",
            (instrument, digest),
        ).fetchone()
        return None if row is None else StreamId(row[0])

    def begin(
        self,
        stream_id: StreamId,
        instrument: InstrumentId,
        genesis: bytes,
        until_ms: int,
        recordings: Sequence[bytes] = (),
    ) -> int:
        """Begin a stream with its frame 0, durably; returns its number.

        Args:
            stream_id: of a stream that is not here yet.
            instrument: of which it will speak.
            genesis: its frame 0.
            until_ms: the time that frame tells of.
            recordings: digests of the recordings it will tell; none where it tells what is sampled.

        Raises:
            StorageError: nothing was begun.
        """
        with self._transaction():
            self._db.execute(
                "INSERT INTO stream (stream_id, instrument, next_seq, head_hash) VALUES (?, ?, 1, ?)",
                (stream_id, instrument, seal.frame_hash(genesis)),
            )
            number: int = self._db.execute("SELECT last_insert_rowid()").fetchone()[0]
            self._db.execute("INSERT INTO frame VALUES (?, 0, ?, ?)", (number, until_ms, genesis))
            self._db.executemany(
                "INSERT INTO trace VALUES (?, ?, ?)", [(instrument, digest, number) for digest in recordings]
            )
        return number

    def append(self, number: int, seq: int, *frames: tuple[bytes, int]) -> None:
        """Put the next frames of a stream, from `seq` on, and its new head into the spool, durably, all or none.

        Args:
            number: of the stream.
            seq: of the first of them.
            frames: one or more, each with the time (UTC ms) it tells up to.

        Raises:
            StorageError: none of them is in the spool; DiskFullError where there was no room.
        """
        self.make_room()
        end = seq + len(frames)
        rows = [(number, place, until_ms, raw) for place, (raw, until_ms) in enumerate(frames, seq)]
        with self._transaction():
            self._db.executemany("INSERT INTO frame VALUES (?, ?, ?, ?)", rows)
            moved = self._db.execute(
                "UPDATE stream SET next_seq = ?, head_hash = ? WHERE number = ? AND next_seq = ?",
                (end, seal.frame_hash(frames[-1][0]), number, seq),
            )
            if moved.rowcount != 1:
                raise StorageError(f"spool: frame {seq} is not the next of its stream")

    def frame(self, stream_id: StreamId, seq: int) -> bytes | None:
        """A frame's exact bytes; None where it is not here (any more)."""
        with storing("spool"):
            row = self._db.execute(
                "SELECT raw FROM frame JOIN stream ON number = stream WHERE stream_id = ? AND seq = ?", (stream_id, seq)
            ).fetchone()
        return None if row is None else bytes(row[0])

    def first_seq(self, stream_id: StreamId) -> int:
        """The oldest frame of a stream that is still here."""
        query = "SELECT min(seq) FROM frame JOIN stream ON number = stream WHERE stream_id = ?"
        first: int = self._db.execute(query, (stream_id,)).fetchone()[0]
        return first

    def newest_first(self, number: int) -> Iterator[bytes]:
        """The frames of a stream from its head back."""
        for (raw,) in self._db.execute("SELECT raw FROM frame WHERE stream = ? ORDER BY seq DESC", (number,)):
            yield raw

    def keep_receipt(self, epoch: bytes, raw: bytes, upto: dict[StreamId, int]) -> None:
        """Remember a believed receipt and what it gives custody of, durably; it becomes the latest of all.

        Raises:
            StorageError: the spool is as it was.
        """
        with self._transaction():
            self._db.execute(
                "INSERT INTO receipt (epoch, raw) VALUES (?, ?) ON CONFLICT (epoch) DO UPDATE SET raw = excluded.raw",
                (epoch, raw),
            )
            self._db.executemany(
                "UPDATE stream SET upto = ? WHERE stream_id = ?", [(seq, stream) for stream, seq in upto.items()]
            )

    def receipts(self) -> list[tuple[bytes, bytes]]:
        """(epoch, last receipt) of each store epoch in the order of their first receipts."""
        return self._db.execute("SELECT epoch, raw FROM receipt ORDER BY number").fetchall()

    def count_connection(self) -> int:
        """The number of this connection to the broker: 1 more than ever before.

        Raises:
            StorageError: not counted.
        """
        with self._transaction():
            self._db.execute(
                "INSERT INTO connection VALUES (1, 1) ON CONFLICT (number) DO UPDATE SET count = count + 1"
            )
            count: int = self._db.execute("SELECT count FROM connection").fetchone()[0]
        return count

    def make_room(self) -> int:
        """Delete one batch of what may and must go; returns how many frames went. Frames without a receipt MUST stay.

        Raises:
            StorageError: nothing went.
        """
        with storing("spool"):
            oldest = self._oldest_deletable()
            if oldest is None or (self._used() <= _ROOMY and self._age_ms(oldest[2]) <= _KEPT_MS):
                return 0
        number, first, _, limit = oldest
        with self._transaction():
            end = min(first + _BATCH, limit)
            return self._db.execute("DELETE FROM frame WHERE stream = ? AND seq < ?", (number, end)).rowcount

    def _oldest_deletable(self) -> tuple[int, int, int, int] | None:
        """(stream, first seq, its time, limit) of the stream whose oldest deletable frame is the oldest of all."""
        found = []
        for stream in self.streams():
            # Frame `upto` itself stays: the next receipt is believed for its hash.
            limit = min(stream.upto, stream.next_seq - _RESUMED_FROM)
            row = self._db.execute(
                "SELECT seq, until_ms FROM frame WHERE stream = ? ORDER BY seq LIMIT 1", (stream.number,)
            ).fetchone()
            if row and row[0] < limit:
                found.append((stream.number, row[0], row[1], limit))
        return min(found, key=lambda oldest: oldest[2], default=None)

    def _used(self) -> float:
        pages, free = (self._db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count"))
        used: float = (pages - free) * _PAGE_BYTES / self._quota_bytes
        return used

    def _age_ms(self, until_ms: int) -> int:
        """Age on the sampling clock, as far as it is written here."""
        newest = "SELECT max((SELECT until_ms FROM frame WHERE stream = number ORDER BY seq DESC LIMIT 1)) FROM stream"
        age: int = self._db.execute(newest).fetchone()[0] - until_ms
        return age

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with storing("spool"):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                # On a full disk sqlite may have rolled back by itself.
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise


def path_in(data_dir: Path) -> Path:
    """Where the spool of a data folder is."""
    return data_dir / "spool.sqlite"


class StreamStatus(TypedDict):
    """One stream of a spool, as `status` reports it."""

    stream: str
    instrument: str
    signed: int
    upto: int
    waiting: int


def status(data_dir: Path) -> list[StreamStatus]:
    """What the spool of a data folder holds, JSON-able, one entry a stream; also while a gateway runs on it.

    `signed` frames were ever signed, `upto` is the last seq in custody (-1: none), `waiting` are not in custody.

    Raises:
        StorageError: it cannot be read.
    """
    if not path_in(data_dir).exists():
        return []
    with storing("spool"), closing(sqlite3.connect(f"{path_in(data_dir).absolute().as_uri()}?mode=ro", uri=True)) as db:
        if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'stream'").fetchone():
            return []  # a gateway is just about to begin it
        return [
            StreamStatus(
                stream=stream.stream_id.hex(),
                instrument=stream.instrument,
                signed=stream.next_seq,
                upto=stream.upto,
                waiting=stream.next_seq - 1 - stream.upto,
            )
            for stream in Spool(db, 0).streams()
        ]
