"""Whether a frame is what it claims to be, and where it stands in its stream. Pure: no I/O, no clock.

Three steps, each cheaper to trust than the one before: `authenticate` (whose is it?), `judge` (is what it says
admissible?), `place` (does it fit its stream?). From the first step on a frame is *authentic*: it keeps its place and
counts as held, whatever else is wrong with it. Bytes that fail the first step never move a head.

Does not: judge what a measurement is worth.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from collector import chain
from contract import codec, seal
from contract.errors import EvidenceError, Reason
from contract.frame import VERSION, Content, Genesis, Measurement, Meter, Outage
from contract.registry import Binding, GatewayKey, Registry, covers
from contract.seal import Envelope, Sealed
from contract.states import ClockState
from contract.topics import Channel, parse_topic
from storage.records import Head

MAX_AHEAD_MS: Final = 600_000
"""How far a gateway's clock may be ahead of ours."""
MAX_RUNS: Final = 1_024
"""Most runs of one stream. An honest gateway has 256 frames on their way, so it never leaves more holes than that."""
MAX_SPAN_MS: Final = 86_400_000
"""Longest time one measurement may cover: each month it touches is a partition of the projections, each day a chunk."""


class Outcome(StrEnum):
    """What becomes of a message. Each has exactly one."""

    STORED = "stored"
    DUPLICATE = "duplicate"
    QUARANTINED = "quarantined"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What becomes of a message, and why where it was refused.

    Attributes:
        authentic: signed by the key of its stream's gateway: held, in its place, and named in receipts.
    """

    outcome: Outcome
    authentic: bool
    reason: Reason | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """Authentic bytes, taken apart.

    Attributes:
        content: what was found in them; None until `judge`, and where that found a fault.
        fault: why they are refused although authentic.
    """

    sealed: Sealed
    key: GatewayKey
    content: Content | None = None
    fault: EvidenceError | None = None


def admit(
    raw: bytes, topic: str, received_at_ms: int, registry: Registry, head: Head | None, known: Collection[bytes] = ()
) -> tuple[Verdict, Head | None]:
    """The verdict on a message, and the head of its stream after it.

    Args:
        raw: the message's exact bytes.
        topic: the topic it was heard on.
        received_at_ms: when it was heard, by our clock.
        registry: as it is now; validities in it are judged at the frame's own times.
        head: custody of the stream the message names; None while nothing of it is held.
        known: hashes in custody under its (stream, seq); asked for only where `head` holds that place.
    """
    try:
        frame = authenticate(raw, topic, registry)
    except EvidenceError as error:
        return refused(error, authentic=False), head
    return place(judge(frame, received_at_ms, registry), head, known)


def authenticate(raw: bytes, topic: str, registry: Registry) -> Frame:
    """Whose the bytes are.

    Raises:
        EvidenceError: TOO_LARGE, BAD_ENVELOPE, UNKNOWN_KEY, BAD_TOPIC, WRONG_GATEWAY or BAD_SIGNATURE.
    """
    sealed = seal.open_frame(raw)
    key = registry.keys.get(sealed.envelope.kid)
    if key is None:
        raise EvidenceError(Reason.UNKNOWN_KEY, f"key {sealed.envelope.kid.hex()} is not in the registry")
    heard = parse_topic(topic)
    if heard.channel is not Channel.FRAME:
        raise EvidenceError(Reason.BAD_TOPIC, f"{topic!r} is no topic for frames")
    if (heard.site, heard.gateway) != (key.site, key.gateway):
        raise EvidenceError(Reason.WRONG_GATEWAY, f"signed by {key.site}/{key.gateway}, sent on {topic}")
    seal.verify(sealed.protected, sealed.payload, sealed.signature, seal.load_public_key(key.public_key))
    return Frame(sealed=sealed, key=key)


def judge(frame: Frame, received_at_ms: int, registry: Registry) -> Frame:
    """The frame with its content, or with its fault.

    The faults: UNKNOWN_VERSION, MALFORMED, NOT_CANONICAL, SIMULATED_CLOCK, FUTURE_TIME, KEY_NOT_VALID, WRONG_STREAM,
    NO_BINDING, WRONG_METER.
    """
    try:
        content = _content(frame, received_at_ms, registry)
    except EvidenceError as error:
        return replace(frame, fault=error)
    return Frame(sealed=frame.sealed, key=frame.key, content=content)


def place(frame: Frame, head: Head | None, known: Collection[bytes]) -> tuple[Verdict, Head]:
    """The verdict on an authentic frame, and the head of its stream after it. Arguments are those of `admit`."""
    envelope, frame_hash = frame.sealed.envelope, frame.sealed.frame_hash
    head = head or Head(gateway=frame.key.gateway)
    if head.gateway != frame.key.gateway:
        # Authentic for its signer, not for this stream: nobody moves the head of another.
        return refused(_wrong_stream(f"this stream is {head.gateway}'s"), authentic=False), head
    if chain.holds(head, envelope.seq):
        if frame_hash in known:
            return Verdict(outcome=Outcome.DUPLICATE, authentic=True), head
        other = EvidenceError(Reason.EQUIVOCATION, f"another frame holds seq {envelope.seq} of this stream")
        return refused(other, authentic=True), head
    held = chain.hold(head, envelope.seq, envelope.prev_hash, frame_hash)
    if len(held.runs) > max(MAX_RUNS, len(head.runs)):
        # Not held: it may come again once older holes are filled. A head grows with its holes, and so does each batch.
        crowded = EvidenceError(Reason.TOO_MANY_HOLES, f"{MAX_RUNS} runs are held: fill their holes first")
        return refused(crowded, authentic=False), head
    if fault := frame.fault or _misplaced(frame, head):
        return refused(fault, authentic=True), held
    if frame.content and not held.instrument:
        held = replace(held, instrument=frame.content.instrument)
    return Verdict(outcome=Outcome.STORED, authentic=True), held


def refused(fault: EvidenceError, *, authentic: bool) -> Verdict:
    """The verdict on bytes with a fault."""
    return Verdict(outcome=Outcome.QUARANTINED, authentic=authentic, reason=fault.reason, detail=str(fault))


def _content(frame: Frame, received_at_ms: int, registry: Registry) -> Content:
    envelope, key = frame.sealed.envelope, frame.key
    if envelope.version != VERSION:
        raise EvidenceError(Reason.UNKNOWN_VERSION, f"version {envelope.version}: update the collector")
    content = codec.decode(frame.sealed.payload)
    if content.clock is ClockState.SIMULATED and not registry.simulation:
        raise EvidenceError(Reason.SIMULATED_CLOCK, "the clock is simulated, this registry is not a simulation")
    if isinstance(content, Measurement) and content.utc_ms[-1] - content.utc_ms[0] > MAX_SPAN_MS:
        raise EvidenceError(Reason.MALFORMED, f"one measurement covers {content.utc_ms[-1] - content.utc_ms[0]} ms")
    moments = _moments(content, received_at_ms)
    if content.clock is not ClockState.SIMULATED and moments[1] > received_at_ms + MAX_AHEAD_MS:
        raise EvidenceError(Reason.FUTURE_TIME, f"{moments[1] - received_at_ms} ms ahead of the collector's clock")
    if not all(covers(key.valid_from_ms, key.valid_to_ms, moment) for moment in moments):
        raise EvidenceError(Reason.KEY_NOT_VALID, f"key {key.kid.hex()} is not valid at {moments[0]}..{moments[1]} ms")
    _check_beginning(content, envelope, key)
    _check_binding(content, moments, registry.bindings.get((key.gateway, content.instrument), ()))
    return content


def _moments(content: Content, received_at_ms: int) -> tuple[int, int]:
    """The instants at which key and binding must hold."""
    if content.clock is ClockState.UNSYNCHRONISED:
        # Its own times mean nothing yet: an honest clock of 1970 must not cost the frame its place as evidence.
        return received_at_ms, received_at_ms
    match content:
        case Measurement():
            return content.utc_ms[0], content.utc_ms[-1]
        case Outage():
            # The blind time may have begun under an older key or binding.
            return content.to_ms, content.to_ms
        case Genesis():
            return content.created_ms, content.created_ms


def _check_beginning(content: Content, envelope: Envelope, key: GatewayKey) -> None:
    if isinstance(content, Genesis) != (envelope.seq == 0):
        raise _wrong_stream("a stream begins with a genesis frame, and has no other")
    if isinstance(content, Genesis) and (content.site, content.gateway) != (key.site, key.gateway):
        raise _wrong_stream(f"begun for {content.site}/{content.gateway}, signed by {key.site}/{key.gateway}")


def _check_binding(content: Content, moments: tuple[int, int], bindings: Collection[Binding]) -> None:
    begin, end = moments
    valid = [
        one
        for one in bindings
        if covers(one.valid_from_ms, one.valid_to_ms, begin) and covers(one.valid_from_ms, one.valid_to_ms, end)
    ]
    if not valid:
        raise EvidenceError(
            Reason.NO_BINDING, f"nothing binds {content.instrument} to this gateway at {begin}..{end} ms"
        )
    if isinstance(content, Measurement) and content.meter not in [_meter(one) for one in valid]:
        raise EvidenceError(Reason.WRONG_METER, f"{content.meter} is not bound to {content.instrument}")


def _meter(binding: Binding) -> Meter:
    return Meter(
        model=binding.meter_model,
        serial=binding.meter_serial,
        ct_primary_a=binding.ct_primary_a,
        ct_secondary_a=binding.ct_secondary_a,
    )


def _misplaced(frame: Frame, head: Head) -> EvidenceError | None:
    """What is wrong with an admissible frame in this stream."""
    envelope = frame.sealed.envelope
    if frame.content and head.instrument not in {None, frame.content.instrument}:
        return _wrong_stream(f"this stream speaks of {head.instrument}, the frame of {frame.content.instrument}")
    if not chain.links(head, envelope.seq, envelope.prev_hash, frame.sealed.frame_hash):
        return EvidenceError(Reason.OFF_CHAIN, f"seq {envelope.seq} does not link to the frame beside it")
    return None


def _wrong_stream(detail: str) -> EvidenceError:
    return EvidenceError(Reason.WRONG_STREAM, detail)
