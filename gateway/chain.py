"""The chain of one instrument: links, signs and spools what is to be said next.

Durability: when `say` returns, its frames MUST be in the spool; only then is anybody told of them.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from contract import codec, frame, seal
from contract.frame import Content, Genesis, Link
from contract.ids import STREAM_ID_BYTES, BootId, GatewayId, InstrumentId, KeyId, SiteId, StreamId
from contract.states import ClockState
from gateway.past import past_of
from gateway.spool import Spool, Stream

Announce = Callable[[StreamId, int], None]
"""Told (stream, seq) of each frame once it is in the spool."""


class Signer:
    """Who signs, for which gateway, into which spool; one for all chains."""

    def __init__(self, spool: Spool, key: Ed25519PrivateKey, site: SiteId, gateway: GatewayId) -> None:
        self.spool, self.key, self.site, self.gateway = spool, key, site, gateway
        self.kid: KeyId = seal.key_id(key.public_key().public_bytes_raw())


@dataclass(frozen=True, slots=True, kw_only=True)
class Recordings:
    """What a chain tells that tells recordings: the stream of its own, and the SHA-256 of each recording's text."""

    stream_id: StreamId
    digests: Sequence[bytes]


class Chain:
    """The newest stream of what is sampled of an instrument; or the one stream that tells some recordings.

    Attributes:
        stream: its present end; None until the first frame.
    """

    def __init__(
        self, signer: Signer, instrument: InstrumentId, announce: Announce, recordings: Recordings | None = None
    ) -> None:
        self.instrument = instrument
        self._signer, self._announce, self._recordings = signer, announce, recordings
        self.stream = self._newest()

    def begin(self, *, boot_id: BootId, clock: ClockState, created_ms: int, predecessor: Link | None) -> Genesis:
        """Begin a new stream, durably.

        Raises:
            StorageError: nothing was begun.
        """
        genesis = Genesis(
            site=self._signer.site,
            gateway=self._signer.gateway,
            instrument=self.instrument,
            boot_id=boot_id,
            clock=clock,
            created_ms=created_ms,
            predecessor=predecessor,
        )
        told = self._recordings
        stream_id = told.stream_id if told else StreamId(os.urandom(STREAM_ID_BYTES))
        raw = self._seal(stream_id, 0, seal.FIRST_PREV_HASH, genesis)
        self._signer.spool.begin(stream_id, self.instrument, raw, created_ms, told.digests if told else ())
        self.stream = self._newest()
        self._announce(stream_id, 0)
        return genesis

    def say(self, *contents: Content) -> None:
        """Sign the next frames and put them into the spool, all or none.

        Raises:
            StorageError: nothing is said, and the same places in the chain are still free.
        """
        stream = self.end()
        head_hash, frames = stream.head_hash, []
        for seq, content in enumerate(contents, stream.next_seq):
            raw = self._seal(stream.stream_id, seq, head_hash, content)
            head_hash = seal.frame_hash(raw)
            frames.append((raw, past_of(content).until_ms))
        self._signer.spool.append(stream.number, stream.next_seq, *frames)
        self.stream = self._newest()
        for seq in range(stream.next_seq, stream.next_seq + len(frames)):
            self._announce(stream.stream_id, seq)

    def end(self) -> Stream:
        """The stream that was begun."""
        if self.stream is None:
            raise AssertionError("a chain begins before it says anything")
        return self.stream

    def contents(self) -> Iterator[Content]:
        """What the newest stream says, from its head back."""
        if self.stream is not None:
            for raw in self._signer.spool.newest_first(self.stream.number):
                yield codec.decode(seal.open_frame(raw).payload)

    def _newest(self) -> Stream | None:
        mine = [stream for stream in self._signer.spool.streams() if self._is_mine(stream)]
        return mine[-1] if mine else None

    def _is_mine(self, stream: Stream) -> bool:
        if self._recordings is not None:
            return stream.stream_id == self._recordings.stream_id
        return stream.instrument == self.instrument and not stream.imported

    def _seal(self, stream_id: StreamId, seq: int, prev_hash: bytes, content: Content) -> bytes:
        envelope = seal.Envelope(
            kid=self._signer.kid, version=frame.VERSION, stream_id=stream_id, seq=seq, prev_hash=prev_hash
        )
        return seal.seal(envelope, codec.encode(content), self._signer.key)
