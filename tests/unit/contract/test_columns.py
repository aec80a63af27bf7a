"""Columns: nothing is lost, nothing is written twice, nothing wrong is written."""

import sys
from types import SimpleNamespace

import cbor2
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from unit.contract.strategies import UNHURRIED

from contract import columns

BOUND = 1 << 62
values = st.lists(st.integers(1 - BOUND, BOUND - 1) | st.integers(-1000, 1000), min_size=1, max_size=40)


@UNHURRIED
@given(values)
@example([BOUND - 1])
@example([1 - BOUND, 0, BOUND - 1])
@example([1 - BOUND, BOUND - 1])
@example([0, BOUND - 1, 0, 1 - BOUND])
@example([1 - BOUND, BOUND - 1, 1 - BOUND])
def test_a_column_comes_back_or_is_refused(numbers: list[int]) -> None:
    try:
        column = columns.pack(numbers)
    except ValueError as refusal:
        assert "64 bits" in str(refusal)  # noqa: PT017 - either outcome is right
        assert max(numbers) - min(numbers) >= BOUND
    else:
        assert columns.unpack(cbor2.loads(cbor2.dumps(column)), len(numbers)) == tuple(numbers)


@UNHURRIED
@given(st.lists(st.integers(-(1 << 61), 1 << 61), min_size=1, max_size=40))
def test_every_column_of_half_the_range_fits(numbers: list[int]) -> None:
    assert columns.unpack(columns.pack(numbers), len(numbers)) == tuple(numbers)


@pytest.mark.parametrize("numbers", [[], [BOUND], [-BOUND], [0, BOUND], [1 << 80, 0]])
def test_what_no_column_holds_is_refused(numbers: list[int]) -> None:
    with pytest.raises(ValueError, match="magnitude under 2\\^62"):
        columns.pack(numbers)


@pytest.mark.parametrize(
    ("numbers", "column"),
    [
        ([0], [1, 0, 0, None]),
        ([0, 0, 0], [1, 0, 0, None]),
        ([7], [7, 1, 0, None]),
        ([-7], [7, -1, 0, None]),
        ([1000, 2000, 3000], [1000, 1, 1, None]),
        ([0, -300, -600], [300, 0, -1, None]),
        ([5, 5, 5], [5, 1, 0, None]),
        # the lower of the two middle differences of 1, 2, 3, 4 is 2
        ([0, 1, 3, 6, 10], [1, 0, 2, cbor2.CBORTag(72, bytes([255, 0, 1, 2]))]),
        ([0, 1, 128], [1, 0, 1, cbor2.CBORTag(72, bytes([0, 126]))]),
        ([0, 1, 130], [1, 0, 1, cbor2.CBORTag(77, bytes([0, 0, 128, 0]))]),
    ],
)
def test_unit_first_step_and_residuals(numbers: list[int], column: list[object]) -> None:
    assert columns.pack(numbers) == column


@pytest.mark.parametrize(("tag", "bits"), [(72, 8), (77, 16), (78, 32), (79, 64)])
@pytest.mark.parametrize("negative", [True, False])
def test_the_narrowest_array_is_taken(tag: int, bits: int, negative: bool) -> None:  # noqa: FBT001 - two cases
    edge = -(1 << (bits - 1)) if negative else (1 << (bits - 1)) - 1
    if bits == 64:
        edge //= 4  # differences of values under 2^62
    assert tag_of(edge) == tag
    if bits < 64:
        assert tag_of(edge + (-1 if negative else 1)) > tag


def tag_of(residual: int) -> int:
    """The tag of a column whose differences are 0, `residual`, 0 and so whose step is 0."""
    packed = columns.pack([1, 1, 1 + residual, 1 + residual])[3]
    assert isinstance(packed, cbor2.CBORTag)
    return packed.tag


def test_residuals_are_little_endian() -> None:
    assert columns.pack([0, 1, 300]) == [1, 0, 1, cbor2.CBORTag(77, bytes([0, 0, 0x2A, 0x01]))]


def test_a_machine_of_the_other_byte_order_swaps(monkeypatch: pytest.MonkeyPatch) -> None:
    other = "big" if sys.byteorder == "little" else "little"
    monkeypatch.setattr(columns, "sys", SimpleNamespace(byteorder=other))
    column = columns.pack([0, 1, 300])
    assert column == [1, 0, 1, cbor2.CBORTag(77, bytes([0, 0, 0x01, 0x2A]))]
    assert columns.unpack(column, 3) == (0, 1, 300)


@pytest.mark.parametrize("count", [1, 2, 4])
def test_another_number_of_values_is_refused(count: int) -> None:
    with pytest.raises(ValueError, match="3 values where"):
        columns.unpack(columns.pack([1, 5, 2]), count)


@pytest.mark.parametrize(
    "residuals", [cbor2.CBORTag(64, b"\x00"), cbor2.CBORTag(73, b"\x00\x00"), b"\x00", [0], "0", 0]
)
def test_other_residuals_are_refused(residuals: object) -> None:
    with pytest.raises(ValueError, match="typed array"):
        columns.unpack([1, 5, 0, residuals], 2)


widths = st.sampled_from(((72, 1), (77, 2), (78, 4), (79, 8)))
few = st.integers(-3, 3) | st.integers(-140, 140) | st.integers(-(1 << 62), 1 << 62)


@st.composite
def columns_of_any_form(draw: st.DrawFn) -> tuple[list[object], int]:
    """A column as anybody might write it, and how many values it claims."""
    column: list[object] = [draw(st.integers(1, 4)), draw(few), draw(few), None]
    if draw(st.booleans()):
        return column, draw(st.integers(1, 6))
    tag, width = draw(widths)
    edge = (1 << (8 * width - 1)) - 1
    near = st.integers(-3, 3) | st.integers(-130, 130) | st.integers(-33_000, 33_000) | st.integers(-edge - 1, edge)
    residuals = draw(st.lists(near.map(lambda one: max(-edge - 1, min(edge, one))), max_size=6))
    octets = b"".join(one.to_bytes(width, "little", signed=True) for one in residuals)
    column[3] = cbor2.CBORTag(tag, octets)
    return column, len(residuals) + 1


@settings(UNHURRIED, max_examples=2_000)
@given(columns_of_any_form())
@example(([1, 0, 0, None], 3))
@example(([2, 0, 0, None], 3))
@example(([1, 1, 1, None], 1))
@example(([5, 1, 0, None], 1))
@example(([1, 1, 0, cbor2.CBORTag(72, b"")], 1))
@example(([1, 0, 1, cbor2.CBORTag(72, b"\xff\xff")], 3))
@example(([1, 0, 1, cbor2.CBORTag(72, b"\x00\x00")], 3))
@example(([1, 0, 1, cbor2.CBORTag(72, b"\x00\x01")], 3))
@example(([1, 0, 1, cbor2.CBORTag(72, b"\xff\x00")], 3))
@example(([2, 1, 1, cbor2.CBORTag(77, b"\x00\x00\x80\x00")], 3))
@example(([2, 1, 1, cbor2.CBORTag(77, b"\x00\x00\x7f\x00")], 3))
def test_legal_is_what_pack_would_write_and_nothing_else(said: tuple[list[object], int]) -> None:
    column, count = said
    try:
        numbers = columns.unpack(column, count)
    except ValueError:
        return  # asked of columns alone whose values are known
    try:
        packed = columns.pack(numbers)
    except ValueError:
        packed = []  # a step that no array holds: nobody could have written it
    assert columns.is_legal(column, count) == (column == packed)
