"""Changes to frames that reach behind their signature: what was changed is signed again, with a key that is known.

Keys here are public test keys; never enrol them.
"""

from array import array
from collections.abc import Callable
from itertools import pairwise
from random import Random
from typing import Final

import cbor2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from contract import cbor, columns, seal
from contract.errors import EvidenceError
from contract.frame import MAX_TICKS
from contract.ids import StreamId

GATEWAYS: Final = {
    "gw-07": Ed25519PrivateKey.from_private_bytes(bytes(range(32))),
    "gw-08": Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33))),
}
STRANGER: Final = Ed25519PrivateKey.from_private_bytes(bytes(range(2, 34)))
STREAMS: Final = [bytes.fromhex("00112233445566778899aabbccddeeff"), bytes(16), b"\xff" * 16]
NUMBERS: Final = (
    *(0, 1, 2, 3, 4, 7, 8, 23, 24, 31, 32, 33, 255, 256, 4095, 4096, 4097, 65_535, 65_536, 10**11, 10**15),
    *(sign * (1 << bits) + more for bits in (31, 32, 47, 61, 62, 63, 64) for sign in (1, -1) for more in (-1, 0, 1)),
    *(1_741_568_400_000, 1_741_568_400_000 + 86_400_000, 1_741_568_400_000 - 86_400_001, -1, -2, -257),
)
_DEPTH: Final = 8
_PARTS: Final = 16
"""Of a measurement; the last four are columns, or begin with one."""
_MAX_BYTES: Final = 70_000

Mutate = Callable[[bytes, int], bytes]
"""libFuzzer's own changes to bytes: at most so many come out."""


def frame(data: bytes, most: int, random: Random, mutate: Mutate) -> bytes:
    """A frame changed: as bytes, in its payload or its envelope; the last two are signed again."""
    choice = random.random()
    try:
        opened = seal.open_frame(data)
    except EvidenceError:
        return mutate(data, most)
    if choice < 0.15:
        return mutate(data, most)
    if choice < 0.155:
        return data + bytes(random.choice((1, seal.MAX_FRAME_BYTES - len(data), seal.MAX_FRAME_BYTES, _MAX_BYTES)))
    if choice < 0.25:
        return _respelled(opened, random)
    envelope, changed = opened.envelope, opened.payload
    if choice < 0.8:
        changed = payload(changed, most, random, mutate)
    else:
        envelope = _envelope(envelope, random)
    return signed(envelope, changed, random.choice([*GATEWAYS.values()] * 8 + [STRANGER]))


def payload(data: bytes, most: int, random: Random, mutate: Mutate) -> bytes:
    """A payload changed: as bytes, or as the items it holds."""
    if random.random() < 0.3:
        return mutate(data, max(most, 1))
    try:
        item = cbor.load(data, _DEPTH)
        if random.random() < 0.2:
            return cbor2.dumps(_column_respelled(item, random), canonical=True)
        for _ in range(random.choice((1, 1, 1, 2, 4))):
            item = _item(item, random, 0)
        return cbor2.dumps(item, canonical=True)
    except (ValueError, TypeError, OverflowError, RecursionError, IndexError):
        return mutate(data, max(most, 1))


def signed(envelope: seal.Envelope, changed: bytes, key: Ed25519PrivateKey) -> bytes:
    """A frame signed by a key, whatever it holds."""
    known = seal.Envelope(
        kid=seal.key_id(key.public_key().public_bytes_raw()),
        version=envelope.version,
        stream_id=envelope.stream_id,
        seq=envelope.seq,
        prev_hash=envelope.prev_hash,
    )
    return seal.sign(seal._pack(known), changed, key)


def _envelope(envelope: seal.Envelope, random: Random) -> seal.Envelope:
    seq = random.choice(
        (0, 1, 2, 3, envelope.seq + 1, max(envelope.seq - 1, 0), random.randrange(1 << 12), (1 << 63) - 1)
    )
    seq = min(seq, (1 << 63) - 1)
    link = random.choice((envelope.prev_hash, bytes(31) + b"1", random.randbytes(32)))
    if (link == seal.FIRST_PREV_HASH) != (seq == 0):
        link = seal.FIRST_PREV_HASH if seq == 0 else bytes(31) + b"2"
    return seal.Envelope(
        kid=envelope.kid,
        version=random.choice((1, 1, 1, 0, 2, 9, (1 << 64) - 1)),
        stream_id=StreamId(random.choice((*STREAMS, envelope.stream_id))),
        seq=seq,
        prev_hash=link,
    )


def _respelled(opened: seal.Sealed, random: Random) -> bytes:
    """The same frame in another form: numbers and lengths longer than need be, and signed as such."""
    envelope = opened.envelope

    def head(major: int, value: int) -> bytes:
        plain = cbor2.dumps(value)
        if random.random() < 0.7:
            return bytes([plain[0] | major]) + plain[1:]
        width = random.choice([one for one in (1, 2, 4, 8) if value < 1 << 8 * one])
        return bytes([major | {1: 24, 2: 25, 4: 26, 8: 27}[width]]) + value.to_bytes(width, "big")

    def string(value: bytes) -> bytes:
        return head(0x40, len(value)) + value

    numbers = [head(0, envelope.version), string(envelope.stream_id), head(0, envelope.seq), string(envelope.prev_hash)]
    protected = b"".join((b"\xa3\x01\x27\x04", string(envelope.kid), b"\x3a\x00\x01\x00\x00", head(0x80, 4), *numbers))
    signature = random.choice([*GATEWAYS.values()]).sign(seal.to_be_signed(protected, opened.payload))
    parts = (head(0xC0, 18), head(0x80, 4), string(protected), head(0xA0, 0), string(opened.payload), string(signature))
    return b"".join(parts)


def _item(item: object, random: Random, depth: int) -> object:
    """An item with one change somewhere in it."""
    if isinstance(item, list) and item and depth < _DEPTH and random.random() < 0.85:
        at = random.randrange(len(item))
        return [*item[:at], _item(item[at], random, depth + 1), *item[at + 1 :]]
    if isinstance(item, list) and random.random() < 0.6:
        return _listed(item, random)
    if isinstance(item, cbor2.CBORTag) and isinstance(item.value, bytes) and random.random() < 0.8:
        return cbor2.CBORTag(random.choice((item.tag, 64, 72, 77, 78, 79, 2, 35)), _bytes(item.value, random))
    if isinstance(item, bytes) and random.random() < 0.7:
        return _bytes(item, random)
    if type(item) is int and random.random() < 0.6:
        near = item + random.choice((-1, 1, -1000, 1000, random.randrange(-(1 << 20), 1 << 20)))
        return random.choice((near, near, near, near, float(item), bool(item)))
    return random.choice(
        (
            random.choice(NUMBERS),
            random.choice(NUMBERS),
            None,
            random.choice(("", "a", "nmr-400", "nmr-401", "gw-08", "sdm120", "x" * 33, "-", "é", "\x00")),
            random.randbytes(random.choice((0, 7, 8, 16, 32, 33))),
            random.choice(([], [0], [[]], {}, {1: 2}, True, 1.5, float("nan"))),
            cbor2.CBORTag(random.choice((0, 2, 72, 77, 78, 79, 258)), random.randbytes(8)),
        )
    )


def _column_respelled(item: object, random: Random) -> object:
    """A measurement with the same values, one of its columns said in another way.

    Raises:
        ValueError: it is no measurement.
    """
    if not isinstance(item, list) or len(item) != _PARTS:
        raise ValueError("no measurement")
    at = random.choice([one for one in range(_PARTS - 4, _PARTS) if item[one]])
    signal = at >= _PARTS - 2
    column, count = (item[at][0], item[11] - len(item[at][1])) if signal else (item[at], item[11])
    if not 1 <= count <= MAX_TICKS:
        raise ValueError("no number of ticks")
    values = columns.unpack(column, count)
    unit, _, step, packed = column
    if random.random() < 0.3:
        unit = random.choice([one for one in (1, 2, 3, 5, 7, 10) if unit % one == 0])
    if random.random() < 0.3:
        step += random.choice((-1, 1, random.randrange(-200, 200)))
    scaled = [value // unit for value in values]
    residuals = [after - before - step for before, after in pairwise(scaled)]
    if any(residuals) or random.random() < 0.5:
        tag = random.choice((72, 72, 77, 78, 79))
        packed = cbor2.CBORTag(tag, array(cbor.TYPED_ARRAYS[tag], residuals).tobytes())
    respelled = [unit, values[0] // unit, step, packed]
    return [*item[:at], [respelled, item[at][1]] if signal else respelled, *item[at + 1 :]]


def _listed(item: list[object], random: Random) -> list[object]:
    at = random.randrange(len(item) + 1)
    match random.randrange(4):
        case 0:
            return item[:at] + item[at + 1 :]
        case 1:
            return item[:at] + item[at - 1 : at] + item[at:]
        case 2:
            return [*item[:at], random.choice(NUMBERS), *item[at:]]
    return item[::-1]


def _bytes(value: bytes, random: Random) -> bytes:
    at = random.randrange(len(value) + 1)
    match random.randrange(4):
        case 0:
            return value[:at]
        case 1:
            return value + random.randbytes(random.choice((1, 2, 4, 8)))
        case 2 if value:
            return value * random.choice((2, 3, max(1, 4096 // len(value))))
    return value[:at] + random.randbytes(1) + value[at + 1 :]
