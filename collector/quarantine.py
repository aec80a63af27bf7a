"""Quarantined frames looked at again: the same admission, with the registry and the program of today.

A frame is judged as when it was heard (its own times, the moment it was received), and placed between the neighbours
that its stream holds. What is admissible now moves into its place: the head has counted it as held all the while, so
nothing is asked of the gateway. Two frames under one place are a matter for people: neither is ever admitted here.

Does not: forgive. A frame that was refused for what it is stays refused, however often it is asked about.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from operator import itemgetter
from typing import Final

from collector import admission
from collector.admission import Frame
from contract import codec, seal
from contract.errors import ConfigError, EvidenceError, Reason
from contract.frame import VERSION, Content
from contract.ids import InstrumentId
from contract.registry import Registry
from storage import quarantine, registry
from storage.pool import Connection
from storage.quarantine import Entry, LockedStream, Note, Occupant, Wanted
from storage.records import Head, Place, Run, StoredFrame

_AT_ONCE: Final = 100
"""Frames of one transaction: a collector that hears the same stream waits for it."""


class Fate(StrEnum):
    """What became of an entry that was looked at again."""

    READMITTED = "readmitted"
    ALREADY = "already"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """An entry and its fate; where it was refused, why, by a reason of today."""

    quarantine_no: int
    fate: Fate
    reason: Reason | None = None
    detail: str = ""


def listed(connection: Connection, wanted: Wanted, limit: int) -> list[tuple[Entry, InstrumentId | None]]:
    """The newest entries that are wanted, at most so many, each with the instrument that it is about, where known."""
    found: list[tuple[Entry, InstrumentId | None]] = []
    with closing(quarantine.listed(connection, wanted)) as entries:
        for entry in entries:
            instrument = entry.instrument or instrument_of(entry)
            if wanted.instrument in {None, instrument}:
                found.append((entry, instrument))
            if len(found) == limit:
                break
    return found


def content_of(raw: bytes) -> Content:
    """What authentic bytes say, whether or not that is admissible.

    Raises:
        EvidenceError: they cannot be read.
    """
    sealed = seal.open_frame(raw)
    if sealed.envelope.version != VERSION:
        raise EvidenceError(Reason.UNKNOWN_VERSION, f"version {sealed.envelope.version}: update this program")
    return codec.decode(sealed.payload)


def instrument_of(entry: Entry) -> InstrumentId | None:
    """The instrument that the bytes of an entry speak of; None where there are no bytes, or they do not say."""
    try:
        return content_of(entry.raw).instrument if entry.raw else None
    except EvidenceError:
        return None


def examined(entry: Entry, current: Registry) -> Frame:
    """A frame taken from quarantine as admission takes one from the broker; its fault stands in it.

    Raises:
        EvidenceError: it is not to be looked at again: nobody known signed it, or it contradicts another frame.
    """
    if entry.raw is None:
        fault = Reason(entry.reason) if entry.reason in set(Reason) else Reason.BAD_SIGNATURE
        raise EvidenceError(fault, "only its hash was kept: the gateway must send it again")
    if entry.reason == Reason.EQUIVOCATION:
        raise _contested()
    frame = admission.authenticate(entry.raw, entry.topic, current)
    return admission.judge(frame, entry.received_at_ms, current)


def settled(number: int, frame: Frame, stream: LockedStream, instrument: InstrumentId | None) -> Head:
    """The head beside a frame that fits its place: what admission would have made of its neighbours.

    Args:
        number: of its entry.
        frame: as `examined`.
        stream: locked.
        instrument: the one that the stream speaks of by now.

    Raises:
        EvidenceError: it is refused, by what it says, by its stream or by another frame under its place.
    """
    seq = frame.sealed.envelope.seq
    if any(one.frame_hash != frame.sealed.frame_hash for one in stream.places.get(seq, ())):
        raise _contested()
    head = Head(gateway=stream.gateway, instrument=instrument, runs=_neighbours(number, seq, stream.places))
    verdict, after = admission.place(frame, head, ())
    if verdict.reason:
        raise EvidenceError(verdict.reason, verdict.detail.removeprefix(f"{verdict.reason}: "))
    return after


def readmit(connection: Connection, wanted: Wanted, by: str, at_ms: int) -> list[Decided]:
    """Look at entries again and admit what is admissible now. Twice changes nothing.

    Frames of one stream go in a hundred at a time, each hundred in one transaction: durable as it is yielded to the
    next. Killed in between, the rest is still waiting.

    Args:
        connection: to the database; it MUST NOT be in a transaction.
        wanted: which; entries by number are answered for whatever they are, others only while they wait.
        by: who decided that it is time.
        at_ms: now.

    Raises:
        ConfigError: equivocations were asked for, or nobody says who asks.
        StorageError: the server failed.
    """
    _check(wanted, by)
    note = Note(at_ms=at_ms, by=by, registry_revision=registry.revision(connection))
    current = registry.snapshot(connection)
    found = sorted(_places(connection, wanted))
    missing = sorted(set(wanted.numbers or ()) - {number for _, _, number in found})
    decided = [Decided(quarantine_no=number, fate=Fate.UNKNOWN, detail="there is no such entry") for number in missing]
    for stream_no, group in groupby(found, key=itemgetter(0)):
        numbers = [number for _, _, number in group]
        for start in range(0, len(numbers), _AT_ONCE):
            entries = quarantine.whole(connection, numbers[start : start + _AT_ONCE])
            decided += _part(connection, stream_no, entries, current, note)
    return sorted(decided, key=lambda one: one.quarantine_no)


def _places(connection: Connection, wanted: Wanted) -> list[tuple[int, int, int]]:
    """Stream number (0: no stream), seq and number of the entries that are wanted."""
    with closing(quarantine.listed(connection, wanted)) as entries:
        return [
            (one.stream_no or 0, one.seq or 0, one.quarantine_no)
            for one in entries
            if wanted.instrument in {None, one.instrument or instrument_of(one)}
        ]


def _check(wanted: Wanted, by: str) -> None:
    if wanted.reason == Reason.EQUIVOCATION:
        raise ConfigError(
            "nothing was readmitted",
            ["--reason: two frames contradict each other; which one holds is for people to decide, not for a registry"],
        )
    if not by.strip():
        raise ConfigError("nothing was readmitted", ["--by: say who decided it"])


def _part(
    connection: Connection, stream_no: int, entries: Mapping[int, Entry], current: Registry, note: Note
) -> Iterator[Decided]:
    """Some entries of one stream, in one transaction."""
    frames: dict[int, Frame] = {}
    for number, entry in sorted(entries.items(), key=lambda item: (item[1].seq or 0, item[0])):
        try:
            frames[number] = examined(entry, current)
        except EvidenceError as error:
            yield _refused(number, error)
    if not frames:
        return
    candidates = {number: made for number, frame in frames.items() if (made := _stored(frame, entries[number]))}
    quarantine.make_months(connection, list(candidates.values()))
    with quarantine.locked(connection, stream_no, list(entries.values())) as stream:
        fates = _decided(stream, frames)
        chosen = {number: candidates[number] for number, fate in fates.items() if fate.fate is Fate.READMITTED}
        fates |= _admitted(stream, chosen, note)
    yield from fates.values()


def _decided(stream: LockedStream, frames: Mapping[int, Frame]) -> dict[int, Decided]:
    instrument = stream.instrument
    fates: dict[int, Decided] = {}
    for number, frame in frames.items():
        if number in stream.readmitted:
            fates[number] = Decided(quarantine_no=number, fate=Fate.ALREADY)
            continue
        try:
            instrument = settled(number, frame, stream, instrument).instrument
        except EvidenceError as error:
            fates[number] = _refused(number, error)
        else:
            fates[number] = Decided(quarantine_no=number, fate=Fate.READMITTED)
    return fates


def _admitted(stream: LockedStream, chosen: dict[int, StoredFrame], note: Note) -> dict[int, Decided]:
    """Store what was chosen; returns those that could not be stored: one of them stalls no other."""
    if not chosen:
        return {}
    try:
        stream.admit(chosen, note)
    except EvidenceError as error:
        if len(chosen) == 1:
            return {number: _refused(number, error) for number in chosen}
        faults: dict[int, Decided] = {}
        for number, frame in chosen.items():
            faults |= _admitted(stream, {number: frame}, note)
        return faults
    return {}


def _stored(frame: Frame, entry: Entry) -> StoredFrame | None:
    envelope = frame.sealed.envelope
    if frame.content is None or entry.raw is None:
        return None
    return StoredFrame(
        place=Place(gateway=frame.key.gateway, stream_id=envelope.stream_id, seq=envelope.seq),
        frame_hash=frame.sealed.frame_hash,
        prev_hash=envelope.prev_hash,
        content=frame.content,
        received_at_ms=entry.received_at_ms,
        raw=entry.raw,
    )


def _neighbours(number: int, seq: int, places: Mapping[int, Sequence[Occupant]]) -> tuple[Run, ...]:
    """The frames before and after a place, as the runs of a head that lacks it.

    A link is judged on whichever of two arrived second: a neighbour in quarantine counts only where it was first. One
    that is stored was first, or was found to agree.
    """
    return tuple(
        Run(first=at, last=at, prev_hash=one.prev_hash, last_hash=one.frame_hash)
        for at in (seq - 1, seq + 1)
        for one in [one for one in places.get(at, ()) if one.first and one.quarantine_no < number][:1]
    )


def _contested() -> EvidenceError:
    return EvidenceError(Reason.EQUIVOCATION, "two signed frames claim this place: people must decide which one holds")


def _refused(number: int, fault: EvidenceError) -> Decided:
    return Decided(quarantine_no=number, fate=Fate.REFUSED, reason=fault.reason, detail=str(fault))
