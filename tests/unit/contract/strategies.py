"""Hypothesis strategies for everything a frame or a receipt may say, up to its bounds."""

import string
from typing import Any, Final

from cbor2 import CBORTag
from hypothesis import settings
from hypothesis import strategies as st

from contract.frame import (
    MAX_ENERGY_MWH,
    MAX_LINES,
    MAX_POWER_MW,
    MAX_TIME_MS,
    Content,
    Genesis,
    Link,
    Measurement,
    Meter,
    Outage,
    Readings,
    Register,
)
from contract.ids import StreamId
from contract.receipt import Custody, Receipt
from contract.states import ClockState, MeterState, OutageCause, Source

UNHURRIED: Final = settings(deadline=None)
"""The machine may be busy: time is not what these tests are about."""

MAX_SEQ: Final = (1 << 63) - 1
ids: Final = st.from_regex(r"[a-z0-9][a-z0-9-]{0,31}", fullmatch=True)
hashes: Final = st.binary(min_size=32, max_size=32)
stream_ids: Final = st.binary(min_size=16, max_size=16).map(StreamId)
boots: Final = st.binary(min_size=8, max_size=8)
times: Final = st.integers(0, MAX_TIME_MS)
clocks: Final = st.sampled_from(ClockState)
registers: Final = st.none() | st.builds(Register, time_ms=times, energy_mwh=st.integers(0, MAX_ENERGY_MWH))
serials: Final = st.text(string.ascii_letters + string.digits + string.punctuation + " ", min_size=1, max_size=64)
meters: Final = st.builds(
    Meter,
    model=ids,
    serial=serials,
    ct_primary_a=st.integers(1, 1_000_000),
    ct_secondary_a=st.integers(1, 1_000_000),
)


@st.composite
def rising(draw: st.DrawFn, count: int) -> tuple[int, ...]:
    """Rising times: anywhere within the bounds, or nearly steady as a sampler's."""
    if draw(st.booleans()):
        return tuple(sorted(draw(st.lists(times, min_size=count, max_size=count, unique=True))))
    start, jitter = draw(st.integers(3, 1 << 46)), draw(st.lists(st.integers(-3, 3), min_size=count, max_size=count))
    return tuple(start + 1000 * i + late for i, late in enumerate(jitter))


def readings(count: int, least: int, most: int) -> st.SearchStrategy[Readings]:
    """Readings of `count` ticks, some absent, never all."""

    def with_gaps(absent: set[int]) -> st.SearchStrategy[Readings]:
        size = count - len(absent)
        values = st.lists(st.integers(least, most), min_size=size, max_size=size)
        return values.map(lambda read: Readings(values=tuple(read), absent=tuple(sorted(absent))))

    return st.sets(st.integers(0, count - 1), max_size=count - 1).flatmap(with_gaps)


@st.composite
def measurements(draw: st.DrawFn) -> Measurement:
    """Any measurement."""
    count = draw(st.integers(1, 30))
    names = tuple(draw(st.lists(ids, max_size=MAX_LINES, unique=True)))
    power = readings(count, -MAX_POWER_MW, MAX_POWER_MW)
    lines = readings(count, 0, (1 << len(names)) - 1)
    signals = st.tuples(power, lines) | st.tuples(power, st.none()) | st.tuples(st.none(), lines)
    powers, line_bits = draw(signals)
    return draw(
        st.builds(
            Measurement,
            instrument=ids,
            source=st.sampled_from(Source),
            meter=meters,
            meter_state=st.integers(0, 7).map(MeterState),
            boot_id=boots,
            clock=clocks,
            period_ms=st.integers(1, 86_400_000),
            energy_begin=registers,
            energy_end=registers,
            line_names=st.just(names),
            utc_ms=rising(count),
            mono_ms=rising(count),
            power=st.just(powers),
            lines=st.just(line_bits),
        )
    )


@st.composite
def outages(draw: st.DrawFn) -> Outage:
    """Any outage."""
    start, end = sorted((draw(times), draw(times)))
    return draw(
        st.builds(
            Outage,
            instrument=ids,
            boot_id=boots,
            clock=clocks,
            from_ms=st.just(start),
            to_ms=st.just(end),
            cause=st.sampled_from(OutageCause),
            energy_before=registers,
            energy_after=registers,
        )
    )


links: Final = st.builds(Link, stream_id=stream_ids, seq=st.integers(0, MAX_SEQ), frame_hash=hashes)
geneses: Final = st.builds(
    Genesis,
    site=ids,
    gateway=ids,
    instrument=ids,
    boot_id=boots,
    clock=clocks,
    created_ms=times,
    predecessor=st.none() | links,
)
contents: Final[st.SearchStrategy[Content]] = st.one_of(measurements(), outages(), geneses)


@st.composite
def custodies(draw: st.DrawFn) -> Custody:
    """What may be held of a stream."""
    upto = draw(st.integers(-1, 1 << 40))
    held, end = [], upto
    for hole, length in draw(st.lists(st.tuples(st.integers(1, 1 << 40), st.integers(0, 1 << 40)), max_size=5)):
        held.append((end + 1 + hole, end + 1 + hole + length))
        end = held[-1][1]
    digest = bytes(32) if upto == -1 else draw(hashes)
    return Custody(stream_id=draw(stream_ids), upto=upto, frame_hash=digest, held=tuple(held))


receipts: Final = st.builds(
    Receipt,
    gateway=ids,
    store_epoch=boots,
    counter=st.integers(0, MAX_SEQ),
    issued_ms=times,
    streams=st.lists(custodies(), max_size=5, unique_by=lambda c: c.stream_id).map(tuple),
)


def items() -> st.SearchStrategy[Any]:
    """Any CBOR item as Python sees it, tags and big numbers among them."""
    leaves = st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(1 << 70), 1 << 70),
        st.floats(),
        st.binary(max_size=40),
        st.text(max_size=20),
    )
    tags = st.sampled_from((0, 1, 2, 3, 4, 5, 25, 28, 29, 30, 35, 36, 37, 72, 77, 79, 100, 256, 258, 260, 1004))
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.lists(inner, max_size=17),
            st.builds(CBORTag, tags | st.integers(0, (1 << 64) - 1), inner),
            st.dictionaries(st.text(max_size=4) | st.integers(-9, 9), inner, max_size=4),
        ),
        max_leaves=30,
    )
