"""Receipts: what the collector holds in custody, signed with its key. Only a receipt lets a gateway delete.

One retained receipt per gateway covers all its streams. Source: wire-findings.md 2, ADR 0002.
"""

from dataclasses import dataclass
from typing import Final

import cbor2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from contract import cbor, seal
from contract.errors import EvidenceError, Reason
from contract.frame import MAX_TIME_MS, MIN_TIME_MS
from contract.ids import STREAM_ID_BYTES, GatewayId, KeyId, StreamId, is_id

VERSION: Final = 1
EPOCH_BYTES: Final = 8
MAX_STREAMS: Final = 1_024
MAX_HELD: Final = 256
_MAX_DEPTH: Final = 5
_HASH_BYTES: Final = 32
_MAX_COUNT: Final = (1 << 63) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Custody:
    """What is held of one stream.

    Attributes:
        upto: every seq from 0 to here is held; -1 where seq 0 is not.
        frame_hash: hash of frame `upto`; 32 zero bytes where `upto` is -1. A gateway believes only its own hash.
        held: closed ranges [first, last] held beyond `upto`, rising. What lies between is missing: send it again.
    """

    stream_id: StreamId
    upto: int
    frame_hash: bytes
    held: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """Custody over a gateway's streams.

    Attributes:
        store_epoch: 8 bytes, new at each restore of the database; only under a new one may `upto` fall.
        counter: rises with each receipt of an epoch.
    """

    gateway: GatewayId
    store_epoch: bytes
    counter: int
    issued_ms: int
    streams: tuple[Custody, ...]


def seal_receipt(receipt: Receipt, kid: KeyId, key: Ed25519PrivateKey) -> bytes:
    """Sign a receipt with the collector's key.

    Raises:
        ValueError: `open_receipt` would refuse it: too many streams or ranges, ranges that touch or do not rise, ...
    """
    parts = _parts(receipt)
    if _receipt(parts) != receipt:
        raise ValueError("the receipt does not survive the wire: a field has another type than `Receipt` says")
    return seal.sign(seal.signer_header(kid), _dump(parts), key)


def open_receipt(raw: bytes, kid: KeyId, key: Ed25519PublicKey) -> Receipt:
    """Verify and read a receipt.

    Raises:
        EvidenceError: BAD_ENVELOPE, UNKNOWN_KEY, BAD_SIGNATURE, UNKNOWN_VERSION, MALFORMED or NOT_CANONICAL.
    """
    protected, payload, signature = seal.open_signed(raw)
    if protected != seal.signer_header(kid):
        raise EvidenceError(Reason.UNKNOWN_KEY, "not signed by the collector key this gateway was given")
    seal.verify(protected, payload, signature, key)
    try:
        receipt = _receipt(cbor.load(payload, _MAX_DEPTH))
    except ValueError as error:
        raise EvidenceError(Reason.MALFORMED, str(error)) from error
    if _dump(_parts(receipt)) != payload:
        raise EvidenceError(Reason.NOT_CANONICAL, "the same receipt has another encoding, the legal one")
    return receipt


def _parts(r: Receipt) -> list[object]:
    streams = [[c.stream_id, c.upto, c.frame_hash, [list(pair) for pair in c.held]] for c in r.streams]
    return [VERSION, r.gateway, r.store_epoch, r.counter, r.issued_ms, streams]


def _dump(parts: list[object]) -> bytes:
    return cbor2.dumps(parts, canonical=True)


def _receipt(parts: object) -> Receipt:
    match parts:
        case [1, str(gateway), bytes(epoch), counter, issued_ms, list(streams)]:
            if not is_id(gateway) or len(epoch) != EPOCH_BYTES or len(streams) > MAX_STREAMS:
                raise ValueError("gateway, epoch or number of streams")
            custody = tuple(_custody(stream) for stream in streams)
            if len({c.stream_id for c in custody}) != len(custody):
                raise ValueError("two accounts of one stream")
            return Receipt(
                gateway=GatewayId(gateway),
                store_epoch=epoch,
                counter=_count(counter),
                issued_ms=_count(issued_ms, MIN_TIME_MS, MAX_TIME_MS),
                streams=custody,
            )
        case [int(version), *_] if version != VERSION:
            raise EvidenceError(Reason.UNKNOWN_VERSION, f"receipt version {version}: update this gateway")
    raise ValueError("a receipt has six parts")


def _custody(parts: object) -> Custody:
    match parts:
        case [bytes(stream_id), upto, bytes(digest), list(held)] if (
            len(stream_id) == STREAM_ID_BYTES and len(digest) == _HASH_BYTES and len(held) <= MAX_HELD
        ):
            end = _count(upto, -1)
            if end == -1 and any(digest):
                raise ValueError("a hash where no frame is held from the beginning")
            return Custody(stream_id=StreamId(stream_id), upto=end, frame_hash=digest, held=_ranges(held, end))
    raise ValueError("a stream's custody has four parts")


def _ranges(held: list[object], upto: int) -> tuple[tuple[int, int], ...]:
    ranges = []
    end = upto
    for pair in held:
        first, last = _range(pair)
        if first <= end + 1:
            raise ValueError("held ranges rise, and at least one seq is missing before each")
        ranges.append((first, last))
        end = last
    return tuple(ranges)


def _range(parts: object) -> tuple[int, int]:
    match parts:
        case [first, last]:
            start = _count(first)
            return start, _count(last, start)
    raise ValueError("a held range is [first, last]")


def _count(value: object, least: int = 0, most: int = _MAX_COUNT) -> int:
    if type(value) is not int or not least <= value <= most:
        raise ValueError(f"an integer in {least}..{most} was expected")
    return value
