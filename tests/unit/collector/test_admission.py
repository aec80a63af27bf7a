"""Admission: every reason, any order, and heads that only authentic frames move."""

from dataclasses import replace
from itertools import pairwise
from random import Random

import cbor2
import pytest
from evidence import DAY_MS, FROM_MS, LATER_MS, Gateway, Stream, registry_of, retimed, sealed
from hypothesis import given
from hypothesis import strategies as st

from collector.admission import MAX_RUNS, MAX_SPAN_MS, Outcome, Verdict, admit
from contract import codec, seal
from contract.errors import Reason
from contract.frame import Meter, Readings
from contract.ids import GatewayId, InstrumentId
from contract.registry import Registry
from contract.states import ClockState
from storage.records import Head, Run

ALPHA, BETA = Gateway(name="alpha"), Gateway(name="beta")
REGISTRY = registry_of(ALPHA, BETA)
FRAMES = Stream(gateway=ALPHA)
FRAMES.grow(12)


class Custody:
    """What a sink remembers of one stream, in memory."""

    def __init__(self, registry: Registry = REGISTRY) -> None:
        self.registry = registry
        self.head: Head | None = None
        self.known: dict[int, set[bytes]] = {}
        self.stored: set[bytes] = set()

    def take(self, raw: bytes, topic: str = ALPHA.topic, received_at_ms: int = LATER_MS) -> Verdict:
        seq = seal.open_frame(raw).envelope.seq
        known = self.known.setdefault(seq, set())
        verdict, self.head = admit(raw, topic, received_at_ms, self.registry, self.head, known)
        if verdict.authentic:
            known.add(seal.frame_hash(raw))
        if verdict.outcome is Outcome.STORED:
            self.stored.add(raw)
        return verdict


def reason(raw: bytes, topic: str = ALPHA.topic, registry: Registry = REGISTRY) -> tuple[Reason | None, bool]:
    verdict, head = admit(raw, topic, LATER_MS, registry, None)
    assert verdict.authentic == (head is not None)
    return verdict.reason, verdict.authentic


def seq_1(payload: bytes, gateway: Gateway = ALPHA, version: int = 1) -> bytes:
    return sealed(Stream(gateway=gateway), 1, bytes(31) + b"1", payload, version)


MEASURED = ALPHA.measurement()
GOOD = seq_1(codec.encode(MEASURED))


def test_a_good_frame_is_stored() -> None:
    assert reason(GOOD) == (None, True)


@pytest.mark.parametrize(
    ("raw", "topic", "expected"),
    [
        (bytes(65_537), ALPHA.topic, Reason.TOO_LARGE),
        (b"", ALPHA.topic, Reason.BAD_ENVELOPE),
        (GOOD + b"\0", ALPHA.topic, Reason.BAD_ENVELOPE),
        (seq_1(codec.encode(MEASURED), Gateway(name="alpha")), ALPHA.topic, Reason.UNKNOWN_KEY),
        (GOOD, "jishi/v1/huaian/alpha", Reason.BAD_TOPIC),
        (GOOD, "jishi/v1/huaian/alpha/status", Reason.BAD_TOPIC),
        (GOOD, "", Reason.BAD_TOPIC),
        (GOOD, BETA.topic, Reason.WRONG_GATEWAY),
        (GOOD, "jishi/v1/shanghai/alpha/frame", Reason.WRONG_GATEWAY),
        (GOOD[:-1] + bytes([GOOD[-1] ^ 1]), ALPHA.topic, Reason.BAD_SIGNATURE),
    ],
)
def test_what_is_not_authentic(raw: bytes, topic: str, expected: Reason) -> None:
    assert reason(raw, topic) == (expected, False)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (seq_1(codec.encode(MEASURED), version=2), Reason.UNKNOWN_VERSION),
        (seq_1(b"\xff"), Reason.MALFORMED),
        (seq_1(b"\x9f" + cbor2.dumps([2], canonical=True)), Reason.MALFORMED),
        (seq_1(codec.encode(replace(MEASURED, clock=ClockState.SIMULATED))), Reason.SIMULATED_CLOCK),
        (seq_1(codec.encode(retimed(MEASURED, LATER_MS + 600_001, ClockState.SYNCHRONISED))), Reason.FUTURE_TIME),
        (seq_1(codec.encode(retimed(MEASURED, FROM_MS - 1, ClockState.SYNCHRONISED))), Reason.KEY_NOT_VALID),
        (seq_1(codec.encode(ALPHA.genesis())), Reason.WRONG_STREAM),
        (sealed(FRAMES, 0, seal.FIRST_PREV_HASH, codec.encode(MEASURED)), Reason.WRONG_STREAM),
        (sealed(FRAMES, 0, seal.FIRST_PREV_HASH, codec.encode(BETA.genesis())), Reason.WRONG_STREAM),
        (seq_1(codec.encode(replace(MEASURED, instrument=BETA.instrument))), Reason.NO_BINDING),
        (seq_1(codec.encode(replace(MEASURED, meter=Meter(model="sdm120", serial="other")))), Reason.WRONG_METER),
        (seq_1(codec.encode(replace(MEASURED, meter=replace(ALPHA.meter, ct_primary_a=5)))), Reason.WRONG_METER),
    ],
)
def test_what_is_authentic_but_refused_keeps_its_place(raw: bytes, expected: Reason) -> None:
    assert reason(raw) == (expected, True)


def test_a_second_encoding_of_the_same_content_is_refused() -> None:
    payload = codec.encode(MEASURED)
    longer = payload[:1] + b"\x18\x00" + payload[2:]
    assert payload[1:2] == b"\x00"
    assert reason(seq_1(longer)) == (Reason.NOT_CANONICAL, True)


def test_validities_are_judged_at_both_ends_of_a_frame() -> None:
    key, binding = ALPHA.gateway_key(), ALPHA.binding()
    end_ms = MEASURED.utc_ms[-1]
    closed_key = replace(REGISTRY, keys={key.kid: replace(key, valid_to_ms=end_ms)})
    closed_binding = replace(
        REGISTRY, bindings={(binding.gateway, binding.instrument): (replace(binding, valid_to_ms=end_ms),)}
    )
    assert reason(GOOD, registry=closed_key) == (Reason.KEY_NOT_VALID, True)
    assert reason(GOOD, registry=closed_binding) == (Reason.NO_BINDING, True)


def test_a_simulated_clock_belongs_to_a_simulation_and_may_be_ahead() -> None:
    raw = seq_1(codec.encode(retimed(MEASURED, LATER_MS * 2, ClockState.SIMULATED)))
    assert reason(raw, registry=registry_of(ALPHA, simulation=True)) == (None, True)


def test_an_honest_clock_of_1970_is_kept_as_evidence() -> None:
    assert reason(seq_1(codec.encode(retimed(MEASURED, 1_000, ClockState.UNSYNCHRONISED)))) == (None, True)


def test_an_outage_that_began_before_its_binding_is_kept() -> None:
    assert reason(seq_1(codec.encode(ALPHA.outage(FROM_MS - 1, DAY_MS)))) == (None, True)


@given(st.permutations(FRAMES.frames), st.lists(st.sampled_from(FRAMES.frames)), st.randoms())
def test_any_order_and_any_duplication_ends_in_the_same_custody(
    order: list[bytes], again: list[bytes], random: Random
) -> None:
    custody = Custody()
    heard = [*order, *again]
    random.shuffle(heard)
    outcomes = [custody.take(raw).outcome for raw in heard]
    last = len(FRAMES.frames) - 1
    run = Run(first=0, last=last, prev_hash=seal.FIRST_PREV_HASH, last_hash=seal.frame_hash(FRAMES.frames[last]))
    assert custody.head == Head(gateway=ALPHA.gateway_key().gateway, instrument=ALPHA.instrument, runs=(run,))
    assert custody.stored == set(FRAMES.frames)
    assert outcomes.count(Outcome.STORED) == len(FRAMES.frames)
    assert outcomes.count(Outcome.DUPLICATE) == len(again)


@given(st.sets(st.integers(0, 11), min_size=1), st.randoms())
def test_custody_of_any_part_is_its_maximal_runs(part: set[int], random: Random) -> None:
    custody = Custody()
    order = sorted(part)
    random.shuffle(order)
    for seq in order:
        custody.take(FRAMES.frames[seq])
    assert custody.head
    held = [seq for run in custody.head.runs for seq in range(run.first, run.last + 1)]
    assert held == sorted(part)
    assert all(after.first > before.last + 1 for before, after in pairwise(custody.head.runs))
    assert all(run.last_hash == seal.frame_hash(FRAMES.frames[run.last]) for run in custody.head.runs)


@given(st.sampled_from(FRAMES.frames), st.data())
def test_a_flipped_bit_never_moves_a_head(raw: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(raw) * 8 - 1))
    flipped = bytearray(raw)
    flipped[at // 8] ^= 1 << at % 8
    before, _ = admit(FRAMES.frames[3], ALPHA.topic, LATER_MS, REGISTRY, None)
    assert before.authentic
    head = Head(gateway=ALPHA.gateway_key().gateway)
    verdict, after = admit(bytes(flipped), ALPHA.topic, LATER_MS, REGISTRY, head)
    assert (verdict.outcome, verdict.authentic, after) == (Outcome.QUARANTINED, False, head)


def test_two_frames_in_one_place_are_equivocation_whichever_comes_first() -> None:
    other = sealed(FRAMES, 2, seal.frame_hash(FRAMES.frames[1]), codec.encode(ALPHA.measurement(DAY_MS + 7)))
    for first, second in ((FRAMES.frames[2], other), (other, FRAMES.frames[2])):
        custody = Custody()
        assert custody.take(first).outcome is Outcome.STORED
        assert custody.take(second).reason is Reason.EQUIVOCATION
        assert custody.take(second).outcome is Outcome.DUPLICATE
        assert custody.stored == {first}


def test_a_frame_that_does_not_link_to_a_neighbour_is_held_off_the_chain() -> None:
    stray = sealed(FRAMES, 3, bytes(31) + b"x", codec.encode(ALPHA.measurement(DAY_MS + 180_000)))
    late = Custody()
    late.take(FRAMES.frames[4])
    assert late.take(stray).reason is Reason.OFF_CHAIN
    after = Custody()
    after.take(FRAMES.frames[2])
    assert after.take(stray).reason is Reason.OFF_CHAIN
    assert after.head
    assert after.head.runs[0].last == 3


def test_a_flood_of_holes_stops_growing_the_head_and_fills_again() -> None:
    gapped = tuple(Run(first=2 * n, last=2 * n, prev_hash=bytes(32), last_hash=bytes(32)) for n in range(MAX_RUNS))
    head = Head(gateway=GatewayId(ALPHA.name), instrument=ALPHA.instrument, runs=gapped)
    payload = codec.encode(ALPHA.measurement())
    beyond = sealed(Stream(gateway=ALPHA), 2 * MAX_RUNS + 2, bytes(31) + b"1", payload)
    verdict, after = admit(beyond, ALPHA.topic, LATER_MS, REGISTRY, head)
    assert (verdict.reason, verdict.authentic, after) == (Reason.TOO_MANY_HOLES, False, head)
    filling = sealed(Stream(gateway=ALPHA), 1, bytes(31) + b"1", payload)
    filled, after = admit(filling, ALPHA.topic, LATER_MS, REGISTRY, head)
    assert filled.authentic
    assert after is not None
    assert len(after.runs) == MAX_RUNS - 1


def test_a_measurement_covers_a_day_at_most() -> None:
    ticks = (DAY_MS, DAY_MS + MAX_SPAN_MS + 1)
    long = replace(MEASURED, utc_ms=ticks, mono_ms=(0, 1), power=Readings(values=(1, 2)), lines=None)
    assert reason(seq_1(codec.encode(long))) == (Reason.MALFORMED, True)
    day = replace(long, utc_ms=(DAY_MS, DAY_MS + MAX_SPAN_MS))
    assert reason(seq_1(codec.encode(day))) == (None, True)


def test_nobody_moves_the_head_of_another_gateway() -> None:
    envelope = seal.Envelope(
        kid=seal.key_id(BETA.public), version=1, stream_id=FRAMES.stream_id, seq=5, prev_hash=bytes(31) + b"1"
    )
    intruder = seal.seal(envelope, codec.encode(BETA.measurement()), BETA.key)
    custody = Custody()
    custody.take(FRAMES.frames[0])
    before = custody.head
    verdict = custody.take(intruder, BETA.topic)
    assert (verdict.reason, verdict.authentic, custody.head) == (Reason.WRONG_STREAM, False, before)


def test_a_stream_speaks_of_one_instrument_for_ever() -> None:
    second = InstrumentId("second")
    binding = replace(ALPHA.binding(), instrument=second)
    both = replace(REGISTRY, bindings={**REGISTRY.bindings, (binding.gateway, second): (binding,)})
    custody = Custody(both)
    custody.take(FRAMES.frames[0])
    stray = sealed(FRAMES, 1, seal.frame_hash(FRAMES.frames[0]), codec.encode(replace(MEASURED, instrument=second)))
    assert custody.take(stray).reason is Reason.WRONG_STREAM
    assert custody.head
    assert (custody.head.instrument, custody.head.runs[0].last) == (ALPHA.instrument, 1)
