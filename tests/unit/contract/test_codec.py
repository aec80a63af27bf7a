"""Payloads: every content within its bounds survives, every other is refused on both sides."""

from dataclasses import replace
from typing import Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.contract.strategies import UNHURRIED, contents, items, measurements
from wire import samples

from contract import codec, columns
from contract.errors import EvidenceError, Reason
from contract.frame import (
    MAX_ENERGY_MWH,
    MAX_POWER_MW,
    MAX_TICKS,
    MAX_TIME_MS,
    Content,
    Measurement,
    Readings,
    Register,
)
from contract.ids import BootId, InstrumentId, SiteId

M = samples.POWER_AND_LINES


@UNHURRIED
@given(contents)
def test_what_is_encoded_is_decoded_the_same(content: Content) -> None:
    payload = codec.encode(content)
    assert codec.decode(payload) == content
    assert codec.encode(codec.decode(payload)) == payload


@pytest.mark.parametrize(
    "content",
    [
        replace(M, power=Readings(values=(MAX_POWER_MW + 1,) * 6)),
        replace(M, power=Readings(values=(-MAX_POWER_MW - 1,) * 6)),
        replace(M, power=Readings(values=(1 << 70,) * 6)),
        replace(M, power=Readings(values=(1, 2, 3, 4, 5))),
        replace(M, power=Readings(values=(1, 2, 3, 4, 5, 6, 7))),
        replace(M, power=Readings(values=(), absent=tuple(range(6)))),
        replace(M, power=Readings(values=(1,) * 5, absent=(6,))),
        replace(M, power=Readings(values=(1,) * 4, absent=(3, 2))),
        replace(M, lines=Readings(values=(4,) * 6)),
        replace(M, power=None, lines=None),
        replace(M, utc_ms=(), mono_ms=()),
        replace(M, utc_ms=M.utc_ms[:1] * 6),
        replace(M, utc_ms=tuple(reversed(M.utc_ms))),
        replace(M, utc_ms=tuple(MAX_TIME_MS - 4 + i for i in range(6))),
        replace(M, utc_ms=tuple(i - 1 for i in range(6))),
        replace(M, mono_ms=tuple(i - 1 for i in range(6))),
        replace(M, mono_ms=M.mono_ms[:5]),
        replace(
            M,
            utc_ms=tuple(range(MAX_TICKS + 1)),
            mono_ms=tuple(range(MAX_TICKS + 1)),
            power=Readings(values=(0,) * (MAX_TICKS + 1)),
            lines=None,
        ),
        replace(M, energy_begin=Register(time_ms=0, energy_mwh=MAX_ENERGY_MWH + 1)),
        replace(M, energy_begin=Register(time_ms=MAX_TIME_MS + 1, energy_mwh=0)),
        replace(M, instrument=InstrumentId("NMR")),
        replace(M, line_names=("run", "run")),
        replace(M, line_names=tuple(f"l{i}" for i in range(33))),
        replace(M, boot_id=BootId(bytes(7))),
        replace(M, period_ms=0),
        replace(M, meter=replace(M.meter, serial="24\x00")),
        replace(M, meter=replace(M.meter, serial="电表")),
        replace(M, meter=replace(M.meter, ct_primary_a=0)),
        replace(samples.OUTAGE, to_ms=samples.OUTAGE.from_ms - 1),
        replace(samples.GENESIS, created_ms=-1),
        replace(samples.GENESIS, site=SiteId("a/b")),
    ],
)
def test_encode_refuses_what_decode_would(content: Content) -> None:
    with pytest.raises(ValueError, match=r".+"):
        codec.encode(content)


@pytest.mark.parametrize("field", ["utc_ms", "mono_ms", "line_names"])
def test_encode_refuses_another_type_that_would_come_back_changed(field: str) -> None:
    wrong: dict[str, Any] = {field: list(getattr(M, field))}
    with pytest.raises(ValueError, match="does not survive"):
        codec.encode(replace(M, **wrong))


def test_encode_refuses_true_for_one() -> None:
    with pytest.raises(ValueError, match="period"):
        codec.encode(replace(M, period_ms=True))


def test_the_longest_frame_survives() -> None:
    ticks = tuple(range(MAX_TICKS))
    content = replace(M, utc_ms=ticks, mono_ms=ticks, power=Readings(values=ticks), lines=None)
    assert codec.decode(codec.encode(content)) == content


@UNHURRIED
@given(st.binary(max_size=200))
def test_any_bytes_are_refused_as_evidence(payload: bytes) -> None:
    with pytest.raises(EvidenceError):
        codec.decode(payload)


@UNHURRIED
@given(items())
def test_any_item_is_refused_as_evidence(item: object) -> None:
    with pytest.raises(EvidenceError):
        codec.decode(cbor2.dumps(item))


@UNHURRIED
@given(contents, st.data())
def test_a_changed_item_is_refused_or_says_exactly_what_is_written(content: Content, data: st.DataObject) -> None:
    parts = cbor2.loads(codec.encode(content))
    parts[data.draw(st.integers(0, len(parts) - 1))] = data.draw(items())
    assert_refused_or_exact(cbor2.dumps(parts))


@UNHURRIED
@given(contents, st.data())
def test_a_changed_byte_is_refused_or_says_exactly_what_is_written(content: Content, data: st.DataObject) -> None:
    payload = bytearray(codec.encode(content))
    at = data.draw(st.integers(0, len(payload) - 1))
    payload[at] ^= data.draw(st.integers(1, 255))
    assert_refused_or_exact(bytes(payload))


def assert_refused_or_exact(payload: bytes) -> None:
    try:
        content = codec.decode(payload)
    except EvidenceError as refusal:
        assert refusal.reason in {Reason.MALFORMED, Reason.NOT_CANONICAL}  # noqa: PT017 - either outcome is right
    else:
        assert codec.encode(content) == payload


alternatives = st.tuples(
    st.integers(1, 12),
    st.integers(-200, 200),
    st.integers(-20, 20),
    st.sampled_from((72, 77, 78, 79)),
    st.lists(st.integers(-20, 20), min_size=2, max_size=2),
)


@UNHURRIED
@given(alternatives)
def test_the_packed_column_is_the_only_one_accepted(alternative: tuple[int, int, int, int, list[int]]) -> None:
    unit, first, step, tag, residuals = alternative
    width = {72: 1, 77: 2, 78: 4, 79: 8}[tag]
    octets = b"".join(residual.to_bytes(width, "little", signed=True) for residual in residuals)
    column: list[object] = [unit, first, step, cbor2.CBORTag(tag, octets)]
    parts = cbor2.loads(codec.encode(samples.POWER_ONLY))
    parts[14][0] = column
    payload = cbor2.dumps(parts)
    if column == columns.pack(columns.unpack(column, 3)):
        assert codec.decode(payload) == replace(samples.POWER_ONLY, power=Readings(values=columns.unpack(column, 3)))
    else:
        with pytest.raises(EvidenceError) as refusal:
            codec.decode(payload)
        assert refusal.value.reason == Reason.NOT_CANONICAL


@UNHURRIED
@given(measurements())
def test_a_payload_holds_integers_bytes_text_and_arrays_alone(content: Measurement) -> None:
    def walk(item: object) -> None:
        if isinstance(item, list):
            for inner in item:
                walk(inner)
        elif isinstance(item, cbor2.CBORTag):
            assert item.tag in {72, 77, 78, 79}
            assert isinstance(item.value, bytes)
        else:
            assert type(item) in {int, bytes, str, type(None)}

    walk(cbor2.loads(codec.encode(content)))
