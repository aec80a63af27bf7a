"""From readings to a timeline of states, by what the profile of the evidence can see. Source: domain.md 3 and 4.

Does not: debounce, bridge or credit (`rules`).
"""

import numpy as np

from contract.states import State
from metering.core.evidence import Evidence, power_signal, state_signal
from metering.core.policy import Policy, Profile
from metering.core.spans import Span, Spans
from metering.core.timeline import Bound, Integers, Signal, Timeline, between_samples, combine, disagreement


def observe(evidence: Evidence, policy: Policy, within: Span, bound: Bound) -> Timeline:
    """The states seen over a span, UNKNOWN where nothing was seen."""
    if policy.profile is Profile.POWER:
        power = power_signal(evidence, policy)
        return between_samples(power, _run_by_power(power, policy, bound), within, bound)
    if policy.profile is Profile.RUNSTATE:
        return _reported(evidence, policy, within, bound)
    ends = (Bound.POINT,) if bound is Bound.POINT else (Bound.LOW, Bound.HIGH)
    power_says = [_able(evidence, policy, within, end) for end in ends]
    return combine(power_says, [_reported(evidence, policy, within, end) for end in ends], bound)


def contradicted(evidence: Evidence, policy: Policy, within: Span) -> Spans:
    """When the run-state lines said more than the power bears out: the lower credit was taken."""
    if policy.profile is not Profile.POWER_RUNSTATE:
        return ()
    point = Bound.POINT
    return disagreement(_able(evidence, policy, within, point), _reported(evidence, policy, within, point))


def _reported(evidence: Evidence, policy: Policy, within: Span, bound: Bound) -> Timeline:
    lines = state_signal(evidence, policy)
    return between_samples(lines, lines.value, within, bound)


def _able(evidence: Evidence, policy: Policy, within: Span, bound: Bound) -> Timeline:
    power = power_signal(evidence, policy)
    return between_samples(power, _floor_by_power(power, policy), within, bound)


def _run_by_power(power: Signal, policy: Policy, bound: Bound) -> Integers:
    """OFF, STANDBY or RUNNING of each reading, with hysteresis that forgets at every gap.

    After a gap a reading between the two levels may be either: STANDBY for low and point, RUNNING for high.
    """
    value = power.value
    decided = np.where(value >= policy.enter_mw, 1, np.where(value < policy.leave_mw, -1, 0))
    decided = np.where((decided == 0) & power.breaks(), 1 if bound is Bound.HIGH else -1, decided)
    last = np.maximum.accumulate(np.where(decided != 0, np.arange(len(value)), 0))
    running = decided[last] > 0
    return np.where(running, State.RUNNING, np.where(value < policy.off_mw, State.OFF, State.STANDBY)).astype(np.int64)


def _floor_by_power(power: Signal, policy: Policy) -> Integers:
    """OFF below `off_w`, RUNNING at or above `run_floor_w`, STANDBY between."""
    value = power.value
    able = np.where(value >= policy.run_floor_mw, State.RUNNING, State.STANDBY)
    return np.where(value < policy.off_mw, State.OFF, able).astype(np.int64)
