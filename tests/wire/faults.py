"""Bytes that must be refused: each is a named change to a good frame or receipt, and the reason it must be given.

Payload faults are signed anew by the test key: they show what a reader refuses of a gateway that holds a good key.
`says` is a part of our message; it shows that the refusal meant was met and not another.
"""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import cbor2
from wire import samples

from contract import codec, seal
from contract.errors import Reason
from contract.receipt import Custody, seal_receipt

ONE_HASH: Final = bytes([1]) * 32
MONO: Final = samples.T0 - 600_000
BIG: Final = 1 << 62


class Bad(NamedTuple):
    """A vector that must be refused. `kind` is `frame` or `receipt`; `zeros_after` are to be appended to `raw`."""

    name: str
    raw: bytes
    expect: Reason
    says: str
    kind: str = "frame"
    zeros_after: int = 0


def _cut(form: str) -> str:
    return f"should be {form}"


def envelope_faults() -> Iterator[Bad]:
    """What `open_frame` refuses before any signature is looked at."""
    good = samples.frame(samples.POWER_ONLY, 7, ONE_HASH)
    protected, payload, signature = seal.open_signed(good)
    number = "should begin a number"
    link = "link to the frame before"

    def with_header(header: bytes) -> bytes:
        return seal.sign(header, payload, samples.GATEWAY_KEY)

    yield Bad("too-large", b"\xd2\x84", Reason.TOO_LARGE, "at most 65536", zeros_after=65_535)
    for name, raw, says in (
        ("empty", b"", _cut("d2 84")),
        ("not-cbor", b'{"power_mw": 655000}', _cut("d2 84")),
        ("cut-after-tag", good[:1], _cut("d2 84")),
        ("cut-in-protected", good[:20], _cut("a0")),
        ("cut-in-payload", good[:-70], _cut("58 40")),
        ("cut-in-signature", good[:-1], "cut off"),
        ("byte-after", good + b"\x00", "bytes follow it"),
        ("three-parts", b"\xd2\x83" + good[2:], _cut("d2 84")),
        ("other-tag", b"\xd1" + good[1:], _cut("d2 84")),
        ("protected-is-text", good[:2] + b"\x78" + good[3:], number),
        ("protected-is-number", b"\xd2\x84\x00" + good[2 + 2 + len(protected) :], number),
        ("payload-is-text", good.replace(b"\xa0" + b"\x58", b"\xa0" + b"\x78", 1), number),
        ("payload-detached", good[:2] + cbor2.dumps(protected) + b"\xa0\xf6\x58\x40" + signature, number),
        ("header-two-keys", with_header(b"\xa2" + protected[1:]), _cut("a3 01 27 04 48")),
        ("header-empty", with_header(b""), _cut("a3 01 27 04 48")),
        ("algorithm-es256", with_header(b"\xa3\x01\x26" + protected[3:]), _cut("a3 01 27 04 48")),
        ("kid-of-four-bytes", with_header(b"\xa3\x01\x27\x04\x44" + protected[9:]), _cut("a3 01 27 04 48")),
        ("other-label", with_header(protected.replace(b"\x3a\x00\x01\x00\x00", b"\x3a\x00\x01\x00\x01")), "byte 13"),
        ("version-negative", with_header(protected.replace(b"\x84\x01\x50", b"\x84\x20\x50")), number),
        ("version-without-length", with_header(protected.replace(b"\x84\x01\x50", b"\x84\x1f\x50")), "definite"),
        ("version-missing", with_header(protected[:19]), number),
        ("stream-of-fifteen", with_header(protected.replace(b"\x50\x00", b"\x4f")), _cut("50")),
        ("seq-cut", with_header(protected[:37] + b"\x1b\x00\x00"), "cut off"),
        ("seq-too-large", with_header(protected[:37] + b"\x1b\x80" + bytes(7) + protected[38:]), link),
        ("hash-of-31", with_header(protected[:-1]), link),
        ("hash-of-33", with_header(protected + b"\x00"), link),
        ("first-with-hash", with_header(protected[:37] + b"\x00" + protected[38:]), link),
        ("second-without-hash", with_header(protected[:-32] + bytes(32)), link),
    ):
        yield Bad(name, raw, Reason.BAD_ENVELOPE, says)


def signature_faults() -> Iterator[Bad]:
    """Well formed, but not what the key signed."""
    good = samples.frame(samples.POWER_ONLY, 7, ONE_HASH)
    at = good.index(b"nmr-400")
    order = 2**252 + 27742317777372353535851937790883648493
    s = int.from_bytes(good[-32:], "little") + order
    not_signed = "not signed by this key"
    for name, raw in (
        ("payload-changed", good[:at] + b"X" + good[at + 1 :]),
        ("seq-changed", good.replace(b"\x07\x58\x20\x01", b"\x08\x58\x20\x01", 1)),
        ("signature-zero", good[:-64] + bytes(64)),
        ("signature-plus-order", good[:-32] + s.to_bytes(32, "little")),
        ("other-key", seal.sign(*seal.open_signed(good)[:2], samples.COLLECTOR_KEY)),
    ):
        yield Bad(name, raw, Reason.BAD_SIGNATURE, not_signed)


def _changed(content: Any, path: tuple[int, ...], value: object) -> bytes:  # noqa: ANN401 - any content
    parts = cbor2.loads(codec.encode(content))
    at = parts
    for index in path[:-1]:
        at = at[index]
    at[path[-1]] = value
    return samples.sealed(cbor2.dumps(parts, canonical=True), 7, ONE_HASH)


def _typed(tag: int, data: bytes) -> cbor2.CBORTag:
    return cbor2.CBORTag(tag, data)


def payload_faults() -> Iterator[Bad]:
    """Authentic, and refused by `decode` as MALFORMED."""
    m, a, o, g = samples.POWER_AND_LINES, samples.ABSENT, samples.OUTAGE, samples.GENESIS_AFTER
    column = "four parts"
    cases: tuple[tuple[str, object, tuple[int, ...], object, str], ...] = (
        ("kind-unknown", m, (0,), 3, "begins with 0"),
        ("instrument-not-an-id", m, (1,), "NMR 400", "instrument: "),
        ("instrument-number", m, (1,), 400, "instrument: "),
        ("source-unknown", m, (2,), 2, "source: "),
        ("meter-of-three", m, (3,), ["sdm120", "1", 1], "array of 4"),
        ("meter-model-path", m, (3, 0), "../sdm120", "meter model: "),
        ("serial-empty", m, (3, 1), "", "meter serial: "),
        ("serial-too-long", m, (3, 1), "1" * 65, "meter serial: "),
        ("serial-control-character", m, (3, 1), "2401\n", "meter serial: "),
        ("serial-not-ascii", m, (3, 1), "２４０１", "meter serial: "),
        ("serial-bytes", m, (3, 1), b"2401", "meter serial: "),
        ("ct-primary-zero", m, (3, 2), 0, "CT primary: "),
        ("ct-secondary-too-large", m, (3, 3), 1_000_001, "CT secondary: "),
        ("meter-state-unknown-bit", m, (4,), 8, "meter state: "),
        ("boot-id-of-seven", m, (5,), bytes(7), "boot id: "),
        ("clock-unknown", m, (6,), 4, "clock state: "),
        ("clock-true", m, (6,), True, "clock state: "),
        ("period-zero", m, (7,), 0, "period: "),
        ("period-over-a-day", m, (7,), 86_400_001, "period: "),
        ("period-float", m, (7,), 1000.0, "period: "),
        ("register-of-three", m, (8,), [0, 0, 0], "array of 2"),
        ("register-negative", m, (8, 1), -1, "energy register: "),
        ("register-too-large", m, (9, 1), 10**15 + 1, "energy register: "),
        ("register-time-too-large", m, (9, 0), (1 << 47) + 1, "time: "),
        ("line-names-33", m, (10,), [f"l{i}" for i in range(33)], "line names: "),
        ("line-names-null", m, (10,), None, "line names: "),
        ("line-name-not-an-id", m, (10, 1), "Door", "line name: "),
        ("line-name-twice", m, (10, 1), "run", "two lines"),
        ("ticks-zero", m, (11,), 0, "number of ticks: "),
        ("ticks-4097", m, (11,), 4097, "number of ticks: "),
        ("ticks-more-than-values", m, (14, 0, 3), _typed(77, bytes(12)), "7 values where 6"),
        ("ticks-fewer-than-values", m, (15, 0, 3), _typed(72, bytes(4)), "5 values where 6"),
        ("utc-standing", m, (12, 2), 0, "UTC does not rise"),
        ("utc-falling", m, (12, 2), -1, "UTC does not rise"),
        ("utc-before-1970", m, (12,), [1000, -1, 1, None], "time: "),
        ("utc-too-late", m, (12,), [1, (1 << 47) - 4, 1, None], "time: "),
        ("mono-standing", m, (13,), [1, -MONO, -1000, None], "monotonic time does not rise"),
        ("mono-negative", m, (13,), [1000, -samples.T0 // 1000 - 1, 0, None], "time: "),
        ("column-of-three", m, (12,), [1000, 0, 1], column),
        ("column-null", m, (12,), None, column),
        ("column-unit-zero", m, (12, 0), 0, "unit at least 1"),
        ("column-unit-negative", m, (12, 0), -1000, "unit at least 1"),
        ("column-first-float", m, (12, 1), 1.0, "are integers"),
        ("column-step-null", m, (12, 2), None, "are integers"),
        ("column-out-of-range", m, (14, 0), [1, BIG, 0, None], "out of range"),
        ("column-overflow", m, (14, 0), [BIG, BIG, BIG, None], "out of range"),
        ("residuals-untagged", m, (15, 0, 3), bytes(5), "typed array"),
        ("residuals-big-endian", m, (14, 0, 3), _typed(73, bytes(10)), "tag 73"),
        ("residuals-unsigned", m, (15, 0, 3), _typed(64, bytes(5)), "tag 64"),
        ("residuals-of-text", m, (15, 0, 3), cbor2.CBORTag(72, "12345"), "typed array"),
        ("residuals-half-an-item", m, (14, 0, 3), _typed(77, bytes(9)), "multiple of item size"),
        ("readings-of-three", m, (14,), [[1, 0, 0, None], [], 0], "array of 2"),
        ("power-too-large", m, (14, 0), [10**11 + 1, 1, 0, None], "a reading is outside"),
        ("power-too-negative", m, (14, 0), [10**11 + 1, -1, 0, None], "a reading is outside"),
        ("line-bit-without-name", m, (15, 0), [4, 1, 0, None], "a reading is outside"),
        ("lines-negative", m, (15, 0), [1, -1, 0, None], "a reading is outside"),
        ("absent-all", a, (14, 1), [0, 1, 2, 3, 4], "absent ticks: "),
        ("absent-out-of-range", a, (14, 1), [1, 2, 5], "absent tick: "),
        ("absent-twice", a, (14, 1), [1, 1, 4], "absent ticks does not rise"),
        ("absent-falling", a, (14, 1), [2, 1, 4], "absent ticks does not rise"),
        ("no-reading", samples.POWER_ONLY, (14,), None, "without a reading"),
        ("outage-falling", o, (5,), samples.T0, "ends before it begins"),
        ("outage-time-negative", o, (4,), -1, "time: "),
        ("outage-cause-unknown", o, (6,), 6, "cause: "),
        ("genesis-site-not-an-id", g, (1,), "a/b", "site: "),
        ("genesis-gateway-not-an-id", g, (2,), "+", "gateway: "),
        ("genesis-link-of-two", g, (7,), [samples.OLD_STREAM, 1], "array of 3"),
        ("genesis-link-stream", g, (7, 0), bytes(15), "stream id: "),
        ("genesis-link-seq", g, (7, 1), 1 << 63, "seq: "),
        ("genesis-link-hash", g, (7, 2), bytes(33), "frame hash: "),
    )
    for name, content, path, value, says in cases:
        yield Bad(name, _changed(content, path, value), Reason.MALFORMED, says)
    for name, payload, says in (
        ("payload-empty", b"", "premature end"),
        ("payload-number", b"\x00", "begins with 0"),
        ("payload-empty-array", b"\x80", "begins with 0"),
        ("payload-map", b"\xa1\x61\x6b\x00", "begins with 0"),
        ("payload-text", b"\x61\x30", "begins with 0"),
        ("payload-cut", codec.encode(samples.OUTAGE)[:-1], "premature end"),
        ("measurement-of-fourteen", cbor2.dumps([0, *range(14)]), "array of 15"),
        ("outage-of-seven", cbor2.dumps([1, *range(7)]), "array of 8"),
        ("genesis-of-eight", cbor2.dumps([2, *range(8)]), "array of 7"),
    ):
        yield Bad(name, samples.sealed(payload, 7, ONE_HASH), Reason.MALFORMED, says)


def receipt_faults() -> Iterator[Bad]:
    """What `open_receipt` refuses."""
    custody = Custody(stream_id=samples.STREAM, upto=4, frame_hash=ONE_HASH, held=((6, 7), (9, 9)))
    good = seal_receipt(samples.receipt(custody), samples.COLLECTOR_KID, samples.COLLECTOR_KEY)
    header, payload, _ = seal.open_signed(good)

    def signed(body: bytes) -> bytes:
        return seal.sign(header, body, samples.COLLECTOR_KEY)

    def bad(name: str, raw: bytes, expect: Reason, says: str) -> Bad:
        return Bad(f"receipt-{name}", raw, expect, says, kind="receipt")

    strange = seal.sign(seal.signer_header(samples.GATEWAY_KID), payload, samples.GATEWAY_KEY)
    yield bad("byte-after", good + b"\x00", Reason.BAD_ENVELOPE, "bytes follow it")
    yield bad("of-another-key", strange, Reason.UNKNOWN_KEY, "not signed by the collector key")
    yield bad("is-a-frame", samples.frame(samples.OUTAGE, 7, ONE_HASH), Reason.UNKNOWN_KEY, "not signed by the coll")
    yield bad("changed", good.replace(b"gw-07", b"gw-08"), Reason.BAD_SIGNATURE, "not signed by this key")
    yield bad("of-version-2", signed(cbor2.dumps([2, "later"])), Reason.UNKNOWN_VERSION, "update this gateway")
    six, four = "six parts", "four parts"
    integer = "integer in"
    cases: tuple[tuple[str, tuple[int, ...], object, str], ...] = (
        ("version-text", (0,), "1", six),
        ("gateway-not-an-id", (1,), "GW", "gateway, epoch"),
        ("gateway-bytes", (1,), b"gw-07", six),
        ("epoch-of-seven", (2,), bytes(7), "gateway, epoch"),
        ("counter-negative", (3,), -1, integer),
        ("counter-true", (3,), True, integer),
        ("issued-too-late", (4,), (1 << 47) + 1, integer),
        ("streams-null", (5,), None, six),
        ("stream-twice", (5,), [[samples.STREAM, -1, bytes(32), []]] * 2, "two accounts"),
        ("stream-of-three", (5, 0), [samples.STREAM, 4, ONE_HASH], four),
        ("stream-id-of-15", (5, 0, 0), bytes(15), four),
        ("upto-minus-two", (5, 0, 1), -2, integer),
        ("upto-float", (5, 0, 1), 4.0, integer),
        ("hash-of-31", (5, 0, 2), bytes(31), four),
        ("hash-of-nothing", (5, 0, 1), -1, "a hash where no frame"),
        ("held-257", (5, 0, 3), [[6 + 2 * i, 6 + 2 * i] for i in range(257)], four),
        ("range-of-one", (5, 0, 3, 0), [6], "[first, last]"),
        ("range-falling", (5, 0, 3, 0), [7, 6], integer),
        ("range-touching", (5, 0, 3, 0), [5, 7], "at least one seq is missing"),
        ("range-overlapping", (5, 0, 3, 1), [7, 9], "at least one seq is missing"),
    )
    for name, path, value, says in cases:
        parts: Any = cbor2.loads(payload)
        at = parts
        for index in path[:-1]:
            at = at[index]
        at[path[-1]] = value
        yield bad(name, signed(cbor2.dumps(parts, canonical=True)), Reason.MALFORMED, says)
    long_form = payload.replace(b"\x18\x29", b"\x19\x00\x29")
    yield bad("long-integer", signed(long_form), Reason.NOT_CANONICAL, "another encoding")
    yield bad("version-as-float", signed(b"\x86\xf9\x3c\x00" + payload[2:]), Reason.NOT_CANONICAL, "another encoding")
    yield bad("two-items", signed(payload + b"\x00"), Reason.NOT_CANONICAL, "another encoding")
