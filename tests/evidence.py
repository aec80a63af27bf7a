"""Gateways as they might be: keys, streams and signed frames, honest or not; and a registry that knows them."""

import hashlib
from dataclasses import dataclass, field, replace
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from contract import codec, seal
from contract.frame import VERSION, Content, Genesis, Measurement, Meter, Outage, Readings
from contract.ids import BootId, GatewayId, InstrumentId, SiteId, StreamId
from contract.registry import Binding, GatewayKey, Registry, Role
from contract.states import ClockState, MeterState, OutageCause, Source
from contract.topics import Channel, Topic
from contract.units import utc_text
from storage import registry_file, registry_load
from storage.pool import connect

FROM_MS = 1_735_689_600_000  # 2025-01-01T00:00Z: keys and bindings hold from here on
DAY_MS = 1_741_564_800_000  # 2025-03-10T00:00Z: frames begin here
LATER_MS = DAY_MS + 40 * 86_400_000  # when they are heard
TICKS = 5
PERIOD_MS = 1_000
BOOT = BootId(b"bootboot")


@dataclass(frozen=True, kw_only=True)
class Gateway:
    """A gateway that reads one meter for one instrument of its own."""

    name: str
    site: str = "huaian"
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    @property
    def instrument(self) -> InstrumentId:
        return InstrumentId(f"{self.name}-instrument")

    @property
    def public(self) -> bytes:
        return self.key.public_key().public_bytes_raw()

    @property
    def topic(self) -> str:
        return str(Topic(site=SiteId(self.site), gateway=GatewayId(self.name), channel=Channel.FRAME))

    @property
    def meter(self) -> Meter:
        return Meter(model="sdm120", serial=f"serial-{self.name}")

    def gateway_key(self) -> GatewayKey:
        return GatewayKey(
            kid=seal.key_id(self.public),
            site=SiteId(self.site),
            gateway=GatewayId(self.name),
            public_key=self.public,
            valid_from_ms=FROM_MS,
        )

    def binding(self) -> Binding:
        return Binding(
            instrument=self.instrument,
            gateway=GatewayId(self.name),
            meter_model=self.meter.model,
            meter_serial=self.meter.serial,
            ct_primary_a=1,
            ct_secondary_a=1,
            role=Role.SOLE,
            valid_from_ms=FROM_MS,
        )

    def genesis(self) -> Genesis:
        return Genesis(
            site=SiteId(self.site),
            gateway=GatewayId(self.name),
            instrument=self.instrument,
            boot_id=BOOT,
            clock=ClockState.SYNCHRONISED,
            created_ms=DAY_MS,
            predecessor=None,
        )

    def measurement(self, begin_ms: int = DAY_MS) -> Measurement:
        ticks = tuple(begin_ms + PERIOD_MS * tick for tick in range(TICKS))
        return Measurement(
            instrument=self.instrument,
            source=Source.SAMPLED,
            meter=self.meter,
            meter_state=MeterState.OK,
            boot_id=BOOT,
            clock=ClockState.SYNCHRONISED,
            period_ms=PERIOD_MS,
            energy_begin=None,
            energy_end=None,
            line_names=("run",),
            utc_ms=ticks,
            mono_ms=tuple(tick - DAY_MS for tick in ticks),
            power=Readings(values=tuple(begin_ms % 1_000_000 + tick for tick in range(TICKS))),
            lines=Readings(values=tuple(tick % 3 // 2 for tick in range(TICKS))),
        )

    def outage(self, from_ms: int, to_ms: int) -> Outage:
        return Outage(
            instrument=self.instrument,
            boot_id=BOOT,
            clock=ClockState.SYNCHRONISED,
            from_ms=from_ms,
            to_ms=to_ms,
            cause=OutageCause.PROCESS,
            energy_before=None,
            energy_after=None,
        )


@dataclass(kw_only=True)
class Stream:
    """A chain of signed frames in the making."""

    gateway: Gateway
    name: str = "first"
    frames: list[bytes] = field(default_factory=list)

    @property
    def stream_id(self) -> StreamId:
        return StreamId(hashlib.sha256(f"{self.gateway.name}/{self.name}".encode()).digest()[:16])

    def add(self, content: Content | bytes, *, version: int = VERSION, prev_hash: bytes | None = None) -> bytes:
        """Sign one more frame; `prev_hash` breaks the link."""
        payload = content if isinstance(content, bytes) else codec.encode(content)
        previous = seal.frame_hash(self.frames[-1]) if self.frames else seal.FIRST_PREV_HASH
        raw = sealed(self, len(self.frames), prev_hash or previous, payload, version)
        self.frames.append(raw)
        return raw

    def grow(self, count: int) -> list[bytes]:
        """Add so many frames: genesis first, then measurements, a minute each."""
        for _ in range(count):
            at = len(self.frames)
            self.add(self.gateway.measurement(DAY_MS + 60_000 * at) if at else self.gateway.genesis())
        return self.frames[-count:]


def sealed(stream: Stream, seq: int, prev_hash: bytes, payload: bytes, version: int = VERSION) -> bytes:
    """Any frame at all under a stream's key."""
    kid = seal.key_id(stream.gateway.public)
    envelope = seal.Envelope(kid=kid, version=version, stream_id=stream.stream_id, seq=seq, prev_hash=prev_hash)
    return seal.seal(envelope, payload, stream.gateway.key)


def registry_of(*gateways: Gateway, simulation: bool = False) -> Registry:
    """A registry that knows these gateways, in memory."""
    bindings = [gateway.binding() for gateway in gateways]
    return Registry(
        keys={seal.key_id(gateway.public): gateway.gateway_key() for gateway in gateways},
        bindings={(one.gateway, one.instrument): (one,) for one in bindings},
        simulation=simulation,
    )


def enrol(dsn: str, folder: Path, *gateways: Gateway, simulation: bool = False) -> None:
    """Load a registry that knows these gateways into a database."""
    path = folder / "registry.toml"
    since = f'valid_from = "{utc_text(FROM_MS)}"'
    parts = [f"simulation = {str(simulation).lower()}", _UNIT]
    for gateway in gateways:
        parts.append(f'[[gateway]]\nid = "{gateway.name}"\nsite = "{gateway.site}"\nunit = "unit"')
        parts.append(f'[[gateway.key]]\npublic_key = "{gateway.public.hex()}"\n{since}')
        names = f'id = "{gateway.instrument}"\nname_zh = "质谱仪"\nname_en = "MS"'
        parts.append(f'[[instrument]]\n{names}\nunit = "unit"\nclass = "mass-spectrometer"')
        parts.append(f'[[meter]]\nmodel = "{gateway.meter.model}"\nserial = "{gateway.meter.serial}"')
        bound = f'instrument = "{gateway.instrument}"\ngateway = "{gateway.name}"'
        meter = f'meter_model = "{gateway.meter.model}"\nmeter_serial = "{gateway.meter.serial}"'
        parts.append(f"[[binding]]\n{bound}\n{meter}\n{since}")
    path.write_text("\n".join(parts), "utf-8")
    with connect(dsn) as connection:
        registry_load.load(connection, registry_file.read(path))


def retimed(content: Measurement, begin_ms: int, clock: ClockState) -> Measurement:
    """The same readings at another time by another clock."""
    shift = begin_ms - content.utc_ms[0]
    return replace(content, utc_ms=tuple(tick + shift for tick in content.utc_ms), clock=clock)


_UNIT = """
[[unit]]
id = "unit"
name_zh = "淮阴工学院"
name_en = "HYIT"
time_zone = "Asia/Shanghai"
"""
