from dataclasses import dataclass, field
from typing import Final

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from contract.ids import StreamId
from gateway.outbox import HOLE_S, IN_FLIGHT, LONGEST_S, NO_PROGRESS_S, UNRECEIPTED, Outbox

A, B = StreamId(b"a" * 16), StreamId(b"b" * 16)


def drain(outbox: Outbox, now_s: float) -> list[tuple[StreamId, int]]:
    """Send all that is due."""
    sent = []
    while (due := outbox.due(now_s)) is not None:
        outbox.sent(*due, now_s)
        sent.append(due)
    return sent


@pytest.fixture
def outbox() -> Outbox:
    """Frames 0..9 of one stream, all sent at second 0 and acknowledged."""
    box = Outbox()
    box.offer(A, 0, 9, -1)
    assert drain(box, 0) == [(A, seq) for seq in range(10)]
    for _ in range(10):
        box.acknowledged()
    return box


def test_what_is_in_custody_is_not_sent() -> None:
    box = Outbox()
    box.offer(A, 0, 9, 4)
    box.in_custody(A, 4, [(6, 7)], 0)
    assert [seq for _, seq in drain(box, 0)] == [5, 8, 9]


def test_streams_take_turns_each_oldest_first() -> None:
    box = Outbox()
    box.offer(A, 0, 2, -1)
    box.offer(B, 0, 2, -1)
    assert drain(box, 0) == [(A, 0), (B, 0), (A, 1), (B, 1), (A, 2), (B, 2)]


def test_a_new_frame_is_due_at_once(outbox: Outbox) -> None:
    outbox.add(A, 10)
    outbox.add(B, 0)
    assert sorted(drain(outbox, 0)) == [(A, 10), (B, 0)]


def test_no_more_than_200_are_without_puback() -> None:
    box = Outbox()
    box.offer(A, 0, 999, -1)
    assert len(drain(box, 0)) == IN_FLIGHT
    box.acknowledged()
    assert drain(box, 0) == [(A, IN_FLIGHT)]


def test_no_more_than_256_are_without_receipt() -> None:
    box = Outbox()
    box.offer(A, 0, 999, -1)
    sent = 0
    while batch := drain(box, 0):
        sent += len(batch)
        for _ in batch:
            box.acknowledged()
    assert sent == UNRECEIPTED
    box.in_custody(A, 0, [], 1)
    assert drain(box, 1) == [(A, UNRECEIPTED)]


def test_a_stream_that_is_not_taken_leaves_room_for_the_others() -> None:
    box = Outbox()
    box.offer(A, 0, 999, -1)
    box.offer(B, 0, 999, -1)
    taken = -1
    for second in range(200):
        for stream, _ in drain(box, second):
            box.acknowledged()
            taken += stream == B
        box.in_custody(B, taken, [], second)
    assert taken == 999


def test_a_hole_is_sent_again_5_s_after_a_later_frame_is_held(outbox: Outbox) -> None:
    outbox.in_custody(A, 2, [(4, 9)], 100)
    assert drain(outbox, 100 + HOLE_S - 0.1) == []
    # Progress elsewhere must not put it off.
    outbox.add(A, 10)
    drain(outbox, 103)
    outbox.in_custody(A, 2, [(4, 10)], 104)
    assert drain(outbox, 100 + HOLE_S) == [(A, 3)]


def test_a_hole_stays_one_in_a_new_connection(outbox: Outbox) -> None:
    outbox.in_custody(A, 2, [(4, 9)], 1)
    outbox.reconnected()
    assert drain(outbox, 2) == [(A, 3)]
    outbox.in_custody(A, 2, [(4, 9)], 3)
    assert drain(outbox, 3 + HOLE_S) == [(A, 3)]


def test_a_lost_tail_comes_back_as_a_whole(outbox: Outbox) -> None:
    assert drain(outbox, 10) == [(A, 0)]
    outbox.in_custody(A, 0, [], 11)
    assert drain(outbox, 11 + HOLE_S - 0.1) == []
    assert drain(outbox, 11 + HOLE_S) == [(A, seq) for seq in range(1, 10)]


def test_the_oldest_is_sent_again_after_10_s_without_progress_doubling_to_5_min(outbox: Outbox) -> None:
    outbox.in_custody(A, 8, [], 2)
    times = [float(tenth) / 10 for tenth in range(30_000) if drain(outbox, tenth / 10)]
    waits = [after - before for before, after in zip([2.0, *times], times, strict=False)]
    assert waits[:5] == [NO_PROGRESS_S, 20, 40, 80, 160]
    assert set(waits[5:]) == {LONGEST_S}


def test_progress_starts_the_wait_of_the_next_oldest_anew(outbox: Outbox) -> None:
    outbox.in_custody(A, 4, [], 9)
    assert drain(outbox, 18.9) == []
    assert drain(outbox, 19) == [(A, 5)]


def test_a_receipt_without_news_is_no_progress(outbox: Outbox) -> None:
    outbox.in_custody(A, -1, [], 9)
    assert drain(outbox, 10) == [(A, 0)]


def test_a_new_connection_starts_from_the_first_frame_not_in_custody(outbox: Outbox) -> None:
    outbox.in_custody(A, 3, [(6, 6)], 1)
    outbox.reconnected()
    assert [seq for _, seq in drain(outbox, 1)] == [4, 5, 7, 8, 9]


def test_custody_that_fell_is_asked_for_again(outbox: Outbox) -> None:
    outbox.in_custody(A, 9, [], 1)
    assert drain(outbox, 1) == []
    outbox.in_custody(A, 5, [], 2)
    assert [seq for _, seq in drain(outbox, 2)] == [6, 7, 8, 9]


def test_what_was_deleted_is_not_sent_and_holds_nothing_up(outbox: Outbox) -> None:
    outbox.in_custody(A, 9, [], 1)
    outbox.in_custody(A, -1, [], 2)
    assert outbox.due(2) == (A, 0)
    outbox.deleted(A, 7)
    assert [seq for _, seq in drain(outbox, 2)] == [7, 8, 9]
    outbox.reconnected()
    assert [seq for _, seq in drain(outbox, 3)] == [7, 8, 9]


@dataclass
class Twin:
    """A stream as the world sees it: what is signed, what the collector holds."""

    last: int = -1
    held: set[int] = field(default_factory=set)

    @property
    def upto(self) -> int:
        upto = -1
        while upto + 1 in self.held:
            upto += 1
        return upto

    def ranges(self) -> list[tuple[int, int]]:
        beyond = sorted(seq for seq in self.held if seq > self.upto)
        starts = [seq for seq in beyond if seq - 1 not in self.held]
        ends = [seq for seq in beyond if seq + 1 not in self.held]
        return list(zip(starts, ends, strict=True))


class Sending(RuleBasedStateMachine):
    """Signing, losing, receiving, acknowledging and reconnecting in any order."""

    STREAMS: Final = (A, B)

    def __init__(self) -> None:
        super().__init__()
        self.outbox, self.now_s = Outbox(), 0.0
        self.twins = {stream: Twin() for stream in self.STREAMS}
        self.unacknowledged = 0
        self.told: dict[StreamId, set[int]] = {stream: set() for stream in self.STREAMS}

    @rule(stream=st.sampled_from(STREAMS), count=st.integers(1, 150))
    def sign(self, stream: StreamId, count: int) -> None:
        twin = self.twins[stream]
        for seq in range(twin.last + 1, twin.last + 1 + count):
            self.outbox.add(stream, seq)
        twin.last += count

    @rule(count=st.integers(1, 300), every=st.integers(1, 5))
    def send(self, count: int, every: int) -> None:
        """Send up to `count`; every `every`-th arrives."""
        for place in range(count):
            due = self.outbox.due(self.now_s)
            if due is None:
                return
            stream, seq = due
            assert 0 <= seq <= self.twins[stream].last
            assert seq not in self.told[stream], "what is known to be in custody is not sent"
            self.outbox.sent(stream, seq, self.now_s)
            self.unacknowledged += 1
            if place % every == 0:
                self.twins[stream].held.add(seq)

    @precondition(lambda self: self.unacknowledged)
    @rule(data=st.data())
    def acknowledge(self, data: st.DataObject) -> None:
        for _ in range(data.draw(st.integers(1, self.unacknowledged))):
            self.outbox.acknowledged()
            self.unacknowledged -= 1

    @rule(stream=st.sampled_from(STREAMS))
    def receipt(self, stream: StreamId) -> None:
        twin = self.twins[stream]
        if twin.last >= 0:
            self.outbox.in_custody(stream, twin.upto, twin.ranges(), self.now_s)
            self.told[stream] = set(twin.held)

    @rule(stream=st.sampled_from(STREAMS), kept=st.integers(0, 50), every=st.integers(1, 5))
    def restore(self, stream: StreamId, kept: int, every: int) -> None:
        """The collector's database is restored: it holds the first `kept` and some later ones, under a new epoch."""
        self.twins[stream].held = {seq for seq in self.twins[stream].held if seq < kept or seq % every}
        self.receipt(stream)

    @rule()
    def reconnect(self) -> None:
        self.outbox.reconnected()
        self.unacknowledged = 0

    @rule(seconds=st.floats(0, 400))
    def wait(self, seconds: float) -> None:
        self.now_s += seconds

    @invariant()
    def the_windows_hold(self) -> None:
        assert self.unacknowledged <= IN_FLIGHT
        assert self.outbox.waiting <= UNRECEIPTED

    def teardown(self) -> None:
        """From any state, a working collector gets everything."""
        for _ in range(200):
            if all(len(twin.held) == twin.last + 1 for twin in self.twins.values()):
                return
            self.let_it_work()
        pytest.fail(f"not delivered: {self.twins}")

    def let_it_work(self) -> None:
        for _ in range(self.unacknowledged):
            self.outbox.acknowledged()
        self.unacknowledged = 0
        self.send(1_000, 1)
        for stream in self.STREAMS:
            self.receipt(stream)
        self.now_s += LONGEST_S


Sending.TestCase.settings = settings(deadline=None, max_examples=40, stateful_step_count=20)
TestSending = Sending.TestCase
