"""What passes through the door as data: frames, heads and custody.

Does not: touch a connection; the pure parts of other rooms may import this.
"""

from dataclasses import dataclass, field

from contract.errors import Reason, StorageError
from contract.frame import Content
from contract.ids import GatewayId, InstrumentId, SiteId, StreamId
from contract.receipt import Custody


class HeadsMovedError(StorageError):
    """Another collector moved a head of this batch. Nothing of the batch was stored: admit it again and retry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A maximal unbroken stretch of a stream in custody: seq `first` to `last`, both included.

    Attributes:
        prev_hash: the link that frame `first` carries.
        last_hash: `frame_hash` of frame `last`.
    """

    first: int
    last: int
    prev_hash: bytes
    last_hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """Custody of one stream.

    Attributes:
        gateway: the only one that may add to it.
        instrument: the only one it may speak of; None until a first frame is stored.
        runs: rising; between two of them at least one frame is missing.
    """

    gateway: GatewayId
    instrument: InstrumentId | None = None
    runs: tuple[Run, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where authentic bytes stand: they keep this place whatever else is wrong with them."""

    gateway: GatewayId
    stream_id: StreamId
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFrame:
    """An admitted frame: exact bytes, and what they were found to say."""

    place: Place
    frame_hash: bytes
    prev_hash: bytes
    content: Content
    received_at_ms: int
    raw: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantined:
    """Refused bytes. They are kept whole only with a `place`, that is, under a valid signature."""

    reason: Reason
    detail: str
    topic: str
    received_at_ms: int
    place: Place | None
    raw: bytes


@dataclass(slots=True, kw_only=True)
class Batch:
    """What one transaction stores.

    Attributes:
        received: messages taken in; MUST equal stored + duplicate + quarantined.
        heads: new heads of the streams that moved.
    """

    received: int
    frames: list[StoredFrame] = field(default_factory=list)
    quarantined: list[Quarantined] = field(default_factory=list)
    duplicate: int = 0
    heads: dict[StreamId, Head] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayCustody:
    """What a receipt says: custody over the streams of one gateway, as committed.

    Attributes:
        counter: new and rising at each asking.
    """

    site: SiteId
    gateway: GatewayId
    store_epoch: bytes
    counter: int
    streams: tuple[Custody, ...]
