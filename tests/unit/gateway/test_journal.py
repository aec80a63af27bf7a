from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.contract.strategies import UNHURRIED
from unit.gateway.room import BOOT, INSTRUMENT, METER

from contract.errors import StorageError
from contract.ids import StreamId
from contract.states import ClockState, MeterState
from gateway.framer import Opening, Tick
from gateway.journal import Journal, recover

OPENING = Opening(
    stream_id=StreamId(bytes(range(16))),
    seq=7,
    prev_hash=b"\xff" * 32,
    instrument=INSTRUMENT,
    meter=METER,
    meter_state=MeterState.RECONNECTED | MeterState.REGISTER_FELL,
    boot_id=BOOT,
    clock=ClockState.SYNCHRONISED,
    period_ms=1_000,
    line_names=("run", "ready"),
)
TICKS = [Tick(10, 20, 1_500, 3, 99), Tick(11, 21, None, 0, None), Tick(12, 22, -7, None, None), Tick(13, 23, 0, 1, 0)]


def write(path: Path, ticks: list[Tick]) -> list[int]:
    """Write a journal; the file's size after each tick."""
    journal = Journal.create(path, OPENING, ticks[0])
    sizes = [path.stat().st_size]
    for tick in ticks[1:]:
        journal.append(tick)
        sizes.append(path.stat().st_size)
    journal.close()
    return sizes


def test_all_that_was_written_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "j"
    write(path, TICKS)
    found = recover(path)
    assert found is not None
    assert (found.opening, list(found.ticks), found.cut_bytes) == (OPENING, TICKS, 0)


def test_a_tail_torn_at_any_byte_costs_only_the_torn_tick(tmp_path: Path) -> None:
    path = tmp_path / "j"
    sizes = write(path, TICKS)
    raw = path.read_bytes()
    for cut in range(len(raw)):
        path.write_bytes(raw[:cut])
        whole = [size for size in sizes if size <= cut]
        found = recover(path)
        assert (list(found.ticks) if found else []) == TICKS[: len(whole)], cut
        assert found is None or found.cut_bytes == cut - whole[-1]


@given(place=st.integers(min_value=0), bit=st.integers(0, 7))
@UNHURRIED
def test_a_flipped_bit_cuts_there_and_invents_nothing(
    tmp_path_factory: pytest.TempPathFactory, place: int, bit: int
) -> None:
    path = tmp_path_factory.mktemp("journal") / "j"
    sizes = write(path, TICKS)
    raw = bytearray(path.read_bytes())
    place %= len(raw)
    raw[place] ^= 1 << bit
    path.write_bytes(raw)
    found = recover(path)
    assert (list(found.ticks) if found else []) == TICKS[: sum(1 for size in sizes if size <= place)]


def test_no_file_and_an_empty_file_are_nothing(tmp_path: Path) -> None:
    assert recover(tmp_path / "none") is None
    (tmp_path / "empty").touch()
    assert recover(tmp_path / "empty") is None


def test_a_tick_costs_at_most_64_bytes(tmp_path: Path) -> None:
    sizes = write(tmp_path / "j", TICKS)
    assert max(after - before for before, after in pairwise(sizes)) <= 64


def test_a_new_journal_replaces_an_old_one(tmp_path: Path) -> None:
    path = tmp_path / "j"
    write(path, TICKS)
    Journal.create(path, replace(OPENING, seq=8), TICKS[3]).close()
    found = recover(path)
    assert found is not None
    assert (found.opening.seq, found.ticks) == (8, (TICKS[3],))


def test_a_journal_that_cannot_be_written_is_a_storage_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="journal"):
        Journal.create(tmp_path / "no such folder" / "j", OPENING, TICKS[0])
    with pytest.raises(StorageError):
        recover(tmp_path)  # a folder
