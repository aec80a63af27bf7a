import json
from pathlib import Path

import pytest
from unit.gateway.room import FRAME_TICKS, INSTRUMENT, T0_MS, opened

from contract.errors import StorageError
from contract.ids import StreamId
from gateway import spool as spools
from gateway.spool import Spool

STREAM = StreamId(bytes(16))
DAY_MS = 86_400_000
KEPT = 16  # the newest frames, which a restart reads


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool.open(tmp_path, 8)


def fill(spool: Spool, count: int, *, size: int = 100, step_ms: int = 60_000, stream: StreamId = STREAM) -> int:
    number = spool.begin(stream, INSTRUMENT, b"genesis", T0_MS)
    for seq in range(1, count):
        spool.append(number, seq, (bytes([seq % 256]) * size, T0_MS + seq * step_ms))
    return number


def kept(spool: Spool, count: int, stream: StreamId = STREAM) -> list[int]:
    return [seq for seq in range(count) if spool.frame(stream, seq) is not None]


def test_a_frame_and_its_head_go_in_together(spool: Spool) -> None:
    number = fill(spool, 3)
    with pytest.raises(StorageError, match="not the next"):
        spool.append(number, 7, (b"skips", T0_MS))
    with pytest.raises(StorageError):
        spool.append(number, 2, (b"again", T0_MS))
    (stream,) = spool.streams()
    assert (stream.next_seq, kept(spool, 10)) == (3, [0, 1, 2])
    spool.append(number, 3, (b"next", T0_MS))
    assert spool.frame(STREAM, 3) == b"next"


def test_it_is_written_in_full_sync(spool: Spool) -> None:
    assert spool._db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert spool._db.execute("PRAGMA synchronous").fetchone() == (2,)


def test_without_a_receipt_nothing_is_deleted_however_old_or_full(spool: Spool) -> None:
    fill(spool, 100, size=75_000, step_ms=DAY_MS)
    assert spool._used() > 0.8
    assert spool.make_room() == 0
    assert kept(spool, 100) == list(range(100))


def test_a_receipt_deletes_nothing_while_there_is_room(spool: Spool) -> None:
    fill(spool, 100)
    spool.keep_receipt(b"epoch", b"raw", {STREAM: 99})
    assert spool.make_room() == 0
    assert kept(spool, 100) == list(range(100))


def test_after_30_days_what_is_in_custody_goes_but_not_its_end(spool: Spool) -> None:
    fill(spool, 60, step_ms=DAY_MS)
    spool.keep_receipt(b"epoch", b"raw", {STREAM: 10})
    assert spool.make_room() == 10
    assert kept(spool, 60) == list(range(10, 60)), "frame `upto` stays: its hash is asked for"
    spool.keep_receipt(b"epoch", b"raw", {STREAM: 59})
    while spool.make_room():
        pass
    assert kept(spool, 60) == list(range(60 - KEPT, 60))


def test_above_80_percent_the_oldest_in_custody_go_first(spool: Spool) -> None:
    other = StreamId(b"\1" * 16)
    fill(spool, 60, size=110_000, step_ms=2_000)
    fill(spool, 10, size=60_000, step_ms=1_000, stream=other)
    spool.keep_receipt(b"epoch", b"raw", {STREAM: 40, other: 9})
    assert spool._used() > 0.8
    assert spool.make_room() == 40
    assert kept(spool, 60)[0] == 40
    assert kept(spool, 10, other) == list(range(10)), "too new to go"
    assert spool.make_room() == 0, "there is room again"


def test_appending_makes_room_by_itself(spool: Spool) -> None:
    number = fill(spool, 70, size=100_000)
    spool.keep_receipt(b"epoch", b"raw", {STREAM: 69})
    for seq in range(70, 200):
        spool.append(number, seq, (bytes(100_000), T0_MS + seq * 60_000))
        spool.keep_receipt(b"epoch", b"raw", {STREAM: seq})
    assert kept(spool, 200)[-KEPT:] == list(range(200 - KEPT, 200))
    assert spool.first_seq(STREAM) == kept(spool, 200)[0] > 0


def test_receipts_are_kept_by_epoch_in_the_order_of_the_epochs(spool: Spool) -> None:
    spool.keep_receipt(b"a", b"a1", {})
    spool.keep_receipt(b"b", b"b1", {})
    spool.keep_receipt(b"b", b"b2", {})
    assert spool.receipts() == [(b"a", b"a1"), (b"b", b"b2")]


def test_connections_are_counted_across_processes(tmp_path: Path) -> None:
    first = Spool.open(tmp_path, 8)
    assert [first.count_connection(), first.count_connection()] == [1, 2]
    first.close()
    assert Spool.open(tmp_path, 8).count_connection() == 3


def test_status_says_what_waits_also_while_a_gateway_runs(tmp_path: Path) -> None:
    assert spools.status(tmp_path) == []
    with opened(tmp_path) as room:
        for number in range(2 * FRAME_TICKS):
            room.tick(number)
        stream = room.spool.streams()[0]
        room.spool.keep_receipt(b"epoch", b"raw", {stream.stream_id: 1})
        told = spools.status(tmp_path)
    assert json.loads(json.dumps(told)) == [
        {"stream": stream.stream_id.hex(), "instrument": INSTRUMENT, "signed": 3, "upto": 1, "waiting": 1}
    ]


def test_a_spool_that_is_none_is_a_storage_error(tmp_path: Path) -> None:
    spools.path_in(tmp_path).write_bytes(b"this is not a database" * 100)
    with pytest.raises(StorageError, match="spool"):
        Spool.open(tmp_path, 8)
    with pytest.raises(StorageError):
        spools.status(tmp_path)
