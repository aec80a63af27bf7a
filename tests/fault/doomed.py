"""Runs a room's command with one of its steps made its last: the process SIGKILLs itself there.

`python -m fault.doomed PLAN ROOM ARGUMENTS...`; the plan is the JSON of `Plan`. The room knows nothing of this: the
steps are wrapped from outside, and a step that is no longer there is an error before anything runs.
"""

import asyncio
import dataclasses
import functools
import importlib
import inspect
import json
import os
import signal
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from contract import clock
from contract.states import ClockState

SQLITE = "sqlite3:"
"""A step of this kind is the statement that begins with the word after it."""


@dataclass(frozen=True, kw_only=True)
class Point:
    """Where a process ends.

    Attributes:
        step: `module:Class.method` or `sqlite3:WORD`.
        when: `before` the step, `after` it, or (of a context manager) `inside`, at the end of its block.
        turn: at which call, counted from 1.
        within: only calls made during this other step count.
        said: an attribute of the step's object (`_client`) whose outgoing bytes MUST have left before the end.
    """

    step: str
    when: str
    turn: int = 1
    within: str | None = None
    said: str | None = None


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is done to a process.

    Attributes:
        point: where it ends; None: nowhere.
        settings: constants by `module:NAME`.
        options: by `module:function`, keyword arguments that it is given whatever its caller says.
        clock: a file that holds how far the wall clock is off, ms, and a `ClockState` for what the kernel says of it.
    """

    point: Point | None = None
    settings: dict[str, object] = field(default_factory=dict)
    options: dict[str, dict[str, object]] = field(default_factory=dict)
    clock: str | None = None

    def text(self) -> str:
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def read(cls, text: str) -> "Plan":
        plan = json.loads(text)
        point = plan.pop("point")
        return cls(point=Point(**point) if point else None, **plan)


class _End:
    """Counts the calls of a step, and ends the process at one of them."""

    def __init__(self, point: Point) -> None:
        self._point, self._calls, self._depth = point, 0, 0
        if point.within:
            _wrap(point.within, self._entered)
        if point.step.startswith(SQLITE):
            sqlite3.connect = functools.partial(sqlite3.connect, factory=_watched(self, point.step[len(SQLITE) :]))  # type: ignore[assignment]
        else:
            _wrap(point.step, self._around)

    def called(self) -> bool:
        """Count a call; whether it is the last."""
        if self._point.within and not self._depth:
            return False
        self._calls += 1
        return self._calls == self._point.turn

    def now(self, when: str, owner: object = None) -> None:
        """End here, if this is the place."""
        if when == self._point.when:
            if self._point.said:
                client = getattr(owner, self._point.said)
                while client.want_write():
                    time.sleep(0.001)
            os.kill(os.getpid(), signal.SIGKILL)

    def _entered(self, step: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(step)
        def within(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - wraps any step
            self._depth += 1
            try:
                return step(*args, **kwargs)
            finally:
                self._depth -= 1

        return within

    def _around(self, step: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(step)
        def last(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
            if not self.called():
                return step(*args, **kwargs)
            self.now("before", args[0] if args else None)
            if self._point.when == "inside":
                return self._block(step(*args, **kwargs))
            result = step(*args, **kwargs)
            if asyncio.iscoroutine(result):
                return self._awaited(result)
            self.now("after", args[0] if args else None)
            return result

        return last

    @contextmanager
    def _block(self, manager: Any) -> Iterator[Any]:  # noqa: ANN401
        with manager as value:
            yield value
            self.now("inside")

    async def _awaited(self, coroutine: Any) -> Any:  # noqa: ANN401
        result = await coroutine
        self.now("after")
        return result


def _watched(end: _End, word: str) -> type[sqlite3.Connection]:
    class Watched(sqlite3.Connection):
        def execute(self, statement: str, *args: Any) -> sqlite3.Cursor:  # noqa: ANN401
            is_last = statement.startswith(word) and end.called()
            if is_last:
                end.now("before")
            cursor = super().execute(statement, *args)
            if is_last:
                end.now("after")
            return cursor

    return Watched


def _found(step: str) -> tuple[Any, str]:
    """The object that holds a step, and the step's name in it."""
    module, _, path = step.partition(":")
    owner: Any = importlib.import_module(module)
    *parents, name = path.split(".")
    for parent in parents:
        owner = getattr(owner, parent)
    getattr(owner, name)
    return owner, name


def _wrap(step: str, wrapper: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    owner, name = _found(step)
    real = inspect.getattr_static(owner, name)
    if isinstance(real, classmethod):
        setattr(owner, name, classmethod(wrapper(real.__func__)))
    else:
        setattr(owner, name, wrapper(real))


def _give(options: dict[str, object]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    return lambda step: lambda *args, **kwargs: step(*args, **{**kwargs, **options})


def _move_clock(path: Path) -> None:
    """The wall clock and what the kernel says of it, for as long as the process lives, follow a file."""
    real = clock.utc_ms

    def offset_and_state() -> tuple[int, ClockState]:
        offset_ms, state = path.read_text("ascii").split()
        return int(offset_ms), ClockState[state]

    clock.utc_ms = lambda: max(0, real() + offset_and_state()[0])
    app = importlib.import_module("gateway.app")
    app.SystemClock = functools.partial(app.SystemClock, kernel=lambda: offset_and_state()[1])  # type: ignore[attr-defined]


def main() -> int:
    """Do as the plan says, then run the room's command."""
    plan, room = Plan.read(sys.argv[1]), sys.argv[2]
    sys.argv = sys.argv[2:]
    command = importlib.import_module(f"{room}.__main__")
    for name, value in plan.settings.items():
        setattr(*_found(name), value)
    for step, options in plan.options.items():
        _wrap(step, _give(options))
    if plan.clock:
        _move_clock(Path(plan.clock))
    if plan.point:
        _End(plan.point)
    status: int = command.main()
    return status


if __name__ == "__main__":
    sys.exit(main())
