"""What an instrument can be doing, and what a class of instruments is. Holds no timetable and no wire."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from random import Random


class State(StrEnum):
    """The physical states a simulated instrument can be in (Source: the domain's table of states)."""

    OFF = "OFF"
    STANDBY = "STANDBY"
    WARMUP = "WARMUP"
    RUNNING = "RUNNING"
    COOLDOWN = "COOLDOWN"


Curve = Callable[[int, int], int]
"""Power in mW from (UTC ms, ms since the stage began)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mode:
    """One way of being: its state, its power with a noise of at most +-noise_mw, and the lines that are closed."""

    state: State
    curve: Curve
    noise_mw: int
    closed: frozenset[str] = frozenset()


Plan = Callable[[Random], Iterator[tuple[int, Mode]]]
"""An endless row of (duration in ms, mode), drawn from the given source of chance alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstrumentClass:
    """A class of instruments: its evidence profile, its run-state lines in order of their inputs, and its plan.

    Attributes:
        rest: what it does when nobody is in the laboratory; its plan begins with it.
    """

    profile: str
    lines: tuple[str, ...]
    plan: Plan
    rest: Mode
