"""A pack put together: the same content always gives the same bytes.

Frames are asked for part of a day by part of a day and written at once, so that a year takes no more memory than a day.
Does not: know a database (`export` hands everything in).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from contract import seal
from contract.errors import ConfigError, EvidenceError
from contract.ids import KeyId, StreamId
from contract.registry import Binding, GatewayKey, Instrument, PolicyVersion
from contract.states import Assurance
from contract.usage import Session
from metering.core.daily import Part
from metering.core.spans import Span, union
from metering.verifier import form, text
from metering.verifier.anchor import known_by, open_at
from metering.verifier.container import Writer


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A frame with what the store says of it: its stream and the first and last moment it speaks of, UTC ms."""

    stream_id: StreamId
    begin_ms: int
    end_ms: int
    raw: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What goes into a pack beside frames.

    Attributes:
        keys: of every gateway; those that signed nothing here are left out.
        statements: documents, part by part, each at both levels of `form.LEVELS`.
        totals: `statement.total` per level.
        by: who exports; code_version: of the program that does.
    """

    instrument: Instrument
    asked: Span
    level: Assurance
    simulation: bool
    keys: Mapping[KeyId, GatewayKey]
    bindings: Sequence[Binding]
    policies: Sequence[PolicyVersion]
    sessions: Sequence[Session]
    parts: Sequence[Part]
    statements: Sequence[Mapping[str, Any]]
    totals: Mapping[Assurance, Mapping[str, Any]]
    by: str
    code_version: str


FramesOf = Callable[[Span], Iterable[Stored]]
"""Frames that speak of a moment in a span, by stream id, then seq."""
RivalsOf = Callable[[], Iterable[tuple[StreamId, bytes]]]
"""For each stream with equivocation two different frames of the lowest such seq, by stream id, then hash."""


def assemble(content: Content, frames_of: FramesOf, rivals_of: RivalsOf, write: Callable[[bytes], object]) -> int:
    """Write a pack; returns how many frames it holds.

    Raises:
        ConfigError: the period is too long for one pack.
    """
    writer = Writer(write)
    listed: list[tuple[str, int, str]] = []
    signers: set[KeyId] = set()
    highest: dict[StreamId, int] = {}
    count = 0
    try:
        for name, frames in _members(content.parts, frames_of):
            stream_id = form.frames_place(name)[1]
            for envelope in (envelope for raw in frames for envelope in _envelope(raw)):
                signers.add(envelope.kid)
                highest[stream_id] = max(highest.get(stream_id, -1), envelope.seq)
            count += len(frames)
            form.at_most("frames", count, form.MAX_FRAMES)
            member = form.sequence(frames)
            listed.append(form.listed(name, member))
            writer.add(name, member)
        # What was signed twice after every frame of the pack touches none of them.
        rivals = [
            raw for stream_id, raw in rivals_of() for one in _envelope(raw) if one.seq <= highest.get(stream_id, -1)
        ]
        signers.update(envelope.kid for raw in rivals for envelope in _envelope(raw))
        rest = {
            form.RECORDS: form.records_bytes(_registered(content, signers)),
            form.RIVALS: form.sequence(rivals),
            form.STATEMENTS: text.dumps(list(content.statements)),
        }
        listed += [form.listed(name, member) for name, member in rest.items()]
        writer.add(form.MANIFEST, form.manifest_bytes(_manifest(content, listed)))
        for name, member in rest.items():
            writer.add(name, member)
        writer.close()
    except ValueError as error:
        raise ConfigError("nothing was exported", [f"--from, --to: {error}"]) from error
    return count


def _members(parts: Sequence[Part], frames_of: FramesOf) -> Iterator[tuple[str, list[bytes]]]:
    """Each frame stands with the first part of a day that needs it."""
    if len(parts) > form.MAX_PARTS:
        raise ValueError(f"{len(parts)} parts of days, at most {form.MAX_PARTS}")
    before: tuple[Span, ...] = ()
    for at, part in enumerate(parts):
        if part.policy is None:
            continue
        new = (
            one
            for one in frames_of(part.within)
            if not any(one.begin_ms < to_ms and one.end_ms >= from_ms for from_ms, to_ms in before)
        )
        for stream_id, frames in groupby(new, lambda one: one.stream_id):
            yield form.frames_name(at, stream_id), [one.raw for one in frames]
        before = union(before, (part.within,))


def _envelope(raw: bytes) -> Iterator[seal.Envelope]:
    try:
        yield seal.open_frame(raw).envelope
    except EvidenceError:
        # It goes out as it is stored; the verifier will say what is wrong with it.
        return


def _registered(content: Content, signers: set[KeyId]) -> form.Registered:
    days = content.parts[0].period[0], content.parts[-1].period[1]
    windows = [part.within for part in content.parts]
    from_ms, until_ms = min(begin for begin, _ in windows), max(end for _, end in windows)
    keys = sorted((content.keys[kid] for kid in signers & content.keys.keys()), key=lambda key: key.kid)
    touched = [one for one in content.sessions if one.start_ms < until_ms and one.end_ms > from_ms]
    in_force = [
        one for one in known_by(content.policies, days[1]) if one.valid_to_ms is None or one.valid_to_ms > days[0]
    ]
    held = {"keys": keys, "bindings": content.bindings, "policies": in_force, "sessions": touched}
    for name, most in form.MAX_RECORDS.items():
        form.at_most(name, len(held[name]), most)
    return form.Registered(
        instrument=content.instrument,
        simulation=content.simulation,
        keys=open_at(keys, until_ms),
        bindings=known_by(content.bindings, until_ms),
        policies=tuple(in_force),
        sessions=tuple(sorted(touched, key=lambda one: (one.start_ms, one.session_id))),
    )


def _manifest(content: Content, listed: list[tuple[str, int, str]]) -> form.Manifest:
    return form.Manifest(
        instrument=content.instrument.instrument,
        asked=content.asked,
        level=content.level,
        by=content.by,
        code_version=content.code_version,
        totals={f"L{level:d}": form.total_stated(each) for level, each in content.totals.items()},
        members=tuple(listed),
    )
