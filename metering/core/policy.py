"""A policy: the levels and limits by which readings become hours. Approved by a person, never edited.

Does not: know who approved it and since when it is in force (the registry does).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from contract.errors import ConfigError
from contract.ids import is_id
from contract.states import State
from contract.units import ms_from_s, mw_from_w

LONGEST_WARMUP_MS: Final = 86_400_000
"""What was on for more than a day before its first run was left on, not warmed up [D]; it bounds the look-behind."""


_BRIDGED_SHARE_MAX_PCT: Final = 50
_LONGEST_UNSTATED_GAP_MS: Final = 600_000
"""Where a policy states no `max_gap`: three sampling periods are within this [D]."""


class Profile(StrEnum):
    """What the evidence of an instrument can show. Source: domain.md 3."""

    POWER = "power"
    POWER_RUNSTATE = "power+runstate"
    RUNSTATE = "runstate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Levels in mW, durations in ms.

    Attributes:
        enter_mw, leave_mw: RUNNING from a reading at or above the first until one below the second (`power`).
        off_mw: below it the instrument is OFF; 0 where power cannot show OFF.
        run_floor_mw: the least power that agrees with a reported run (`power+runstate`).
        lines: in order of precedence, which state a closed line reports; none closed is STANDBY.
        dwell_on_ms, dwell_off_ms: how long a crossing must last to count; it counts from the crossing.
        bridge_ms: longest standby between two pieces of a run that is credited with them.
        min_run_ms: shorter runs are not credited.
        max_gap_ms: longest silence that is no gap; None: three sampling periods.
        prep_cap_ms, post_cap_ms: most preparation before and post-processing after a run.
        carry_ms: how long an unattended run keeps the party of a session that has ended.
        bridged_share_max_pct: a run of which more is bridged standby is flagged: blips must not earn a night.
        warmup_from_off: whether standby from an OFF edge to the first run is preparation (`power`).
    """

    profile: Profile
    enter_mw: int = 0
    leave_mw: int = 0
    off_mw: int = 0
    run_floor_mw: int = 0
    lines: tuple[tuple[str, State], ...] = ()
    dwell_on_ms: int = 0
    dwell_off_ms: int = 0
    bridge_ms: int = 300_000
    min_run_ms: int = 0
    max_gap_ms: int | None = None
    prep_cap_ms: int = 0
    post_cap_ms: int = 0
    carry_ms: int = 0
    bridged_share_max_pct: int = _BRIDGED_SHARE_MAX_PCT
    warmup_from_off: bool = False

    def margin_ms(self) -> int:
        """How far after a period evidence can still change its hours: a day is provisional until it passes this.

        One limit follows another: preparation waits for its run, the run for `min_run`, that for a bridge, the bridge
        for the dwell of what comes after it.
        """
        gap = _LONGEST_UNSTATED_GAP_MS if self.max_gap_ms is None else self.max_gap_ms
        run = self.bridge_ms + self.min_run_ms + self.dwell_on_ms + self.dwell_off_ms + gap
        return max(self.prep_cap_ms, self.post_cap_ms, self.carry_ms) + run

    def look_behind_ms(self) -> int:
        """How far before a period evidence can change its hours."""
        remembers = self.warmup_from_off or (self.profile is Profile.POWER and self.leave_mw < self.enter_mw)
        return self.margin_ms() + (LONGEST_WARMUP_MS if remembers else 0)


_POWERS: Final = ("enter_w", "leave_w", "off_w", "run_floor_w")
_DURATIONS: Final = (
    "dwell_on_s", "dwell_off_s", "bridge_s", "min_run_s", "max_gap_s", "prep_cap_s", "post_cap_s", "carry_s",
)  # fmt: skip
_OTHER: Final = ("profile", "lines", "bridged_share_max_pct", "warmup_from_off")
_NEEDED: Final = {
    Profile.POWER: ("enter_w", "leave_w"),
    Profile.POWER_RUNSTATE: ("run_floor_w", "lines"),
    Profile.RUNSTATE: ("lines",),
}
_WHOLE_PCT: Final = 100
_MAX_W: Final = 1e8
_MAX_S: Final = 31 * 86_400


def parse_policy(rules: Mapping[str, object]) -> Policy:
    """The rules table of a policy document (`enter_w = 140.0`, `bridge_s = 300`, ...).

    Raises:
        ConfigError: every fault at once, each with its key.
    """
    faults = [f"{key}: not a key of a policy; known are {', '.join((*_POWERS, *_DURATIONS, *_OTHER))}"
              for key in rules if key not in {*_POWERS, *_DURATIONS, *_OTHER}]  # fmt: skip
    values: dict[str, object] = {}
    for key in (key for key in _POWERS if key in rules):
        values[key.removesuffix("_w") + "_mw"] = mw_from_w(_number(rules, key, _MAX_W, faults))
    for key in (key for key in _DURATIONS if key in rules):
        values[key.removesuffix("_s") + "_ms"] = ms_from_s(_number(rules, key, _MAX_S, faults))
    profile = _profile(rules, faults)
    values["profile"] = profile
    values["lines"] = _lines(rules.get("lines", []), faults)
    if not isinstance(warmup := rules.get("warmup_from_off", False), bool):
        faults.append("warmup_from_off: true or false was expected")
    values["warmup_from_off"] = warmup
    share = rules.get("bridged_share_max_pct", _BRIDGED_SHARE_MAX_PCT)
    if type(share) is not int or not 0 <= share <= _WHOLE_PCT:
        faults.append("bridged_share_max_pct: a whole number from 0 to 100 was expected")
    values["bridged_share_max_pct"] = share
    faults += [f"{key}: needed by profile {profile}" for key in _NEEDED[profile] if not rules.get(key)]
    if faults:
        raise ConfigError("the policy cannot be used:", faults)
    policy = Policy(**values)  # type: ignore[arg-type]  # every value was checked above, under the field's own name
    if not policy.off_mw <= policy.leave_mw <= policy.enter_mw and profile is Profile.POWER:
        raise ConfigError("the policy cannot be used:", ["enter_w: off_w <= leave_w <= enter_w must hold"])
    return policy


def _profile(rules: Mapping[str, object], faults: list[str]) -> Profile:
    text = rules.get("profile")
    if isinstance(text, str) and text in set(Profile):
        return Profile(text)
    faults.append(f"profile: one of {', '.join(Profile)} was expected")
    return Profile.POWER


def _number(rules: Mapping[str, object], key: str, most: float, faults: list[str]) -> float:
    value = rules[key]
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= most:
        faults.append(f"{key}: a number from 0 to {most:g} was expected")
        return 0.0
    return float(value)


def _lines(table: object, faults: list[str]) -> tuple[tuple[str, State], ...]:
    result = []
    for place, row in enumerate(table if isinstance(table, list) else [table]):
        match row:
            case {"line": str(line), "state": str(state)} if is_id(line) and state in State.__members__:
                result.append((line, State[state]))
            case _:
                faults.append(f'lines[{place}]: {{line = "...", state = "RUNNING"}} was expected')
    return tuple(result)
