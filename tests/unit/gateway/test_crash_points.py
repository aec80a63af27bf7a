"""A process that ends between any two effects: after the restart each tick is told once and the chain is whole.

The data folder is copied before and after every effect on the disk: what a SIGKILL there leaves behind.
"""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from unit.gateway.room import FRAME_TICKS, opened, reading, stamp, ticks

from contract.frame import Outage
from contract.states import OutageCause
from gateway.journal import Journal
from gateway.spool import Spool

EFFECTS = [(Journal, "create"), (Journal, "append"), (Spool, "begin"), (Spool, "append"), (Path, "unlink")]
LAST = 2 * FRAME_TICKS + 2


class Stages:
    """Copies of a data folder, each with the tick that was being recorded."""

    def __init__(self, folder: Path, copies: Path) -> None:
        self.folder, self._copies = folder, copies
        self.tick = 0
        self.taken: list[tuple[str, int, Path]] = []

    def take(self, name: str) -> None:
        copy = self._copies / str(len(self.taken))
        shutil.copytree(self.folder, copy)
        self.taken.append((name, self.tick, copy))

    def around(self, name: str, effect: Callable[..., Any]) -> Callable[..., Any]:
        def stepped(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - wraps any effect
            self.take(f"before {name}")
            result = effect(*args, **kwargs)
            self.take(f"after {name}")
            return result

        return stepped


@pytest.fixture
def stages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stages:
    watched = Stages(tmp_path / "data", tmp_path / "copies")
    with monkeypatch.context() as patched, opened(watched.folder) as room:
        for owner, name in EFFECTS:
            bound = getattr(owner, name)
            around = watched.around(f"{owner.__name__}.{name}", bound)
            patched.setattr(owner, name, staticmethod(around) if name == "create" else _method(around))
        for number in [*range(FRAME_TICKS + 1), *range(FRAME_TICKS + 8, LAST + 8)]:
            watched.tick = number
            room.tick(number)
        watched.tick = LAST + 7
        room.recorder.close()
    return watched


def _method(function: Callable[..., Any]) -> Callable[..., Any]:
    def method(self: object, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        return function(self, *args, **kwargs)

    return method


def test_each_tick_is_told_once_wherever_the_process_ended(stages: Stages) -> None:
    wanted = [*range(FRAME_TICKS + 1), *range(FRAME_TICKS + 8, LAST + 8)]
    seen = {name for name, _, _ in stages.taken}
    assert seen == {f"{when} {owner.__name__}.{name}" for owner, name in EFFECTS for when in ("before", "after")}
    for name, present, copy in stages.taken:
        with opened(copy) as room:
            # In lock-step the clock still stands at the tick that was being recorded.
            for number in (number for number in wanted if number >= present):
                room.tick(number)
            room.recorder.close()
            assert ticks(room.story()) == wanted, (name, present)
            causes = {told.cause for told in room.story() if isinstance(told, Outage)}
            assert causes <= {OutageCause.UNKNOWN, OutageCause.PROCESS}, (name, present)
            outages = [(told.from_ms, told.to_ms) for told in room.story() if isinstance(told, Outage)]
            assert outages == [(stamp(FRAME_TICKS).utc_ms, stamp(FRAME_TICKS + 8).utc_ms)], (name, present)


def test_a_second_crash_while_taking_up_tells_nothing_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(tmp_path / "data") as room:
        for number in range(FRAME_TICKS + 3):
            room.tick(number)
    for file in (tmp_path / "data").glob("spool.sqlite*"):
        file.unlink()
    watched = Stages(tmp_path / "data", tmp_path / "copies")
    watched.tick = FRAME_TICKS + 2
    with monkeypatch.context() as patched:
        for owner, name in EFFECTS[2:]:
            patched.setattr(owner, name, _method(watched.around(name, getattr(owner, name))))
        with opened(tmp_path / "data"):
            pass
    assert len(watched.taken) >= 6
    for name, _, copy in watched.taken:
        with opened(copy) as room:
            room.recorder.record(stamp(FRAME_TICKS + 3), reading(FRAME_TICKS + 3))
            room.recorder.close()
            assert ticks(room.story()) == [FRAME_TICKS, FRAME_TICKS + 1, FRAME_TICKS + 2, FRAME_TICKS + 3], name
            assert len(room.spool.streams()) == 1, name
