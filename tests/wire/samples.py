"""The good contents behind the golden vectors: one chain of frames, and receipts for it.

Both keys are public test keys. Never enrol them.
"""

from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from contract import codec, seal
from contract.frame import (
    MAX_ENERGY_MWH,
    MAX_POWER_MW,
    MAX_TIME_MS,
    VERSION,
    Content,
    Genesis,
    Link,
    Measurement,
    Meter,
    Outage,
    Readings,
    Register,
)
from contract.ids import BootId, GatewayId, InstrumentId, KeyId, SiteId, StreamId
from contract.receipt import Custody, Receipt
from contract.states import ClockState, MeterState, OutageCause, Source

GATEWAY_SEED: Final = bytes(range(32))
COLLECTOR_SEED: Final = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
"""RFC 8032 7.1, test 1."""
GATEWAY_KEY: Final = Ed25519PrivateKey.from_private_bytes(GATEWAY_SEED)
COLLECTOR_KEY: Final = Ed25519PrivateKey.from_private_bytes(COLLECTOR_SEED)
GATEWAY_KID: Final = seal.key_id(GATEWAY_KEY.public_key().public_bytes_raw())
COLLECTOR_KID: Final = seal.key_id(COLLECTOR_KEY.public_key().public_bytes_raw())

STREAM: Final = StreamId(bytes.fromhex("00112233445566778899aabbccddeeff"))
OLD_STREAM: Final = StreamId(bytes.fromhex("ffeeddccbbaa99887766554433221100"))
BOOT: Final = BootId(bytes.fromhex("b007b007b007b007"))
SITE: Final = SiteId("huaian")
GATEWAY: Final = GatewayId("gw-07")
NMR: Final = InstrumentId("nmr-400")
METER: Final = Meter(model="sdm120", serial="2401-0017", ct_primary_a=100, ct_secondary_a=5)
T0: Final = 1_741_568_400_000
"""2025-03-10T09:00:00+08:00."""


def measurement(  # noqa: PLR0913 - one sample frame, varied
    utc_ms: tuple[int, ...],
    power: tuple[int, ...] | Readings | None,
    *,
    mono_ms: tuple[int, ...] | None = None,
    lines: Readings | None = None,
    line_names: tuple[str, ...] = (),
    energy: tuple[Register | None, Register | None] = (None, None),
    source: Source = Source.SAMPLED,
    meter: Meter = METER,
    meter_state: MeterState = MeterState.OK,
    clock: ClockState = ClockState.SYNCHRONISED,
    period_ms: int = 1000,
) -> Measurement:
    """A frame of the nuclear magnetic resonance spectrometer whose computer booted ten minutes before T0."""
    return Measurement(
        instrument=NMR,
        source=source,
        meter=meter,
        meter_state=meter_state,
        boot_id=BOOT,
        clock=clock,
        period_ms=period_ms,
        energy_begin=energy[0],
        energy_end=energy[1],
        line_names=line_names,
        utc_ms=utc_ms,
        mono_ms=tuple(t - T0 + 600_000 for t in utc_ms) if mono_ms is None else mono_ms,
        power=Readings(values=power) if isinstance(power, tuple) else power,
        lines=lines,
    )


def _steady(count: int, start: int = T0) -> tuple[int, ...]:
    return tuple(start + 1000 * i for i in range(count))


POWER_AND_LINES: Final = measurement(
    _steady(6),
    (412_300, 412_500, 655_200, 655_000, 654_700, 655_100),
    lines=Readings(values=(0, 0, 1, 1, 1, 1)),
    line_names=("run", "door"),
    energy=(
        Register(time_ms=T0 + 40, energy_mwh=8_123_450_000),
        Register(time_ms=T0 + 5040, energy_mwh=8_123_451_000),
    ),
)
POWER_ONLY: Final = measurement(
    _steady(3, T0 + 6000),
    (0, 0, 0),
    meter_state=MeterState.RECONNECTED | MeterState.REGISTER_FELL,
    clock=ClockState.UNSYNCHRONISED,
)
ABSENT: Final = measurement(
    _steady(5, T0 + 9000),
    Readings(values=(655_000, 655_300), absent=(1, 2, 4)),
    lines=Readings(values=(3, 1, 1, 0), absent=(0,)),
    line_names=("run", "door"),
)
IRREGULAR: Final = measurement(
    tuple(T0 + 20_000 + t for t in (0, 997, 2_003, 3_001, 7_450)),
    (-1_234, 5_678, -90_001, 345, 0),
    mono_ms=(620_000, 620_998, 622_003, 623_000, 627_451),
    clock=ClockState.STEPPED,
)
SINGLE: Final = measurement((T0 + 30_000,), (655_000,), source=Source.IMPORTED, clock=ClockState.SIMULATED)
LINES_ONLY: Final = measurement(
    _steady(4, T0 + 31_000), None, lines=Readings(values=(1, 1, 0, 0)), line_names=("run",), period_ms=500
)
EXTREMES: Final = measurement(
    (0, 1, MAX_TIME_MS),
    (-MAX_POWER_MW, MAX_POWER_MW, 1),
    mono_ms=(5, MAX_TIME_MS - 1, MAX_TIME_MS),
    energy=(Register(time_ms=0, energy_mwh=0), Register(time_ms=MAX_TIME_MS, energy_mwh=MAX_ENERGY_MWH)),
    lines=Readings(values=(2**32 - 1, 0, 2**31)),
    line_names=tuple(f"line-{i}" for i in range(32)),
    meter=Meter(model="m" * 32, serial=" " + "~" * 63, ct_primary_a=1_000_000, ct_secondary_a=1),
    meter_state=MeterState.RECONNECTED | MeterState.SERIAL_CHANGED | MeterState.REGISTER_FELL,
    period_ms=86_400_000,
)
SIX_HUNDRED: Final = measurement(
    tuple(T0 + 60_000 + 1000 * i + (i * 7 % 5 == 0) for i in range(600)),
    tuple(100 * (6_550 + (i * i * 31 + i * 17) % 97 - 40 * (i % 200 < 20)) for i in range(600)),
    mono_ms=tuple(660_000 + 1000 * i + (i * 7 % 5 == 0) - i // 150 for i in range(600)),
)
OUTAGE: Final = Outage(
    instrument=NMR,
    boot_id=BootId(bytes.fromhex("b007b007b007b008")),
    clock=ClockState.SYNCHRONISED,
    from_ms=T0 + 659_000,
    to_ms=T0 + 900_000,
    cause=OutageCause.BOOT,
    energy_before=Register(time_ms=T0 + 659_040, energy_mwh=8_123_571_000),
    energy_after=Register(time_ms=T0 + 900_040, energy_mwh=8_123_602_000),
)
OUTAGE_UNKNOWN: Final = Outage(
    instrument=NMR,
    boot_id=BOOT,
    clock=ClockState.UNSYNCHRONISED,
    from_ms=T0,
    to_ms=T0,
    cause=OutageCause.UNKNOWN,
    energy_before=None,
    energy_after=None,
)
GENESIS: Final = Genesis(
    site=SITE,
    gateway=GATEWAY,
    instrument=NMR,
    boot_id=BOOT,
    clock=ClockState.SYNCHRONISED,
    created_ms=T0 - 5_000,
    predecessor=None,
)
GENESIS_AFTER: Final = Genesis(
    site=SITE,
    gateway=GATEWAY,
    instrument=NMR,
    boot_id=BOOT,
    clock=ClockState.SYNCHRONISED,
    created_ms=T0 - 5_000,
    predecessor=Link(stream_id=OLD_STREAM, seq=70_000, frame_hash=bytes(range(32))),
)

CHAIN: Final[tuple[tuple[str, str, Content], ...]] = (
    ("genesis", "the first frame of a stream: seq 0, no frame before it, no older stream known", GENESIS),
    ("measurement-power-lines", "six ticks of power and two run-state lines, register at both ends", POWER_AND_LINES),
    ("measurement-power-only", "no lines, no register; a column of zeros; the meter reconnected", POWER_ONLY),
    ("measurement-absent", "absent readings are listed by tick, never written as numbers", ABSENT),
    ("measurement-irregular", "uneven ticks, a drifting clock, power fed back (negative)", IRREGULAR),
    ("measurement-single-tick", "a column of one value has step 0 and no residuals; imported, simulated clock", SINGLE),
    ("measurement-lines-only", "run-state lines without power", LINES_ONLY),
    ("measurement-extremes", "the largest and smallest number of every field that has a bound", EXTREMES),
    ("measurement-600", "ten minutes at 1 Hz in one frame", SIX_HUNDRED),
    ("outage", "nothing was recorded in four minutes: the computer was off; the register on either side", OUTAGE),
    ("outage-unknown", "a blind time of which neither the beginning nor the cause is known", OUTAGE_UNKNOWN),
)
"""The frames of one stream in order: name, what it shows, content."""


def receipt(*streams: Custody) -> Receipt:
    """A receipt of the collector in its first epoch."""
    return Receipt(
        gateway=GATEWAY,
        store_epoch=bytes.fromhex("e90c000000000001"),
        counter=41,
        issued_ms=T0 + 1_000_000,
        streams=streams,
    )


def frame(content: Content, seq: int = 0, prev_hash: bytes = seal.FIRST_PREV_HASH) -> bytes:
    """A content sealed as a frame of STREAM by the test key."""
    return sealed(codec.encode(content), seq, prev_hash)


def sealed(payload: bytes, seq: int = 0, prev_hash: bytes = seal.FIRST_PREV_HASH, version: int = VERSION) -> bytes:
    """Any payload sealed as a frame of STREAM by the test key, whether it means anything or not."""
    return seal.seal(envelope(seq, prev_hash, version), payload, GATEWAY_KEY)


def envelope(seq: int = 0, prev_hash: bytes = seal.FIRST_PREV_HASH, version: int = VERSION) -> seal.Envelope:
    """An envelope of STREAM."""
    kid = KeyId(GATEWAY_KID)
    return seal.Envelope(kid=kid, version=version, stream_id=STREAM, seq=seq, prev_hash=prev_hash)
