"""The physical state of an instrument, one at each instant. Source: domain.md 3."""

from enum import IntEnum, IntFlag


class State(IntEnum):
    """Ordered by credit: where evidence leaves two states possible, `min` is the lower credit and `max` the higher.

    The numbers stand in stored intervals and digests: never renumbered.
    """

    UNKNOWN = 0
    OFF = 1
    FAULT = 2
    STANDBY = 3
    COOLDOWN = 4
    WARMUP = 5
    RUNNING = 6


class Assurance(IntEnum):
    """How well hours are proven; verified is L3 and above. Source: domain.md 5."""

    DECLARED = 0
    SESSION = 1
    TELEMETRY = 2
    SIGNED = 3
    AUDITED = 4


class ClockState(IntEnum):
    """What the gateway knew of its wall clock. The numbers are on the wire."""

    SYNCHRONISED = 0
    UNSYNCHRONISED = 1
    STEPPED = 2
    SIMULATED = 3


class Source(IntEnum):
    """How readings came to the gateway. The numbers are on the wire."""

    SAMPLED = 0
    IMPORTED = 1


class MeterState(IntFlag):
    """What was noticed of the meter since the frame before. The bits are on the wire."""

    OK = 0
    RECONNECTED = 1
    SERIAL_CHANGED = 2
    REGISTER_FELL = 4


class OutageCause(IntEnum):
    """Why nothing was recorded, as far as the gateway knows. The numbers are on the wire."""

    UNKNOWN = 0
    PROCESS = 1
    """The gateway's process was not running, within one boot."""
    BOOT = 2
    """The gateway's computer was not running."""
    METER_LINK = 3
    """The meter did not answer."""
    DISK_FULL = 4
    CLOCK_STEP = 5
