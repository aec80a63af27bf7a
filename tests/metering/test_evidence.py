"""From sealed frames to readings: order and copies do not matter, contradictions end a stream."""

from dataclasses import replace
from random import Random

import numpy as np
import pytest
from evidence import DAY_MS, Gateway, Stream, sealed
from hypothesis import given
from hypothesis import strategies as st

from contract import codec, seal
from contract.frame import Readings
from contract.ids import BootId
from contract.states import Assurance, ClockState, Source, State
from metering.core.evidence import assemble, earning, power_signal, state_signal
from metering.core.pipeline import measure
from metering.core.policy import Policy, Profile
from metering.core.tally import tally

POLICY = Policy(profile=Profile.RUNSTATE, lines=(("run", State.RUNNING),), max_gap_ms=60_000)
GATEWAY = Gateway(name="gw-1")
FRAMES = tuple(Stream(gateway=GATEWAY).grow(9))
WITHIN = (DAY_MS, DAY_MS + 600_000)


@given(st.randoms(use_true_random=False), st.integers(0, 30))
def test_order_and_copies_change_nothing(random: Random, copies: int) -> None:
    pile = [*FRAMES, *random.choices(FRAMES, k=copies)]
    random.shuffle(pile)
    shuffled, straight = assemble(pile), assemble(FRAMES)
    assert shuffled == straight
    assert tally(measure(shuffled, POLICY, (), WITHIN), WITHIN) == tally(measure(straight, POLICY, (), WITHIN), WITHIN)


def test_the_digest_names_every_frame() -> None:
    assert len({assemble(FRAMES[:count]).digest for count in range(10)}) == 10


def test_a_hole_in_the_sequence_joins_nothing() -> None:
    signal = power_signal(assemble((*FRAMES[:4], *FRAMES[5:])), POLICY)
    assert np.flatnonzero(~signal.joined).tolist() == [0, 15], "the first reading, and the first after the hole"


def test_two_frames_under_one_seq_end_the_stream_there() -> None:
    stream = Stream(gateway=GATEWAY, frames=list(FRAMES))
    twin = sealed(stream, 4, seal.frame_hash(FRAMES[3]), codec.encode(GATEWAY.measurement(DAY_MS + 1)))
    assert [link.seq for link in assemble((*FRAMES, twin)).links] == [0, 1, 2, 3]


def test_a_known_equivocation_ends_the_stream_there() -> None:
    stream_id = Stream(gateway=GATEWAY).stream_id
    assert [link.seq for link in assemble(FRAMES, {stream_id: 6}).links] == [0, 1, 2, 3, 4, 5]


def test_a_broken_link_ends_the_stream_there() -> None:
    stream = Stream(gateway=GATEWAY)
    stream.grow(3)
    stream.add(GATEWAY.measurement(DAY_MS + 180_000), prev_hash=bytes(31) + b"x")
    stream.grow(2)
    assert [link.seq for link in assemble(stream.frames).links] == [0, 1, 2]


@pytest.mark.parametrize(
    "change",
    [
        {"boot_id": BootId(b"another!")},
        {"clock": ClockState.STEPPED},
        {"meter": replace(GATEWAY.meter, serial="another")},
        {"meter": replace(GATEWAY.meter, ct_primary_a=200)},
    ],
)
def test_another_boot_clock_or_meter_joins_nothing(change: dict[str, object]) -> None:
    stream = Stream(gateway=GATEWAY)
    stream.grow(2)
    content = replace(GATEWAY.measurement(DAY_MS + 65_000), **change)  # type: ignore[arg-type]  # fields by name
    stream.add(content)
    assert power_signal(assemble(stream.frames), POLICY).joined.tolist() == [False, *[True] * 4, False, *[True] * 4]


def test_an_outage_record_joins_nothing() -> None:
    stream = Stream(gateway=GATEWAY)
    stream.grow(2)
    stream.add(GATEWAY.outage(DAY_MS + 64_000, DAY_MS + 66_000))
    stream.add(GATEWAY.measurement(DAY_MS + 66_000))
    assert power_signal(assemble(stream.frames), POLICY).joined.tolist() == [False, *[True] * 4, False, *[True] * 4]


def test_an_absent_reading_is_absent() -> None:
    stream = Stream(gateway=GATEWAY)
    stream.grow(1)
    stream.add(replace(GATEWAY.measurement(), power=Readings(values=(1, 2, 3), absent=(1, 3)), lines=None))
    signal = power_signal(assemble(stream.frames), POLICY)
    assert (signal.time_ms - DAY_MS).tolist() == [0, 2000, 4000]
    assert signal.value.tolist() == [1, 2, 3]
    assert len(state_signal(assemble(stream.frames), POLICY).value) == 0


def test_frames_of_other_clocks_are_a_hole() -> None:
    stream = Stream(gateway=GATEWAY)
    stream.grow(2)
    stream.add(replace(GATEWAY.measurement(DAY_MS + 120_000), clock=ClockState.UNSYNCHRONISED))
    stream.grow(1)
    kept = earning(assemble(stream.frames), Assurance.SIGNED, simulation=False)
    assert [link.seq for link in kept.links] == [0, 1, 3]
    assert kept.digest == assemble(stream.frames).digest


@pytest.mark.parametrize(
    ("clock", "source", "earns"),
    [
        (ClockState.SYNCHRONISED, Source.SAMPLED, (True, True)),
        (ClockState.SYNCHRONISED, Source.IMPORTED, (False, False)),
        (ClockState.UNSYNCHRONISED, Source.SAMPLED, (False, False)),
        (ClockState.STEPPED, Source.SAMPLED, (False, False)),
        (ClockState.SIMULATED, Source.SAMPLED, (False, True)),
        (ClockState.SIMULATED, Source.IMPORTED, (False, True)),
    ],
)
def test_what_earns_verified_hours_in_a_registry_and_in_a_simulation(
    clock: ClockState, source: Source, earns: tuple[bool, bool]
) -> None:
    stream = Stream(gateway=GATEWAY)
    stream.add(replace(GATEWAY.measurement(), clock=clock, source=source))
    evidence = assemble(stream.frames)
    found = [earning(evidence, Assurance.SIGNED, simulation=simulation).links for simulation in (False, True)]
    assert tuple(map(bool, found)) == earns
    assert earning(evidence, Assurance.TELEMETRY, simulation=False) == evidence


def test_streams_that_overlap_in_time_hold_nothing_between_them() -> None:
    other = Stream(gateway=GATEWAY, name="second")
    other.grow(1)
    shifted = GATEWAY.measurement(DAY_MS + 60_500)
    other.add(shifted)
    signal = power_signal(assemble((*FRAMES[:2], *other.frames)), POLICY)
    assert not signal.joined.any()


def test_what_cannot_be_read_earns_nothing_and_is_named() -> None:
    stream = Stream(gateway=GATEWAY)
    stream.grow(2)
    stream.add(b"\x80")
    found = assemble([*stream.frames, b"rubbish"])
    assert [link.seq for link in found.links] == [0, 1]
    assert len(found.refused) == 2


def test_one_reading_alone_says_nothing_of_any_time() -> None:
    stream = Stream(gateway=GATEWAY)
    stream.grow(1)
    stream.add(replace(GATEWAY.measurement(), power=None, lines=Readings(values=(1,), absent=(0, 1, 2, 3))))
    found = tally(measure(assemble(stream.frames), POLICY, (), WITHIN), WITHIN)
    assert (found.unknown_ms, found.effective.low_ms, found.effective.high_ms) == (600_000, 0, 600_000)
