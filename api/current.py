"""What an instrument does at this moment, from the last frames of a stream. Pure.

It is for people who look, not for hours: of a stream only the last frames are read, so that a reading between the two
levels of a policy may be called STANDBY here where a longer memory knows better.
Does not: fetch anything or ask for the time.
"""

from dataclasses import dataclass
from enum import StrEnum

from contract.frame import Measurement, Meter, Outage, span_ms
from contract.ids import StreamId
from contract.registry import PolicyVersion
from contract.states import ClockState, State
from metering.core.evidence import Evidence, power_signal, state_signal
from metering.core.policy import Policy, Profile, parse_policy
from metering.core.states import by_power, observe
from metering.core.timeline import Bound

_PERIODS_PER_GAP = 3
_FRAME_MS = 60_000
"""What a gateway keeps before it signs and sends, at least: so old a reading must be before it is late."""


class Doubt(StrEnum):
    """Why a state is UNKNOWN."""

    NO_FRAMES = "no-frames"
    """Nothing was ever stored of it."""
    NO_READING = "no-reading"
    """The newest frames hold none."""
    OUTAGE = "outage"
    """The gateway says that it saw nothing, and nothing newer has come."""
    OTHER_METER = "other-meter"
    """What measured is not bound to it as its own meter."""
    EQUIVOCATED = "equivocated"
    """Two different frames are known in one place of the stream."""
    NO_POLICY = "no-policy"
    """No policy is in force that says what a reading means."""
    GAP = "gap"
    """The newest reading stands alone after a hole."""
    STALE = "stale"
    """The newest reading is too old: the next is overdue."""
    FUTURE = "future"
    """The newest reading is dated after now: the gateway's clock is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """What is known of an instrument at one moment.

    Attributes:
        state: UNKNOWN where there is a doubt.
        doubt: why it is UNKNOWN; None: it is not.
        power_mw: of the newest reading; None: there is none.
        taken_at_ms: when that was taken; None: there is none.
        received_at_ms: when the frame that holds it was heard.
        age_ms: how long ago it was taken; in a simulation, before the newest simulated reading of all instruments;
            where the clock was not synchronised, since it was heard; None where it is dated after now.
        fresh_ms: from this age on it is stale: the longest silence that is no gap, and what a frame gathers.
        clock: what the gateway knew of its clock.
        stream_id, seq: where that frame stands.
    """

    state: State = State.UNKNOWN
    doubt: Doubt | None = Doubt.NO_FRAMES
    power_mw: int | None = None
    taken_at_ms: int | None = None
    received_at_ms: int | None = None
    age_ms: int | None = None
    fresh_ms: int | None = None
    clock: ClockState | None = None
    stream_id: StreamId | None = None
    seq: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What the registry says of an instrument.

    Attributes:
        policy: in force at the newest reading.
        cut: the seq from which the stream is not believed; None: it is.
        own: the meters that are its own.
    """

    policy: PolicyVersion | None
    cut: int | None
    own: frozenset[Meter]


def newest_meter(tail: Evidence) -> Meter | None:
    """The meter that spoke last."""
    return next((one.content.meter for one in reversed(tail.links) if isinstance(one.content, Measurement)), None)


def seen(tail: Evidence, rules: Rules, received_at_ms: int) -> Live:
    """What the last frames of a stream say, before their age is looked at.

    Args:
        tail: the last frames of one stream, at least one.
        rules: of its instrument.
        received_at_ms: of the newest of them.

    Raises:
        ConfigError: the policy cannot be read.
    """
    newest = tail.links[-1]
    measured = [one.content for one in tail.links if isinstance(one.content, Measurement)]
    policy = None if rules.policy is None else parse_policy(rules.policy.rules)
    state, doubt = _state(tail, measured, rules, policy)
    last = measured[-1] if measured else None
    power = last.power if last else None
    return Live(
        state=state,
        doubt=doubt,
        power_mw=power.values[-1] if power and power.values else None,
        taken_at_ms=last.utc_ms[-1] if last else None,
        received_at_ms=received_at_ms,
        fresh_ms=_fresh_ms(measured, policy) if measured else None,
        clock=newest.content.clock,
        stream_id=newest.stream_id,
        seq=newest.seq,
    )


def _state(
    tail: Evidence, measured: list[Measurement], rules: Rules, policy: Policy | None
) -> tuple[State, Doubt | None]:
    newest = tail.links[-1]
    doubt = None
    if rules.cut is not None and newest.seq >= rules.cut:
        doubt = Doubt.EQUIVOCATED
    elif isinstance(newest.content, Outage):
        doubt = Doubt.OUTAGE
    elif not isinstance(newest.content, Measurement):
        doubt = Doubt.NO_READING
    elif newest.content.meter not in rules.own:
        doubt = Doubt.OTHER_METER
    elif policy is None:
        doubt = Doubt.NO_POLICY
    if doubt is not None or policy is None:
        return State.UNKNOWN, doubt
    state = _last_state(tail, policy, (measured[0].utc_ms[0], measured[-1].utc_ms[-1]))
    if state is None:
        return State.UNKNOWN, Doubt.NO_READING
    return state, Doubt.GAP if state is State.UNKNOWN else None


def _last_state(tail: Evidence, policy: Policy, within: tuple[int, int]) -> State | None:
    """The state of the newest reading itself; None: there is no reading that the profile could use."""
    match policy.profile:
        case Profile.POWER:
            power = power_signal(tail, policy)
            return State(int(by_power(power, policy, Bound.POINT)[-1])) if len(power.value) else None
        case Profile.RUNSTATE:
            lines = state_signal(tail, policy)
            return State(int(lines.value[-1])) if len(lines.value) else None
        case Profile.POWER_RUNSTATE:
            if within[0] == within[1]:
                return State.UNKNOWN
            # Between the last two readings the point timeline holds the earlier state, low the lesser of the two and
            # high the greater: what is left is the state of the later one.
            seen = observe(tail, policy, within)
            return State(seen.low[-1].state + seen.high[-1].state - seen.point[-1].state)


def _fresh_ms(measured: list[Measurement], policy: Policy | None) -> int:
    spans = (to_ms - from_ms for from_ms, to_ms in map(span_ms, measured))
    gap_ms = policy.max_gap_ms if policy else None
    return (gap_ms or _PERIODS_PER_GAP * measured[-1].period_ms) + max(_FRAME_MS, *spans)
