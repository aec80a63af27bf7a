"""Receipts: what the collector holds in custody, signed with its key. Only a receipt lets a gateway delete.

One retained receipt per gateway covers all its streams. Source: wire-findings.md 2, ADR 0002.
"""

from dataclasses import dataclass
from typing import Final

import cbor2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from contract import seal
from contract.errors import EvidenceError, Reason
from contract.ids import STREAM_ID_BYTES, GatewayId, KeyId, StreamId, is_id

VERSION: Final = 1
EPOCH_BYTES: Final = 8
MAX_STREAMS: Final = 1_024
MAX_HELD: Final = 256
_MAX_DEPTH: Final = 5
_HASH_BYTES: Final = 32


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
    """Sign a receipt with the collector's key."""
    streams = [[c.stream_id, c.upto, c.frame_hash, [list(pair) for pair in c.held]] for c in receipt.streams]
    parts = [VERSION, receipt.gateway, receipt.store_epoch, receipt.counter, receipt.issued_ms, streams]
    return seal.sign(seal.signer_header(kid), cbor2.dumps(parts, canonical=True), key)


def open_receipt(raw: bytes, kid: KeyId, key: Ed25519PublicKey) -> Receipt:
    """Verify and read a receipt.

    Raises:
        EvidenceError: BAD_ENVELOPE, UNKNOWN_KEY, BAD_SIGNATURE, UNKNOWN_VERSION or MALFORMED.
    """
    protected, payload, signature = seal.open_signed(raw)
    if protected != seal.signer_header(kid):
        raise EvidenceError(Reason.UNKNOWN_KEY, "not signed by the collector key this gateway was given")
    seal.verify(protected, payload, signature, key)
    try:
        return _receipt(cbor2.loads(payload, max_depth=_MAX_DEPTH, allow_indefinite=False))
    except (cbor2.CBORDecodeError, ValueError, TypeError) as error:
        raise EvidenceError(Reason.MALFORMED, str(error)) from error


def _receipt(parts: object) -> Receipt:
    match parts:
        case [1, str(gateway), bytes(epoch), int(counter), int(issued_ms), list(streams)]:
            if not is_id(gateway) or len(epoch) != EPOCH_BYTES or len(streams) > MAX_STREAMS:
                raise ValueError("gateway, epoch or number of streams")
            return Receipt(
                gateway=GatewayId(gateway),
                store_epoch=epoch,
                counter=counter,
                issued_ms=issued_ms,
                streams=tuple(_custody(stream) for stream in streams),
            )
        case [int(version), *_] if version != VERSION:
            raise EvidenceError(Reason.UNKNOWN_VERSION, f"receipt version {version}: update this gateway")
    raise ValueError("a receipt has six parts")


def _custody(parts: object) -> Custody:
    match parts:
        case [bytes(stream_id), int(upto), bytes(digest), list(held)] if (
            len(stream_id) == STREAM_ID_BYTES and len(digest) == _HASH_BYTES and len(held) <= MAX_HELD and upto >= -1
        ):
            return Custody(
                stream_id=StreamId(stream_id), upto=upto, frame_hash=digest, held=tuple(_range(pair) for pair in held)
            )
    raise ValueError("a stream's custody has four parts")


def _range(parts: object) -> tuple[int, int]:
    match parts:
        case [int(first), int(last)] if 0 <= first <= last:
            return first, last
    raise ValueError("a held range is [first, last]")
