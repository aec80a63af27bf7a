"""The chain of one instrument: links, signs and spools what is to be said next.

Durability: when `say` returns, the frame MUST be in the spool; only then is anybody told of it.
"""

import os
from collections.abc import Callable, Iterator

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


class Chain:
    """The newest stream of an instrument in the spool.

    Attributes:
        stream: its present end; None until the first frame.
    """

    def __init__(self, signer: Signer, instrument: InstrumentId, announce: Announce) -> None:
        self.instrument = instrument
        self._signer, self._announce = signer, announce
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
        stream_id = StreamId(os.urandom(STREAM_ID_BYTES))
        raw = self._seal(stream_id, 0, seal.FIRST_PREV_HASH, genesis)
        self._signer.spool.begin(stream_id, self.instrument, raw, created_ms)
        self.stream = self._newest()
        self._announce(stream_id, 0)
        return genesis

    def say(self, content: Content) -> None:
        """Sign the next frame and put it into the spool.

        Raises:
            StorageError: it is not said, and the same place in the chain is still free.
        """
        stream = self.end()
        raw = self._seal(stream.stream_id, stream.next_seq, stream.head_hash, content)
        self._signer.spool.append(stream.number, stream.next_seq, raw, past_of(content).until_ms)
        self.stream = self._newest()
        self._announce(stream.stream_id, stream.next_seq)

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
        mine = [stream for stream in self._signer.spool.streams() if stream.instrument == self.instrument]
        return mine[-1] if mine else None

    def _seal(self, stream_id: StreamId, seq: int, prev_hash: bytes, content: Content) -> bytes:
        envelope = seal.Envelope(
            kid=self._signer.kid, version=frame.VERSION, stream_id=stream_id, seq=seq, prev_hash=prev_hash
        )
        return seal.seal(envelope, codec.encode(content), self._signer.key)
