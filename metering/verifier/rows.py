"""Records of the registry as rows of JSON, strictly read: no field may be missing, unknown or of another type.

Bytes are hex in lower case, times POSIX ms, enumerations their wire words. A record's field has the same name here.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import fields
from enum import Enum
from typing import Any, Final, TypeVar

from contract.ids import KEY_ID_BYTES, is_id
from contract.registry import Role
from contract.usage import Attribution, Party, Purpose, Way

_Record = TypeVar("_Record")
_LATEST: Final = 1 << 53
_MAX_TEXT: Final = 256
_MAX_NUMBER: Final = 1 << 31
_HASH_BYTES: Final = 32
_UNSEEN: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters of two sets, line ends, what turns the direction of writing around, half characters."""


def row(record: object, *, without: tuple[str, ...] = ()) -> dict[str, Any]:
    """A record as a row."""
    names = (field.name for field in fields(record) if field.name not in without)  # type: ignore[arg-type]  # a record
    return {name: _written(getattr(record, name)) for name in names}


def record(kind: type[_Record], row: object, **given: object) -> _Record:
    """A record from its row.

    Args:
        kind: a frozen dataclass of `contract`.
        row: as read.
        given: fields that are not in the row.

    Raises:
        ValueError: says which field, and what was expected.
    """
    names = {field.name for field in fields(kind) if field.name not in given}  # type: ignore[arg-type]  # a dataclass
    if not isinstance(row, dict) or row.keys() != names:
        raise ValueError(f"{kind.__name__}: exactly {', '.join(sorted(names))} were expected")
    values = {}
    for name in names:
        try:
            values[name] = _READERS[name](row[name])
        except ValueError as error:
            raise ValueError(f"{kind.__name__}.{name}: {error}") from error
    return kind(**values, **given)


def records(kind: type[_Record], rows: object, **given: object) -> tuple[_Record, ...]:
    """Records from a list of rows (arguments as in `record`).

    Raises:
        ValueError: as `record`, or it is no list.
    """
    if not isinstance(rows, list):
        raise ValueError(f"{kind.__name__}: a list was expected")  # noqa: TRY004 - a fault of data, not of a caller
    return tuple(record(kind, one, **given) for one in rows)


def integer(value: object, least: int, most: int) -> int:
    """An integer within bounds, both included.

    Raises:
        ValueError: it is not.
    """
    if type(value) is not int or not least <= value <= most:
        raise ValueError(f"an integer in {least}..{most} was expected")
    return value


def text(value: object, least: int = 1) -> str:
    """A text of one line.

    Raises:
        ValueError: it is not.
    """
    if not isinstance(value, str) or not least <= len(value) <= _MAX_TEXT or _UNSEEN.search(value):
        raise ValueError(f"a text of {least} to {_MAX_TEXT} characters without control characters was expected")
    return value


def _written(value: object) -> object:
    if isinstance(value, bytes):
        return value.hex()
    return value.value if isinstance(value, Enum) else value


def _id(value: object) -> str:
    if not isinstance(value, str) or not is_id(value):
        raise ValueError("lower-case letters, digits and hyphens were expected, at most 32")
    return value


def _time(value: object) -> int:
    return integer(value, -_LATEST, _LATEST)


def _end(value: object) -> int | None:
    return None if value is None else _time(value)


def _number(value: object) -> int:
    return integer(value, 1, _MAX_NUMBER)


def _hex(size: int) -> Callable[[object], bytes]:
    def read(value: object) -> bytes:
        if not isinstance(value, str) or len(value) != 2 * size or bytes.fromhex(value).hex() != value:
            raise ValueError(f"{size} bytes in hex, lower case, were expected")
        return bytes.fromhex(value)

    return read


def _table(value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise ValueError("a table was expected")  # noqa: TRY004 - a fault of data, not of a caller
    return value


def _word(words: type[Enum]) -> Callable[[object], object]:
    def read(value: object) -> object:
        if type(value) not in {int, str}:  # 1.0 and true would be second writings of 1
            raise ValueError("a word or number was expected")
        return words(value)

    return read


_READERS: Final[Mapping[str, Callable[[object], object]]] = {
    **dict.fromkeys(("instrument", "unit", "site", "gateway", "meter_model", "session_id", "policy_id"), _id),
    **dict.fromkeys(("meter_serial", "name_zh", "name_en", "instrument_class", "time_zone"), text),
    **dict.fromkeys(("proposed_by", "proposed_body", "approved_by", "approved_body"), text),
    **dict.fromkeys(("valid_from_ms", "approved_at_ms", "start_ms", "end_ms", "entered_at_ms"), _time),
    **dict.fromkeys(("ct_primary_a", "ct_secondary_a", "version"), _number),
    "valid_to_ms": _end,
    "kid": _hex(KEY_ID_BYTES),
    "public_key": _hex(_HASH_BYTES),
    "content_hash": _hex(_HASH_BYTES),
    "rules": _table,
    "role": _word(Role),
    "party": _word(Party),
    "purpose": _word(Purpose),
    "way": _word(Way),
    "attribution": _word(Attribution),
}
