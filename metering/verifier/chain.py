"""Steps V02 to V05 over envelopes alone: who signed, and whether every stream hangs together.

A frame carries the hash of the exact bytes before it, so the verified signature on the last frame of an unbroken run
covers the run: only ends of runs are verified. A run ends at a hole, a broken link, another key, the end of the pack.
No payload is decoded before all of this holds. Source: wire-findings.md 8.
"""

from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from contract import seal
from contract.errors import EvidenceError, Reason
from contract.ids import GatewayId, KeyId, StreamId
from contract.registry import GatewayKey
from contract.seal import Sealed
from metering.verifier.findings import Findings

_HASH: Final = 32
_OTHER_ALGORITHM: Final = b"\xa3\x01"


@dataclass(slots=True, kw_only=True)
class _Stream:
    """A stream's frames in the order of the pack: 84 bytes a frame, and the frames themselves are elsewhere."""

    seqs: "array[int]" = field(default_factory=lambda: array("q"))
    kids: "array[int]" = field(default_factory=lambda: array("q"))
    places: "array[int]" = field(default_factory=lambda: array("q"))
    hashes: bytearray = field(default_factory=bytearray)
    links: bytearray = field(default_factory=bytearray)


class Chains:
    """Every frame of a pack is added once; `judge` then says what is wrong with the streams.

    Attributes:
        gateways: whose keys signed each stream; filled by `judge`.
    """

    def __init__(self, keys: Mapping[KeyId, GatewayKey], findings: Findings) -> None:
        self._findings = findings
        self._keys = keys
        self._public = {kid: _public(key, findings) for kid, key in keys.items()}
        self._kids: dict[KeyId, int] = {}
        self._streams: dict[StreamId, _Stream] = {}
        self.gateways: dict[StreamId, set[GatewayId]] = {}

    def add(self, raw: bytes, stream_id: StreamId, place: int) -> None:
        """Take a frame in.

        Args:
            raw: its exact bytes.
            stream_id: the stream it is filed under.
            place: by which the caller finds the bytes again.
        """
        sealed = opened(raw, self._findings)
        if sealed is None:
            return
        envelope = sealed.envelope
        if envelope.stream_id != stream_id:
            self._findings.add("misplaced", f"a frame of stream {envelope.stream_id.hex()} in {stream_id.hex()}")
            return
        stream = self._streams.setdefault(stream_id, _Stream())
        stream.seqs.append(envelope.seq)
        stream.kids.append(self._kids.setdefault(envelope.kid, len(self._kids)))
        stream.places.append(place)
        stream.hashes += sealed.frame_hash
        stream.links += envelope.prev_hash

    def judge(self) -> Iterator[int]:
        """Look at every stream; yields the places of the frames whose signature must be verified."""
        names = list(self._kids)
        for kid in names:
            if kid not in self._keys:
                self._findings.add("unknown-key", f"key {kid.hex()} signed frames and is nobody's")
        for stream_id, stream in self._streams.items():
            gateways = {self._keys[names[at]].gateway for at in set(stream.kids) if names[at] in self._keys}
            self.gateways[stream_id] = gateways
            if len(gateways) > 1:
                self._findings.add("wrong-gateway", f"stream {stream_id.hex()}: {', '.join(sorted(gateways))}")
            yield from self._judge(stream_id, stream)

    def highest(self, stream_id: StreamId) -> int:
        """The highest seq of a stream's frames; -1 where there are none."""
        return max(self._streams[stream_id].seqs) if stream_id in self._streams else -1

    def unused(self) -> set[KeyId]:
        """Keys that signed nothing that was shown."""
        return self._keys.keys() - self._kids.keys()

    def verify(self, raw: bytes) -> Sealed | None:
        """Step V02 for one frame; None where it is not its signer's."""
        sealed = opened(raw, self._findings)
        key = None if sealed is None else self._public.get(sealed.envelope.kid)
        if sealed is None or key is None:
            return None
        self._kids.setdefault(sealed.envelope.kid, len(self._kids))
        try:
            seal.verify(sealed.protected, sealed.payload, sealed.signature, key)
        except EvidenceError:
            where = f"frame {sealed.envelope.seq} of stream {sealed.envelope.stream_id.hex()}"
            self._findings.add("bad-signature", f"{where}: it, or a frame that it vouches for, was changed")
            return None
        return sealed

    def _judge(self, stream_id: StreamId, stream: _Stream) -> Iterator[int]:
        seqs, kids, places = (np.frombuffer(part, np.int64) for part in (stream.seqs, stream.kids, stream.places))
        order = np.argsort(seqs, kind="stable")
        steps = np.diff(seqs[order])
        same = _rows(stream.hashes)[order][:-1] == _rows(stream.links)[order][1:]
        linked = (steps == 1) & same.all(axis=1)
        name = f"stream {stream_id.hex()}"
        for at in np.flatnonzero(steps == 0):
            self._findings.add("duplicate", f"{name}: two frames {seqs[order][at]}")
        for at in np.flatnonzero((steps == 1) & ~linked):
            self._findings.add("broken-link", f"{name}: frame {seqs[order][at + 1]} does not link to the one before")
        for at in np.flatnonzero(steps > 1):
            first, last = seqs[order][at] + 1, seqs[order][at + 1] - 1
            self._findings.add("missing-frames", f"{name}: {first} to {last}", int(last - first + 1))
        covered = linked & (kids[order][:-1] == kids[order][1:])
        yield from places[order][np.append(~covered, True)].tolist()


def opened(raw: bytes, findings: Findings) -> Sealed | None:
    """A frame taken apart, or None and why not."""
    try:
        return seal.open_frame(raw)
    except EvidenceError as error:
        protected = raw[4:] if raw[:3] == b"\xd2\x84\x58" else b""
        # Our header in every byte but the algorithm's says which step it is that fails.
        if error.reason is Reason.BAD_ENVELOPE and protected[:2] == _OTHER_ALGORITHM and protected[2:3] != b"\x27":
            findings.add("algorithm", f"a frame of another algorithm: {protected[:3].hex(' ')}")
        else:
            findings.add("frame", str(error))
        return None


def _rows(hashes: bytearray) -> npt.NDArray[np.uint8]:
    return np.frombuffer(hashes, np.uint8).reshape(-1, _HASH)


def _public(key: GatewayKey, findings: Findings) -> Ed25519PublicKey | None:
    try:
        public = seal.load_public_key(key.public_key)
    except ValueError as error:
        findings.add("unknown-key", f"key {key.kid.hex()}: {error}")
        return None
    if seal.key_id(key.public_key) != key.kid:
        findings.add("unknown-key", f"key {key.kid.hex()} is not the id of its public half")
        return None
    return public
