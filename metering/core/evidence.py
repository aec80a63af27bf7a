"""From frames, in any order and any number of copies, to readings in order of time.

The caller has verified the signatures (admission did, the verifier does again). Here the chain is looked at: what a
broken link or two frames under one number leave of a stream counts only up to there.
Does not: know states, levels or hours.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np

from contract import codec, seal
from contract.errors import EvidenceError
from contract.frame import Content, Measurement, Meter, Readings
from contract.ids import StreamId
from contract.states import Assurance, ClockState, Source, State
from metering.core.policy import Policy
from metering.core.spans import Spans
from metering.core.timeline import Flags, Integers, Signal

_PERIODS_PER_GAP = 3
"""Default of `max_gap`, in sampling periods. Source: domain.md 4, rule 3."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A frame in its chain, read once."""

    stream_id: StreamId
    seq: int
    frame_hash: bytes
    prev_hash: bytes
    content: Content


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The frames of one instrument, each once, in the order of (stream, seq).

    Attributes:
        digest: SHA-256 over stream, seq and hash of every frame: names the evidence whatever order it came in.
        refused: what could not be read and why; it earns nothing.
        cut: the streams of which frames here were not believed because the caller knew better, and from which seq on.
        doubted: what was read and is not believed, for the stream contradicted itself there or before.
    """

    links: tuple[Link, ...]
    digest: bytes
    refused: tuple[str, ...] = ()
    cut: tuple[tuple[StreamId, int], ...] = ()
    doubted: tuple[Link, ...] = ()


def assemble(frames: Iterable[bytes | Link], cut: Mapping[StreamId, int] | None = None) -> Evidence:
    """Read frames; order and copies do not matter.

    Args:
        frames: exact bytes of sealed frames of one instrument, or what `read` made of them.
        cut: the seq from which a stream is not believed (an equivocation known to the caller).
    """
    unique: dict[bytes, Link] = {}
    refused = []
    for one in frames:
        if isinstance(one, Link):
            unique[one.frame_hash] = one
            continue
        frame_hash = seal.frame_hash(one)
        if frame_hash in unique:
            continue
        try:
            unique[frame_hash] = read(one)
        except EvidenceError as error:
            refused.append(f"{frame_hash.hex()}: {error}")
    links = sorted(unique.values(), key=lambda link: (link.stream_id, link.seq, link.frame_hash))
    names = (link.stream_id + link.seq.to_bytes(8, "big") + link.frame_hash for link in links)
    believed = [
        link for _, chain in groupby(links, lambda link: link.stream_id) for link in _believed(chain, cut or {})
    ]
    kept = {link.frame_hash for link in believed}
    felt = {item for link in links for item in (cut or {}).items() if item[0] == link.stream_id and item[1] <= link.seq}
    return Evidence(
        links=tuple(believed),
        digest=hashlib.sha256(b"".join(names)).digest(),
        refused=tuple(sorted(refused)),
        cut=tuple(sorted(felt)),
        doubted=tuple(link for link in links if link.frame_hash not in kept),
    )


def read(raw: bytes) -> Link:
    """One frame taken apart; its signature is not looked at.

    Raises:
        EvidenceError: it is malformed.
    """
    sealed = seal.open_frame(raw)
    envelope = sealed.envelope
    return Link(
        stream_id=envelope.stream_id,
        seq=envelope.seq,
        frame_hash=sealed.frame_hash,
        prev_hash=envelope.prev_hash,
        content=codec.decode(sealed.payload),
    )


def _believed(chain: Iterable[Link], cut: Mapping[StreamId, int]) -> list[Link]:
    """A stream up to its first contradiction: two frames under one seq, or neighbours that do not link."""
    result: list[Link] = []
    for link in chain:
        if link.seq >= cut.get(link.stream_id, link.seq + 1):
            break
        if result and result[-1].seq == link.seq:
            return result[:-1]
        if result and result[-1].seq + 1 == link.seq and link.prev_hash != result[-1].frame_hash:
            break
        result.append(link)
    return result


def earning(evidence: Evidence, level: Assurance, *, simulation: bool) -> Evidence:
    """Only the frames that earn hours at a level; what is left out is a hole, and the digest names all.

    Verified hours need readings that the gateway took itself, by a clock that was right: what was imported is
    telemetry, whoever signed it afterwards. A registry marked as a simulation credits what says that it is simulated,
    imported or not, and it says so of itself. Source: domain.md 5, the levels; design.md 7.
    """
    if level < Assurance.SIGNED:
        return evidence

    def earns(content: Content) -> bool:
        if content.clock is ClockState.SIMULATED:
            return simulation
        imported = isinstance(content, Measurement) and content.source is Source.IMPORTED
        return content.clock is ClockState.SYNCHRONISED and not imported

    return replace(evidence, links=tuple(link for link in evidence.links if earns(link.content)))


def with_meters(evidence: Evidence, bound: Mapping[Meter, Spans]) -> Evidence:
    """Only what these meters measured while they were bound; another meter's frames are a hole."""

    def counts(content: Content) -> bool:
        if not isinstance(content, Measurement):
            return True
        first, last = content.utc_ms[0], content.utc_ms[-1]
        return any(from_ms <= first and last < to_ms for from_ms, to_ms in bound.get(content.meter, ()))

    return replace(evidence, links=tuple(link for link in evidence.links if counts(link.content)))


def power_signal(evidence: Evidence, policy: Policy) -> Signal:
    """Active power in mW at each reading there is."""
    return _signal(evidence, policy, lambda content: content.power, lambda _, values: values)


def state_signal(evidence: Evidence, policy: Policy) -> Signal:
    """The State reported by the run-state lines at each reading there is."""

    def reported(content: Measurement, masks: Sequence[int]) -> Sequence[int]:
        known = {mask: _reported(content.line_names, mask, policy) for mask in set(masks)}
        return [known[mask] for mask in masks]

    return _signal(evidence, policy, lambda content: content.lines, reported)


def _reported(line_names: tuple[str, ...], mask: int, policy: Policy) -> State:
    closed = {name for bit, name in enumerate(line_names) if mask >> bit & 1}
    return next((state for line, state in policy.lines if line in closed), State.STANDBY)


def _signal(
    evidence: Evidence,
    policy: Policy,
    pick: Callable[[Measurement], Readings | None],
    value_of: Callable[[Measurement, Sequence[int]], Sequence[int]],
) -> Signal:
    times: list[Integers] = []
    values: list[Integers] = []
    joined: list[Flags] = []
    holds: list[Integers] = []
    for content, whole in _with_continuity(evidence.links, pick):
        readings = pick(content)
        if readings is None:
            continue
        times.append(np.delete(np.array(content.utc_ms, np.int64), readings.absent))
        count = len(readings.values)
        values.append(np.array(value_of(content, readings.values), np.int64))
        joined.append(np.append(whole, np.ones(count - 1, np.bool_)))
        holds.append(np.full(count, policy.max_gap_ms or _PERIODS_PER_GAP * content.period_ms, np.int64))
    if not times:
        none = np.empty(0, np.int64)
        return Signal(time_ms=none, value=none, joined=np.empty(0, np.bool_), hold_ms=none)
    return _in_order(np.concatenate(times), np.concatenate(values), np.concatenate(joined), np.concatenate(holds))


def _with_continuity(
    links: Iterable[Link], pick: Callable[[Measurement], Readings | None]
) -> Iterable[tuple[Measurement, bool]]:
    """Each measurement with whether nothing is missing between it and the reading of the signal before it."""
    before: Link | None = None
    whole = False
    for link in links:
        whole = whole and before is not None and _continues(before, link)
        before = link
        if isinstance(link.content, Measurement):
            yield link.content, whole
            whole = whole or pick(link.content) is not None


def _continues(before: Link, after: Link) -> bool:
    """Whether a frame goes on where the one before stopped: same chain, meter, boot and clock, nothing between."""
    if (before.stream_id, before.seq + 1) != (after.stream_id, after.seq):
        return False
    match before.content, after.content:
        case Measurement() as a, Measurement() as b:
            return (a.meter, a.boot_id, a.clock) == (b.meter, b.boot_id, b.clock)
    return False


def _in_order(times: Integers, values: Integers, joined: Flags, holds: Integers) -> Signal:
    """Streams that overlap in time are interleaved, and nothing holds between readings of different streams."""
    order = np.argsort(times, kind="stable")
    adjacent = np.append(False, np.diff(order) == 1)
    return Signal(time_ms=times[order], value=values[order], joined=joined[order] & adjacent, hold_ms=holds[order])
