"""The container of a pack: a zip file that has exactly one legal writing.

Members are stored, not compressed, in rising order of their names, without dates, attributes, comments or extras, and
nothing stands before, between or after them. So a reader rebuilds every byte that is not content, and compares: what
another program packed anew is refused, and no byte can be changed unseen.
Does not: know which members a pack has (`form`).
"""

import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

MAX_BYTES: Final = (1 << 32) - 1
"""A pack and each member are smaller than this: zip64 has no place here."""
MAX_MEMBERS: Final = (1 << 16) - 2
MAX_NAME: Final = 128

_VERSION: Final = 20
_DATE: Final = 0x0021  # 1980-01-01, the first that zip can say
_LOCAL: Final = struct.Struct("<4s5H3L2H")
_CENTRAL: Final = struct.Struct("<4s6H3L5H2L")
_END: Final = struct.Struct("<4s4H2LH")
START: Final = b"PK\x03\x04"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    name: bytes
    crc: int
    size: int
    at: int

    def local(self) -> bytes:
        return (
            _LOCAL.pack(START, _VERSION, 0, 0, 0, _DATE, self.crc, self.size, self.size, len(self.name), 0) + self.name
        )

    def central(self) -> bytes:
        fixed = (b"PK\x01\x02", _VERSION, _VERSION, 0, 0, 0, _DATE, self.crc, self.size, self.size, len(self.name))
        return _CENTRAL.pack(*fixed, 0, 0, 0, 0, 0, self.at) + self.name


class Writer:
    """Writes members one after the other; a member is in memory while it is written, the pack never is."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write = write
        self._entries: list[_Entry] = []
        self._at = 0

    def add(self, name: str, content: bytes) -> None:
        """Append a member.

        Raises:
            ValueError: its name does not follow the one before, or the pack would become too large for a zip file.
        """
        entry = _Entry(name=name.encode("ascii"), crc=zlib.crc32(content), size=len(content), at=self._at)
        if self._entries and entry.name <= self._entries[-1].name:
            raise ValueError(f"{name} does not come after {self._entries[-1].name.decode()}")
        self._entries.append(entry)
        self._say(entry.local())
        self._say(content)

    def close(self) -> None:
        """Write the table of contents; nothing can follow.

        Raises:
            ValueError: the pack would become too large for a zip file.
        """
        for part in _tail(self._entries, self._at):
            self._say(part)

    def _say(self, part: bytes) -> None:
        self._at += len(part)
        if self._at > MAX_BYTES or len(self._entries) > MAX_MEMBERS:
            raise ValueError("the pack would be over 4 GiB or 65,534 members: ask for a shorter period")
        self._write(part)


def read(raw: bytes) -> Mapping[str, memoryview]:
    """The members of a container, in their order.

    Raises:
        ValueError: it is not in the one legal form; says where.
    """
    if len(raw) > MAX_BYTES or len(raw) < _END.size:
        raise ValueError(f"{len(raw)} bytes are no pack")
    view = memoryview(raw)
    result: dict[str, memoryview] = {}
    entries: list[_Entry] = []
    at = 0
    for entry in _listed(raw):
        begin = at + _LOCAL.size + len(entry.name)
        content = view[begin : begin + entry.size]
        if entry.at != at or view[at:begin] != entry.local():
            raise ValueError(f"the header of {entry.name!r} is not in its one legal form")
        if len(content) != entry.size or zlib.crc32(content) != entry.crc:
            raise ValueError(f"the bytes of {entry.name!r} are cut off or were changed")
        if entries and entry.name <= entries[-1].name:
            raise ValueError(f"{entry.name!r} stands twice or out of order")
        at = begin + entry.size
        entries.append(entry)
        result[entry.name.decode("ascii")] = content
    if view[at:] != b"".join(_tail(entries, at)):
        raise ValueError("the table of contents is not in its one legal form, or bytes stand beside the members")
    return result


def _listed(raw: bytes) -> Iterator[_Entry]:
    """What the table of contents says; the caller compares it with what is there."""
    mark, *_, count, size, at, _comment = _END.unpack_from(raw, len(raw) - _END.size)
    end = len(raw) - _END.size
    if mark != b"PK\x05\x06" or at + size != end:
        raise ValueError("there is no table of contents at the end")
    for _ in range(count):
        if at + _CENTRAL.size > end:
            raise ValueError("the table of contents is cut off")
        fields = _CENTRAL.unpack_from(raw, at)
        crc, _packed, length, name_size, where = fields[7], fields[8], fields[9], fields[10], fields[16]
        name = raw[at + _CENTRAL.size : at + _CENTRAL.size + name_size]
        if not 0 < len(name) <= MAX_NAME or len(name) != name_size or not name.isascii():
            raise ValueError("the name of a member is empty, too long, cut off or not ASCII")
        yield _Entry(name=name, crc=crc, size=length, at=where)
        at += _CENTRAL.size + name_size


def _tail(entries: list[_Entry], at: int) -> Iterator[bytes]:
    directory = b"".join(entry.central() for entry in entries)
    yield directory
    yield _END.pack(b"PK\x05\x06", 0, 0, len(entries), len(entries), len(directory), at, 0)
