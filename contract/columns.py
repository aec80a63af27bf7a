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
from itertools import accumulate
from math import gcd
from operator import sub
from typing import Final

import cbor2

from contract.cbor import TYPED_ARRAYS

_BOUND: Final = 1 << 62


def pack(values: Sequence[int]) -> list[object]:
    """The column of one or more integers, each of magnitude under 2^62.

    Raises:
        ValueError: no value, one out of range, or two neighbours so far apart that no typed array holds the step.
    """
    if not values or max(values) >= _BOUND or min(values) <= -_BOUND:
        raise ValueError("a column holds one or more integers, each of magnitude under 2^62")
    unit = gcd(*values) or 1
    scaled = [value // unit for value in values]
    deltas = list(map(sub, scaled[1:], scaled))
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
    deltas = [unit * step] * (count - 1) if packed is None else [unit * (step + each) for each in _residuals(packed)]
    if len(deltas) != count - 1:
        raise ValueError(f"a column of {len(deltas) + 1} values where {count} were said")
    values = tuple(accumulate(deltas, initial=unit * first))
    if max(values) >= _BOUND or min(values) <= -_BOUND:
        raise ValueError("a value is out of range")
    return values


def _typed_array(residuals: list[int]) -> object:
    if not any(residuals):
        return None
    for tag, code in TYPED_ARRAYS.items():
        bound = 1 << (8 * array(code).itemsize - 1)
        if -bound <= min(residuals) and max(residuals) < bound:
            return cbor2.CBORTag(tag, _little_endian(array(code, residuals)).tobytes())
    raise ValueError("a difference does not fit 64 bits")


def _residuals(packed: object) -> Sequence[int]:
    if not isinstance(packed, cbor2.CBORTag) or packed.tag not in TYPED_ARRAYS or not isinstance(packed.value, bytes):
        raise ValueError("residuals are null or a signed little-endian typed array")
    values = array(TYPED_ARRAYS[packed.tag])
    values.frombytes(packed.value)
    return _little_endian(values)


def _little_endian(values: "array[int]") -> "array[int]":
    if sys.byteorder == "big":
        values.byteswap()
    return values
