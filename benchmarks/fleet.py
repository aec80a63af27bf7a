"""Gateways that never were: their keys, a registry that knows them, and the frames they would send, signed beforehand.

Everything follows from names, so that two runs sign the same bytes. Does not: publish.
"""

import hashlib
import random
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from contract import codec, seal
from contract.frame import VERSION, Content, Genesis, Measurement, Meter, Readings, Register
from contract.ids import STREAM_ID_BYTES, BootId, GatewayId, InstrumentId, SiteId, StreamId
from contract.states import ClockState, MeterState, Source
from contract.topics import Channel, Topic
from contract.units import utc_text

STREAMS_A_GATEWAY: Final = 4
SITE: Final = SiteId("bench")
_ENROLLED_MS: Final = 1_735_689_600_000  # 2025-01-01T00:00Z
_BEGIN_MS: Final = 1_741_564_800_000  # 2025-03-10T00:00Z
_PERIOD_MS: Final = 1_000
_JITTER_MS: Final = 3
_STEP_MW: Final = 100
"""A meter that shows tenths of a watt."""
_BOOT: Final = BootId(b"benching")
_WORKERS: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """One stream, ready to be sent.

    Attributes:
        frames: genesis first; their exact bytes.
    """

    gateway: GatewayId
    stream_id: StreamId
    frames: tuple[bytes, ...]


def gateway_id(number: int) -> GatewayId:
    """Name of a gateway."""
    return GatewayId(f"gateway-{number}")


def topic(gateway: GatewayId) -> str:
    """Where a gateway's frames go."""
    return str(Topic(site=SITE, gateway=gateway, channel=Channel.FRAME))


def registry_text(gateways: int) -> str:
    """A registry file that knows so many gateways."""
    since = f'valid_from = "{utc_text(_ENROLLED_MS)}"'
    unit = 'id = "unit"\nname_zh = "淮阴工学院"\nname_en = "HYIT"\ntime_zone = "Asia/Shanghai"'
    parts = ["simulation = false", f"[[unit]]\n{unit}"]
    for number in range(gateways):
        gateway = gateway_id(number)
        public = _key(gateway).public_key().public_bytes_raw().hex()
        parts.append(f'[[gateway]]\nid = "{gateway}"\nsite = "{SITE}"\nunit = "unit"')
        parts.append(f'[[gateway.key]]\npublic_key = "{public}"\n{since}')
        for instrument in _instruments(gateway):
            meter = _meter(instrument)
            names = f'id = "{instrument}"\nname_zh = "质谱仪"\nname_en = "MS"\nunit = "unit"'
            parts.append(f'[[instrument]]\n{names}\nclass = "mass-spectrometer"')
            parts.append(f'[[meter]]\nmodel = "{meter.model}"\nserial = "{meter.serial}"')
            bound = f'instrument = "{instrument}"\ngateway = "{gateway}"'
            parts.append(
                f'[[binding]]\n{bound}\nmeter_model = "{meter.model}"\nmeter_serial = "{meter.serial}"\n{since}'
            )
    return "\n".join(parts)


def chains(gateways: int, frames: int, ticks: int) -> Iterator[Chain]:
    """Streams of a genesis and so many measurements of `ticks` readings each, as they are signed, on two cores."""
    with ProcessPoolExecutor(_WORKERS) as pool:
        sizes = [frames] * gateways, [ticks] * gateways
        for signed in pool.map(_signed, range(gateways), *sizes, chunksize=4):
            yield from signed


def _signed(number: int, frames: int, ticks: int) -> list[Chain]:
    gateway = gateway_id(number)
    key = _key(gateway)
    return [_chain(gateway, key, instrument, frames, ticks) for instrument in _instruments(gateway)]


def _chain(gateway: GatewayId, key: Ed25519PrivateKey, instrument: InstrumentId, frames: int, ticks: int) -> Chain:
    stream_id = StreamId(hashlib.sha256(f"{instrument}/{ticks}".encode()).digest()[:STREAM_ID_BYTES])
    kid = seal.key_id(key.public_key().public_bytes_raw())
    chance = random.Random(instrument)  # noqa: S311 - readings, not secrets
    contents = [_genesis(gateway, instrument)]
    contents += [_measurement(instrument, nth * ticks, ticks, chance) for nth in range(frames)]
    signed: list[bytes] = []
    for seq, content in enumerate(contents):
        prev_hash = seal.frame_hash(signed[-1]) if signed else seal.FIRST_PREV_HASH
        envelope = seal.Envelope(kid=kid, version=VERSION, stream_id=stream_id, seq=seq, prev_hash=prev_hash)
        signed.append(seal.seal(envelope, codec.encode(content), key))
    return Chain(gateway=gateway, stream_id=stream_id, frames=tuple(signed))


def _genesis(gateway: GatewayId, instrument: InstrumentId) -> Content:
    return Genesis(
        site=SITE,
        gateway=gateway,
        instrument=instrument,
        boot_id=_BOOT,
        clock=ClockState.SYNCHRONISED,
        created_ms=_BEGIN_MS,
        predecessor=None,
    )


def _measurement(instrument: InstrumentId, at: int, ticks: int, chance: random.Random) -> Content:
    """Readings at 1 Hz: some jitter, a noisy load, one run-state line that changes now and then, the register."""
    utc_ms = tuple(_BEGIN_MS + _PERIOD_MS * (at + tick) + chance.randint(0, _JITTER_MS) for tick in range(ticks))
    return Measurement(
        instrument=instrument,
        source=Source.SAMPLED,
        meter=_meter(instrument),
        meter_state=MeterState.OK,
        boot_id=_BOOT,
        clock=ClockState.SYNCHRONISED,
        period_ms=_PERIOD_MS,
        energy_begin=Register(time_ms=utc_ms[0], energy_mwh=10_000 * at),
        energy_end=Register(time_ms=utc_ms[-1], energy_mwh=10_000 * (at + ticks)),
        line_names=("run",),
        utc_ms=utc_ms,
        mono_ms=tuple(time_ms - _BEGIN_MS + 1 for time_ms in utc_ms),
        power=Readings(values=tuple(_STEP_MW * int(chance.gauss(4_000, 60)) for _ in range(ticks))),
        lines=Readings(values=tuple((at + tick) // 97 % 2 for tick in range(ticks))),
    )


def _instruments(gateway: GatewayId) -> list[InstrumentId]:
    return [InstrumentId(f"{gateway}-{nth}") for nth in range(STREAMS_A_GATEWAY)]


def _meter(instrument: InstrumentId) -> Meter:
    return Meter(model="sdm120", serial=f"serial-{instrument}")


def _key(gateway: GatewayId) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(gateway.encode()).digest())
