"""The journal of an open frame: an append-only file that holds its ticks before the frame exists.

A file is a head (u32 length, u32 CRC, the frame's `Opening` as JSON) and records of 41 bytes (a tick, CRC-32).

Durability: when `create` or `append` returns, the tick survives the death of this process (it MUST be with the kernel:
one unbuffered write); after `sync` it survives a power cut. Recovery (`recover`) takes every whole record and leaves a
torn tail; a file without a whole head and first record held nothing that was claimed.
"""

import os
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from pydantic import TypeAdapter, ValidationError

from gateway.disk import storing
from gateway.framer import Opening, Tick

_HEAD: Final = struct.Struct("<II")
_TICK: Final = struct.Struct("<BqqqqI")
_CRC: Final = struct.Struct("<I")
_RECORD_BYTES: Final = _TICK.size + _CRC.size
_POWER, _LINES, _ENERGY = 1, 2, 4
_OPENING: Final = TypeAdapter(Opening)


class Journal:
    """An open journal; ticks go in, nothing comes out but by `recover`."""

    def __init__(self, path: Path, descriptor: int, size: int) -> None:
        self._path, self._descriptor, self._size = path, descriptor, size

    @classmethod
    def create(cls, path: Path, opening: Opening, first: Tick) -> Self:
        """Begin a journal with its first tick. An older file of this name is lost: its frame MUST be in the spool.

        Raises:
            StorageError: nothing was begun; DiskFullError where there was no space.
        """
        head = _OPENING.dump_json(opening)
        raw = _HEAD.pack(len(head), zlib.crc32(head)) + head + _record(first)
        with storing("journal"):
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC, 0o600)
        journal = cls(path, descriptor, 0)
        try:
            journal._write(raw)
        except BaseException:
            os.close(descriptor)
            raise
        return journal

    def append(self, tick: Tick) -> None:
        """Write a tick; it MUST NOT be claimed if this raises.

        Raises:
            StorageError: the file is as it was before; DiskFullError where there was no space.
        """
        self._write(_record(tick))

    def sync(self) -> None:
        """Bring all ticks so far to the disk.

        Raises:
            StorageError: a power cut might lose them.
        """
        with storing("journal"):
            os.fdatasync(self._descriptor)

    def close(self) -> None:
        """Close the file and leave it."""
        os.close(self._descriptor)

    def _write(self, raw: bytes) -> None:
        with storing("journal"):
            try:
                written = os.write(self._descriptor, raw)
                while written < len(raw):
                    # A disk that fills up takes a part and says so only at the next write.
                    written += os.write(self._descriptor, raw[written:])
            except OSError:
                os.ftruncate(self._descriptor, self._size)
                raise
        self._size += len(raw)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """What a journal held, and how many bytes of a torn tail were left out."""

    opening: Opening
    ticks: tuple[Tick, ...]
    cut_bytes: int


def recover(path: Path) -> Recovered | None:
    """Read the journal of a process that ended; None where there is no file or it held no whole tick.

    Raises:
        StorageError: the file cannot be read.
    """
    with storing("journal"):
        if not path.exists():
            return None
        raw = path.read_bytes()
    opening, at = _opening(raw)
    if opening is None:
        return None
    ticks: list[Tick] = []
    while (tick := _tick(raw[at : at + _RECORD_BYTES])) is not None:
        ticks.append(tick)
        at += _RECORD_BYTES
    return Recovered(opening=opening, ticks=tuple(ticks), cut_bytes=len(raw) - at) if ticks else None


def _opening(raw: bytes) -> tuple[Opening | None, int]:
    if len(raw) < _HEAD.size:
        return None, 0
    length, crc = _HEAD.unpack_from(raw)
    head = raw[_HEAD.size : _HEAD.size + length]
    if len(head) != length or zlib.crc32(head) != crc:
        return None, 0
    try:
        return _OPENING.validate_json(head), _HEAD.size + length
    except ValidationError:
        return None, 0


def _record(tick: Tick) -> bytes:
    present = (
        (_POWER if tick.power_mw is not None else 0)
        | (_LINES if tick.lines is not None else 0)
        | (_ENERGY if tick.energy_mwh is not None else 0)
    )
    packed = _TICK.pack(present, tick.utc_ms, tick.mono_ms, tick.power_mw or 0, tick.energy_mwh or 0, tick.lines or 0)
    return packed + _CRC.pack(zlib.crc32(packed))


def _tick(record: bytes) -> Tick | None:
    if len(record) != _RECORD_BYTES or _CRC.unpack_from(record, _TICK.size) != (zlib.crc32(record[: _TICK.size]),):
        return None
    present, utc_ms, mono_ms, power_mw, energy_mwh, lines = _TICK.unpack_from(record)
    return Tick(
        utc_ms,
        mono_ms,
        power_mw if present & _POWER else None,
        lines if present & _LINES else None,
        energy_mwh if present & _ENERGY else None,
    )
