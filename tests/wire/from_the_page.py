"""A decoder written from docs/wire.md alone, without `contract` and without a CBOR library: the page must be enough.

It reads; it does not refuse everything that must be refused (the vectors of refusals are for `contract`).
"""

import hashlib
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

WIDTHS = {72: 1, 77: 2, 78: 4, 79: 8}


def item(b: bytes, at: int = 0) -> tuple[Any, int]:
    """Section 2: one item and the position after it."""
    major, n, at = b[at] >> 5, b[at] & 31, at + 1
    if b[at - 1] == 0xF6:
        return None, at
    if n > 23:
        width = 1 << (n - 24)
        n, at = int.from_bytes(b[at : at + width], "big"), at + width
    if major in (0, 1):
        return (n if major == 0 else -1 - n), at
    if major in (2, 3):
        return (b[at : at + n] if major == 2 else b[at : at + n].decode()), at + n
    if major == 4:
        array = []
        for _ in range(n):
            one, at = item(b, at)
            array.append(one)
        return array, at
    data, at = item(b, at)
    w = WIDTHS[n]
    return [int.from_bytes(data[i : i + w], "little", signed=True) for i in range(0, len(data), w)], at


def container(raw: bytes, public_key: bytes) -> tuple[bytes, bytes]:
    """Section 3: protected header and payload, once the signature holds."""
    assert raw[:2] == b"\xd2\x84"
    protected, at = item(raw, 2)
    written_protected, written_payload = raw[2:at], raw[at + 1 : -66]
    payload, at = item(raw, at + 1)
    signed = b"\x84\x6aSignature1" + written_protected + b"\x40" + written_payload
    Ed25519PublicKey.from_public_bytes(public_key).verify(raw[at + 2 :], signed)
    return protected, payload


def frame(raw: bytes, public_key: bytes) -> dict[str, Any]:
    """Sections 4 and 5."""
    protected, payload = container(raw, public_key)
    assert protected[5:13] == hashlib.sha256(public_key).digest()[:8]
    version, stream_id, seq, prev = item(protected, 18)[0]
    envelope = {"kid": protected[5:13], "version": version, "stream_id": stream_id, "seq": seq, "prev_hash": prev}
    kind, *items = item(payload)[0]
    content = (measurement, outage, genesis)[kind](items)
    return {"envelope": envelope, "frame_hash": hashlib.sha256(raw).digest(), "content": content}


def column(parts: list[Any], count: int) -> list[int]:
    """Section 6."""
    unit, first, step, residuals = parts
    values = [unit * first]
    for residual in residuals or [0] * (count - 1):
        values.append(values[-1] + unit * (step + residual))
    return values


def readings(parts: list[Any] | None, ticks: int) -> dict[str, Any] | None:
    return None if parts is None else {"values": column(parts[0], ticks - len(parts[1])), "absent": parts[1]}


def register(parts: list[int] | None) -> dict[str, int] | None:
    return None if parts is None else {"time_ms": parts[0], "energy_mwh": parts[1]}


def measurement(items: list[Any]) -> dict[str, Any]:
    names = ["instrument", "source", "meter", "meter_state", "boot_id", "clock", "period_ms", "energy_begin"]
    names += ["energy_end", "line_names", "ticks", "utc_ms", "mono_ms", "power", "lines"]
    m = dict(zip(names, items, strict=True))
    ticks = m.pop("ticks")
    m["meter"] = dict(zip(["model", "serial", "ct_primary_a", "ct_secondary_a"], m["meter"], strict=True))
    m["energy_begin"], m["energy_end"] = register(m["energy_begin"]), register(m["energy_end"])
    m["utc_ms"] = column(m["utc_ms"], ticks)
    m["mono_ms"] = [utc + offset for utc, offset in zip(m["utc_ms"], column(m["mono_ms"], ticks), strict=True)]
    m["power"], m["lines"] = readings(m["power"], ticks), readings(m["lines"], ticks)
    return {"is": "measurement", **m}


def outage(items: list[Any]) -> dict[str, Any]:
    names = ["instrument", "boot_id", "clock", "from_ms", "to_ms", "cause", "energy_before", "energy_after"]
    o = dict(zip(names, items, strict=True))
    return {"is": "outage", **o, **{name: register(o[name]) for name in names[-2:]}}


def genesis(items: list[Any]) -> dict[str, Any]:
    names = ["site", "gateway", "instrument", "boot_id", "clock", "created_ms", "predecessor"]
    g = dict(zip(names, items, strict=True))
    link = g["predecessor"] and dict(zip(["stream_id", "seq", "frame_hash"], g["predecessor"], strict=True))
    return {"is": "genesis", **g, "predecessor": link}


def receipt(raw: bytes, public_key: bytes) -> dict[str, Any]:
    """Section 8."""
    protected, payload = container(raw, public_key)
    assert protected == b"\xa2\x01\x27\x04\x48" + hashlib.sha256(public_key).digest()[:8]
    _, gateway, epoch, counter, issued, streams = item(payload)[0]
    names = ["stream_id", "upto", "frame_hash", "held"]
    custody = [dict(zip(names, stream, strict=True)) for stream in streams]
    head = {"gateway": gateway, "store_epoch": epoch, "counter": counter, "issued_ms": issued}
    return {"is": "receipt", **head, "streams": custody}
