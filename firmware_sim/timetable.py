"""What one instrument does when: stages end to end over a period, to the millisecond. Knows no power and no wire."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter

from firmware_sim.instruments.mode import InstrumentClass, Mode, State
from firmware_sim.noise import random_from, source

LEAST_MS = 15_000
"""No state is shorter than an acquisition must at least be seen; the others' own least (5 s) is within it."""

_from_ms = attrgetter("from_ms")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One mode over [from_ms, to_ms), UTC ms."""

    from_ms: int
    to_ms: int
    mode: Mode


@dataclass(frozen=True, slots=True)
class Timetable:
    """Stages that cover a period without hole or overlap."""

    stages: tuple[Stage, ...]

    def at(self, t_ms: int) -> Stage:
        """The stage that holds at t_ms (UTC ms); at the very end of the period, the last.

        Raises:
            ValueError: t_ms is outside [start, end].
        """
        if not self.stages[0].from_ms <= t_ms <= self.stages[-1].to_ms:
            raise ValueError(f"{t_ms} ms is outside the timetable")
        return self.stages[bisect_right(self.stages, t_ms, key=_from_ms) - 1]

    def states(self) -> list[tuple[int, int, State]]:
        """(from_ms, to_ms, state), half-open, neighbours always different."""
        groups = (list(group) for _, group in groupby(self.stages, key=lambda stage: stage.mode.state))
        return [(group[0].from_ms, group[-1].to_ms, group[0].mode.state) for group in groups]


def lay(instrument_class: InstrumentClass, instrument_id: str, *, seed: int, start_ms: int, end_ms: int) -> Timetable:
    """The timetable of one instrument over [start_ms, end_ms); a longer period begins with the shorter one's stages."""
    plan = instrument_class.plan(random_from(source(seed, instrument_id, "timetable")))
    return Timetable(tuple(stages(plan, start_ms, end_ms)))


def stages(plan: Iterator[tuple[int, Mode]], start_ms: int, end_ms: int) -> Iterator[Stage]:
    """Lay the plan end to end; a state that the end would cut below LEAST_MS is not begun: the one before goes on."""
    from_ms, (duration_ms, mode) = start_ms, next(plan)
    while True:
        next_duration_ms, next_mode = next(plan)
        to_ms = from_ms + duration_ms
        late = to_ms > end_ms - LEAST_MS and next_mode.state is not mode.state
        if to_ms >= end_ms or late:
            yield Stage(from_ms=from_ms, to_ms=end_ms, mode=mode)
            return
        yield Stage(from_ms=from_ms, to_ms=to_ms, mode=mode)
        from_ms, duration_ms, mode = to_ms, next_duration_ms, next_mode
