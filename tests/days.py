"""Random days: a truth made first, then what a gateway would have recorded of it, then what goes wrong."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from random import Random

from contract.frame import Measurement, Meter, Readings
from contract.ids import BootId, InstrumentId, StreamId
from contract.states import ClockState, MeterState, Source, State
from contract.usage import Attribution, Party, Purpose, Session, Way
from metering.core.evidence import Evidence, Link
from metering.core.pipeline import Measured, judge
from metering.core.policy import Policy, Profile
from metering.core.spans import Span
from metering.core.states import Observed
from metering.core.timeline import Piece, Timeline, normal

LINES = ("run", "prepare", "post", "fault")
LINE_STATES = ((3, State.FAULT), (0, State.RUNNING), (1, State.WARMUP), (2, State.COOLDOWN))
POLICY_LINES = tuple((LINES[bit], state) for bit, state in LINE_STATES)
_SHORT = ("dwell_on_ms", "dwell_off_ms", "bridge_ms", "min_run_ms", "prep_cap_ms", "post_cap_ms", "carry_ms")
BAND_W = 130
"""Between `leave` and `enter`: the state before goes on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A truth and its record.

    Attributes:
        truth: the exact timeline of states.
        links: the frames, in order.
        within: the span.
    """

    policy: Policy
    truth: Timeline
    links: tuple[Link, ...]
    within: tuple[int, int]
    sessions: tuple[Session, ...]

    def judged_truth(self) -> Measured:
        """The rules applied to the exact timeline."""
        return judge(Observed(low=self.truth, point=self.truth, high=self.truth), self.policy, self.sessions)


def policy_of(random: Random, profile: Profile, period_ms: int) -> Policy:
    policy = Policy(
        profile=profile,
        enter_mw=140_000,
        leave_mw=120_000,
        off_mw=20_000,
        run_floor_mw=100_000,
        lines=POLICY_LINES,
        dwell_on_ms=random.choice((0, 5_000, 30_000)),
        dwell_off_ms=random.choice((0, 5_000, 30_000)),
        bridge_ms=random.choice((0, 60_000, 300_000)),
        min_run_ms=random.choice((0, 60_000, 240_000)),
        max_gap_ms=random.choice((None, 30_000)),
        prep_cap_ms=random.choice((0, 600_000, 1_800_000)),
        post_cap_ms=random.choice((0, 300_000, 900_000)),
        carry_ms=random.choice((0, 0, 1_800_000)),
        warmup_from_off=profile is Profile.POWER and random.random() < 0.7,
    )
    if random.random() < 0.5:
        return policy
    # Limits of a few periods, near the length of the shortest states: there the corners are.
    short = {name: random.choice((0, 1, 2, 3, 5, 8)) * period_ms + random.choice((0, 0, 440)) for name in _SHORT}
    return replace(policy, **short)  # type: ignore[arg-type]  # fields by name


def random_day(random: Random, profile: Profile | None = None) -> Day:
    profile = profile or random.choice(tuple(Profile))
    period_ms = random.choice((1_000, 10_000))
    start = 1_741_564_800_000 + random.randrange(100_000)
    longest_s, minutes = random.choice(((4, 5), (20, 15), (200, 60), (2_000, 120)))
    end = start + minutes * 60_000 * (1 if period_ms == 1_000 else 4)
    shown = list(_shown(random, profile, period_ms, (start, end), longest_s * 1_000))
    policy = policy_of(random, profile, period_ms)
    return Day(
        policy=policy,
        truth=_truth(shown, profile),
        links=_record(random, shown, period_ms),
        within=(start, end),
        sessions=tuple(_sessions(random, start, end)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What the instrument shows over [from_ms, to_ms)."""

    from_ms: int
    to_ms: int
    power_w: int
    mask: int


def _shown(random: Random, profile: Profile, period_ms: int, within: Span, longest: int) -> Iterable[Shown]:
    at, end = within
    while at < end:
        to_ms = min(end, at + random.randint(period_ms, period_ms + longest))
        if to_ms + period_ms > end:
            to_ms = end
        bit = random.choice((0, 0, 0, 1, 2, 3, None, None))
        power_w = random.choice((2, 80, 80, 180, 180, BAND_W))
        if profile is Profile.POWER:
            bit = None
        yield Shown(from_ms=at, to_ms=to_ms, power_w=power_w, mask=0 if bit is None else 1 << bit)
        at = to_ms


def _truth(shown: Sequence[Shown], profile: Profile) -> Timeline:
    reported = normal(
        Piece(s.from_ms, s.to_ms, next((state for bit, state in LINE_STATES if s.mask >> bit & 1), State.STANDBY))
        for s in shown
    )
    if profile is Profile.RUNSTATE:
        return reported
    if profile is Profile.POWER_RUNSTATE:
        return normal(Piece(s.from_ms, s.to_ms, _borne_out(s)) for s in shown)
    pieces: list[Piece] = []
    for s in shown:
        state = {2: State.OFF, 80: State.STANDBY, 180: State.RUNNING}.get(s.power_w)
        if state is None:
            state = State.RUNNING if pieces and pieces[-1].state is State.RUNNING else State.STANDBY
        pieces.append(Piece(s.from_ms, s.to_ms, state))
    return normal(pieces)


def _borne_out(shown: Shown) -> State:
    reported = next((state for bit, state in LINE_STATES if shown.mask >> bit & 1), State.STANDBY)
    if shown.power_w == 2:
        return State.OFF
    return State.STANDBY if reported is State.RUNNING and shown.power_w == 80 else reported


def _record(random: Random, shown: Sequence[Shown], period_ms: int) -> tuple[Link, ...]:
    ticks = []
    at = shown[0].from_ms + random.randrange(period_ms)
    place = 0
    while at < shown[-1].to_ms:
        while shown[place].to_ms <= at:
            place += 1
        ticks.append((at, shown[place]))
        at += period_ms
    size = random.choice((7, 30, 60))
    frames = [ticks[i : i + size] for i in range(0, len(ticks), size)]
    return tuple(link(seq, frame, period_ms) for seq, frame in enumerate(frames))


def link(seq: int, ticks: Sequence[tuple[int, Shown]], period_ms: int) -> Link:
    """A frame of what was shown at some moments."""
    power = Readings(values=tuple(s.power_w * 1000 for _, s in ticks))
    return frame_of(
        seq, tuple(at for at, _ in ticks), period_ms, power, LINES, Readings(values=tuple(s.mask for _, s in ticks))
    )


def frame_of(
    seq: int, times: tuple[int, ...], period_ms: int, power: Readings, line_names: tuple[str, ...], lines: Readings
) -> Link:
    content = Measurement(
        instrument=InstrumentId("i-1"),
        source=Source.SAMPLED,
        meter=Meter(model="sdm630", serial="1"),
        meter_state=MeterState.OK,
        boot_id=BootId(bytes(8)),
        clock=ClockState.SYNCHRONISED,
        period_ms=period_ms,
        energy_begin=None,
        energy_end=None,
        line_names=line_names,
        utc_ms=times,
        mono_ms=times,
        power=power,
        lines=lines if line_names else None,
    )
    digest = seq.to_bytes(32, "big")
    return Link(stream_id=StreamId(bytes(16)), seq=seq, frame_hash=digest, prev_hash=digest, content=content)


def _sessions(random: Random, start: int, end: int) -> Iterable[Session]:
    for number in range(random.randrange(4)):
        a, b = sorted((random.randint(start, end), random.randint(start, end)))
        yield session(a, b, random.choice((Party.EXTERNAL, Party.EXTERNAL, Party.OWN_GROUP)), name=f"s-{number}",
                      attribution=random.choice(tuple(Attribution)))  # fmt: skip


def session(
    start_ms: int, end_ms: int, party: Party, *, name: str = "s", attribution: Attribution = Attribution.BOOKED
) -> Session:
    return Session(
        session_id=name,
        instrument=InstrumentId("i-1"),
        start_ms=start_ms,
        end_ms=end_ms,
        party=party,
        purpose=Purpose.RESEARCH,
        way=Way.SELF_OPERATED,
        attribution=attribution,
        entered_at_ms=start_ms - 1,
    )


def without(links: Sequence[Link], random: Random, share: float) -> tuple[Link, ...]:
    return tuple(link for link in links if random.random() >= share)


def evidence(links: Sequence[Link]) -> Evidence:
    return Evidence(links=tuple(links), digest=b"")
