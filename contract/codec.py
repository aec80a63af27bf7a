"""Payloads as bytes: deterministic CBOR (RFC 8949 4.2.1), fixed-position arrays, integers only.

Each content has exactly one encoding; `decode` refuses every other. The layout stands byte by byte in `docs/wire.md`.
Does not: verify signatures (`seal`); callers decode only payloads whose signature has been verified.
"""

from operator import add, lt
from typing import Any, Final

import cbor2

from contract import cbor, columns
from contract.errors import EvidenceError, Reason
from contract.frame import (
    MAX_ENERGY_MWH,
    MAX_LINES,
    MAX_POWER_MW,
    MAX_TICKS,
    MAX_TIME_MS,
    MIN_TIME_MS,
    Content,
    Genesis,
    Link,
    Measurement,
    Meter,
    Outage,
    Readings,
    Register,
)
from contract.ids import BOOT_ID_BYTES, STREAM_ID_BYTES, BootId, GatewayId, InstrumentId, SiteId, StreamId, is_id
from contract.states import ClockState, MeterState, OutageCause, Source

_MEASUREMENT: Final = 0
_OUTAGE: Final = 1
_GENESIS: Final = 2
_MAX_DEPTH: Final = 4
_METER_BITS: Final = int(MeterState.RECONNECTED | MeterState.SERIAL_CHANGED | MeterState.REGISTER_FELL)
_MAX_TEXT: Final = 64
_MAX_RATIO: Final = 1_000_000
_MAX_PERIOD_MS: Final = 86_400_000
_HASH_BYTES: Final = 32


def encode(content: Content) -> bytes:
    """The one legal payload of a frame's content.

    Raises:
        ValueError: `decode` would refuse the content: a field out of its bounds, times that do not rise, a signal of
            which every reading is absent (None says that). Better here than quarantined at the other end.
    """
    parts = _parts(content)
    if _content(parts) != content:
        raise ValueError("the content does not survive the wire: a field has another type than `frame` says")
    return cbor2.dumps(parts, canonical=True)


def decode(payload: bytes) -> Content:
    """Read a payload of version 1.

    Raises:
        EvidenceError: MALFORMED (says which part), NOT_CANONICAL (a second way of writing the same content).
    """
    try:
        parts = cbor.load(payload, _MAX_DEPTH)
        content = _content(parts)
    except ValueError as error:
        raise EvidenceError(Reason.MALFORMED, str(error)) from error
    if cbor2.dumps(parts, canonical=True) != payload or not _is_legal(content, parts):
        raise EvidenceError(Reason.NOT_CANONICAL, "the same content has another encoding, the legal one")
    return content


def _is_legal(content: Content, parts: Any) -> bool:  # noqa: ANN401 - what `_content` has taken apart
    """Whether `_parts` would make these very parts of the content, without making them.

    `_content` takes integers, bytes, text, null and arrays for themselves alone, so only two things can be said in
    another way: the kind (to a match, 0 is false and 0.0 as well) and a column.
    """
    if type(parts[0]) is not int:
        return False
    if not isinstance(content, Measurement):
        return True
    *_, utc, offset, power, lines = parts
    ticks = len(content.utc_ms)
    signals = ((content.power, power), (content.lines, lines))
    return (
        columns.is_legal(utc, ticks)
        and columns.is_legal(offset, ticks)
        and all(columns.is_legal(said[0], len(readings.values)) for readings, said in signals if readings)
    )


def _parts(content: Content) -> list[object]:
    match content:
        case Measurement():
            return _measurement_parts(content)
        case Outage():
            return _outage_parts(content)
        case Genesis():
            return _genesis_parts(content)


def _measurement_parts(m: Measurement) -> list[object]:
    offsets = [mono - utc for mono, utc in zip(m.mono_ms, m.utc_ms, strict=True)]
    return [
        _MEASUREMENT,
        m.instrument,
        int(m.source),
        [m.meter.model, m.meter.serial, m.meter.ct_primary_a, m.meter.ct_secondary_a],
        int(m.meter_state),
        m.boot_id,
        int(m.clock),
        m.period_ms,
        _register_parts(m.energy_begin),
        _register_parts(m.energy_end),
        list(m.line_names),
        len(m.utc_ms),
        columns.pack(m.utc_ms),
        columns.pack(offsets),
        _readings_parts(m.power),
        _readings_parts(m.lines),
    ]


def _outage_parts(o: Outage) -> list[object]:
    registers = [_register_parts(o.energy_before), _register_parts(o.energy_after)]
    return [_OUTAGE, o.instrument, o.boot_id, int(o.clock), o.from_ms, o.to_ms, int(o.cause), *registers]


def _genesis_parts(g: Genesis) -> list[object]:
    link = g.predecessor
    before = None if link is None else [link.stream_id, link.seq, link.frame_hash]
    return [_GENESIS, g.site, g.gateway, g.instrument, g.boot_id, int(g.clock), g.created_ms, before]


def _register_parts(register: Register | None) -> list[int] | None:
    return None if register is None else [register.time_ms, register.energy_mwh]


def _readings_parts(readings: Readings | None) -> list[object] | None:
    return None if readings is None else [columns.pack(readings.values), list(readings.absent)]


def _content(parts: object) -> Content:
    match parts:
        case [0, *rest]:
            return _measurement(rest)
        case [1, *rest]:
            return _outage(rest)
        case [2, *rest]:
            return _genesis(rest)
    raise ValueError("a payload is an array that begins with 0 (measurement), 1 (outage) or 2 (genesis)")


def _measurement(parts: list[object]) -> Measurement:
    (instrument, source, meter, state, boot, clock, period, begin, end, names, ticks, utc, offset, power, lines) = (
        _exactly(parts, 15)
    )
    count = _int(ticks, "number of ticks", 1, MAX_TICKS)
    utc_ms = columns.unpack(utc, count)
    mono_ms = tuple(map(add, utc_ms, columns.unpack(offset, count)))
    for times, what in ((utc_ms, "UTC"), (mono_ms, "monotonic time")):
        _rising(times, what)
        _time(times[0])
        _time(times[-1])
    line_names = tuple(_id(name, "line name") for name in _list(names, "line names", MAX_LINES))
    if len(set(line_names)) != len(line_names):
        raise ValueError("two lines have one name")
    result = Measurement(
        instrument=InstrumentId(_id(instrument, "instrument")),
        source=Source(_int(source, "source", 0, 1)),
        meter=_meter(meter),
        meter_state=MeterState(_int(state, "meter state", 0, _METER_BITS)),
        boot_id=_boot(boot),
        clock=_clock(clock),
        period_ms=_int(period, "period", 1, _MAX_PERIOD_MS),
        energy_begin=_register(begin),
        energy_end=_register(end),
        line_names=line_names,
        utc_ms=utc_ms,
        mono_ms=mono_ms,
        power=_readings(power, count, -MAX_POWER_MW, MAX_POWER_MW),
        lines=_readings(lines, count, 0, (1 << len(line_names)) - 1),
    )
    if result.power is None and result.lines is None:
        raise ValueError("a measurement without a reading")
    return result


def _outage(parts: list[object]) -> Outage:
    instrument, boot, clock, start, end, cause, before, after = _exactly(parts, 8)
    from_ms, to_ms = _time(start), _time(end)
    if from_ms > to_ms:
        raise ValueError("an outage ends before it begins")
    return Outage(
        instrument=InstrumentId(_id(instrument, "instrument")),
        boot_id=_boot(boot),
        clock=_clock(clock),
        from_ms=from_ms,
        to_ms=to_ms,
        cause=OutageCause(_int(cause, "cause", 0, max(OutageCause))),
        energy_before=_register(before),
        energy_after=_register(after),
    )


def _genesis(parts: list[object]) -> Genesis:
    site, gateway, instrument, boot, clock, created, before = _exactly(parts, 7)
    return Genesis(
        site=SiteId(_id(site, "site")),
        gateway=GatewayId(_id(gateway, "gateway")),
        instrument=InstrumentId(_id(instrument, "instrument")),
        boot_id=_boot(boot),
        clock=_clock(clock),
        created_ms=_time(created),
        predecessor=None if before is None else _link(before),
    )


def _link(parts: object) -> Link:
    stream_id, seq, frame_hash = _exactly(parts, 3)
    return Link(
        stream_id=StreamId(_bytes(stream_id, "stream id", STREAM_ID_BYTES)),
        seq=_int(seq, "seq", 0, (1 << 63) - 1),
        frame_hash=_bytes(frame_hash, "frame hash", _HASH_BYTES),
    )


def _meter(parts: object) -> Meter:
    model, serial, primary, secondary = _exactly(parts, 4)
    return Meter(
        model=_id(model, "meter model"),
        serial=_text(serial, "meter serial"),
        ct_primary_a=_int(primary, "CT primary", 1, _MAX_RATIO),
        ct_secondary_a=_int(secondary, "CT secondary", 1, _MAX_RATIO),
    )


def _register(parts: object) -> Register | None:
    if parts is None:
        return None
    time_ms, energy = _exactly(parts, 2)
    return Register(time_ms=_time(time_ms), energy_mwh=_int(energy, "energy register", 0, MAX_ENERGY_MWH))


def _readings(parts: object, count: int, least: int, most: int) -> Readings | None:
    if parts is None:
        return None
    column, gaps = _exactly(parts, 2)
    absent = tuple(_int(tick, "absent tick", 0, count - 1) for tick in _list(gaps, "absent ticks", count - 1))
    _rising(absent, "absent ticks")
    values = columns.unpack(column, count - len(absent))
    if min(values) < least or max(values) > most:
        raise ValueError(f"a reading is outside {least}..{most}")
    return Readings(values=values, absent=absent)


def _boot(value: object) -> BootId:
    return BootId(_bytes(value, "boot id", BOOT_ID_BYTES))


def _clock(value: object) -> ClockState:
    return ClockState(_int(value, "clock state", 0, max(ClockState)))


def _time(value: object) -> int:
    return _int(value, "time", MIN_TIME_MS, MAX_TIME_MS)


def _exactly(parts: object, count: int) -> list[object]:
    if not isinstance(parts, list) or len(parts) != count:
        raise ValueError(f"an array of {count} was expected")
    return parts


def _list(value: object, what: str, most: int) -> list[object]:
    if not isinstance(value, list) or len(value) > most:
        raise ValueError(f"{what}: an array of at most {most} was expected")
    return value


def _int(value: object, what: str, least: int, most: int) -> int:
    if type(value) is not int or not least <= value <= most:
        raise ValueError(f"{what}: an integer in {least}..{most} was expected")
    return value


def _bytes(value: object, what: str, size: int) -> bytes:
    if not isinstance(value, bytes) or len(value) != size:
        raise ValueError(f"{what}: {size} bytes were expected")
    return value


def _text(value: object, what: str) -> str:
    # ASCII, because what else is printable differs between versions of Unicode, and with it between readers.
    if not isinstance(value, str) or not 1 <= len(value) <= _MAX_TEXT or not (value.isascii() and value.isprintable()):
        raise ValueError(f"{what}: 1 to {_MAX_TEXT} printable ASCII characters were expected")
    return value


def _id(value: object, what: str) -> str:
    if not isinstance(value, str) or not is_id(value):
        raise ValueError(f"{what}: lower-case letters, digits and hyphens were expected, at most 32")
    return value


def _rising(values: tuple[int, ...], what: str) -> None:
    if not all(map(lt, values, values[1:])):
        raise ValueError(f"{what} does not rise")
