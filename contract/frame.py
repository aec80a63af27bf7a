"""What a frame says: a measurement of one instrument, an outage, or the beginning of a stream.

Times are POSIX milliseconds (UTC), powers mW (consumption positive), energies mWh. Nothing here knows bytes: `codec`
writes and reads them, `seal` signs them.
"""

from dataclasses import dataclass
from typing import Final

from contract.ids import BootId, GatewayId, InstrumentId, SiteId, StreamId
from contract.states import ClockState, MeterState, OutageCause, Source

VERSION: Final = 1
"""Version of the payloads below. An older reader keeps a newer frame's place and quarantines it."""
MAX_TICKS: Final = 4096
MAX_LINES: Final = 32
MAX_POWER_MW: Final = 10**11
MAX_ENERGY_MWH: Final = 10**15
MIN_TIME_MS: Final = 0
MAX_TIME_MS: Final = 1 << 47
"""The year 6429; a clock that says more is broken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter:
    """Which meter spoke: model (a file in `gateway/meters/models`), serial number as it reports it, CT ratio."""

    model: str
    serial: str
    ct_primary_a: int = 1
    ct_secondary_a: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """The meter's own energy counter at one moment."""

    time_ms: int
    energy_mwh: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Readings:
    """One signal at the ticks of a frame.

    Attributes:
        values: the readings there were, in order of time.
        absent: which ticks (0-based, rising) have none. An absent reading is absent, never a number.
    """

    values: tuple[int, ...]
    absent: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """Readings of one instrument at rising moments ("ticks").

    Attributes:
        utc_ms, mono_ms: wall and monotonic time of each tick; both strictly rising.
        power: active power, mW; None where the frame has no power at all.
        lines: run-state bits at each tick, bit i is `line_names[i]`, 1 = closed; None where there are none.
        period_ms: the sampling period meant, not the one met.
        energy_begin, energy_end: the register near the first and the last tick, where it could be read.
    """

    instrument: InstrumentId
    source: Source
    meter: Meter
    meter_state: MeterState
    boot_id: BootId
    clock: ClockState
    period_ms: int
    energy_begin: Register | None
    energy_end: Register | None
    line_names: tuple[str, ...]
    utc_ms: tuple[int, ...]
    mono_ms: tuple[int, ...]
    power: Readings | None
    lines: Readings | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """Nothing was recorded in [from_ms, to_ms): the first frame after a blind time. It is mandatory and automatic.

    Attributes:
        from_ms: the last tick before; equal to `to_ms` where it is not known.
        to_ms: the first tick after.
        energy_before, energy_after: the register on either side, where it is known.
    """

    instrument: InstrumentId
    boot_id: BootId
    clock: ClockState
    from_ms: int
    to_ms: int
    cause: OutageCause
    energy_before: Register | None
    energy_after: Register | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """The last frame of an older stream."""

    stream_id: StreamId
    seq: int
    frame_hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Genesis:
    """The first frame of a stream (seq 0): who begins it, and which stream it follows.

    Attributes:
        predecessor: end of the stream before; None says that it is not known.
    """

    site: SiteId
    gateway: GatewayId
    instrument: InstrumentId
    boot_id: BootId
    clock: ClockState
    created_ms: int
    predecessor: Link | None


Content = Measurement | Outage | Genesis


def span_ms(content: Content) -> tuple[int, int]:
    """First and last moment a frame speaks of, both included."""
    match content:
        case Measurement():
            return content.utc_ms[0], content.utc_ms[-1]
        case Outage():
            return content.from_ms, content.to_ms
        case Genesis():
            return content.created_ms, content.created_ms
