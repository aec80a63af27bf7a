"""The form of a pack: which members it has and what stands in them. Writer and verifier share this module.

The page `docs/verification.md` says the same byte by byte. Anything that is not exactly so is refused.
Does not: judge what is said.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from contract.ids import InstrumentId, StreamId, is_id
from contract.registry import Binding, GatewayKey, Instrument, PolicyVersion
from contract.seal import MAX_FRAME_BYTES
from contract.states import Assurance
from contract.usage import Session
from metering.core.spans import Span
from metering.verifier import rows, text
from metering.verifier.container import MAX_BYTES

FORMAT: Final = "jishi-evidence"
VERSION: Final = 1
MANIFEST: Final = "manifest.json"
RECORDS: Final = "records.json"
RIVALS: Final = "rivals.cborseq"
STATEMENTS: Final = "statements.json"
LEVELS: Final = (Assurance.TELEMETRY, Assurance.SIGNED)
"""A pack states every part of a day at both levels, in this order."""
MAX_PARTS: Final = 9_999
MAX_FRAMES: Final = 4_000_000
"""A frame every eight seconds of a year."""
MAX_TICKS: Final = 2_000_000
"""Readings that one part of a day needs: twenty-three days of one a second."""
MAX_RECORDS: Final = {"keys": 1_000, "bindings": 1_000, "policies": 500, "sessions": 20_000}
LATEST_MS: Final = 221_845_392_000_000
"""Year 9000: no calendar arithmetic leaves the years that `datetime` knows."""
_FRAMES: Final = re.compile(r"frames/(\d{4})/([0-9a-f]{32})\.cborseq")
_SHORT, _ONE, _TWO, _FOUR = 0x40, 0x58, 0x59, 0x5A
_ONE_FROM, _TWO_FROM, _FOUR_FROM = 24, 1 << 8, 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a pack says it is.

    Attributes:
        asked: the period, UTC ms, half-open; its statements are of the whole local days it touches.
        level: the assurance level of the headline.
        by: who exported it, and code_version by which program: claims, for people.
        totals: `statement.total` over `asked` without its one float, per level.
        members: name, size in bytes and SHA-256 of every other member.
    """

    instrument: InstrumentId
    asked: Span
    level: Assurance
    by: str
    code_version: str
    totals: Mapping[str, Any]
    members: tuple[tuple[str, int, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """What the registry says of one instrument, as far as a pack needs it.

    Attributes:
        keys: those that signed its frames, by id.
        bindings: in the registry's order; sessions: by start and id.
        policies: in force on the days of the pack, by their beginning.
        An end that comes after the pack's own (`until`) is left out of it: nobody knew it yet.
    """

    instrument: Instrument
    simulation: bool
    keys: tuple[GatewayKey, ...]
    bindings: tuple[Binding, ...]
    policies: tuple[PolicyVersion, ...]
    sessions: tuple[Session, ...]


def frames_name(part: int, stream: StreamId) -> str:
    """Member that holds a stream's frames of which part number `part` is the first to need them."""
    return f"frames/{part:04d}/{stream.hex()}.cborseq"


def frames_place(name: str) -> tuple[int, StreamId]:
    """Part and stream of a member of frames.

    Raises:
        ValueError: the name is none of a pack's.
    """
    found = _FRAMES.fullmatch(name)
    if found is None:
        raise ValueError(f"{name!r} is no member of a pack")
    return int(found[1]), StreamId(bytes.fromhex(found[2]))


def sequence(frames: Iterable[bytes]) -> bytes:
    """Frames as a CBOR sequence of byte strings. Source: RFC 8742."""
    return b"".join(part for raw in frames for part in (_head(len(raw)), raw))


def items(content: memoryview, at: int = 0) -> Iterator[tuple[int, bytes]]:
    """The byte strings of a sequence from byte `at` on, each with the byte at which its item begins.

    Raises:
        ValueError: another item, a length longer than need be, a frame over the limit, bytes missing at the end.
    """
    end = len(content)
    while at < end:
        first = content[at]
        width = {_ONE: 1, _TWO: 2, _FOUR: 4}.get(first, 0)
        size = int.from_bytes(content[at + 1 : at + 1 + width], "big") if width else first - _SHORT
        head = _head(size) if 0 <= size <= MAX_FRAME_BYTES else b""
        begin = at + 1 + width
        if content[at:begin] != head or begin + size > end:
            raise ValueError(f"byte {at} begins no byte string of a frame")
        yield at, bytes(content[begin : begin + size])
        at = begin + size


def _head(size: int) -> bytes:
    if size < _ONE_FROM:
        return bytes((_SHORT + size,))
    if size < _TWO_FROM:
        return bytes((_ONE, size))
    if size < _FOUR_FROM:
        return bytes((_TWO,)) + size.to_bytes(2, "big")
    return bytes((_FOUR,)) + size.to_bytes(4, "big")


def listed(name: str, content: bytes) -> tuple[str, int, str]:
    """A member as the manifest lists it."""
    return name, len(content), hashlib.sha256(content).hexdigest()


def manifest_bytes(manifest: Manifest) -> bytes:
    """The manifest's one legal writing."""
    return text.dumps(
        {
            "format": FORMAT,
            "version": VERSION,
            "instrument": manifest.instrument,
            "asked_ms": list(manifest.asked),
            "level": int(manifest.level),
            "made_by": {"by": manifest.by, "code_version": manifest.code_version},
            "totals": manifest.totals,
            "members": [{"name": name, "size": size, "sha256": sha} for name, size, sha in manifest.members],
        }
    )


def manifest(value: object) -> Manifest:
    """A manifest as read; its version is known.

    Raises:
        ValueError: says what was expected.
    """
    match value:
        case {
            "format": "jishi-evidence", "version": int(), "instrument": str(instrument),
            "asked_ms": [from_ms, to_ms], "level": level,
            "made_by": {"by": by, "code_version": code, **others}, "totals": dict(totals), "members": list(members),
            **rest,
        } if not others and not rest and is_id(instrument):  # fmt: skip
            asked = (rows.integer(from_ms, 0, LATEST_MS), rows.integer(to_ms, 0, LATEST_MS))
        case _:
            raise ValueError("a manifest has exactly the fields of its version")
    if asked[0] >= asked[1]:
        raise ValueError("asked_ms: the end is not after the beginning")
    if level not in LEVELS or type(level) is not int:
        raise ValueError("level: 2 or 3 was expected")
    return Manifest(
        instrument=InstrumentId(instrument),
        asked=asked,
        level=Assurance(level),
        by=rows.text(by, least=0),
        code_version=rows.text(code),
        totals=totals,
        members=tuple(_member(one) for one in members),
    )


def _member(value: object) -> tuple[str, int, str]:
    match value:
        case {"name": str(name), "size": int(size), "sha256": str(sha), **rest} if not rest:
            return name, rows.integer(size, 0, MAX_BYTES), sha
    raise ValueError("members: name, size and sha256 were expected")


def statements(value: object) -> list[dict[str, Any]]:
    """Documents as read; what they say is compared field by field with what is recomputed.

    Raises:
        ValueError: they are no list of tables.
    """
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise ValueError("statements: a list of tables was expected")
    return value


def total_stated(total: Mapping[str, Any]) -> dict[str, Any]:
    """A total as a manifest carries it: integers only; coverage is a quotient of two of them."""
    return {name: value for name, value in total.items() if name != "coverage"}


def records_bytes(known: Registered) -> bytes:
    """The one legal writing of the records."""
    return text.dumps(
        {
            "instrument": rows.row(known.instrument),
            "simulation": known.simulation,
            "keys": [rows.row(one) for one in known.keys],
            "bindings": [rows.row(one) for one in known.bindings],
            "policies": [rows.row(one) for one in known.policies],
            "sessions": [rows.row(one) for one in known.sessions],
        }
    )


def records(value: object) -> Registered:
    """Records as read.

    Raises:
        ValueError: says what was expected.
    """
    names = {"instrument", "simulation", *MAX_RECORDS}
    if not isinstance(value, dict) or value.keys() != names or type(value["simulation"]) is not bool:
        raise ValueError(f"records: exactly {', '.join(sorted(names))} were expected")
    for name, most in MAX_RECORDS.items():
        at_most(name, len(value[name]) if isinstance(value[name], list) else 0, most)
    return Registered(
        instrument=rows.record(Instrument, value["instrument"]),
        simulation=value["simulation"],
        keys=rows.records(GatewayKey, value["keys"]),
        bindings=rows.records(Binding, value["bindings"]),
        policies=rows.records(PolicyVersion, value["policies"]),
        sessions=rows.records(Session, value["sessions"]),
    )


def at_most(what: str, count: int, most: int) -> None:
    """Refuse more than a pack may hold: reading it must not take a day.

    Raises:
        ValueError: there are too many.
    """
    if count > most:
        raise ValueError(f"over {most} {what}, the most that a pack may hold")
