"""What to send next: a pure state machine over sequence numbers. Times are seconds on any one monotonic clock.

- Oldest first, streams in turn; at most IN_FLIGHT frames without PUBACK and UNRECEIPTED sent ones without receipt. Half
  of the second window is shared out among the streams, so that one the collector does not take cannot stop the others;
  the other half is for whoever has most to send.
- A hole (a frame of higher number, or one that was sent later, is held) is sent again after 5 s, the oldest unheld
  frame after 10 s without progress; the same frame again after twice as long, to 5 min.
- A new connection, or custody that fell, starts again from the first frame not in custody.

Does not: read the spool, speak MQTT, verify receipts.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from contract.ids import StreamId

IN_FLIGHT: Final = 200
UNRECEIPTED: Final = 256
HOLE_S: Final = 5.0
NO_PROGRESS_S: Final = 10.0
LONGEST_S: Final = 300.0


@dataclass(slots=True)
class _Sent:
    """A frame sent in this connection and not in custody; a hole since `hole_s`, once a later one is held."""

    at_s: float
    turn: int
    times: int = 1
    hole_s: float | None = None


@dataclass(slots=True, kw_only=True)
class _Stream:
    """One stream: frames first..last are in the spool, 0..upto and `held` in custody, `cursor` was never sent yet."""

    first: int
    last: int
    upto: int
    held: tuple[tuple[int, int], ...] = ()
    cursor: int = 0
    sent: dict[int, _Sent] = field(default_factory=dict)
    progress_s: float = 0.0
    turn: int = 0

    def rewind(self) -> None:
        self.cursor = max(self.first, self.upto + 1)
        self.sent.clear()

    def is_held(self, seq: int) -> bool:
        return self.first_lacking(seq, seq, default=-1) < 0

    def first_lacking(self, seq: int, last: int, *, default: int) -> int:
        """The first frame of seq..last that is not in custody."""
        seq = max(seq, self.upto + 1)
        while seq <= last:
            place = bisect_right(self.held, seq, key=lambda run: run[0])
            if place == 0 or self.held[place - 1][1] < seq:
                return seq
            seq = self.held[place - 1][1] + 1
        return default

    def new(self) -> int | None:
        """The next frame that was not sent in this connection."""
        while self.cursor <= self.last and (self.is_held(self.cursor) or self.cursor in self.sent):
            self.cursor += 1
        return self.cursor if self.cursor <= self.last else None

    def again(self, now_s: float) -> int | None:
        """The oldest frame that is due to be sent again."""
        for place, seq in enumerate(sorted(self.sent)):
            sent = self.sent[seq]
            if sent.hole_s is not None:
                first_s, since_s = HOLE_S, sent.hole_s
            elif place == 0:
                first_s, since_s = NO_PROGRESS_S, self.progress_s
            else:
                return None
            if now_s >= max(sent.at_s, since_s) + min(first_s * 2 ** (sent.times - 1), LONGEST_S):
                return seq
        return None

    def take(self, upto: int, held: tuple[tuple[int, int], ...], now_s: float) -> None:
        """Take over what is in custody."""
        if (upto, held) != (self.upto, self.held):
            self.progress_s = now_s
        before, self.upto, self.held = ((0, self.upto), *self.held), upto, held
        # A restored collector holds less than it did; what it lost is new to it.
        for first, last in before:
            self.cursor = min(self.cursor, self.first_lacking(first, last, default=self.cursor))
        self.cursor = max(self.first, self.cursor)
        arrived = max((sent.turn for seq, sent in self.sent.items() if self.is_held(seq)), default=0)
        self.sent = {seq: sent for seq, sent in self.sent.items() if not self.is_held(seq)}
        for seq, sent in self.sent.items():
            # What was sent before something that arrived is overtaken, or lost.
            if sent.hole_s is None and (sent.turn < arrived or (held and seq < held[-1][1])):
                sent.hole_s = now_s


class Outbox:
    """The state of sending of all streams."""

    def __init__(self) -> None:
        self._streams: dict[StreamId, _Stream] = {}
        self._unacknowledged = 0
        self._turns = 0

    @property
    def waiting(self) -> int:
        """How many frames were sent in this connection and are not in custody."""
        return sum(len(stream.sent) for stream in self._streams.values())

    def offer(self, stream_id: StreamId, first: int, last: int, upto: int) -> None:
        """A stream found in the spool: frames first..last are there, 0..upto in custody."""
        self._streams[stream_id] = _Stream(first=first, last=last, upto=upto, cursor=max(first, upto + 1))

    def add(self, stream_id: StreamId, seq: int) -> None:
        """The frame `seq` is in the spool; the first of a stream the outbox does not know begins it."""
        if stream_id not in self._streams:
            self.offer(stream_id, seq, seq, seq - 1)
        self._streams[stream_id].last = seq

    def reconnected(self) -> None:
        """Nothing sent before counts: a new connection begins."""
        self._unacknowledged = 0
        for stream in self._streams.values():
            stream.rewind()

    def sent(self, stream_id: StreamId, seq: int, now_s: float) -> None:
        """A frame was given to the connection."""
        stream = self._streams[stream_id]
        self._unacknowledged += 1
        self._turns += 1
        stream.turn = self._turns
        if before := stream.sent.get(seq):
            stream.sent[seq] = _Sent(now_s, self._turns, before.times + 1, before.hole_s)
        else:
            stream.sent[seq] = _Sent(now_s, self._turns)

    def acknowledged(self) -> None:
        """The broker acknowledged a frame of this connection (PUBACK). That is not custody."""
        self._unacknowledged = max(0, self._unacknowledged - 1)

    def in_custody(self, stream_id: StreamId, upto: int, held: Sequence[tuple[int, int]], now_s: float) -> None:
        """A believed receipt: 0..upto and the `held` ranges are in custody, nothing else is."""
        self._streams[stream_id].take(upto, tuple(held), now_s)

    def deleted(self, stream_id: StreamId, first: int) -> None:
        """The spool holds nothing before `first` any more: what the collector lacks there cannot be sent."""
        stream = self._streams[stream_id]
        stream.first = max(stream.first, first)
        stream.cursor = max(stream.cursor, first)
        stream.sent = {seq: sent for seq, sent in stream.sent.items() if seq >= first}

    def due(self, now_s: float) -> tuple[StreamId, int] | None:
        """The frame to send now; None where there is none, or a window is full."""
        if self._unacknowledged >= IN_FLIGHT:
            return None
        share = max(1, UNRECEIPTED // 2 // max(1, len(self._streams)))
        room = self.waiting < UNRECEIPTED
        spare = sum(max(0, len(stream.sent) - share) for stream in self._streams.values()) < UNRECEIPTED // 2
        for stream_id, stream in sorted(self._streams.items(), key=lambda item: item[1].turn):
            seq = stream.again(now_s)
            if seq is None and room and (spare or len(stream.sent) < share):
                seq = stream.new()
            if seq is not None:
                return stream_id, seq
        return None
