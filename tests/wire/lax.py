"""Bytes that a lax reader takes for a good frame: other encodings of it, and items no payload has a place for.

One content, one encoding: a second writing of the same signed frame would be a second hash under one seq.
"""

from collections.abc import Iterator
from typing import Any, Final

import cbor2
from wire import samples
from wire.faults import ONE_HASH, Bad

from contract import codec, seal
from contract.errors import Reason

MIME: Final = "Content-Type: multipart/mixed; boundary=b\n\n--b\n"
CONTAINER: Final = "byte 0 should be d2 84"


def outer_forms() -> Iterator[Bad]:
    """The same signature over the same header and payload: a general COSE library verifies every one of these."""
    good = samples.frame(samples.POWER_AND_LINES, 7, ONE_HASH)
    protected, payload, signature = seal.open_signed(good)
    head, tail = b"\x58" + bytes([len(protected)]) + protected, b"\x58" + bytes([len(payload)]) + payload
    sig = b"\x58\x40" + signature
    kid = b"\xa1\x04\x48" + samples.GATEWAY_KID
    definite, shortest = "definite length", "shortest form"
    unprotected = f"byte {2 + len(head)} should be a0"
    at_signature = f"byte {3 + len(head) + len(tail)} should be 58 40"
    for name, raw, says in (
        ("tag-missing", b"\x84" + head + b"\xa0" + tail + sig, CONTAINER),
        ("tag-in-two-bytes", b"\xd8\x12\x84" + head + b"\xa0" + tail + sig, CONTAINER),
        ("tag-doubled", b"\xd2\xd2\x84" + head + b"\xa0" + tail + sig, CONTAINER),
        ("self-described", b"\xd9\xd9\xf7" + good, CONTAINER),
        ("array-long-form", b"\xd2\x98\x04" + head + b"\xa0" + tail + sig, CONTAINER),
        ("array-indefinite", b"\xd2\x9f" + head + b"\xa0" + tail + sig + b"\xff", CONTAINER),
        ("protected-long-form", b"\xd2\x84\x59\x00" + head[1:] + b"\xa0" + tail + sig, shortest),
        ("protected-in-chunks", b"\xd2\x84\x5f" + head + b"\xff\xa0" + tail + sig, definite),
        ("unprotected-kid", b"\xd2\x84" + head + kid + tail + sig, unprotected),
        ("unprotected-long-form", b"\xd2\x84" + head + b"\xb8\x00" + tail + sig, unprotected),
        ("unprotected-indefinite", b"\xd2\x84" + head + b"\xbf\xff" + tail + sig, unprotected),
        ("payload-long-form", b"\xd2\x84" + head + b"\xa0\x59\x00" + tail[1:] + sig, shortest),
        ("payload-eight-byte-length", b"\xd2\x84" + head + b"\xa0\x5b" + bytes(7) + tail[1:] + sig, shortest),
        ("payload-in-chunks", b"\xd2\x84" + head + b"\xa0\x5f" + tail + b"\xff" + sig, definite),
        ("signature-long-form", b"\xd2\x84" + head + b"\xa0" + tail + b"\x59\x00" + sig[1:], at_signature),
        ("bytes-after", good + b"\xf6", "bytes follow it"),
        ("frame-twice", good + good, "bytes follow it"),
    ):
        yield Bad(name, raw, Reason.BAD_ENVELOPE, says)


def header_forms() -> Iterator[Bad]:
    """The same envelope written otherwise and signed so: only the strict form keeps one hash per frame."""
    good = samples.frame(samples.POWER_AND_LINES, 7, ONE_HASH)
    protected, payload, _ = seal.open_signed(good)
    body = protected[13:]
    header, shortest = "byte 0 should be a3 01 27 04 48", "shortest form"
    for name, written, says in (
        ("map-order", b"\xa3\x04\x48" + samples.GATEWAY_KID + b"\x01\x27" + body, header),
        ("map-long-form", b"\xb8\x03" + protected[1:], header),
        ("map-indefinite", b"\xbf" + protected[1:] + b"\xff", header),
        ("algorithm-long-form", b"\xa3\x01\x38\x06" + protected[3:], header),
        ("key-twice", b"\xa4\x01\x27" + protected[1:], header),
        ("version-long-form", protected.replace(b"\x84\x01\x50", b"\x84\x18\x01\x50"), shortest),
        ("stream-long-form", protected.replace(b"\x84\x01\x50", b"\x84\x01\x58\x10"), "byte 20 should be 50"),
        ("seq-one-byte-more", protected[:37] + b"\x18\x07" + protected[38:], shortest),
        ("seq-eight-bytes", protected[:37] + b"\x1b" + bytes(7) + b"\x07" + protected[38:], shortest),
        ("hash-long-form", protected[:38] + b"\x59\x00\x20" + protected[40:], "byte 38 should be 58 20"),
    ):
        yield Bad(name, seal.sign(written, payload, samples.GATEWAY_KEY), Reason.BAD_ENVELOPE, says)


def payload_forms() -> Iterator[Bad]:
    """The same content in another writing, authentic: `decode` writes it again, compares and refuses."""
    good = codec.encode(samples.POWER_AND_LINES)
    forms = {
        "payload-integer-long-form": good.replace(b"\x19\x03\xe8", b"\x1a\x00\x00\x03\xe8", 1),
        "payload-array-long-form": b"\x98" + bytes([good[0] & 0x1F]) + good[1:],
        "payload-text-long-form": good.replace(b"\x67nmr-400", b"\x78\x07nmr-400"),
        "payload-two-items": good + b"\x00",
        "kind-is-false": good[:1] + b"\xf4" + good[2:],
        "kind-is-float": good[:1] + b"\xf9\x00\x00" + good[2:],
        "other-unit": _column(14, [50, 8246, 4, (77, bytes.fromhex("0000f212f8fff6ff0400"))]),
        "unit-one": _column(12, [1, samples.T0, 1000, None]),
        "other-step": _column(15, [1, 0, 1, (72, bytes.fromhex("ff00ffffff"))]),
        "wider-array": _column(15, [1, 0, 0, (77, bytes.fromhex("00000100000000000000"))]),
        "zeros-instead-of-null": _column(12, [1000, samples.T0 // 1000, 1, (72, bytes(5))]),
    }
    for name, payload in forms.items():
        yield Bad(name, samples.sealed(payload, 7, ONE_HASH), Reason.NOT_CANONICAL, "another encoding")
    for name, payload in (
        ("payload-array-indefinite", b"\x9f" + good[1:] + b"\xff"),
        ("payload-bytes-in-chunks", good.replace(b"\x48" + samples.BOOT, b"\x5f\x48" + samples.BOOT + b"\xff")),
        ("payload-text-in-chunks", good.replace(b"\x67nmr-400", b"\x7f\x67nmr-400\xff")),
    ):
        yield Bad(name, samples.sealed(payload, 7, ONE_HASH), Reason.MALFORMED, "indefinite length")
    first, rest = good[2:10], good[10:]
    for name, payload, says in (
        ("payload-self-described", b"\xd9\xd9\xf7" + good, "depth"),
        ("payload-string-references", b"\xd9\x01\x00" + good, "depth"),
        ("payload-shared", good[:2] + b"\xd8\x1c" + first + rest, "tag 28"),
        ("payload-bignum", good[:2] + first + b"\xc2\x41\x00" + rest[1:], "tag 2"),
    ):
        yield Bad(name, samples.sealed(payload, 7, ONE_HASH), Reason.MALFORMED, says)


def hostile_items() -> Iterator[Bad]:
    """Payloads a general CBOR reader spends time or memory on, or fails at; each must be refused at once."""
    tags: tuple[tuple[str, int, Any], ...] = (
        ("date-text", 0, "2025-03-10T09:00:00Z"),
        ("date-number", 1, 1e300),
        ("bignum", 2, b"\xff" * 64),
        ("bignum-negative", 3, b"\xff" * 64),
        ("decimal-huge-exponent", 4, [10**18, 1]),
        ("bigfloat-huge-exponent", 5, [10**18, 1]),
        ("string-reference", 25, 0),
        ("shared-value", 28, [0]),
        ("shared-reference", 29, 0),
        ("rational-by-zero", 30, [1, 0]),
        ("pattern", 35, "(?:(?:a{999}){999})"),
        ("pattern-malformed", 35, "("),
        ("mime-nested", 36, MIME * 8),
        ("uuid", 37, bytes(16)),
        ("ipv4", 52, bytes(4)),
        ("ipv6", 54, bytes(16)),
        ("days", 100, 10**18),
        ("string-namespace", 256, [0]),
        ("set", 258, [0, 0]),
        ("ip-address", 260, bytes(4)),
        ("ip-network", 261, {b"\x00\x00\x00\x00": 0}),
        ("full-date", 1004, "2025-03-10"),
        ("complex", 43000, [0.0, 1.0]),
        ("self-described", 55799, 0),
        ("unknown-tag", 4_000_000_000, 0),
    )
    for name, tag, value in tags:
        item = cbor2.dumps([0, cbor2.CBORTag(tag, value)])
        yield Bad(f"tag-{name}", samples.sealed(item, 7, ONE_HASH), Reason.MALFORMED, f"tag {tag}")
    column = cbor2.loads(codec.encode(samples.POWER_AND_LINES))
    column[12][0] = 1 << 64
    unit = cbor2.dumps(column)
    yield Bad("column-unit-bignum", samples.sealed(unit, 7, ONE_HASH), Reason.MALFORMED, "tag 2")
    for name, payload, says in (
        ("array-of-2-to-64", bytes.fromhex("9bffffffffffffffff"), "premature end"),
        ("bytes-of-2-to-62", bytes.fromhex("5b4000000000000000"), "premature end"),
        ("text-of-2-to-63", bytes.fromhex("7b7fffffffffffffff"), "premature end"),
        ("map-of-2-to-64", bytes.fromhex("bbffffffffffffffff"), "premature end"),
        ("nested-arrays", b"\x81" * 600 + b"\x00", "depth"),
        ("nested-maps", b"\xa1\x61\x6b" * 600 + b"\x00", "depth"),
        ("nested-tags", b"\xd8\x48" * 600 + b"\x00", "depth"),
        ("map-with-number-keys", b"\xa2\x00\x00\x01\x00", "map key"),
        ("map-with-array-key", b"\xa1\x80\x00", "map key"),
        ("nan", b"\xf9\x7e\x00", "begins with 0"),
        ("undefined", b"\xf7", "begins with 0"),
        ("break", b"\xff", "break"),
        ("reserved-length", b"\x1c", "0x1c"),
        ("bad-utf8", b"\x62\xc3\x28", "text"),
        ("surrogate", b"\x63\xed\xa0\x80", "text"),
    ):
        yield Bad(name, samples.sealed(payload, 7, ONE_HASH), Reason.MALFORMED, says)


def _column(index: int, column: list[Any]) -> bytes:
    """POWER_AND_LINES with one column written otherwise; residuals as (tag, bytes)."""
    parts = cbor2.loads(codec.encode(samples.POWER_AND_LINES))
    unit, first, step, residuals = column
    written = [unit, first, step, None if residuals is None else cbor2.CBORTag(*residuals)]
    if isinstance(parts[index][0], list):
        parts[index][0] = written
    else:
        parts[index] = written
    return cbor2.dumps(parts)
