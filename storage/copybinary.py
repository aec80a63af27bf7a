"""Rows as one buffer of PostgreSQL's binary COPY format, built by numpy and never row by row.

Source: PostgreSQL manual, COPY, "Binary Format". Does not: write NULLs (the columns copied here have none).
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_HEADER: Final = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_TRAILER: Final = b"\xff\xff"
_US_FROM_1970_TO_2000: Final = 946_684_800_000_000


def timestamps(time_ms: NDArray[np.int64]) -> NDArray[np.int64]:
    """POSIX milliseconds as values of a `timestamptz` column."""
    return time_ms * 1_000 - _US_FROM_1970_TO_2000


def fixed_bytes(values: Sequence[bytes], width: int) -> NDArray[np.uint8]:
    """A `bytea` column whose values all have one width."""
    return np.frombuffer(b"".join(values), np.uint8).reshape(len(values), width)


def rows(columns: Sequence[NDArray[Any]], last: Sequence[bytes] | None = None) -> bytes:
    """A whole COPY stream.

    Args:
        columns: of one length; integers of the column's own width, or `fixed_bytes`.
        last: values of one more `bytea` column of varying width.
    """
    fixed = _fixed_part(columns, last)
    if last is None:
        return b"".join((_HEADER, fixed.tobytes(), _TRAILER))
    return b"".join((_HEADER, _interleaved(fixed, last).tobytes(), _TRAILER))


def _fixed_part(columns: Sequence[NDArray[Any]], last: Sequence[bytes] | None) -> NDArray[np.uint8]:
    """One row of bytes for each row of the table: count of fields, then length and value of each field."""
    fields: list[tuple[str, Any] | tuple[str, Any, tuple[int, ...]]] = [("fields", ">i2")]
    for at, column in enumerate(columns):
        fields += [(f"length{at}", ">i4"), (f"value{at}", column.dtype.newbyteorder(">"), column.shape[1:])]
    if last is not None:
        fields.append(("length_of_last", ">i4"))
    table = np.empty(len(columns[0]), np.dtype(fields))
    table["fields"] = len(columns) + (last is not None)
    for at, column in enumerate(columns):
        table[f"length{at}"] = table.dtype[f"value{at}"].itemsize
        table[f"value{at}"] = column
    if last is not None:
        table["length_of_last"] = [len(value) for value in last]
    return table.view(np.uint8).reshape(len(table), table.dtype.itemsize)


def _interleaved(fixed: NDArray[np.uint8], last: Sequence[bytes]) -> NDArray[np.uint8]:
    """Each fixed row followed by its last value."""
    count, width = fixed.shape
    lengths = np.fromiter(map(len, last), np.int64, count)
    ends = np.cumsum(lengths)
    buffer = np.empty(count * width + int(lengths.sum()), np.uint8)
    is_fixed = np.zeros(len(buffer), np.bool_)
    starts = np.arange(count) * width + ends - lengths
    is_fixed[(starts[:, np.newaxis] + np.arange(width)).ravel()] = True
    buffer[is_fixed] = fixed.ravel()
    buffer[~is_fixed] = np.frombuffer(b"".join(last), np.uint8)
    return buffer
