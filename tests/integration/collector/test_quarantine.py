"""Readmission on a real database: after a fix a frame is in its place, once, and the hours are there."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from evidence import DAY_MS, LATER_MS, TICKS, Stream, sealed
from integration.collector.quarantine_lab import ALPHA, ASKED, BETA, NO_BINDING, NOW_MS, Laboratory

from collector import quarantine
from collector.quarantine import Decided, Fate
from contract import codec, seal
from contract.errors import ConfigError, Reason
from contract.frame import Meter
from contract.units import utc_text
from metering.pack import cli as packs
from metering.verifier import cli as verifier
from storage import counters, frames, registry
from storage.pool import Connection, connect
from storage.quarantine import Wanted

RUN_MS = 1_000
"""A frame of five ticks a second apart closes the run line at the third tick: a second of run, for the point value."""


@pytest.fixture
def lab(migrated: str, tmp_path: Path, connection: Connection) -> Iterator[Laboratory]:
    made = Laboratory(migrated, tmp_path, connection)
    yield made
    made.close()


def ten() -> Stream:
    stream = Stream(gateway=ALPHA)
    stream.grow(10)
    return stream


def fates(decided: list[Decided]) -> dict[Fate, int]:
    return {fate: sum(one.fate is fate for one in decided) for fate in Fate if fate in {one.fate for one in decided}}


def test_a_binding_that_was_missing_gives_its_hours_once_it_is_there(lab: Laboratory, tmp_path: Path) -> None:
    stream = ten()
    lab.hear(*stream.frames)
    heads = lab.rows("stream_head")
    assert lab.stored() == []
    assert fates(lab.readmit()) == {Fate.REFUSED: 10}
    lab.bind()
    quarantined = lab.rows("quarantine")
    assert fates(lab.readmit()) == {Fate.READMITTED: 10}

    assert lab.stored() == stream.frames
    assert lab.rows("quarantine") == quarantined
    assert [row[:4] for row in lab.rows("stream_head")] == [row[:4] for row in heads]
    found = lab.hours()
    assert (found.appended, found.total["effective_ms"]) == (1, 9 * RUN_MS)
    total = counters.read(lab.connection)
    assert total.balanced
    assert (total.received, total.stored, total.quarantined, total.readmitted, total.frames) == (10, 0, 10, 10, 10)
    assert total.samples == 9 * TICKS
    done = lab.connection.execute("SELECT DISTINCT readmitted_at_ms, readmitted_by, registry_revision FROM readmission")
    assert done.fetchall() == [(NOW_MS, "a tester", registry.revision(lab.connection))]

    pack, keys = tmp_path / "pack.zip", tmp_path / "keys.json"
    dsn = lab.dsn
    packs.export_pack(dsn, ALPHA.instrument, (utc_text(ASKED[0]), utc_text(ASKED[1])), pack, 3, "")
    packs.export_keys(dsn, keys, None)
    report, status = verifier.run(pack, keys)
    assert status == 0, report


def test_a_second_readmission_changes_nothing(lab: Laboratory) -> None:
    lab.hear(*ten().frames)
    lab.bind()
    lab.readmit()
    lab.hours()
    tables = ["frame", "power_sample", "run_state", "quarantine", "readmission", "stream_head", "intake", "statement"]
    before = [lab.rows(table) for table in tables]
    numbers = Wanted(numbers=tuple(range(1, 11)))
    assert lab.readmit() == []
    assert fates(lab.readmit(numbers)) == {Fate.ALREADY: 10}
    assert lab.hours().appended == 0
    assert [lab.rows(table) for table in tables] == before


def test_two_who_readmit_at_once_do_it_once(lab: Laboratory, migrated: str) -> None:
    raws = [raw for name in ("one", "two", "three") for raw in Stream(gateway=ALPHA, name=name).grow(30)]
    lab.hear(*raws)
    lab.bind()
    with ThreadPoolExecutor(3) as several:
        ends = [one.result() for one in [several.submit(_readmit, migrated) for _ in range(3)]]
    assert sum(fates(end).get(Fate.READMITTED, 0) for end in ends) == len(raws)
    assert not any(Fate.REFUSED in fates(end) for end in ends)
    total = counters.read(lab.connection)
    assert total.balanced
    assert (total.frames, total.samples) == (90, 87 * TICKS)


def _readmit(dsn: str) -> list[Decided]:
    with connect(dsn) as connection:
        return quarantine.readmit(connection, NO_BINDING, "a tester", NOW_MS)


def test_late_hours_supersede_the_statement_that_lacked_them(lab: Laboratory) -> None:
    stream = ten()
    lab.bind()
    lab.hear(*stream.frames[:5])
    lab.connection.execute("UPDATE binding SET valid_to_ms = %s WHERE gateway_no = 1", [DAY_MS + 270_000])
    lab.load('[[meter]]\nmodel = "sdm120"\nserial = "spare"')
    lab.hear(*stream.frames[5:])
    assert lab.hours().total["effective_ms"] == 4 * RUN_MS
    lab.bind(DAY_MS + 270_000)
    assert fates(lab.readmit()) == {Fate.READMITTED: 5}
    again = lab.hours()
    assert (again.appended, again.total["effective_ms"]) == (1, 9 * RUN_MS)


def test_what_comes_again_afterwards_is_a_duplicate(lab: Laboratory) -> None:
    stream = ten()
    lab.hear(*stream.frames)
    lab.bind()
    lab.readmit()
    lab.hear(*stream.frames, *stream.grow(2))
    total = counters.read(lab.connection)
    assert total.balanced
    assert (total.received, total.stored, total.duplicate, total.frames) == (22, 2, 10, 12)
    assert lab.stored() == stream.frames


def test_a_contradiction_is_never_admitted_not_even_by_its_number(lab: Laboratory) -> None:
    stream = ten()
    twin = sealed(stream, 4, seal.frame_hash(stream.frames[3]), codec.encode(ALPHA.measurement(DAY_MS + 7)))
    lab.hear(*stream.frames, twin)
    lab.bind()
    with pytest.raises(ConfigError, match="for people to decide"):
        lab.readmit(Wanted(reason=Reason.EQUIVOCATION))
    refused = [one for one in lab.readmit(Wanted(numbers=tuple(range(1, 12)))) if one.fate is Fate.REFUSED]
    assert [(one.quarantine_no, one.reason) for one in refused] == [(5, Reason.EQUIVOCATION), (11, Reason.EQUIVOCATION)]
    assert lab.stored() == stream.frames[:4] + stream.frames[5:]
    assert frames.equivocated(lab.connection, ALPHA.instrument) == {stream.stream_id: 4}


def test_what_was_kept_by_hash_alone_must_come_again(lab: Laboratory) -> None:
    raw = ten().frames[0]
    lab.hear(raw[:-1] + bytes([raw[-1] ^ 1]))
    (one,) = lab.readmit(Wanted(numbers=(1,)))
    assert (one.fate, one.reason) == (Fate.REFUSED, Reason.BAD_SIGNATURE)
    assert "send it again" in one.detail
    (unknown,) = lab.readmit(Wanted(numbers=(77,)))
    assert unknown.fate is Fate.UNKNOWN


def test_a_frame_that_does_not_link_is_refused_for_that_once_its_binding_is_there(lab: Laboratory) -> None:
    stream = Stream(gateway=ALPHA)
    stream.grow(3)
    stray = stream.add(ALPHA.measurement(DAY_MS + 180_000), prev_hash=bytes(31) + b"x")
    followed = stream.add(ALPHA.measurement(DAY_MS + 240_000))
    lab.hear(*stream.frames)
    lab.bind()
    (refused,) = [one for one in lab.readmit() if one.fate is not Fate.READMITTED]
    assert (refused.quarantine_no, refused.reason) == (4, Reason.OFF_CHAIN)
    # The neighbour links to what was held there, as it did when it was heard.
    assert lab.stored() == [*stream.frames[:3], followed]
    assert stray not in lab.stored()


def test_of_two_that_do_not_link_the_second_to_arrive_is_refused(lab: Laboratory) -> None:
    stream = ten()
    stray = sealed(stream, 5, bytes(31) + b"y", codec.encode(ALPHA.measurement(DAY_MS + 300_000)))
    other = sealed(stream, 8, bytes(31) + b"z", codec.encode(ALPHA.measurement(DAY_MS + 480_000)))
    lab.hear(stream.frames[4], stray, other, stream.frames[7])
    lab.bind()
    found = {one.quarantine_no: one.reason for one in lab.readmit()}
    assert found == {1: None, 2: Reason.OFF_CHAIN, 3: None, 4: Reason.OFF_CHAIN}
    # What is stored by now counts, whoever came first.
    assert [one.reason for one in lab.readmit(Wanted(numbers=(2, 4)))] == [Reason.OFF_CHAIN] * 2


def test_a_stream_speaks_of_one_instrument_also_through_this_door(lab: Laboratory) -> None:
    stream = Stream(gateway=ALPHA)
    stream.grow(2)
    stream.add(replace(ALPHA.measurement(DAY_MS + 120_000), instrument=BETA.instrument, meter=BETA.meter))
    lab.hear(*stream.frames)
    lab.connection.execute("DELETE FROM binding")
    lab.bind()
    lab.bind(gateway=BETA)
    decided = lab.readmit()
    assert [one.fate for one in decided] == [Fate.READMITTED, Fate.READMITTED, Fate.REFUSED]
    assert decided[2].reason is Reason.WRONG_STREAM


def test_a_running_collector_learns_what_the_stream_speaks_of(lab: Laboratory) -> None:
    stream = Stream(gateway=ALPHA)
    lab.hear(*stream.grow(2))
    lab.connection.execute("DELETE FROM binding")
    lab.bind()
    lab.bind(gateway=BETA)
    lab.readmit()
    foreign = replace(ALPHA.measurement(DAY_MS + 120_000), instrument=BETA.instrument, meter=BETA.meter)
    lab.hear(stream.add(foreign))
    found = lab.connection.execute("SELECT reason FROM quarantine ORDER BY quarantine_no DESC LIMIT 1").fetchall()
    assert found == [(Reason.WRONG_STREAM,)]
    assert counters.read(lab.connection).frames == 2


def test_it_is_judged_by_the_moment_it_was_heard(lab: Laboratory) -> None:
    lab.bind()
    lab.hear(*ten().frames, received_at_ms=DAY_MS - 700_000)
    assert fates(lab.readmit(Wanted(reason=Reason.FUTURE_TIME, waiting=True))) == {Fate.REFUSED: 10}


def test_a_meter_that_was_registered_wrongly(lab: Laboratory) -> None:
    lab.bind()
    other = replace(ALPHA.measurement(DAY_MS + 60_000), meter=Meter(model="sdm120", serial="spare"))
    stream = Stream(gateway=ALPHA)
    stream.grow(1)
    lab.hear(*stream.frames, stream.add(other))
    lab.connection.execute("UPDATE binding SET valid_to_ms = %s WHERE gateway_no = 1", [DAY_MS + 1])
    lab.load('[[meter]]\nmodel = "sdm120"\nserial = "spare"')
    since = f'valid_from = "{utc_text(DAY_MS + 1)}"'
    lab.load(
        f'[[binding]]\ninstrument = "{ALPHA.instrument}"\ngateway = "alpha"\n'
        f'meter_model = "sdm120"\nmeter_serial = "spare"\n{since}'
    )
    assert fates(lab.readmit(Wanted(reason=Reason.WRONG_METER, waiting=True))) == {Fate.READMITTED: 1}
    assert lab.stored() == stream.frames


def test_one_that_cannot_be_stored_stalls_no_other(lab: Laboratory) -> None:
    stream = ten()
    lab.hear(*stream.frames)
    lab.bind()
    lab.connection.execute("ALTER TABLE frame ADD CONSTRAINT poisoned CHECK (seq <> 4)")
    (refused,) = [one for one in lab.readmit() if one.fate is not Fate.READMITTED]
    assert (refused.quarantine_no, refused.reason) == (5, Reason.NOT_STORABLE)
    assert lab.stored() == stream.frames[:4] + stream.frames[5:]
    lab.connection.execute("ALTER TABLE frame DROP CONSTRAINT poisoned")
    assert fates(lab.readmit()) == {Fate.READMITTED: 1}
    assert counters.read(lab.connection).balanced


def test_frame_and_mark_are_one_transaction(lab: Laboratory) -> None:
    lab.hear(*ten().frames)
    lab.bind()
    lab.connection.execute("ALTER TABLE readmission ADD CONSTRAINT closed CHECK (quarantine_no <> 5)")
    assert fates(lab.readmit()) == {Fate.REFUSED: 1, Fate.READMITTED: 9}
    total = counters.read(lab.connection)
    assert (total.frames, total.readmitted, total.samples) == (9, 9, 8 * TICKS)
    assert total.balanced


def test_many_frames_go_in_parts_and_in_order(lab: Laboratory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quarantine, "_AT_ONCE", 7)
    streams = [Stream(gateway=ALPHA, name=name) for name in ("one", "two")]
    raws = [raw for pair in zip(*(stream.grow(20) for stream in streams), strict=True) for raw in pair]
    lab.hear(*reversed(raws))
    lab.bind()
    assert fates(lab.readmit()) == {Fate.READMITTED: 40}
    assert lab.stored() == [raw for stream in reversed(streams) for raw in stream.frames]
    assert counters.read(lab.connection).balanced


def test_the_role_of_services_may_readmit_and_may_not_undo_it(lab: Laboratory) -> None:
    lab.hear(*ten().frames)
    lab.bind()
    lab.connection.execute("SET ROLE jishi_service")
    assert fates(lab.readmit()) == {Fate.READMITTED: 10}
    for statement in ("UPDATE readmission SET readmitted_by = 'x'", "DELETE FROM readmission", "TRUNCATE readmission"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            lab.connection.execute(statement)


def test_nobody_readmits_without_a_name(lab: Laboratory) -> None:
    with pytest.raises(ConfigError, match="--by"):
        quarantine.readmit(lab.connection, NO_BINDING, " ", NOW_MS)


def test_an_instrument_is_found_although_its_stream_stored_nothing(
    lab: Laboratory, make_other: Callable[[], None]
) -> None:
    lab.hear(*ten().frames)
    make_other()
    wanted = Wanted(instrument=ALPHA.instrument)
    found = quarantine.listed(lab.connection, wanted, 4)
    assert [(entry.quarantine_no, about) for entry, about in found] == [(n, ALPHA.instrument) for n in (10, 9, 8, 7)]
    assert quarantine.listed(lab.connection, Wanted(instrument="nobody"), 4) == []
    assert quarantine.listed(lab.connection, Wanted(since_ms=LATER_MS + 1), 4) == []
    assert len(quarantine.listed(lab.connection, Wanted(reason="bad-envelope"), 4)) == 1


@pytest.fixture
def make_other(lab: Laboratory) -> Callable[[], None]:
    return lambda: lab.hear(b"nobody signed this")
