"""The collector's door: heads and known hashes out, batches in, each batch in one transaction.

It keeps one connection and caches what it has committed. After any error the connection is closed and every cache
dropped: the next call begins from what the database says.

Does not: decide what is admitted, retry, or speak to a broker.
"""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from hashlib import sha256

from contract.ids import GatewayId, InstrumentId, SiteId, StreamId
from contract.receipt import MAX_HELD, MAX_STREAMS, Custody
from contract.registry import Registry
from storage import heads, projection, registry
from storage.pool import Connection, connect, mapped
from storage.queries import SQL
from storage.records import Batch, GatewayCustody, Head, Quarantined, StoredFrame

_MAX_TEXT = 256
_KEPT_UNAUTHENTIC = 10_000
"""Anyone can send bytes that no key signed: only the newest of them are remembered."""


class Intake:
    """One collector's place at the database. Not for use by two threads at once.

    Every method MAY raise StorageError (back off and call again) or ConfigError (the DSN).
    """

    def __init__(self, dsn: str | None, collector: str) -> None:
        self._dsn, self._collector = dsn, collector
        self._connection: Connection | None = None
        self._snapshot: tuple[int, Registry] | None = None
        self._heads: dict[StreamId, heads.StoredHead] = {}
        self._instrument_no: dict[InstrumentId, int] = {}
        self._months: set[date] = set()

    def registry(self) -> Registry:
        """The registry of this moment; read again only when it was changed."""
        with self._working() as connection:
            revision = registry.revision(connection)
            if self._snapshot is None or self._snapshot[0] != revision:
                self._snapshot = revision, registry.snapshot(connection)
            return self._snapshot[1]

    def heads(self, streams: Collection[StreamId]) -> dict[StreamId, Head]:
        """Committed heads of those streams that are known."""
        with self._working() as connection:
            if unknown := [stream for stream in streams if stream not in self._heads]:
                self._heads.update(heads.fetch(connection, unknown))
            return {stream: self._heads[stream].head for stream in streams if stream in self._heads}

    def known(self, places: Collection[tuple[StreamId, int]]) -> dict[tuple[StreamId, int], set[bytes]]:
        """Hashes in custody under each (stream, seq), stored or quarantined. The streams were asked for in `heads`."""
        found: dict[tuple[StreamId, int], set[bytes]] = {place: set() for place in places}
        numbers = {self._heads[stream].stream_no: stream for stream, _ in places}
        asked = [[self._heads[stream].stream_no for stream, _ in places], [seq for _, seq in places]]
        with self._working() as connection:
            rows = connection.execute(SQL["known_hashes"], asked * 2, binary=True) if places else ()
            for stream_no, seq, frame_hash in rows:
                found[numbers[stream_no], seq].add(frame_hash)
        return found

    def store(self, batch: Batch) -> None:
        """Store a batch: durable, all of it, when this returns; nothing of it is stored when it raises.

        The streams of the batch MUST have been asked for in `heads` since the last error.

        Raises:
            EvidenceError: NOT_STORABLE, something in it cannot be stored: halve the batch to find it.
            HeadsMovedError: admit the batch again from fresh heads.
        """
        with self._working() as connection:
            measurements = projection.placed(batch.frames)
            numbers = self._numbers(connection, {m.instrument for m in measurements})
            power = projection.power_samples(measurements, numbers)
            lines = projection.run_states(measurements, numbers)
            self._make_months(connection, {*projection.months(power), *projection.months(lines)})
            with connection.transaction():
                moved = heads.move(connection, self._heads, batch.heads) if batch.heads else {}
                stream_no = {stream: stored.stream_no for stream, stored in (self._heads | moved).items()}
                _copy_frames(connection, batch.frames, stream_no)
                _copy(connection, "copy_power_samples", power)
                _copy(connection, "copy_run_states", lines)
                _quarantine(connection, batch.quarantined, stream_no)
                self._count(connection, batch)
            self._heads.update(moved)

    def custody(self, gateways: Collection[GatewayId]) -> list[GatewayCustody]:
        """What is in custody of each gateway, as committed at this moment."""
        asked = [list(gateways)]
        with self._working() as connection:
            # The counter first: a receipt with a higher one never says less.
            marks = connection.execute(SQL["receipt_marks"], asked, binary=True).fetchall()
            streams: dict[str, list[Custody]] = {gateway: [] for gateway in gateways}
            for gateway, stream_id, upto, upto_hash, held in connection.execute(SQL["custody"], asked, binary=True):
                ranges = heads.held_ranges(held)[:MAX_HELD]
                one = Custody(stream_id=StreamId(stream_id), upto=upto, frame_hash=upto_hash, held=ranges)
                streams[gateway].append(one)
        return [
            GatewayCustody(
                site=SiteId(site),
                gateway=GatewayId(gateway),
                store_epoch=epoch,
                counter=counter,
                streams=tuple(streams[gateway][:MAX_STREAMS]),
            )
            for gateway, site, epoch, counter in marks
        ]

    def close(self) -> None:
        """Close the connection and forget everything; the next call connects again."""
        if self._connection is not None:
            self._connection.close()
        self._connection = self._snapshot = None
        for cache in (self._heads, self._instrument_no, self._months):
            cache.clear()

    @contextmanager
    def _working(self) -> Iterator[Connection]:
        try:
            with mapped():
                self._connection = self._connection or connect(self._dsn)
                yield self._connection
        except BaseException:
            self.close()
            raise

    def _numbers(self, connection: Connection, instruments: set[InstrumentId]) -> Mapping[InstrumentId, int]:
        if unknown := [one for one in instruments if one not in self._instrument_no]:
            self._instrument_no.update(connection.execute(SQL["instrument_numbers"], [unknown]).fetchall())
        return self._instrument_no

    def _make_months(self, connection: Connection, months: set[date]) -> None:
        for month in sorted(months - self._months):
            connection.execute(SQL["ensure_month"], [month])
            self._months.add(month)

    def _count(self, connection: Connection, batch: Batch) -> None:
        counts = [batch.received, len(batch.frames), batch.duplicate, len(batch.quarantined)]
        connection.execute(SQL["count_intake"], [self._collector, *counts])


def _copy_frames(connection: Connection, frames: list[StoredFrame], stream_no: Mapping[StreamId, int]) -> None:
    if frames:
        with connection.cursor().copy(SQL["copy_frames"]) as copy:
            copy.write(projection.frame_rows(frames, stream_no))


def _copy(connection: Connection, statement: str, columns: projection.Columns) -> None:
    if len(columns[0]):
        with connection.cursor().copy(SQL[statement]) as copy:
            copy.write(projection.rows(columns))


def _quarantine(connection: Connection, refused: list[Quarantined], stream_no: Mapping[StreamId, int]) -> None:
    if not refused:
        return
    rows = [
        (
            one.received_at_ms,
            _clipped(one.topic),
            one.place and one.place.gateway,
            one.place and stream_no[one.place.stream_id],
            one.place and one.place.seq,
            one.reason,
            _clipped(one.detail),
            sha256(one.raw).digest(),
            len(one.raw),
            one.raw if one.place else None,
        )
        for one in refused
    ]
    connection.execute(SQL["quarantine"], [list(column) for column in zip(*rows, strict=True)])
    if any(one.place is None for one in refused):
        connection.execute(SQL["trim_quarantine"], [_KEPT_UNAUTHENTIC])


def _clipped(text: str) -> str:
    """Text from outside, as PostgreSQL takes it: of bounded length, valid, without NUL."""
    return text[:_MAX_TEXT].encode("utf-8", "replace").decode().replace("\x00", "?")
