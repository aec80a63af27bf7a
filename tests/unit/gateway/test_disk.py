import os
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from unit.gateway.room import FRAME_TICKS, Room, opened, reading, stamp, ticks

from contract.errors import ConfigError, StorageError
from contract.frame import Outage
from contract.states import OutageCause
from gateway.disk import DiskFullError, locked


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A file system of 512 KiB of its own; not below `tmp_path`, which pytest clears at its own time."""
    with TemporaryDirectory(prefix="jishi-disk-") as name:
        mount = ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", name]
        if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode != 0:
            pytest.skip("a small tmpfs can be mounted by root only")
        yield Path(name)
        # Lazily: a test that failed may still hold a file open.
        subprocess.run(["umount", "-l", name], check=True)


def refusal(room: Room, number: int) -> DiskFullError | None:
    """Record a tick; the error where the disk was full."""
    try:
        room.tick(number)
    except DiskFullError as error:
        return error
    return None


def fill(path: Path, step: int) -> None:
    """Write until the disk is full."""
    with path.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(step))


def test_a_full_disk_stops_recording_and_the_next_frame_says_so(small_disk: Path) -> None:
    with opened(small_disk) as room:
        for number in range(FRAME_TICKS + 1):
            room.tick(number)
        filler = small_disk / "filler"
        fill(filler, 4_096)
        refused = []
        for number in range(FRAME_TICKS + 1, FRAME_TICKS + 400):
            try:
                room.tick(number)
            except DiskFullError:
                refused.append(number)
        assert refused
        assert refused == list(range(refused[0], FRAME_TICKS + 400)), "it stays stopped"
        stream = room.spool.streams()[-1]
        assert room.spool.frame(stream.stream_id, 0), "what is spooled can still be published"
        filler.unlink()
        room.tick(FRAME_TICKS + 400)
        room.recorder.close()
        told = room.story()
        assert ticks(told) == [n for n in range(FRAME_TICKS + 401) if n not in refused]
        assert [content.cause for content in told if isinstance(content, Outage)] == [OutageCause.DISK_FULL]


def test_a_disk_that_is_full_for_two_ticks_costs_two_ticks(small_disk: Path) -> None:
    """The journal runs into the end of its page, half a record is cut back, and the same frame goes on."""
    with opened(small_disk, frame_ticks=600) as room:
        room.tick(0)
        filler = small_disk / "filler"
        fill(filler, 64)
        number = 1
        while refusal(room, number) is None:
            number += 1
        assert refusal(room, number + 1) is not None
        filler.unlink()
        room.tick(number + 2)
        room.tick(number + 3)
    claimed = [*range(number), number + 2, number + 3]
    with opened(small_disk) as room:
        assert ticks(room.story()) == claimed
        assert not [told for told in room.story() if isinstance(told, Outage)]


def test_a_tick_that_was_not_journaled_is_not_in_the_frame(small_disk: Path) -> None:
    with opened(small_disk, frame_ticks=600) as room:
        room.tick(0)
        filler = small_disk / "filler"
        fill(filler, 64)
        number = 1
        while refusal(room, number) is None:
            number += 1
        filler.unlink()
        room.recorder.close()
        assert ticks(room.story()) == list(range(number))


def test_a_process_that_ends_on_a_full_disk_loses_nothing_it_claimed(small_disk: Path) -> None:
    with opened(small_disk) as room:
        for number in range(2):
            room.tick(number)
        filler = small_disk / "filler"
        fill(filler, 64)
        claimed = [0, 1]
        for number in range(2, 400):
            try:
                room.tick(number)
            except DiskFullError:
                continue
            claimed.append(number)
        with pytest.raises(StorageError):
            room.recorder.close()
    with opened(small_disk) as room:
        assert refusal(room, 400) is not None, "a process that starts on a full disk waits, and publishes"
        filler.unlink()
        room.tick(401)
        room.recorder.close()
        assert ticks(room.story()) == [*claimed, 401]


def test_the_quota_of_the_spool_is_a_full_disk(tmp_path: Path) -> None:
    with opened(tmp_path, quota_mb=8) as room:
        for number in range(2):
            room.tick(number)
        room.spool._db.execute("PRAGMA max_page_count=1")
        pages = room.spool._db.execute("PRAGMA page_count").fetchone()[0]
        assert pages == room.spool._db.execute("PRAGMA max_page_count").fetchone()[0]
        refused = []
        for number in range(2, 400):
            try:
                room.tick(number)
            except DiskFullError:
                refused.append(number)
        assert refused
        room.spool._db.execute("PRAGMA max_page_count=1000")
        room.tick(400)
        room.recorder.close()
        assert set(refused).isdisjoint(ticks(room.story()))
        assert [c.cause for c in room.story() if isinstance(c, Outage)] == [OutageCause.DISK_FULL]


def test_other_failures_of_storage_stop_recording_too(tmp_path: Path) -> None:
    with opened(tmp_path / "data") as room:
        room.spool._db.execute("DROP TABLE frame")
        with pytest.raises(StorageError, match="no such table") as caught:
            room.recorder.record(stamp(0), reading(0))
        assert not isinstance(caught.value, DiskFullError)


def test_a_second_gateway_on_one_folder_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with locked(folder), pytest.raises(ConfigError, match="another gateway already runs"), locked(folder):
        pass
    with locked(folder):
        pass


def test_a_folder_that_cannot_be_used_is_a_config_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="data_dir"), locked(tmp_path / "file"):
        pass
