"""Questions to sets of time, answered in the logarithm of their size: a day may hold ten thousand runs."""

from bisect import bisect_right
from itertools import accumulate

import numpy as np

from metering.core.spans import Span, Spans
from metering.core.timeline import Signal


class Lookup:
    """A set of time that is asked often."""

    def __init__(self, spans: Spans) -> None:
        self.spans = spans
        self._starts = [from_ms for from_ms, _ in spans]
        self._before_ms = [0, *accumulate(to_ms - from_ms for from_ms, to_ms in spans)]

    def at(self, time_ms: int) -> Span | None:
        """The span that holds an instant."""
        place = bisect_right(self._starts, time_ms) - 1
        return self.spans[place] if place >= 0 and time_ms < self.spans[place][1] else None

    def length_ms(self, span: Span) -> int:
        """How much of the set lies within a span."""
        return self._until(span[1]) - self._until(span[0])

    def edges(self, within: Span) -> list[int]:
        """Where the set begins and ends strictly inside a span."""
        first, after = bisect_right(self._starts, within[0]) - 1, bisect_right(self._starts, within[1])
        near = self.spans[max(first, 0) : after]
        return [edge for span in near for edge in span if within[0] < edge < within[1]]

    def _until(self, time_ms: int) -> int:
        place = bisect_right(self._starts, time_ms) - 1
        if place < 0:
            return 0
        return self._before_ms[place] + min(time_ms, self.spans[place][1]) - self.spans[place][0]


def power_facts(power: Signal, within: Span) -> dict[str, int]:
    """Least, mean and greatest power in mW read in a span, and how often it was read; nothing where it was not."""
    first, after = np.searchsorted(power.time_ms, within)
    value = power.value[first:after]
    if not len(value):
        return {}
    total, count = int(value.sum()), len(value)
    return {
        "power_min_mw": int(value.min()),
        "power_mean_mw": (2 * total + count) // (2 * count),
        "power_max_mw": int(value.max()),
        "power_readings": count,
    }
