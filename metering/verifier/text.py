"""JSON with one legal writing: UTF-8, keys sorted, no spaces, nothing escaped that need not be.

Numbers are integers; a float (in the rules of a policy alone) is written in the fewest digits that read back as it.
Does not: know what is said (`form`, `rows`, `anchor`).
"""

import json
from typing import Any, Final

MAX_BYTES: Final = 1 << 26
"""Largest member of this kind; a year of statements takes 2 MB."""


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


def loads(raw: bytes | memoryview) -> Any:  # noqa: ANN401 - JSON is whatever it is; `rows` looks at each field
    """What was written.

    Raises:
        ValueError: not JSON, too long, or another writing than the legal one.
    """
    if len(raw) > MAX_BYTES:
        raise ValueError(f"{len(raw)} bytes, at most {MAX_BYTES}")
    try:
        value = json.loads(bytes(raw))
    except RecursionError as error:
        raise ValueError("nested too deep") from error
    if dumps(value) != raw:
        raise ValueError("the same content has another writing, the legal one")
    return value
