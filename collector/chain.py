"""Custody of one stream as runs of seq, in whatever order frames arrive. Pure.

Links belong to pairs: whichever of two neighbours arrives second is the one that is checked against the other.
Does not: know why a frame was refused; a refused frame keeps its place like any other.
"""

from bisect import bisect_right

from storage.records import Head, Run


def holds(head: Head, seq: int) -> bool:
    """Whether some frame has this place already."""
    before, _ = _neighbours(head, seq)
    return before is not None and seq <= before.last


def links(head: Head, seq: int, prev_hash: bytes, frame_hash: bytes) -> bool:
    """Whether a frame for a free place agrees with the neighbours that are there."""
    before, after = _neighbours(head, seq)
    follows = before is None or before.last != seq - 1 or before.last_hash == prev_hash
    is_followed = after is None or after.first != seq + 1 or after.prev_hash == frame_hash
    return follows and is_followed


def hold(head: Head, seq: int, prev_hash: bytes, frame_hash: bytes) -> Head:
    """The head with one more frame in a place that was free."""
    at = bisect_right(head.runs, seq, key=_first)
    alone = Run(first=seq, last=seq, prev_hash=prev_hash, last_hash=frame_hash)
    joins_before = at > 0 and head.runs[at - 1].last == seq - 1
    joins_after = at < len(head.runs) and head.runs[at].first == seq + 1
    low = head.runs[at - 1] if joins_before else alone
    high = head.runs[at] if joins_after else alone
    joined = Run(first=low.first, last=high.last, prev_hash=low.prev_hash, last_hash=high.last_hash)
    runs = (*head.runs[: at - joins_before], joined, *head.runs[at + joins_after :])
    return Head(gateway=head.gateway, instrument=head.instrument, runs=runs)


def _neighbours(head: Head, seq: int) -> tuple[Run | None, Run | None]:
    """The run that begins at or before a place, and the one that begins after it."""
    at = bisect_right(head.runs, seq, key=_first)
    return (head.runs[at - 1] if at else None), (head.runs[at] if at < len(head.runs) else None)


def _first(run: Run) -> int:
    return run.first
