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
from collections.abc import Iterable, Sequence
from itertools import accumulate
from math import gcd
from operator import sub
from typing import Any, Final

import cbor2

from contract.cbor import TYPED_ARRAYS

_BOUND: Final = 1 << 62
_NARROWEST: Final = "b"
_NARROWER: Final = dict(zip(list(TYPED_ARRAYS.values())[1:], TYPED_ARRAYS.values(), strict=False))
_LOW_OCTETS: Final = bytes(range(0x80))


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
        ValueError: not a column, or not of `count` values. Whether it is the one legal writing is not asked here:
            `is_legal` says that.
    """
    if not isinstance(column, list) or len(column) != 4:  # noqa: PLR2004 - the four parts in the module's docstring
        raise ValueError("a column has four parts")
    unit, first, step, packed = column
    if not (type(unit) is type(first) is type(step) is int and unit >= 1):
        raise ValueError("unit, first and step of a column are integers, unit at least 1")
    start, usual = unit * first, unit * step
    residuals: Sequence[int] = () if packed is None else _residuals(packed)
    if len(residuals) != (0 if packed is None else count - 1):
        raise ValueError(f"a column of {len(residuals) + 1} values where {count} were said")
    if packed is not None:
        values = tuple(accumulate([usual + unit * each for each in residuals], initial=start))
    elif step:
        values = tuple(range(start, start + usual * count, usual))
    else:
        values = (start,) * count
    # The farthest that any residuals of this width could lead; only a column that might leave the range is searched.
    farthest = abs(start) + unit * (abs(step) + _widest(packed)) * count
    if farthest >= _BOUND and (max(values) >= _BOUND or min(values) <= -_BOUND):
        raise ValueError("a value is out of range")
    return values


def is_legal(column: list[Any], count: int) -> bool:
    """Whether a column whose values `unpack` gave is the one that `pack` makes of them.

    The values and their gcd, first and median difference, are what `unit`, `first`, `step` and the residuals say they
    are exactly if no divisor is left (the gcd of the scaled first value and differences is that of the scaled values),
    the lower median of the residuals is 0, and the array is needed and not too wide.
    """
    unit, first, step, packed = column
    if packed is None:
        steady = step == 0 or count > 1
        return steady and (gcd(first, step) == 1 or (unit == 1 and first == step == 0))
    residuals, code = _residuals(packed), TYPED_ARRAYS[packed.tag]
    return (
        _without_divisor(first, step, residuals)
        and _lower_median_is_0(residuals, packed.value)
        and any(residuals)
        and (code == _NARROWEST or not _fits(residuals, _NARROWER[code]))
    )


def _widest(packed: Any) -> int:  # noqa: ANN401 - what `_residuals` has taken
    return 0 if packed is None else 1 << (8 * array(TYPED_ARRAYS[packed.tag]).itemsize - 1)


def _without_divisor(first: int, step: int, residuals: Iterable[int]) -> bool:
    divisor = first
    for residual in residuals:
        divisor = gcd(divisor, step + residual)
        if divisor == 1:
            return True
    return False


def _lower_median_is_0(residuals: "array[int]", octets: bytes) -> bool:
    """Counted, not sorted: a residual is negative if the last octet of it has its high bit."""
    negative = len(octets[residuals.itemsize - 1 :: residuals.itemsize].translate(None, _LOW_OCTETS))
    return negative <= (len(residuals) - 1) // 2 < negative + residuals.count(0)


def _fits(residuals: "array[int]", code: str) -> bool:
    bound = 1 << (8 * array(code).itemsize - 1)
    return all(-bound <= residual < bound for residual in residuals)


def _typed_array(residuals: list[int]) -> object:
    if not any(residuals):
        return None
    for tag, code in TYPED_ARRAYS.items():
        bound = 1 << (8 * array(code).itemsize - 1)
        if -bound <= min(residuals) and max(residuals) < bound:
            return cbor2.CBORTag(tag, _little_endian(array(code, residuals)).tobytes())
    raise ValueError("a difference does not fit 64 bits")


def _residuals(packed: object) -> "array[int]":
    if not isinstance(packed, cbor2.CBORTag) or packed.tag not in TYPED_ARRAYS or not isinstance(packed.value, bytes):
        raise ValueError("residuals are null or a signed little-endian typed array")
    values = array(TYPED_ARRAYS[packed.tag])
    values.frombytes(packed.value)
    return _little_endian(values)


def _little_endian(values: "array[int]") -> "array[int]":
    if sys.byteorder == "big":
        values.byteswap()
    return values
