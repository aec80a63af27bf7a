"""JSON with one legal writing: UTF-8, keys sorted, no spaces, nothing escaped that need not be.

Numbers are integers; a float (in the rules of a policy alone) is written in the fewest digits that read back as it.
Does not: know what is said (`form`, `rows`, `anchor`).
"""

import json
from typing import Any, Final

MAX_BYTES: Final = 1 << 26
"""Largest member of this kind; a year of statements takes 2 MB."""
_MOST: Final = (1 << 63) - 1
_DIGITS: Final = 19


def dumps(value: object) -> bytes:
    """The one legal writing.

    Raises:
        ValueError: not a number, half a character, or nested too deep.
    """
    try:
        words = json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))
        return words.encode("utf-8")
    except RecursionError as error:
        raise ValueError("nested too deep") from error


def loads(raw: bytes | memoryview, *, fractions: bool = False) -> Any:  # noqa: ANN401 - `rows` looks at each field
    """What was written.

    Args:
        raw: as it stands in the pack.
        fractions: whether it may hold numbers that are no integers.

    Raises:
        ValueError: not JSON, too long, a number out of bounds, or another writing than the legal one.
    """
    if len(raw) > MAX_BYTES:
        raise ValueError(f"{len(raw)} bytes, at most {MAX_BYTES}")
    try:
        value = json.loads(bytes(raw), parse_int=_integer, parse_float=float if fractions else _no_fraction)
    except RecursionError as error:
        raise ValueError("nested too deep") from error
    if dumps(value) != raw:
        raise ValueError("the same content has another writing, the legal one")
    return value


def _integer(digits: str) -> int:
    if len(digits.removeprefix("-")) > _DIGITS or abs(int(digits)) > _MOST:
        raise ValueError("an integer of more than 63 bits")
    return int(digits)


def _no_fraction(digits: str) -> float:
    raise ValueError(f"{digits[:_DIGITS]} is no integer")
