"""The sink on a real database: exactly once, whatever order, and whatever is poisoned, fails or competes."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from evidence import DAY_MS, LATER_MS, TICKS, Gateway, Stream, enrol, retimed, sealed

from collector import admission
from collector.sink import Sink
from collector.subscriber import Message
from contract import codec, seal
from contract.errors import EvidenceError, Reason, StorageError
from contract.frame import Meter
from contract.ids import GatewayId
from contract.states import ClockState
from storage import counters, frames
from storage.intake import Intake
from storage.pool import Connection

ALPHA, BETA, STRANGER = Gateway(name="alpha"), Gateway(name="beta"), Gateway(name="stranger")
QUARANTINED = "SELECT reason, authentic, bytes FROM quarantine ORDER BY quarantine_no"


def message(raw: bytes, topic: str = ALPHA.topic) -> Message:
    return Message(raw=raw, topic=topic, received_at_ms=LATER_MS, mid=1, qos=1, connection=0)


def messages(*raws: bytes) -> list[Message]:
    return [message(raw) for raw in raws]


@pytest.fixture
def make_sink(migrated: str, tmp_path: Path) -> Iterator[Callable[[], Sink]]:
    """Makes sinks on one database; each leaves at the first failure of storage instead of waiting."""
    enrol(migrated, tmp_path, ALPHA, BETA)
    opened: list[Intake] = []

    def make() -> Sink:
        opened.append(Intake(migrated, f"sink-{len(opened)}"))
        return Sink(opened[-1], lambda seconds: seconds > 0)

    yield make
    for intake in opened:
        intake.close()


@pytest.fixture
def sink(make_sink: Callable[[], Sink]) -> Sink:
    return make_sink()


def test_frames_and_samples_are_stored_once(sink: Sink, connection: Connection) -> None:
    raws = Stream(gateway=ALPHA).grow(10)
    sink.take(messages(*raws[5:], *raws[:5], *raws))
    sink.take(messages(*raws))
    total = counters.read(connection)
    assert list(frames.read(connection, ALPHA.instrument, 0, 1 << 50)) == raws
    assert total.balanced
    assert (total.received, total.stored, total.duplicate, total.quarantined) == (30, 10, 20, 0)
    assert total.samples == 9 * TICKS


def test_what_was_examined_ahead_is_stored_as_it_is(sink: Sink, connection: Connection) -> None:
    raws = Stream(gateway=ALPHA).grow(6)
    first, second = messages(*raws[:3]), messages(*raws[3:], raws[0], b"nonsense")
    assert sink.examine(first).registry is None  # no registry was read yet
    sink.take(first)
    ahead = sink.examine(second)
    assert ahead.registry is not None
    sink.take(second, ahead)
    assert list(frames.read(connection, ALPHA.instrument, 0, 1 << 50)) == raws
    assert counters.read(connection).balanced
    assert (sink.counts["stored"], sink.counts["duplicate"], sink.counts["quarantined"]) == (6, 1, 1)


def test_a_registry_that_changed_since_is_the_one_that_judges(
    sink: Sink, connection: Connection, migrated: str, tmp_path: Path
) -> None:
    sink.take(messages(*Stream(gateway=ALPHA).grow(1)))
    raws = Stream(gateway=STRANGER).grow(3)
    batch = [message(raw, STRANGER.topic) for raw in raws]
    ahead = sink.examine(batch)
    assert all(isinstance(one, EvidenceError) for one in ahead.found)
    enrol(migrated, tmp_path, ALPHA, BETA, STRANGER)
    sink.take(batch, ahead)
    assert list(frames.read(connection, STRANGER.instrument, 0, 1 << 50)) == raws


def test_custody_is_what_receipts_will_say(sink: Sink, migrated: str) -> None:
    raws = Stream(gateway=ALPHA).grow(10)
    heard = sink.take(messages(*raws[:3], raws[5], raws[6], raws[9]))
    assert heard == {"alpha": 6}
    with closing(Intake(migrated, "another")) as intake:
        first, second = (intake.custody([GatewayId("alpha")])[0] for _ in range(2))
    stream = first.streams[0]
    assert (stream.upto, stream.frame_hash, stream.held) == (2, seal.frame_hash(raws[2]), ((5, 6), (9, 9)))
    assert second.counter > first.counter
    assert second.store_epoch == first.store_epoch != bytes(8)


POISON = [
    (Reason.TOO_LARGE, False, bytes(70_000), ALPHA.topic),
    (Reason.BAD_ENVELOPE, False, b"\x00", ALPHA.topic),
    (Reason.UNKNOWN_KEY, False, Stream(gateway=STRANGER).grow(1)[0], STRANGER.topic),
    (Reason.BAD_TOPIC, False, Stream(gateway=ALPHA).grow(1)[0], "nul\x00\udc80" + "x" * 1_000),
    (Reason.WRONG_GATEWAY, False, Stream(gateway=ALPHA).grow(1)[0], BETA.topic),
    (Reason.BAD_SIGNATURE, False, Stream(gateway=ALPHA).grow(1)[0][:-1] + b"\x00", ALPHA.topic),
]


def poison_in_place(stream: Stream) -> list[tuple[Reason, bytes]]:
    """Frames that are signed, each in a place of its own, each with a fault of its own."""
    measured = ALPHA.measurement()
    odd = codec.encode(measured)
    simulated = replace(measured, clock=ClockState.SIMULATED)
    ahead = retimed(measured, LATER_MS + 3_600_000, ClockState.SYNCHRONISED)
    stranger = replace(measured, meter=Meter(model="sdm120", serial="unheard-of"))
    return [
        (Reason.UNKNOWN_VERSION, stream.add(b"from the future", version=9)),
        (Reason.MALFORMED, stream.add(b"\xff")),
        (Reason.NOT_CANONICAL, stream.add(odd[:1] + b"\x18\x00" + odd[2:])),
        (Reason.SIMULATED_CLOCK, stream.add(codec.encode(simulated))),
        (Reason.FUTURE_TIME, stream.add(codec.encode(ahead))),
        (Reason.KEY_NOT_VALID, stream.add(codec.encode(retimed(measured, 1_000, ClockState.SYNCHRONISED)))),
        (Reason.WRONG_STREAM, stream.add(codec.encode(ALPHA.genesis()))),
        (Reason.NO_BINDING, stream.add(codec.encode(replace(measured, instrument=BETA.instrument)))),
        (Reason.WRONG_METER, stream.add(codec.encode(stranger))),
        (Reason.OFF_CHAIN, stream.add(codec.encode(measured), prev_hash=bytes(31) + b"x")),
    ]


def test_poison_is_quarantined_under_its_code_and_stalls_nobody(sink: Sink, connection: Connection) -> None:
    stream = Stream(gateway=ALPHA)
    first = stream.grow(1)[0]
    in_place = poison_in_place(stream)
    last = stream.grow(1)[0]
    twin = sealed(stream, 0, seal.FIRST_PREV_HASH, codec.encode(replace(ALPHA.genesis(), created_ms=DAY_MS + 1)))
    strays = [message(raw, topic) for _, _, raw, topic in POISON]
    sink.take([message(first), *strays, *messages(*(raw for _, raw in in_place)), message(twin), message(last)])

    expected: list[tuple[str, bool, bytes | None]] = [(reason, False, None) for reason, _, _, _ in POISON]
    expected += [(reason, True, raw) for reason, raw in [*in_place, (Reason.EQUIVOCATION, twin)]]
    assert connection.execute(QUARANTINED).fetchall() == expected
    assert {Reason(reason) for reason, _, _ in expected} | {Reason.NOT_STORABLE, Reason.TOO_MANY_HOLES} == set(Reason)
    assert list(frames.read(connection, ALPHA.instrument, 0, 1 << 50)) == [first, last]
    assert counters.read(connection).balanced
    upto = connection.execute("SELECT upto, upto_hash, held FROM stream_head").fetchall()
    assert upto == [(len(in_place) + 1, seal.frame_hash(last), [])]


def test_what_was_quarantined_in_its_place_is_known_again(sink: Sink, connection: Connection) -> None:
    stream = Stream(gateway=ALPHA)
    raws = [raw for _, raw in poison_in_place(stream)]
    for _ in range(3):
        assert sink.take(messages(*raws)) == {"alpha": len(raws)}
    total = counters.read(connection)
    assert (total.quarantined, total.duplicate) == (len(raws), 2 * len(raws))


def test_equivocation_is_remembered_by_its_lowest_place(sink: Sink, connection: Connection) -> None:
    stream = Stream(gateway=ALPHA)
    raws = stream.grow(5)
    twins = [
        sealed(stream, seq, seal.frame_hash(raws[seq - 1]), codec.encode(ALPHA.measurement(DAY_MS + seq)))
        for seq in (4, 2)
    ]
    sink.take(messages(*raws, twins[0]))
    sink.take(messages(twins[1]))
    assert frames.equivocated(connection, ALPHA.instrument) == {stream.stream_id: 2}
    assert frames.equivocated(connection, BETA.instrument) == {}
    assert counters.read(connection).equivocations == 2


def test_only_the_newest_of_what_nobody_signed_are_kept(connection: Connection) -> None:
    insert = """INSERT INTO quarantine (received_at_ms, topic, authentic, reason, detail, sha256, size_bytes)
        SELECT n, '', false, 'bad-envelope', '', sha256(''), 0 FROM generate_series(1, 10) n"""
    connection.execute(insert)
    connection.execute("SELECT trim_quarantine(4)")
    kept = connection.execute("SELECT received_at_ms FROM quarantine ORDER BY 1").fetchall()
    assert kept == [(7,), (8,), (9,), (10,)]


@pytest.mark.parametrize("at", range(8))
def test_what_cannot_be_stored_is_found_in_its_batch(sink: Sink, connection: Connection, at: int) -> None:
    connection.execute(f"ALTER TABLE frame ADD CONSTRAINT poisoned CHECK (seq <> {at})")
    raws = Stream(gateway=ALPHA).grow(8)
    assert sink.take(messages(*raws)) == {"alpha": 8}
    assert connection.execute(QUARANTINED).fetchall() == [(Reason.NOT_STORABLE, True, raws[at])]
    assert list(frames.read(connection, ALPHA.instrument, 0, 1 << 50)) == [*raws[:at], *raws[at + 1 :]]
    assert counters.read(connection).balanced
    assert connection.execute("SELECT upto FROM stream_head").fetchall() == [(7,)]


def test_what_fails_even_without_the_frame_is_a_failure_of_storage(sink: Sink, connection: Connection) -> None:
    connection.execute("ALTER TABLE intake ADD CONSTRAINT full_up CHECK (received < 0)")
    with pytest.raises(StorageError):
        sink.take(messages(*Stream(gateway=ALPHA).grow(1)))
    assert connection.execute("SELECT count(*) FROM quarantine").fetchall() == [(0,)]


@pytest.mark.parametrize(("step", "authentic"), [("authenticate", False), ("judge", True)])
def test_a_fault_of_ours_in_one_frame_stalls_no_other(
    sink: Sink, connection: Connection, monkeypatch: pytest.MonkeyPatch, step: str, *, authentic: bool
) -> None:
    raws = Stream(gateway=ALPHA).grow(3)
    real = getattr(admission, step)

    def breaks(first: bytes | admission.Frame, *rest: object) -> object:
        frame_hash = first.sealed.frame_hash if isinstance(first, admission.Frame) else seal.frame_hash(first)
        if frame_hash == seal.frame_hash(raws[1]):
            raise ZeroDivisionError
        return real(first, *rest)

    monkeypatch.setattr(admission, step, breaks)
    sink.take(messages(*raws))
    rows = connection.execute(QUARANTINED).fetchall()
    assert [(reason, kept) for reason, kept, _ in rows] == [(Reason.MALFORMED, authentic)]
    assert list(frames.read(connection, ALPHA.instrument, 0, 1 << 50)) == [raws[0], raws[2]]


def test_a_second_collector_is_fenced(make_sink: Callable[[], Sink], connection: Connection) -> None:
    one, other = make_sink(), make_sink()
    raws = Stream(gateway=ALPHA).grow(40)
    # Each acts on a head that the other has moved since.
    for part, (start, end) in enumerate(pairwise(range(0, 41, 4))):
        (one, other)[part % 2].take(messages(*raws[start:end]))
    assert connection.execute("SELECT upto, held FROM stream_head").fetchall() == [(39, [])]
    assert list(frames.read(connection, ALPHA.instrument, 0, 1 << 50)) == raws
    assert counters.read(connection).samples == 39 * TICKS


def test_two_collectors_that_hear_the_same_store_it_once(make_sink: Callable[[], Sink], connection: Connection) -> None:
    one, other = make_sink(), make_sink()
    raws = Stream(gateway=ALPHA).grow(40)
    for part, (start, end) in enumerate(pairwise(range(0, 41, 4))):
        first, second = (one, other) if part % 2 else (other, one)
        first.take(messages(*raws[start:end]))
        second.take(messages(*raws[max(0, start - 4) : end]))
    total = counters.read(connection)
    assert total.balanced
    assert (total.stored, total.quarantined, total.samples) == (40, 0, 39 * TICKS)


def test_a_lost_connection_loses_nothing_and_stores_nothing_twice(sink: Sink, connection: Connection) -> None:
    raws = Stream(gateway=ALPHA).grow(6)
    sink.take(messages(*raws[:3]))
    connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
        "AND pid <> pg_backend_pid()"
    )
    with pytest.raises(StorageError):
        sink.take(messages(*raws))
    sink.take(messages(*raws))
    total = counters.read(connection)
    assert (total.received, total.stored, total.duplicate) == (9, 6, 3)
    assert total.balanced


def test_the_role_of_services_is_enough(sink: Sink, connection: Connection) -> None:
    connection.execute(f"ALTER DATABASE {connection.info.dbname} SET role = 'jishi_service'")
    stream = Stream(gateway=ALPHA)
    sink.take(messages(*stream.grow(3), b"", *(raw for _, raw in poison_in_place(stream))))
    assert sink.take(messages(*stream.frames)) == {"alpha": len(stream.frames)}
    assert counters.read(connection).stored == 3


def test_a_key_enrolled_later_works_without_a_restart(
    sink: Sink, migrated: str, connection: Connection, tmp_path: Path
) -> None:
    raws = Stream(gateway=STRANGER).grow(3)
    heard = [message(raw, STRANGER.topic) for raw in raws]
    assert sink.take(heard) == {}
    enrol(migrated, tmp_path, STRANGER)
    assert sink.take(heard) == {"stranger": 3}
    assert list(frames.read(connection, STRANGER.instrument, 0, 1 << 50)) == raws


def test_times_without_a_place_project_no_samples(sink: Sink, connection: Connection) -> None:
    stream = Stream(gateway=ALPHA)
    stream.grow(1)
    raw = stream.add(retimed(ALPHA.measurement(), 1_000, ClockState.UNSYNCHRONISED))
    sink.take(messages(*stream.frames))
    assert counters.read(connection).samples == 0
    assert list(frames.read(connection, ALPHA.instrument, 0, 2_000)) == [raw]
