"""States and credit thinned to what a picture can show, for days on which an instrument flickers.

A day of a few thousand pieces is drawn as it is. Beyond, each of a thousand buckets shows what held longest in it: a
picture of it, no measurement; hours are never computed from what is thinned.
"""

from collections.abc import Iterator
from typing import Final

from contract.states import State
from metering.core.spans import Span, Spans, complement
from metering.core.timeline import Piece, Timeline, normal, spans_of

MOST: Final = 2_000
"""As many pieces are drawn as they are."""
BUCKETS: Final = 1_000


def thinned(states: Timeline, within: Span) -> Timeline:
    """A timeline of at most `BUCKETS` pieces, unless it has no more than `MOST`.

    Args:
        states: contiguous, over exactly `within`.
        within: UTC ms.
    """
    if len(states) <= MOST:
        return states
    held_ms: list[dict[State, int]] = [{} for _ in range(BUCKETS)]
    for bucket, state, duration_ms in _shares(states, within):
        held_ms[bucket][state] = held_ms[bucket].get(state, 0) + duration_ms
    # Where two held as long, the one of lower credit.
    longest = [max(sorted(held), key=lambda state, held=held: held[state]) for held in held_ms]  # type: ignore[misc]
    edges = [_edge(number, within) for number in range(BUCKETS + 1)]
    return normal(Piece(edges[n], edges[n + 1], state) for n, state in enumerate(longest))


def thinned_spans(spans: Spans, within: Span) -> Spans:
    """A set of time, thinned likewise."""
    if len(spans) <= MOST:
        return spans
    inside = [Piece(*span, State.RUNNING) for span in spans]
    outside = [Piece(*span, State.OFF) for span in complement(spans, within)]
    return spans_of(thinned(normal(sorted(inside + outside)), within), State.RUNNING)


def _shares(states: Timeline, within: Span) -> Iterator[tuple[int, State, int]]:
    bucket = 0
    for piece in states:
        at_ms = piece.from_ms
        while at_ms < piece.to_ms:
            while _edge(bucket + 1, within) <= at_ms:
                bucket += 1
            end_ms = min(_edge(bucket + 1, within), piece.to_ms)
            yield bucket, piece.state, end_ms - at_ms
            at_ms = end_ms


def _edge(number: int, within: Span) -> int:
    return within[0] + (within[1] - within[0]) * number // BUCKETS
