"""A day of power readings thinned to what a picture can show, so that short peaks survive and gaps stay gaps."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from metering.core.evidence import Evidence, power_signal
from metering.core.policy import Policy
from metering.core.spans import Span

BUCKETS = 700
"""How many stretches a whole trace is thinned to; each keeps its least and its greatest reading."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """Least and greatest power of each bucket, in order of time (n each).

    Attributes:
        time_ms: of the first reading of the bucket.
        low_mw, high_mw: least and greatest reading.
        segment: rises at each gap: nothing is drawn between two segments.
    """

    time_ms: tuple[int, ...] = ()
    low_mw: tuple[int, ...] = ()
    high_mw: tuple[int, ...] = ()
    segment: tuple[int, ...] = ()


def trace_of(evidence: Evidence, policy: Policy, within: Span, buckets: int = BUCKETS) -> Trace:
    """The power readings of a span, thinned.

    Args:
        evidence: what counts, so that what earned nothing is a gap in the picture too.
        policy: says how long a silence is no gap.
        within: UTC ms.
        buckets: at most so many points, and two for each gap; of more gaps than half of it, the wider ones.
    """
    signal = power_signal(evidence, policy)
    first, after = np.searchsorted(signal.time_ms, within)
    time_ms, value = signal.time_ms[first:after], signal.value[first:after]
    if not len(time_ms):
        return Trace()
    breaks = signal.breaks()[first:after]
    breaks[0] = True
    if np.count_nonzero(breaks) > buckets // 2:
        # On a day of very many gaps those narrower than what is drawn of a bucket would only hide the rest.
        breaks[1:] &= np.diff(time_ms) > (within[1] - within[0]) // buckets
    segment = np.cumsum(breaks)
    bucket = (time_ms - within[0]) * buckets // (within[1] - within[0])
    # A segment keeps its very last reading, or what is drawn would end a bucket too early.
    last = np.append(breaks[1:], True)
    fresh = breaks | last | (np.diff(bucket, prepend=bucket[0] - 1) > 0)
    starts = np.flatnonzero(fresh)
    return Trace(
        time_ms=tuple(time_ms[starts].tolist()),
        low_mw=tuple(np.minimum.reduceat(value, starts).tolist()),
        high_mw=tuple(np.maximum.reduceat(value, starts).tolist()),
        segment=tuple(segment[starts].tolist()),
    )


def joined(traces: Iterable[Trace]) -> Trace:
    """Traces one after the other, as one; nothing is drawn across their seams."""
    time_ms: list[int] = []
    low_mw: list[int] = []
    high_mw: list[int] = []
    segment: list[int] = []
    for one in traces:
        after = segment[-1] if segment else 0
        time_ms += one.time_ms
        low_mw += one.low_mw
        high_mw += one.high_mw
        segment += [after + each for each in one.segment]
    return Trace(time_ms=tuple(time_ms), low_mw=tuple(low_mw), high_mw=tuple(high_mw), segment=tuple(segment))
