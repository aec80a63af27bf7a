"""From readings to a timeline of states, by what the profile of the evidence can see. Source: domain.md 3 and 4.

Does not: debounce, bridge or credit (`rules`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from contract.states import State
from metering.core.evidence import Evidence, power_signal, state_signal
from metering.core.policy import Policy, Profile
from metering.core.spans import Span, Spans
from metering.core.timeline import Bound, Flags, Integers, Signal, Timeline, between_samples, spans_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What was seen over one span, no rule applied yet: three timelines, and where lines and power disagreed.

    Attributes:
        contradicted: the run-state lines said more than the power bears out, and the lower credit was taken.
        known: when a meter of its own was bound to the instrument; None: always.
    """

    low: Timeline
    point: Timeline
    high: Timeline
    contradicted: Spans = ()
    known: Spans | None = None


def observe(evidence: Evidence, policy: Policy, within: Span) -> Observed:
    """The states seen over a span, UNKNOWN where nothing was seen."""
    if policy.profile is Profile.POWER:
        signal = power_signal(evidence, policy)
        return _seen(signal, {bound: by_power(signal, policy, bound) for bound in Bound}, within)
    if policy.profile is Profile.RUNSTATE:
        signal = state_signal(evidence, policy)
        return _seen(signal, dict.fromkeys(Bound, signal.value), within)
    signal, reported, borne_out = _both(evidence, policy)
    seen = _seen(signal, dict.fromkeys(Bound, np.where(borne_out, reported, signal.value)), within)
    return replace(seen, contradicted=_contradicted(signal, reported, borne_out, within))


def _seen(signal: Signal, states: Mapping[Bound, Integers], within: Span) -> Observed:
    low, point, high = (between_samples(signal, states[bound], within, bound) for bound in Bound)
    return Observed(low=low, point=point, high=high)


def _contradicted(both: Signal, reported: Integers, borne_out: Flags, within: Span) -> Spans:
    said_too_much = ~borne_out & (reported >= State.COOLDOWN)
    marked = np.where(said_too_much, State.RUNNING, State.OFF).astype(np.int64)
    return spans_of(between_samples(both, marked, within, Bound.POINT), State.RUNNING)


def _both(evidence: Evidence, policy: Policy) -> tuple[Signal, Integers, Flags]:
    """The moments at which power and lines were both read.

    A moment at which one of them is absent says nothing; what it costs is that silence, by rule 3.

    Returns:
        The moments, with the state that power alone allows (OFF below `off_w`, STANDBY below `run_floor_w`, RUNNING at
        or above it); the state the lines reported; and whether the power bears that out.
    """
    power, lines = power_signal(evidence, policy), state_signal(evidence, policy)
    times, at_power, at_lines = np.intersect1d(power.time_ms, lines.time_ms, return_indices=True)
    holes = [np.cumsum(~signal.joined)[at] for signal, at in ((power, at_power), (lines, at_lines))]
    joined = np.append(False, np.all([np.diff(hole) == 0 for hole in holes], axis=0))[: len(times)]
    value, reported = power.value[at_power], lines.value[at_lines]
    able = np.where(value >= policy.run_floor_mw, State.RUNNING, State.STANDBY)
    allowed = np.where(value < policy.off_mw, State.OFF, able).astype(np.int64)
    borne_out = (allowed != State.OFF) & ((reported != State.RUNNING) | (allowed == State.RUNNING))
    return Signal(time_ms=times, value=allowed, joined=joined, hold_ms=power.hold_ms[at_power]), reported, borne_out


def by_power(power: Signal, policy: Policy, bound: Bound) -> Integers:
    """OFF, STANDBY or RUNNING of each reading, with hysteresis that forgets at every gap.

    After a gap a reading between the two levels may be either: STANDBY for low and point, RUNNING for high.
    """
    value = power.value
    decided = np.where(value >= policy.enter_mw, 1, np.where(value < policy.leave_mw, -1, 0))
    decided = np.where((decided == 0) & power.breaks(), 1 if bound is Bound.HIGH else -1, decided)
    last = np.maximum.accumulate(np.where(decided != 0, np.arange(len(value)), 0))
    running = decided[last] > 0
    return np.where(running, State.RUNNING, np.where(value < policy.off_mw, State.OFF, State.STANDBY)).astype(np.int64)
