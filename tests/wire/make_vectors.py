"""Writes the golden vectors: `PYTHONPATH=tests .venv/bin/python -m wire.make_vectors`; the same bytes at each run.

A vector is one JSON object: `name`, `shows`, `kind` (frame, receipt), `hex`, `expect` (accepted, authentic, or the
reason code of the refusal). Good ones add what they decode to. `zeros_after`: so many zero bytes follow the hex.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import cbor2
from wire import faults, lax, samples

from contract import seal
from contract.frame import Content
from contract.receipt import Custody, Receipt, seal_receipt

FOLDER: Final = Path(__file__).parent / "vectors"
KEYS: Final = (
    "PUBLIC test keys, never to be enrolled. gateway: seed 000102..1f; collector: RFC 8032 7.1 test 1. "
    f"Public halves: gateway {samples.GATEWAY_KEY.public_key().public_bytes_raw().hex()}, "
    f"collector {samples.COLLECTOR_KEY.public_key().public_bytes_raw().hex()}."
)
LATER: Final = {"power_mw": [655_000], "new": True}


def good() -> list[dict[str, Any]]:
    """Accepted: the frames of one stream in order, a genesis after an older stream, receipts."""
    vectors, prev, seq = [], seal.FIRST_PREV_HASH, 0
    for seq, (name, shows, content) in enumerate(samples.CHAIN):
        raw = samples.frame(content, seq, prev)
        prev = seal.frame_hash(raw)
        vectors.append(_frame(name, shows, raw, content))
    after = samples.frame(samples.GENESIS_AFTER)
    vectors.append(
        _frame("genesis-after", "a new spool names the end of the stream before", after, samples.GENESIS_AFTER)
    )
    whole = Custody(stream_id=samples.STREAM, upto=seq, frame_hash=prev)
    holes = Custody(stream_id=samples.STREAM, upto=1, frame_hash=_hash_of(vectors[1]), held=((3, 4), (6, 10)))
    none = Custody(stream_id=samples.OLD_STREAM, upto=-1, frame_hash=bytes(32), held=((70_000, 70_000),))
    vectors += [
        _receipt("receipt", "every frame of the stream above is held", samples.receipt(whole)),
        _receipt("receipt-holes", "2 and 5 are missing; of another stream all but one", samples.receipt(holes, none)),
        _receipt("receipt-empty", "nothing is held yet", samples.receipt()),
    ]
    return vectors


def future() -> list[dict[str, Any]]:
    """Authentic frames of versions to come: the envelope is read, the place is kept, the payload is not decoded."""
    payload = cbor2.dumps(LATER, canonical=True)
    cases = (
        ("version-2", 2, payload, "a payload of the next version"),
        ("version-0", 0, payload, "there is no version 0"),
        ("version-largest", (1 << 64) - 1, b"", "a payload of nothing"),
        ("version-2-of-known-form", 2, seal.open_signed(samples.frame(samples.OUTAGE))[1], "not to be read as 1"),
    )
    return [
        {**_vector(name, shows, raw, expect="authentic"), "envelope": _envelope(raw)}
        for name, version, body, shows in cases
        for raw in [samples.sealed(body, 9, faults.ONE_HASH, version)]
    ]


def refused(*groups: Callable[[], Iterable[faults.Bad]]) -> list[dict[str, Any]]:
    """Vectors with the reason of their refusal and a part of our message; what they show stands over their group."""
    vectors = []
    for group in groups:
        shows = (group.__doc__ or "").partition("\n")[0]
        for case in group():
            vector = _vector(case.name, shows, case.raw, kind=case.kind, expect=case.expect)
            zeros = {"zeros_after": case.zeros_after} if case.zeros_after else {}
            vectors.append({**vector, **zeros, "says": case.says})
    return vectors


def files() -> dict[str, str]:
    """Each vector file's name and text."""
    malformed = (faults.envelope_faults, faults.signature_faults, faults.payload_faults, faults.receipt_faults)
    reencoded = (lax.outer_forms, lax.header_forms, lax.payload_forms)
    return {
        "good.json": _text("Accepted; `content` is what they say.", good()),
        "future.json": _text("Signature and envelope hold; the version is not ours: kept, quarantined.", future()),
        "malformed.json": _text("Refused, with the reason.", refused(*malformed)),
        "reencoded.json": _text(
            "Other writings of one frame, accepted by lax readers. The first ones carry the very same signature.",
            refused(*reencoded),
        ),
        "hostile.json": _text("Authentic, and made to trouble a general CBOR reader.", refused(lax.hostile_items)),
    }


def plain(value: Any) -> Any:  # noqa: ANN401 - JSON of anything in a frame
    """A content as JSON: bytes as hex, tuples as lists, enumerations as their wire numbers."""
    match value:
        case dict():
            return {key: plain(item) for key, item in value.items()}
        case tuple() | list():
            return [plain(item) for item in value]
        case bytes():
            return value.hex()
        case int():
            return int(value)
    return value


def described(content: Content | Receipt) -> dict[str, Any]:
    """A content with the word for what it is."""
    return {"is": type(content).__name__.lower(), **plain(asdict(content))}


def plain_envelope(envelope: seal.Envelope) -> dict[str, Any]:
    """An envelope as JSON."""
    return dict(plain(asdict(envelope)))


def _hash_of(vector: dict[str, Any]) -> bytes:
    return bytes.fromhex(vector["frame_hash"])


def _frame(name: str, shows: str, raw: bytes, content: Content) -> dict[str, Any]:
    return {
        **_vector(name, shows, raw),
        "frame_hash": seal.frame_hash(raw).hex(),
        "envelope": _envelope(raw),
        "content": described(content),
    }


def _receipt(name: str, shows: str, receipt: Receipt) -> dict[str, Any]:
    raw = seal_receipt(receipt, samples.COLLECTOR_KID, samples.COLLECTOR_KEY)
    return {**_vector(name, shows, raw, kind="receipt"), "content": described(receipt)}


def _vector(name: str, shows: str, raw: bytes, *, kind: str = "frame", expect: str = "accepted") -> dict[str, Any]:
    return {"name": name, "shows": shows, "kind": kind, "expect": str(expect), "hex": raw.hex()}


def _envelope(raw: bytes) -> dict[str, Any]:
    return plain_envelope(seal.open_frame(raw).envelope)


def _text(about: str, vectors: list[dict[str, Any]]) -> str:
    """One line a vector's key, so that a change is one line of a diff."""
    blocks = [
        " {\n" + ",\n".join(f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in vector.items()) + "\n }"
        for vector in vectors
    ]
    head = f'"about": {json.dumps(about)},\n"keys": {json.dumps(KEYS)},\n"vectors": [\n'
    return "{\n" + head + ",\n".join(blocks) + "\n]\n}\n"


if __name__ == "__main__":
    for file_name, text in files().items():
        (FOLDER / file_name).write_text(text, "utf-8")
