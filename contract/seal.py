"""Signed bytes: COSE_Sign1 (RFC 9052) with Ed25519, in one legal form.

A sealed message is `D2 84 protected {} payload signature`. The protected header of a frame is its *envelope*, whose
form never changes, so that a frame of any future version keeps its place in its chain. The envelope is parsed here by
position, byte by byte: the general CBOR parser sees only payloads whose signature has been verified.

Does not: know which keys to trust (the caller looks `kid` up) or what a payload means (`codec`).
"""

import hashlib
from dataclasses import dataclass
from typing import Final

import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from contract.errors import EvidenceError, Reason
from contract.ids import KEY_ID_BYTES, STREAM_ID_BYTES, KeyId, StreamId

MAX_FRAME_BYTES: Final = 65_536
FIRST_PREV_HASH: Final = bytes(32)
"""`prev_hash` of the first frame of a stream: there is no frame before it."""

_COSE_SIGN1: Final = 18
_HEAD: Final = b"\xd2\x84"  # tag 18, array of 4
_ALG_KID: Final = b"\x01\x27\x04\x48"  # alg(1): EdDSA(-8); kid(4): 8 bytes
_FRAME_HEADER: Final = b"\xa3" + _ALG_KID  # map of 3
_SIGNER_HEADER: Final = b"\xa2" + _ALG_KID  # map of 2
_ENVELOPE: Final = b"\x3a\x00\x01\x00\x00\x84"  # private label -65537: array of 4
_STREAM: Final = b"\x50"  # 16 bytes
_PREV: Final = b"\x58\x20"  # 32 bytes
_NO_UNPROTECTED: Final = b"\xa0"
_SIGNATURE: Final = b"\x58\x40"  # 64 bytes
_SIGNATURE_BYTES: Final = 64
_HASH_BYTES: Final = 32
_UINT_WIDTHS: Final = {24: (1, 24), 25: (2, 1 << 8), 26: (4, 1 << 16), 27: (8, 1 << 32)}
_BYTES_TYPE: Final = 0x40
_MAX_SMALL: Final = 23
_MAX_SEQ: Final = (1 << 63) - 1
_MAX_UINT: Final = (1 << 64) - 1
_FIELD: Final = 2**255 - 19
_SIGN_OF_X: Final = 1 << 255

# The y of every point of small order: such a key "verifies" nearly anything. A test derives them from the curve.
# Source: RFC 8032 5.1.7, section 3 of "Taming the many EdDSAs" (Chalkias, Garillot, Nikolaenko, 2020).
_ORDER_8_Y: Final = 2707385501144840649318225287225658788936804267575313519463743609750303402022
_SMALL_ORDER_Y: Final = frozenset((0, 1, _FIELD - 1, _ORDER_8_Y, _FIELD - _ORDER_8_Y))


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """What is signed beside the payload, in a form that never changes.

    Attributes:
        kid: which key signed.
        version: version of the payload's format.
        stream_id: the chain this frame belongs to.
        seq: place in the chain, from 0, +1 each, never reused.
        prev_hash: `frame_hash` of the frame before; FIRST_PREV_HASH for seq 0.
    """

    kid: KeyId
    version: int
    stream_id: StreamId
    seq: int
    prev_hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """A frame taken apart, its signature not yet verified."""

    envelope: Envelope
    protected: bytes
    payload: bytes
    signature: bytes
    frame_hash: bytes


def key_id(public_key: bytes) -> KeyId:
    """The id of a raw Ed25519 public key (32 bytes)."""
    return KeyId(hashlib.sha256(public_key).digest()[:KEY_ID_BYTES])


def load_public_key(raw: bytes) -> Ed25519PublicKey:
    """A raw 32-byte Ed25519 public key, refused where it could not bind anyone.

    Raises:
        ValueError: wrong length, a second writing of another key, or a point of small order.
    """
    if len(raw) != _HASH_BYTES:
        raise ValueError(f"an Ed25519 public key has 32 bytes, not {len(raw)}")
    y = int.from_bytes(raw, "little") % _SIGN_OF_X
    if y >= _FIELD:
        raise ValueError("this public key is not in its shortest form: make a new key")
    if y in _SMALL_ORDER_Y:
        raise ValueError("this public key is a point of small order: make a new key")
    return Ed25519PublicKey.from_public_bytes(raw)


def frame_hash(raw: bytes) -> bytes:
    """SHA-256 over a frame's complete bytes, signature included: what the next frame links to."""
    return hashlib.sha256(raw).digest()


def to_be_signed(protected: bytes, payload: bytes) -> bytes:
    """The Sig_structure of COSE_Sign1 without external data. Source: RFC 9052 4.4."""
    return cbor2.dumps(["Signature1", protected, b"", payload], canonical=True)


def sign(protected: bytes, payload: bytes, key: Ed25519PrivateKey) -> bytes:
    """The one legal COSE_Sign1 encoding of a protected header and a payload."""
    signature = key.sign(to_be_signed(protected, payload))
    return cbor2.dumps(cbor2.CBORTag(_COSE_SIGN1, [protected, {}, payload, signature]), canonical=True)


def signer_header(kid: KeyId) -> bytes:
    """The protected header of a signed record that is not a frame (a receipt): algorithm and key id alone."""
    return _SIGNER_HEADER + kid


def verify(protected: bytes, payload: bytes, signature: bytes, key: Ed25519PublicKey) -> None:
    """Check one signature.

    Raises:
        EvidenceError: BAD_SIGNATURE.
    """
    try:
        key.verify(signature, to_be_signed(protected, payload))
    except InvalidSignature:
        raise EvidenceError(Reason.BAD_SIGNATURE, "the bytes were not signed by this key, or were changed") from None


def seal(envelope: Envelope, payload: bytes, key: Ed25519PrivateKey) -> bytes:
    """Sign a frame.

    Raises:
        ValueError: the frame would be larger than any receiver takes, or `open_frame` would refuse the envelope.
    """
    raw = sign(_pack(envelope), payload, key)
    if len(raw) > MAX_FRAME_BYTES:
        raise ValueError(f"a frame of {len(raw)} bytes is over {MAX_FRAME_BYTES}: close frames earlier")
    return raw


def open_frame(raw: bytes) -> Sealed:
    """Take a frame apart. The signature is *not* verified: call `verify` before believing anything but the form.

    Raises:
        EvidenceError: TOO_LARGE or BAD_ENVELOPE; any second way of writing the same frame is refused.
    """
    if len(raw) > MAX_FRAME_BYTES:
        raise EvidenceError(Reason.TOO_LARGE, f"{len(raw)} bytes, at most {MAX_FRAME_BYTES}")
    protected, payload, signature = open_signed(raw)
    return Sealed(
        envelope=_unpack(protected),
        protected=protected,
        payload=payload,
        signature=signature,
        frame_hash=frame_hash(raw),
    )


def open_signed(raw: bytes) -> tuple[bytes, bytes, bytes]:
    """Protected header, payload and signature of the one legal COSE_Sign1 form.

    Raises:
        EvidenceError: BAD_ENVELOPE.
    """
    at = _expect(raw, 0, _HEAD)
    protected, at = _byte_string(raw, at)
    at = _expect(raw, at, _NO_UNPROTECTED)
    payload, at = _byte_string(raw, at)
    signature = raw[_expect(raw, at, _SIGNATURE) :]
    if len(signature) != _SIGNATURE_BYTES:
        raise _bad("the signature is cut off, or bytes follow it")
    return protected, payload, signature


def _pack(envelope: Envelope) -> bytes:
    kid, stream_id, prev_hash = envelope.kid, envelope.stream_id, envelope.prev_hash
    if (len(kid), len(stream_id), len(prev_hash)) != (KEY_ID_BYTES, STREAM_ID_BYTES, _HASH_BYTES):
        raise ValueError("an envelope holds a key id of 8, a stream id of 16 and a hash of 32 bytes")
    if not (0 <= envelope.version <= _MAX_UINT and 0 <= envelope.seq <= _MAX_SEQ):
        raise ValueError("the version or seq of an envelope is out of range")
    if (envelope.seq == 0) != (prev_hash == FIRST_PREV_HASH):
        raise ValueError("the first frame, seq 0, and no other has FIRST_PREV_HASH as its prev_hash")
    version, seq = cbor2.dumps(int(envelope.version)), cbor2.dumps(int(envelope.seq))
    return b"".join((_FRAME_HEADER, kid, _ENVELOPE, version, _STREAM, stream_id, seq, _PREV, prev_hash))


def _unpack(protected: bytes) -> Envelope:
    at = _expect(protected, 0, _FRAME_HEADER)
    kid = protected[at : at + KEY_ID_BYTES]
    at = _expect(protected, at + KEY_ID_BYTES, _ENVELOPE)
    version, at = _uint(protected, at)
    at = _expect(protected, at, _STREAM)
    stream_id = protected[at : at + STREAM_ID_BYTES]
    seq, at = _uint(protected, at + STREAM_ID_BYTES)
    at = _expect(protected, at, _PREV)
    prev_hash = protected[at:]
    if len(prev_hash) != _HASH_BYTES or seq > _MAX_SEQ or (seq == 0) != (prev_hash == FIRST_PREV_HASH):
        raise _bad("the link to the frame before is malformed")
    return Envelope(kid=KeyId(kid), version=version, stream_id=StreamId(stream_id), seq=seq, prev_hash=prev_hash)


def _expect(raw: bytes, at: int, form: bytes) -> int:
    end = at + len(form)
    if raw[at:end] != form:
        raise _bad(f"byte {at} should be {form.hex(' ')}")
    return end


def _uint(raw: bytes, at: int, major: int = 0) -> tuple[int, int]:
    """An unsigned argument in its shortest form and the position after it. Source: RFC 8949 3, 4.2.1."""
    if at >= len(raw) or raw[at] & 0xE0 != major:
        raise _bad(f"byte {at} should begin a number")
    small = raw[at] & 0x1F
    if small <= _MAX_SMALL:
        return small, at + 1
    if small not in _UINT_WIDTHS:
        raise _bad(f"byte {at} begins no number of definite length")
    width, least = _UINT_WIDTHS[small]
    value = int.from_bytes(raw[at + 1 : at + 1 + width], "big")
    if len(raw) < at + 1 + width or value < least:
        raise _bad(f"the number at byte {at} is cut off or not in its shortest form")
    return value, at + 1 + width


def _byte_string(raw: bytes, at: int) -> tuple[bytes, int]:
    length, at = _uint(raw, at, _BYTES_TYPE)
    return raw[at : at + length], at + length


def _bad(what: str) -> EvidenceError:
    return EvidenceError(Reason.BAD_ENVELOPE, what)
