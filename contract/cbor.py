"""Reading CBOR as plain items: integers, bytes, text, arrays, null and the four typed arrays of `columns`.

Does not: give any tag a meaning. A general CBOR reader turns tags into dates, big numbers, patterns, whole MIME
messages; a few kilobytes of those cost half a second of a receiver's time, and none has a place in a payload.
"""

from collections.abc import Callable
from typing import Final, NoReturn

import cbor2

TYPED_ARRAYS: Final = {72: "b", 77: "h", 78: "i", 79: "q"}
"""RFC 8746 tags of signed little-endian arrays, narrowest first, and their `array` type codes."""


def load(payload: bytes, max_depth: int) -> object:
    """The first item of a payload.

    Not seen here: what is longer than need be, and bytes after the item. Write the content again and compare.

    Raises:
        ValueError: not CBOR, a tag without a place here, an indefinite length, or too deep.
    """
    try:
        return cbor2.loads(
            payload,
            max_depth=max_depth,
            allow_indefinite=False,
            strict_hashable_types=True,
            semantic_decoders=_NO_MEANINGS,
        )
    except cbor2.CBORError as error:
        raise ValueError(str(error)) from error


def _refuse(_value: object, _immutable: bool) -> NoReturn:  # noqa: FBT001 - the parser's calling convention
    raise ValueError("a tag that has no place in a payload")


class _NoMeanings(dict[int, Callable[[object, bool], object]]):
    """Every tag is refused but those of typed arrays, which have no meaning to the parser either."""

    def __missing__(self, tag: int) -> Callable[[object, bool], object]:
        if tag in TYPED_ARRAYS:
            raise KeyError(tag)
        return _refuse


_NO_MEANINGS: Final = _NoMeanings()
