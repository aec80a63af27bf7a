from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from unit.gateway.room import (
    FRAME_TICKS,
    METER,
    OTHER_BOOT,
    T0_MS,
    Room,
    contents,
    measurements,
    opened,
    reading,
    stamp,
    ticks,
)

from contract.frame import Genesis, Link, Measurement, Outage, Register
from contract.ids import BootId
from contract.states import ClockState, MeterState, OutageCause
from gateway.clocks import Stamp
from gateway.spool import Spool


def outage(room: Room) -> Outage:
    (found,) = [content for content in room.story() if isinstance(content, Outage)]
    return found


def test_a_chain_begins_with_a_genesis_and_frames_follow(tmp_path: Path) -> None:
    with opened(tmp_path) as room:
        for number in range(2 * FRAME_TICKS + 1):
            assert room.tick(number)
        first, *rest = room.story()
        assert isinstance(first, Genesis)
        assert (first.created_ms, first.predecessor) == (T0_MS, None)
        assert [len(told.utc_ms) for told in measurements(rest)] == [FRAME_TICKS, FRAME_TICKS]
        room.recorder.close()
        assert ticks(room.story()) == list(range(2 * FRAME_TICKS + 1))
        assert [seq for _, seq in room.announced] == [0, 1, 2, 3]


def test_the_journal_reaches_the_disk_every_ten_seconds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    with opened(tmp_path, frame_ticks=60) as room, monkeypatch.context() as patched:
        patched.setattr("gateway.journal.os.fdatasync", synced.append)
        counts = []
        for number in range(35):
            room.tick(number)
            counts.append(len(synced))
    assert [counts.index(count) for count in (1, 2, 3)] == [10, 20, 30]


def test_a_torn_journal_is_cut_back_and_said(tmp_path: Path) -> None:
    with opened(tmp_path) as room:
        for number in range(3):
            room.tick(number)
    journal = tmp_path / "nmr-400.journal"
    journal.write_bytes(journal.read_bytes()[:-1])
    with capture_logs() as said, opened(tmp_path) as room:
        assert ticks(room.story()) == [0, 1]
    assert [(line["event"], line["bytes"]) for line in said] == [("journal had a torn tail: cut back", 40)]


def test_the_register_belongs_to_the_first_and_the_last_tick(tmp_path: Path) -> None:
    with opened(tmp_path) as room:
        wanted = []
        for number in range(2 * FRAME_TICKS):
            if room.recorder.wants_energy(stamp(number), 0, METER):
                wanted.append(number)
            room.tick(number)
        assert wanted == [0, FRAME_TICKS - 1, FRAME_TICKS, 2 * FRAME_TICKS - 1]


def test_a_tick_that_is_recorded_is_not_recorded_again(tmp_path: Path) -> None:
    with opened(tmp_path) as room:
        room.tick(0)
        room.recorder.close()
        assert not room.tick(0)
    with opened(tmp_path) as room:
        assert not room.tick(0)
        assert room.tick(1)


def test_up_to_three_periods_without_a_tick_are_missing_ticks(tmp_path: Path) -> None:
    with opened(tmp_path) as room:
        room.tick(0)
        room.tick(3)
        room.recorder.close()
        assert ticks(room.story()) == [0, 3]
        assert len(measurements(room.story())) == 1
        room.tick(6)
        assert not [content for content in room.story() if isinstance(content, Outage)]


def test_a_blind_meter_is_an_outage_of_its_link(tmp_path: Path) -> None:
    with opened(tmp_path) as room:
        room.recorder.record(stamp(0), reading(0, energy_mwh=100))
        for number in range(1, 5):
            assert not room.recorder.record(stamp(number), reading(number, power=False, lines=None))
        room.recorder.record(stamp(5), reading(5, energy_mwh=140))
        assert outage(room) == Outage(
            instrument=room.recorder.instrument,
            boot_id=stamp(0).boot_id,
            clock=ClockState.SIMULATED,
            from_ms=stamp(0).utc_ms,
            to_ms=stamp(5).utc_ms,
            cause=OutageCause.METER_LINK,
            energy_before=Register(time_ms=stamp(0).utc_ms, energy_mwh=100),
            energy_after=Register(time_ms=stamp(5).utc_ms, energy_mwh=140),
        )


@pytest.mark.parametrize(
    ("moment", "cause"),
    [
        (stamp(9), OutageCause.PROCESS),
        (stamp(9, boot=OTHER_BOOT), OutageCause.BOOT),
    ],
)
def test_after_a_restart_the_outage_says_what_ended(tmp_path: Path, moment: Stamp, cause: OutageCause) -> None:
    with opened(tmp_path) as room:
        room.tick(0)
    with opened(tmp_path) as room:
        room.recorder.record(moment, reading(9))
        assert (outage(room).from_ms, outage(room).to_ms, outage(room).cause) == (T0_MS, moment.utc_ms, cause)
        room.recorder.record(replace(moment, utc_ms=moment.utc_ms + 9_000, mono_ms=moment.mono_ms + 9_000), reading(18))
        assert [told.cause for told in room.story() if isinstance(told, Outage)] == [cause, OutageCause.UNKNOWN]


def test_a_wall_clock_set_forward_is_an_outage_and_the_frame_says_stepped(tmp_path: Path) -> None:
    with opened(tmp_path) as room:
        room.tick(0)
        room.recorder.record(stamp(1, clock=ClockState.STEPPED, shift_ms=3_600_000), reading(1))
        room.recorder.record(stamp(2, shift_ms=3_600_000), reading(2))
        room.recorder.close()
        assert outage(room).cause is OutageCause.CLOCK_STEP
        assert [told.clock for told in measurements(room.story())] == [ClockState.SIMULATED, ClockState.STEPPED]


def test_a_wall_clock_set_back_is_marked_and_names_no_interval(tmp_path: Path) -> None:
    with opened(tmp_path) as room:
        room.tick(0)
        moment = stamp(1, clock=ClockState.STEPPED, shift_ms=-3_600_000)
        room.recorder.record(moment, reading(1))
        room.recorder.close()
        assert (outage(room).from_ms, outage(room).to_ms) == (moment.utc_ms, moment.utc_ms)
        assert outage(room).cause is OutageCause.CLOCK_STEP


def test_one_silent_device_leaves_its_reading_absent(tmp_path: Path) -> None:
    with opened(tmp_path) as room:
        room.tick(0)
        room.recorder.record(stamp(1), reading(1, power=False))
        room.recorder.record(stamp(2), reading(2, lines=None))
        room.recorder.close()
        (told,) = measurements(room.story())
        assert told.power is not None
        assert told.lines is not None
        assert (told.power.absent, told.lines.absent) == ((1,), (2,))


def test_a_meter_never_identified_is_not_claimed(tmp_path: Path) -> None:
    with opened(tmp_path) as room:
        assert not room.recorder.record(stamp(0), reading(0, power=False, meter=None))
        assert room.story() == []


def test_what_was_noticed_of_the_meter_stands_in_the_next_frame(tmp_path: Path) -> None:
    changed = replace(METER, serial="87654321")
    with opened(tmp_path) as room:
        room.recorder.record(stamp(0), reading(0, energy_mwh=100))
        room.recorder.record(stamp(1), reading(1, energy_mwh=None, reconnected=True))
        room.recorder.record(stamp(2), reading(2, energy_mwh=50, meter=changed))
        room.recorder.close()
        room.recorder.record(stamp(3), reading(3, energy_mwh=60, meter=changed))
        room.recorder.close()
    with opened(tmp_path) as room:
        room.recorder.record(stamp(4), reading(4))
        room.recorder.close()
        flags = [told.meter_state for told in measurements(room.story())]
    all_three = MeterState.RECONNECTED | MeterState.SERIAL_CHANGED | MeterState.REGISTER_FELL
    assert flags == [MeterState.OK, all_three, MeterState.OK, MeterState.SERIAL_CHANGED]


def test_a_fall_of_the_register_across_an_outage_is_flagged(tmp_path: Path) -> None:
    with opened(tmp_path) as room:
        room.recorder.record(stamp(0), reading(0, energy_mwh=100))
        room.recorder.record(stamp(9), reading(9, energy_mwh=50))
        room.recorder.close()
        assert measurements(room.story())[-1].meter_state is MeterState.REGISTER_FELL


def test_a_lost_spool_begins_a_stream_that_names_the_old_and_keeps_the_journal(tmp_path: Path) -> None:
    with opened(tmp_path) as room:
        for number in range(FRAME_TICKS + 2):
            room.tick(number)
        old = room.spool.streams()[-1]
    for file in tmp_path.glob("spool.sqlite*"):
        file.unlink()
    with opened(tmp_path) as room:
        genesis, told = room.story()
        assert isinstance(genesis, Genesis)
        assert genesis.predecessor == Link(stream_id=old.stream_id, seq=1, frame_hash=old.head_hash)
        assert ticks([told]) == [FRAME_TICKS, FRAME_TICKS + 1]
    with opened(tmp_path) as room:
        assert len(room.story()) == 2, "the journal is told once"


def test_an_older_copy_of_the_spool_never_reuses_a_place_in_the_chain(tmp_path: Path) -> None:
    with opened(tmp_path) as room:
        for number in range(FRAME_TICKS):
            room.tick(number)
    older = {file.name: file.read_bytes() for file in tmp_path.glob("spool.sqlite*")}
    with opened(tmp_path) as room:
        for number in range(FRAME_TICKS, 2 * FRAME_TICKS + 1):
            room.tick(number)
        old = room.spool.streams()[-1]
    for file in tmp_path.glob("spool.sqlite*"):
        file.unlink()
    for name, raw in older.items():
        (tmp_path / name).write_bytes(raw)
    with opened(tmp_path) as room:
        assert [stream.next_seq for stream in room.spool.streams()] == [2, 2]
        genesis = room.story()[0]
        assert isinstance(genesis, Genesis)
        assert genesis.predecessor == Link(stream_id=old.stream_id, seq=2, frame_hash=old.head_hash)
        assert ticks(room.story()) == [2 * FRAME_TICKS]


def test_a_new_boot_with_older_times_is_told_as_such(tmp_path: Path) -> None:
    with opened(tmp_path) as room:
        for number in range(10, 13):
            room.tick(number)
        again = replace(stamp(0, boot=BootId(b"boot-3.."), clock=ClockState.SIMULATED))
        assert room.recorder.record(again, reading(0))
        room.recorder.close()
        assert outage(room).cause is OutageCause.BOOT
        assert ticks(room.story()) == [10, 11, 12, 0]


def test_another_instrument_in_the_spool_is_not_ours(tmp_path: Path) -> None:
    with opened(tmp_path) as room:
        room.tick(0)
        stream = room.spool.streams()[0]
        room.spool._db.execute("UPDATE stream SET instrument = 'other'")
    with opened(tmp_path) as room:
        room.tick(1)
        mine = room.spool.streams()[-1]
        assert mine.stream_id != stream.stream_id
        assert isinstance(contents(room.spool, mine.stream_id)[0], Genesis)


def test_reading_a_spool_needs_no_recorder(tmp_path: Path) -> None:
    with opened(tmp_path) as room:
        room.tick(0)
        room.recorder.close()
    spool = Spool.open(tmp_path, 64)
    assert isinstance(contents(spool, spool.streams()[0].stream_id)[1], Measurement)
    spool.close()
