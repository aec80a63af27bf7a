"""Columns of integers on the wire: few bytes, nothing lost, and one legal way of writing each.

A column of values v0..vn is `[unit, first, step, residuals]`:

    unit       greatest common divisor of all values (1 where all are 0)
    first      v0 / unit
    step       lower median of the differences d1..dn of the values divided by unit (0 for a single value)
    residuals  d - step as a typed array (RFC 8746) of the narrowest signed width, little-endian; null where all are 0

so a meter that shows tenths of a watt costs a byte a sample, and a steady clock nothing at all.
"""

import sys
from array import array
from collections.abc import Sequence
from itertools import accumulate, pairwise
from math import gcd
from typing import Final

import cbor2

_TAGS: Final = {72: "b", 77: "h", 78: "i", 79: "q"}
"""RFC 8746 tags of signed little-endian arrays, narrowest first, and their `array` type codes."""
_BOUND: Final = 1 << 62


def pack(values: Sequence[int]) -> list[object]:
    """The column of one or more integers, each of magnitude under 2^62."""
    unit = gcd(*values) or 1
    scaled = [value // unit for value in values]
    deltas = [after - before for before, after in pairwise(scaled)]
    step = sorted(deltas)[(len(deltas) - 1) // 2] if deltas else 0
    return [unit, scaled[0], step, _typed_array([delta - step for delta in deltas])]


def unpack(column: object, count: int) -> tuple[int, ...]:
    """The `count` values of a column.

    Raises:
        ValueError: not a column, or not of `count` values. Whether it was the one legal writing is not asked here:
            `codec.decode` writes the frame again and compares.
    """
    if not isinstance(column, list) or len(column) != 4:  # noqa: PLR2004 - the four parts in the module's docstring
        raise ValueError("a column has four parts")
    unit, first, step, packed = column
    if not (type(unit) is type(first) is type(step) is int and unit >= 1):
        raise ValueError("unit, first and step of a column are integers, unit at least 1")
    residuals: Sequence[int] = array("b", bytes(count - 1)) if packed is None else _residuals(packed)
    if len(residuals) != count - 1:
        raise ValueError(f"a column of {len(residuals) + 1} values where {count} were said")
    values = tuple(accumulate((unit * (step + residual) for residual in residuals), initial=unit * first))
    if max(values) >= _BOUND or min(values) <= -_BOUND:
        raise ValueError("a value is out of range")
    return values


def _typed_array(residuals: list[int]) -> object:
    if not any(residuals):
        return None
    for tag, code in _TAGS.items():
        bound = 1 << (8 * array(code).itemsize - 1)
        if -bound <= min(residuals) and max(residuals) < bound:
            return cbor2.CBORTag(tag, _little_endian(array(code, residuals)).tobytes())
    raise ValueError("a difference does not fit 64 bits")


def _residuals(packed: object) -> Sequence[int]:
    if not isinstance(packed, cbor2.CBORTag) or packed.tag not in _TAGS or not isinstance(packed.value, bytes):
        raise ValueError("residuals are null or a signed little-endian typed array")
    values = array(_TAGS[packed.tag])
    values.frombytes(packed.value)
    return _little_endian(values)


def _little_endian(values: "array[int]") -> "array[int]":
    if sys.byteorder == "big":
        values.byteswap()
    return values
