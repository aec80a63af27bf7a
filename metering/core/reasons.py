"""The vocabulary of an explanation: why a stretch of time was credited or not, and what would change it.

Codes stand in JSON that others keep: one may be added, none is ever renamed. Words for them: `metering.views.words`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from contract.states import State


class Kind(StrEnum):
    """As which part of effective time a stretch was credited."""

    RUN = "run"
    BRIDGE = "bridge"
    PREPARATION = "preparation"
    POST_PROCESSING = "post-processing"
    NONE = "none"


class Why(StrEnum):
    """The rule that decided. Source: domain.md 4, rules 1 to 7."""

    RUN_ABOVE_ENTER = "run-above-enter"
    RUN_HELD_ABOVE_LEAVE = "run-held-above-leave"
    """Between the two levels all along, and running before."""
    RUN_BY_LINE = "run-by-line"
    RUN_THROUGH_SHORT_DIP = "run-through-short-dip"
    """A dip shorter than `dwell_off` does not end a run."""
    BRIDGED_STANDBY = "bridged-standby"
    PREPARATION = "preparation"
    POST_PROCESSING = "post-processing"
    STANDBY_TOO_LONG_TO_BRIDGE = "standby-too-long-to-bridge"
    STANDBY_NO_NEIGHBOUR_RUN = "standby-no-neighbour-run"
    """No run on one side of it, or something else than standby between it and the next."""
    PREPARATION_BEYOND_CAP = "preparation-beyond-cap"
    WARMUP_WITHOUT_RUN = "warmup-without-run"
    POST_BEYOND_CAP = "post-beyond-cap"
    COOLDOWN_WITHOUT_RUN = "cooldown-without-run"
    RUN_SHORTER_THAN_MIN_RUN = "run-shorter-than-min-run"
    DWELL_NOT_REACHED = "dwell-not-reached"
    LINES_AND_POWER_DISAGREE = "lines-and-power-disagree"
    """A line reported more than the power bears out; the lower credit was taken."""
    RULED_OUT_BY_READINGS = "ruled-out-by-readings"
    """The point value, joined over a gap, is cut to what the high bound holds for possible."""
    MAINTENANCE = "maintenance"
    FAULT = "fault"
    OFF = "off"
    NO_POLICY = "no-policy"
    METER_NOT_BOUND = "meter-not-bound"
    OTHER_METER = "other-meter"
    """Readings of a meter that is not the instrument's own."""
    CLOCK_NOT_GOOD_ENOUGH = "clock-not-good-enough"
    SIMULATED_CLOCK = "simulated-clock"
    IMPORTED_READINGS = "imported-readings"
    EQUIVOCATED = "equivocated"
    """The stream contradicted itself here or before; nothing after that is believed."""
    OUTAGE = "outage"
    """The gateway itself signed that nothing was recorded; `outage_cause` is an OutageCause."""
    READINGS_ABSENT = "readings-absent"
    """The gateway ran and the meter, or its lines, gave no reading."""
    HOLE_IN_SEQUENCE = "hole-in-sequence"
    CONTINUITY_BROKEN = "continuity-broken"
    """Another boot, clock or stream of the gateway: nothing holds between the readings on either side."""
    SILENCE = "silence"
    NOTHING_RECEIVED = "nothing-received"
    """No reading at all on one side of the gap."""


class What(StrEnum):
    """What would change the verdict; the numbers stand beside it."""

    LESS_POWER = "less-power"
    LINE_OPEN = "line-open"
    LONGER_DIP = "longer-dip"
    LONGER_PAUSE = "longer-pause"
    SHORTER_PAUSE = "shorter-pause"
    RUNNING_THERE = "running-there"
    RUN_BESIDE = "run-beside"
    HIGHER_CAP = "higher-cap"
    LONGER_RUN = "longer-run"
    LONGER_ABOVE = "longer-above"
    POWER_AT_FLOOR = "power-at-floor"
    MISSING_READINGS = "missing-readings"
    POLICY_IN_FORCE = "policy-in-force"
    BINDING_RECORD = "binding-record"
    GOOD_CLOCK = "good-clock"
    LOWER_LEVEL = "lower-level"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing that would change the verdict; `facts` as in `Stretch`."""

    what: What
    facts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A stretch [from_ms, to_ms) of time, UTC, of which one rule decided.

    Attributes:
        state: at the point value, after dwell.
        kind: as what it was credited for the point value; NONE: not at all.
        low_ms, high_ms: how much of it counts for the low bound, and may count for the high one. They are less and more
            than the point value by an interval between readings at each edge, and by what gaps may hide.
        facts: the numbers that decided, each with its unit in its name.
        lines: the run-state lines that can have reported the state, in the policy's order.
    """

    from_ms: int
    to_ms: int
    state: State
    kind: Kind
    why: Why
    low_ms: int
    high_ms: int
    facts: Mapping[str, int]
    lines: tuple[str, ...] = ()
    would_change: tuple[Change, ...] = ()

    @property
    def duration_ms(self) -> int:
        """How long it is."""
        return self.to_ms - self.from_ms

    @property
    def credited(self) -> bool:
        """Whether it counts for the point value."""
        return self.kind is not Kind.NONE

    @property
    def possible_for_high(self) -> bool:
        """Whether some of it may be credited by the high bound."""
        return self.high_ms > 0
