"""Sets of time: sorted, disjoint, half-open spans [from_ms, to_ms) that do not touch."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from operator import itemgetter
from typing import TypeAlias

Span: TypeAlias = tuple[int, int]
Spans: TypeAlias = tuple[Span, ...]

_begin, _end = itemgetter(0), itemgetter(1)


def union(*sets: Iterable[Span]) -> Spans:
    """Every instant that is in one of the sets; any iterable of spans is a set here, in any order."""
    result: list[Span] = []
    for from_ms, to_ms in sorted(span for spans in sets for span in spans if span[0] < span[1]):
        if result and from_ms <= result[-1][1]:
            result[-1] = (result[-1][0], max(result[-1][1], to_ms))
        else:
            result.append((from_ms, to_ms))
    return tuple(result)


def intersect(left: Spans, right: Spans) -> Spans:
    """Every instant that is in both."""
    result: list[Span] = []
    i = j = 0
    while i < len(left) and j < len(right):
        from_ms = max(left[i][0], right[j][0])
        to_ms = min(left[i][1], right[j][1])
        if from_ms < to_ms:
            result.append((from_ms, to_ms))
        if left[i][1] <= right[j][1]:
            i += 1
        else:
            j += 1
    return tuple(result)


def subtract(left: Spans, right: Spans) -> Spans:
    """Every instant of `left` that is not in `right`."""
    if not left or not right:
        return left
    bounds = (left[0][0], left[-1][1])
    return intersect(left, complement(right, bounds))


def complement(spans: Spans, within: Span) -> Spans:
    """Every instant of `within` that is not in `spans`."""
    edge, end = within
    result: list[Span] = []
    for from_ms, to_ms in spans:
        if from_ms > edge:
            result.append((edge, min(from_ms, end)))
        edge = max(edge, to_ms)
        if edge >= end:
            break
    else:
        result.append((edge, end))
    return tuple(span for span in result if span[0] < span[1])


def clip(spans: Spans, within: Span) -> Spans:
    """The part inside one span. Found by bisection: a day may hold tens of thousands."""
    from_ms, to_ms = within
    if from_ms >= to_ms:
        return ()
    inside = spans[bisect_right(spans, from_ms, key=_end) : bisect_left(spans, to_ms, key=_begin)]
    return tuple((max(begin, from_ms), min(end, to_ms)) for begin, end in inside)


def just_before(spans: Spans, time_ms: int) -> Span | None:
    """The span that holds the instants just before a moment."""
    found = spans[(at := bisect_left(spans, time_ms, key=_end)) : at + 1]
    return found[0] if found and found[0][0] < time_ms else None


def just_after(spans: Spans, time_ms: int) -> Span | None:
    """The span that holds the instants from a moment on."""
    found = spans[(at := bisect_right(spans, time_ms, key=_end)) : at + 1]
    return found[0] if found and found[0][0] <= time_ms else None


def length_ms(spans: Spans) -> int:
    """How long the set is."""
    return sum(to_ms - from_ms for from_ms, to_ms in spans)
