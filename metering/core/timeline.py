"""A timeline: one state at each instant of a span, as contiguous pieces. Source: domain.md 4, rules 1 and 3.

Between two readings the truth is not seen. So every timeline is made three times (`Bound`): the point value holds the
earlier reading, the low one takes the state of lower credit, the high one of higher credit.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from contract.states import State
from metering.core.spans import Span, Spans, complement, union
from metering.core.spans import clip as spans_clip

Integers: TypeAlias = npt.NDArray[np.int64]
Flags: TypeAlias = npt.NDArray[np.bool_]


class Bound(Enum):
    """Which of the three timelines is asked for."""

    LOW = "low"
    POINT = "point"
    HIGH = "high"


class Piece(NamedTuple):
    """One state over [from_ms, to_ms)."""

    from_ms: int
    to_ms: int
    state: State


Timeline: TypeAlias = tuple[Piece, ...]
"""Contiguous pieces; neighbours differ in state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """Readings of one signal.

    Attributes:
        time_ms: when, not falling (n).
        value: what (n): mW, or a State for run-state lines.
        joined: whether nothing is missing between this reading and the one before (n): False after a hole in the
            sequence, an outage record, another stream, another meter or boot.
        hold_ms: the longest silence after this reading that is still no gap (n).
    """

    time_ms: Integers
    value: Integers
    joined: Flags
    hold_ms: Integers

    def breaks(self) -> Flags:
        """Where a gap lies before the reading: a hole, or a silence longer than allowed (n)."""
        broken = ~self.joined
        broken[1:] |= np.diff(self.time_ms) > self.hold_ms[:-1]
        return broken


def between_samples(signal: Signal, states: Integers, within: Span, bound: Bound) -> Timeline:
    """The timeline of readings whose states are known, by rule 3.

    Args:
        signal: times and continuity of the readings.
        states: the State of each reading (n).
        within: the span to cover; what no reading speaks of is UNKNOWN.
        bound: which of the three.
    """
    if len(states) < 2:  # noqa: PLR2004 - one reading alone says nothing of any time
        return normal([Piece(*within, State.UNKNOWN)])
    here, following = states[:-1], states[1:]
    spoken = {Bound.LOW: np.minimum(here, following), Bound.POINT: here, Bound.HIGH: np.maximum(here, following)}[bound]
    broken = signal.breaks()[1:]
    # Each interval between readings is [from, spoken_to) in its state, then UNKNOWN up to the next reading.
    starts, ends = signal.time_ms[:-1], signal.time_ms[1:]
    held = np.where(signal.joined[1:], np.minimum(starts + signal.hold_ms[:-1], ends), starts)
    spoken_to = np.where(broken, held if bound is Bound.POINT else starts, ends)
    edges = np.column_stack((starts, spoken_to)).ravel()
    codes = np.column_stack((spoken, np.full_like(spoken, State.UNKNOWN))).ravel()
    return clip(_pieces(edges, codes, int(signal.time_ms[-1])), within)


def _pieces(edges: Integers, codes: Integers, end: int) -> list[Piece]:
    """Run-length encoding: pieces that begin at `edges`, the last one ending at `end`; empty ones dropped."""
    lasting = np.append(np.diff(edges), end - edges[-1]) > 0
    edges, codes = edges[lasting], codes[lasting]
    first = np.append(True, codes[1:] != codes[:-1])[: len(codes)]
    starts = edges[first].tolist()
    states = [State(code) for code in codes[first].tolist()]
    return [Piece(start, stop, state) for start, stop, state in zip(starts, [*starts[1:], end], states, strict=True)]


def normal(pieces: Iterable[Piece]) -> Timeline:
    """Empty pieces dropped and equal neighbours joined."""
    result: list[Piece] = []
    for piece in pieces:
        if piece.from_ms == piece.to_ms:
            continue
        if result and result[-1].state == piece.state:
            result[-1] = result[-1]._replace(to_ms=piece.to_ms)
        else:
            result.append(piece)
    return tuple(result)


def clip(pieces: Iterable[Piece], within: Span) -> Timeline:
    """The timeline over exactly `within`; what lies outside the pieces is UNKNOWN."""
    from_ms, to_ms = within
    inside = [
        Piece(max(piece.from_ms, from_ms), min(piece.to_ms, to_ms), piece.state)
        for piece in pieces
        if piece.from_ms < to_ms and piece.to_ms > from_ms
    ]
    if not inside:
        return normal([Piece(from_ms, to_ms, State.UNKNOWN)])
    before = Piece(from_ms, inside[0].from_ms, State.UNKNOWN)
    after = Piece(inside[-1].to_ms, to_ms, State.UNKNOWN)
    return normal([before, *inside, after])


def masked(timeline: Timeline, known: Spans) -> Timeline:
    """The timeline inside some spans, UNKNOWN outside them."""
    within = (timeline[0].from_ms, timeline[-1].to_ms)
    kept = [piece for span in spans_clip(known, within) for piece in clip(timeline, span)]
    blank = [Piece(from_ms, to_ms, State.UNKNOWN) for from_ms, to_ms in complement(known, within)]
    return normal(sorted(kept + blank))


def guarded(low: Timeline, high: Timeline) -> Timeline:
    """The low timeline, with FAULT (which earns and joins nothing) where joining over it may be wrong.

    A single COOLDOWN reading between two STANDBY ones leaves no piece of its own in a low timeline, yet no bridge may
    cross it; nor may post-processing go on over a single WARMUP, nor `dwell_off` over a reading that ends the run
    between two of OFF.
    """
    hides = {
        (State.OFF, State.FAULT),
        (State.OFF, State.COOLDOWN),
        (State.OFF, State.WARMUP),
        (State.STANDBY, State.COOLDOWN),
        (State.STANDBY, State.WARMUP),
        (State.COOLDOWN, State.WARMUP),
    }
    return normal(Piece(*span, State.FAULT if states in hides else states[0]) for span, states in overlay(low, high))


def overlay(*timelines: Timeline) -> Iterator[tuple[Span, tuple[State, ...]]]:
    """The states of several timelines of one span, over each stretch in which none of them changes."""
    places = [0] * len(timelines)
    from_ms, end = timelines[0][0].from_ms, timelines[0][-1].to_ms
    while from_ms < end:
        pieces = [timeline[place] for timeline, place in zip(timelines, places, strict=True)]
        to_ms = min(piece.to_ms for piece in pieces)
        yield (from_ms, to_ms), tuple(piece.state for piece in pieces)
        places = [place + (piece.to_ms == to_ms) for piece, place in zip(pieces, places, strict=True)]
        from_ms = to_ms


def spans_of(timeline: Timeline, *states: State) -> Spans:
    """When the timeline is in one of the states."""
    return union((piece.from_ms, piece.to_ms) for piece in timeline if piece.state in states)


def running_where_unknown(timeline: Timeline) -> Timeline:
    """The timeline with every gap read as a run: the most that it can hide."""
    return normal(piece._replace(state=State.RUNNING) if piece.state is State.UNKNOWN else piece for piece in timeline)
