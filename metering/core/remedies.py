"""What would change a verdict, for each rule that can decide: a code, and the numbers that the facts hold for it."""

from collections.abc import Mapping
from typing import Final

from metering.core.reasons import Change, What, Why

_HIGH: Final = ("high_ms",)
_LEVELS: Final = ("enter_mw", "dwell_on_ms", "run_floor_mw")
_CAP: Final = ("warmup_ms", "prep_cap_ms", "cooldown_ms", "post_cap_ms")
_SHORT: Final = ("missing_ms", "min_run_ms", "bridge_ms")
_GAP: Final = ((What.MISSING_READINGS, _HIGH),)

_CHANGES: Final[Mapping[Why, tuple[tuple[What, tuple[str, ...]], ...]]] = {
    Why.RUN_ABOVE_ENTER: ((What.LESS_POWER, ("leave_mw", "dwell_off_ms")),),
    Why.RUN_HELD_ABOVE_LEAVE: ((What.LESS_POWER, ("leave_mw", "dwell_off_ms")),),
    Why.RUN_BY_LINE: ((What.LINE_OPEN, ("run_floor_mw", "dwell_off_ms")),),
    Why.RUN_THROUGH_SHORT_DIP: ((What.LONGER_DIP, ("dip_ms", "dwell_off_ms")),),
    Why.BRIDGED_STANDBY: ((What.LONGER_PAUSE, ("pause_ms", "bridge_ms")),),
    Why.PREPARATION: (),
    Why.POST_PROCESSING: (),
    Why.STANDBY_TOO_LONG_TO_BRIDGE: (
        (What.SHORTER_PAUSE, ("pause_ms", "bridge_ms")),
        (What.RUNNING_THERE, _LEVELS),
    ),
    Why.STANDBY_NO_NEIGHBOUR_RUN: ((What.RUNNING_THERE, _LEVELS),),
    Why.PREPARATION_BEYOND_CAP: ((What.HIGHER_CAP, _CAP),),
    Why.WARMUP_WITHOUT_RUN: ((What.RUN_BESIDE, _SHORT),),
    Why.POST_BEYOND_CAP: ((What.HIGHER_CAP, _CAP),),
    Why.COOLDOWN_WITHOUT_RUN: ((What.RUN_BESIDE, _SHORT),),
    Why.RUN_SHORTER_THAN_MIN_RUN: ((What.LONGER_RUN, _SHORT),),
    Why.DWELL_NOT_REACHED: ((What.LONGER_ABOVE, ("missing_ms", "dwell_on_ms", "enter_mw", "run_floor_mw")),),
    Why.LINES_AND_POWER_DISAGREE: ((What.POWER_AT_FLOOR, ("run_floor_mw", "off_mw")),),
    Why.RULED_OUT_BY_READINGS: ((What.NOTHING, ()),),
    Why.MAINTENANCE: ((What.NOTHING, ()),),
    Why.FAULT: ((What.NOTHING, ()),),
    Why.OFF: ((What.RUNNING_THERE, _LEVELS),),
    Why.NO_POLICY: ((What.POLICY_IN_FORCE, _HIGH),),
    Why.METER_NOT_BOUND: ((What.BINDING_RECORD, _HIGH),),
    Why.OTHER_METER: ((What.BINDING_RECORD, _HIGH),),
    Why.CLOCK_NOT_GOOD_ENOUGH: ((What.GOOD_CLOCK, _HIGH), (What.LOWER_LEVEL, ())),
    Why.SIMULATED_CLOCK: ((What.LOWER_LEVEL, _HIGH),),
    Why.IMPORTED_READINGS: ((What.LOWER_LEVEL, _HIGH),),
    Why.EQUIVOCATED: ((What.NOTHING, _HIGH),),
    Why.OUTAGE: _GAP,
    Why.READINGS_ABSENT: _GAP,
    Why.HOLE_IN_SEQUENCE: _GAP,
    Why.CONTINUITY_BROKEN: _GAP,
    Why.SILENCE: _GAP,
    Why.NOTHING_RECEIVED: _GAP,
}


def would_change(why: Why, facts: Mapping[str, int]) -> tuple[Change, ...]:
    """What would change a verdict; empty where the rule gave all it can give."""
    return tuple(
        Change(what=what, facts={name: facts[name] for name in names if name in facts}) for what, names in _CHANGES[why]
    )
