"""Frames in and out: COPY buffers against what the server reads back, evidence by time, months, statements."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest
from evidence import DAY_MS, LATER_MS, PERIOD_MS, TICKS, Gateway, Stream, enrol
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contract import codec, seal
from contract.errors import EvidenceError, Reason
from contract.frame import Content, Readings
from contract.ids import GatewayId, InstrumentId
from storage import copybinary, frames, statements
from storage.intake import Intake
from storage.pool import Connection
from storage.records import Batch, Head, Place, Run, StoredFrame
from storage.statements import Interval, Statement

ALPHA = Gateway(name="alpha")
INT64 = st.integers(-(1 << 63), (1 << 63) - 1)
TIME_MS = st.integers(0, 1 << 47)


@pytest.fixture
def store(migrated: str, tmp_path: Path) -> Callable[..., list[bytes]]:
    """Stores a stream of contents as one batch and returns its frames."""
    enrol(migrated, tmp_path, ALPHA)

    def put(*contents: Content, name: str = "first") -> list[bytes]:
        stream = Stream(gateway=ALPHA, name=name)
        stored = []
        for seq, content in enumerate(contents):
            raw = stream.add(content)
            sealed = seal.open_frame(raw)
            stored.append(
                StoredFrame(
                    place=Place(gateway=GatewayId("alpha"), stream_id=stream.stream_id, seq=seq),
                    frame_hash=sealed.frame_hash,
                    prev_hash=sealed.envelope.prev_hash,
                    content=codec.decode(sealed.payload),
                    received_at_ms=LATER_MS,
                    raw=raw,
                )
            )
        run = Run(first=0, last=len(stored) - 1, prev_hash=bytes(32), last_hash=stored[-1].frame_hash)
        head = Head(gateway=GatewayId("alpha"), instrument=ALPHA.instrument, runs=(run,))
        intake = Intake(migrated, "test")
        intake.heads([stream.stream_id])
        intake.store(Batch(received=len(stored), frames=stored, heads={stream.stream_id: head}))
        intake.close()
        return stream.frames

    return put


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)
@given(st.lists(st.tuples(INT64, st.integers(-(1 << 31), (1 << 31) - 1), TIME_MS, st.binary(min_size=4, max_size=4), st.binary(max_size=300)), min_size=1))  # fmt: skip # noqa: E501
def test_what_is_copied_is_what_the_server_reads(
    connection: Connection, rows: list[tuple[int, int, int, bytes, bytes]]
) -> None:
    connection.execute("DROP TABLE IF EXISTS copied")
    connection.execute("CREATE TABLE copied (a bigint, b integer, at timestamptz, four bytea, last bytea)")
    big, small, times, four, last = zip(*rows, strict=True)
    columns: list[Any] = [
        np.array(big, np.int64),
        np.array(small, np.int32),
        copybinary.timestamps(np.array(times, np.int64)),
        copybinary.fixed_bytes(four, 4),
    ]
    with connection.cursor().copy("COPY copied FROM STDIN (FORMAT BINARY)") as copy:
        copy.write(copybinary.rows(columns, last))
    query = "SELECT a, b, (extract(epoch FROM at) * 1000)::bigint, four, last FROM copied"
    assert connection.execute(query).fetchall() == rows


def test_a_stored_frame_is_read_back_to_the_byte_with_its_columns(
    store: Callable[..., list[bytes]], connection: Connection
) -> None:
    raws = store(ALPHA.genesis(), ALPHA.measurement(), ALPHA.outage(DAY_MS + 10_000, DAY_MS + 20_000))
    query = "SELECT seq, kind, frame_hash, prev_hash, begin_ms, end_ms, received_at_ms, bytes FROM frame ORDER BY seq"
    hashes = [seal.frame_hash(raw) for raw in raws]
    end_ms = DAY_MS + (TICKS - 1) * PERIOD_MS
    assert connection.execute(query).fetchall() == [
        (0, 2, hashes[0], bytes(32), DAY_MS, DAY_MS, LATER_MS, raws[0]),
        (1, 0, hashes[1], hashes[0], DAY_MS, end_ms, LATER_MS, raws[1]),
        (2, 1, hashes[2], hashes[1], DAY_MS + 10_000, DAY_MS + 20_000, LATER_MS, raws[2]),
    ]


def test_samples_and_run_states_are_projected(store: Callable[..., list[bytes]], connection: Connection) -> None:
    measured = ALPHA.measurement()
    power = Readings(values=(5, -7, 10**11), absent=(1, 3))
    lines = Readings(values=(0, 0, 1, 0), absent=(0,))
    store(ALPHA.genesis(), replace(measured, power=power, lines=lines), replace(measured, power=None, utc_ms=tuple(
        tick + 60_000 for tick in measured.utc_ms)))  # fmt: skip
    samples = connection.execute("SELECT taken_at, power_mw FROM power_sample ORDER BY 1").fetchall()
    at = [datetime.fromtimestamp(tick / 1_000, UTC) for tick in measured.utc_ms]
    assert samples == [(at[0], 5), (at[2], -7), (at[4], 10**11)]
    states = connection.execute("SELECT taken_at, closed_lines FROM run_state ORDER BY 1").fetchall()
    assert states[:3] == [(at[1], 0), (at[3], 1), (at[4], 0)]
    assert [closed for _, closed in states[3:]] == [0, 1, 0]


def test_frames_are_read_by_time_then_stream_then_seq(
    store: Callable[..., list[bytes]], connection: Connection
) -> None:
    contents = [ALPHA.genesis(), *(ALPHA.measurement(DAY_MS + 60_000 * minute) for minute in range(1, 6))]
    first, second = store(*contents), store(*contents, name="second")
    start_ms, end_ms = DAY_MS + 120_000, DAY_MS + 120_000 + (TICKS - 1) * PERIOD_MS

    def read(from_ms: int, to_ms: int) -> list[bytes]:
        return list(frames.read(connection, ALPHA.instrument, from_ms, to_ms))

    assert read(0, 1 << 50) == [*first, *second]
    assert read(start_ms, end_ms + 60_000) == [*first[2:4], *second[2:4]]
    assert read(end_ms, end_ms + 1) == [first[2], second[2]]
    assert read(end_ms + 1, end_ms + 2) == []
    assert read(start_ms - 1, start_ms) == []
    assert list(frames.read(connection, InstrumentId("another"), 0, 1 << 50)) == []


def test_a_reader_that_stops_early_leaves_the_connection_usable(
    store: Callable[..., list[bytes]], connection: Connection
) -> None:
    raws = store(ALPHA.genesis(), ALPHA.measurement())
    reading = frames.read(connection, ALPHA.instrument, 0, 1 << 50)
    assert next(reading) == raws[0]
    reading.close()  # type: ignore[attr-defined]
    assert list(frames.read(connection, ALPHA.instrument, 0, 1 << 50)) == raws


def test_months_are_made_as_samples_come(store: Callable[..., list[bytes]], connection: Connection) -> None:
    year_end_ms = 1_767_225_600_000  # 2026-01-01T00:00Z
    store(ALPHA.genesis(), ALPHA.measurement(year_end_ms - 2_000), ALPHA.measurement(year_end_ms + 40 * 86_400_000))
    query = "SELECT tableoid::regclass::text, count(*) FROM power_sample GROUP BY 1 ORDER BY 1"
    if connection.execute("SELECT FROM pg_extension WHERE extname = 'timescaledb'").fetchone() is None:
        assert connection.execute(query).fetchall() == [
            ("power_sample_2025_12", 2), ("power_sample_2026_01", 3), ("power_sample_2026_02", 5)
        ]  # fmt: skip
    assert connection.execute("SELECT count(*) FROM power_sample").fetchone() == (2 * TICKS,)


def test_one_place_holds_one_frame(store: Callable[..., list[bytes]], connection: Connection) -> None:
    store(ALPHA.genesis(), ALPHA.measurement())
    again = "INSERT INTO frame SELECT stream_no, seq, kind, frame_hash, prev_hash, 0, 0, 0, now(), bytes FROM frame"
    with pytest.raises(psycopg.errors.UniqueViolation):
        connection.execute(again)


STATEMENT = Statement(
    instrument=ALPHA.instrument,
    day=date(2025, 3, 10),
    period_from_ms=DAY_MS,
    period_to_ms=DAY_MS + 86_400_000,
    policy_hash=bytes(32),
    evidence_digest=bytes(32),
    rules_version="1",
    code_version="0.1.0",
    provisional=True,
    level=3,
    document={"hours": {"effective_ms": 18_000_000}},
    digest=b"first" + bytes(27),
    supersedes=None,
    decided_at_ms=LATER_MS,
)
INTERVALS = (
    Interval(from_ms=DAY_MS, to_ms=DAY_MS + 1_000, kind="running", level=3),
    Interval(from_ms=DAY_MS + 1_000, to_ms=DAY_MS + 2_000, kind="unknown", level=0),
)


@pytest.mark.usefixtures("store")
def test_a_statement_is_appended_once_and_superseded_once(connection: Connection) -> None:
    def read() -> tuple[Statement, ...]:
        return statements.read(connection, ALPHA.instrument, DAY_MS, DAY_MS + 1)

    assert statements.append(connection, STATEMENT, INTERVALS)
    assert not statements.append(connection, STATEMENT, INTERVALS)
    assert read() == (STATEMENT,)
    assert statements.intervals(connection, STATEMENT.digest) == INTERVALS
    correction = replace(STATEMENT, digest=b"second" + bytes(26), supersedes=STATEMENT.digest, provisional=False)
    assert statements.append(connection, correction, ())
    assert read() == (correction,)
    assert statements.read(connection, ALPHA.instrument, DAY_MS - 1, DAY_MS) == ()
    for refused in (
        replace(correction, digest=b"third" + bytes(27)),
        replace(correction, digest=b"third" + bytes(27), supersedes=b"unknown" + bytes(25)),
        replace(STATEMENT, digest=b"third" + bytes(27), instrument=InstrumentId("unknown")),
    ):
        with pytest.raises(EvidenceError) as caught:
            statements.append(connection, refused, INTERVALS)
        assert caught.value.reason is Reason.NOT_STORABLE
    assert read() == (correction,)
