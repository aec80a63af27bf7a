"""The worked cases of domain.md 7 that concern one day of one instrument, to the second."""

from dataclasses import replace
from datetime import datetime
from itertools import count, takewhile
from zoneinfo import ZoneInfo

import pytest
from days import LINES, POLICY_LINES, Shown, evidence, link, session

from contract.states import State
from contract.units import hours_text
from contract.usage import Attribution, Party, Session
from metering.core.pipeline import Measured, judge, measure
from metering.core.policy import Policy, Profile
from metering.core.states import Observed
from metering.core.tally import Tally, tally
from metering.core.timeline import Piece, Timeline

SHANGHAI = ZoneInfo("Asia/Shanghai")
RULES = Policy(
    profile=Profile.POWER_RUNSTATE,
    off_mw=20_000,
    run_floor_mw=100_000,
    lines=POLICY_LINES,
    bridge_ms=300_000,
    max_gap_ms=30_000,
    prep_cap_ms=1_800_000,
    post_cap_ms=900_000,
)
T_DAY_1 = (
    ("00:00", State.OFF),
    ("08:00", State.WARMUP),
    ("08:45", State.RUNNING),
    ("10:15", State.STANDBY),
    ("10:19", State.RUNNING),
    ("11:30", State.STANDBY),
    ("13:00", State.UNKNOWN),
    ("13:30", State.RUNNING),
    ("15:00", State.COOLDOWN),
    ("15:20", State.STANDBY),
    ("17:00", State.OFF),
)


def at(text: str, day: int = 10) -> int:
    hour, minute = (int(part) for part in text.split(":"))
    moment = datetime(2025, 3, day, hour % 24, minute, tzinfo=SHANGHAI)
    return round(moment.timestamp() * 1000) + (86_400_000 if hour == 24 else 0)


def timeline(*rows: tuple[str, State], until: str = "24:00") -> Timeline:
    edges = [*(at(text) for text, _ in rows), at(until)]
    return tuple(Piece(edges[i], edges[i + 1], state) for i, (_, state) in enumerate(rows))


def exact(pieces: Timeline, *sessions: Session, rules: Policy = RULES) -> Measured:
    """As given as state intervals: low, point and high see the same."""
    return judge(Observed(low=pieces, point=pieces, high=pieces), rules, sessions)


def day_of(measured: Measured) -> Tally:
    return tally(measured, (at("00:00"), at("24:00")))


def sampled(pieces: Timeline, period_ms: int) -> Measured:
    """As samples at whole periods up to midnight's own, a frame a state; nothing where there is no data."""
    pieces = (*pieces, Piece(pieces[-1].to_ms, pieces[-1].to_ms + period_ms, pieces[-1].state))
    masks = {State.RUNNING: 1, State.WARMUP: 2, State.COOLDOWN: 4}
    links = []
    for piece in pieces:
        ticks = takewhile(lambda t, end=piece.to_ms: t < end, count(piece.from_ms, period_ms))  # type: ignore[misc]
        shown = Shown(
            from_ms=piece.from_ms,
            to_ms=piece.to_ms,
            power_w=2 if piece.state is State.OFF else 180,
            mask=masks.get(piece.state, 0),
        )
        if piece.state is not State.UNKNOWN:
            links.append([(tick, shown) for tick in ticks])
    frames = [link(seq, ticks, period_ms) for seq, ticks in enumerate(links)]
    return measure(evidence(frames), RULES, (), (at("00:00"), at("24:00")))


def external(*times: str, attribution: Attribution = Attribution.BOOKED) -> tuple[Session, ...]:
    pairs = zip(times[::2], times[1::2], strict=True)
    return tuple(session(at(a), at(b), Party.EXTERNAL, name=a, attribution=attribution) for a, b in pairs)


def test_lines_are_those_of_the_samples() -> None:
    assert LINES[:3] == ("run", "prepare", "post")


def test_t_day_1_as_state_intervals() -> None:
    day = day_of(exact(timeline(*T_DAY_1)))
    assert hours_text(day.effective_ms) == "5.00"
    # An exact timeline says nothing between its edges: low is the point, high reads the gap as a run.
    assert (day.effective.low_ms, day.effective.high_ms) == (18_000_000, 19_800_000)
    assert (day.run_ms, day.bridge_ms, day.prep_ms, day.post_ms) == (15_060_000, 240_000, 1_800_000, 900_000)
    assert round(day.coverage * 100, 3) == 97.917
    assert day.states_ms[State.UNKNOWN] == 1_800_000


@pytest.mark.parametrize(("period_s", "low_s", "high_s"), [(1, 17_998, 19_802), (10, 17_980, 19_820)])
def test_t_day_1_as_samples(period_s: int, low_s: int, high_s: int) -> None:
    day = day_of(sampled(timeline(*T_DAY_1), period_s * 1000))
    assert day.effective_ms == 18_000_000
    assert (day.effective.low_ms, day.effective.high_ms) == (low_s * 1000, high_s * 1000)
    assert sum(day.states_ms.values()) == 86_400_000


@pytest.mark.parametrize(
    ("times", "hours"),
    [
        (("09:00", "11:00"), "2.00"),
        (("09:00", "10:30", "10:00", "11:00"), "2.00"),
        (("08:45", "11:30"), "3.25"),
        (("09:00", "10:17", "10:17", "11:00"), "2.00"),
    ],
)
def test_t_day_1_external_bookings(times: tuple[str, ...], hours: str) -> None:
    day = day_of(exact(timeline(*T_DAY_1), *external(*times)))
    bounds = day.external[Attribution.BOOKED]
    assert hours_text(bounds.low_ms) == hours_text(bounds.high_ms) == hours
    assert day.external[Attribution.SIGNED_IN].low_ms == 0, "a booking proves no sign-in"
    assert hours_text(day.effective_ms) == "5.00", "effective hours never depend on sessions"


def test_sharing_rate_of_t_day_1() -> None:
    day = day_of(exact(timeline(*T_DAY_1), *external("09:00", "11:00")))
    assert day.external[Attribution.BOOKED].low_ms / day.effective_ms == 0.4


def test_warmup_over_midnight_falls_where_it_was() -> None:
    pieces = (
        Piece(at("23:00"), at("23:40"), State.STANDBY),
        Piece(at("23:40"), at("00:10", 11), State.WARMUP),
        Piece(at("00:10", 11), at("01:00", 11), State.RUNNING),
    )
    assert day_of(exact(pieces)).effective_ms == 1_200_000


def test_a_gap_may_hold_the_run_that_makes_its_neighbours_count() -> None:
    pieces = timeline(("08:00", State.WARMUP), ("08:45", State.UNKNOWN), ("08:55", State.STANDBY), until="10:00")
    day = day_of(exact(pieces))
    assert (day.effective.low_ms, day.effective_ms, day.effective.high_ms) == (0, 0, 2_400_000)


def test_a_run_over_new_year_is_split_at_local_midnight() -> None:
    edge = round(datetime(2025, 1, 1, tzinfo=SHANGHAI).timestamp() * 1000)
    run = (Piece(edge - 5_400_000, edge + 11_700_000, State.RUNNING),)
    measured = exact(run)
    assert hours_text(tally(measured, (edge - 86_400_000, edge)).effective_ms) == "1.50"
    assert hours_text(tally(measured, (edge, edge + 86_400_000)).effective_ms) == "3.25"


def test_unknown_party_is_never_external() -> None:
    unknown = session(at("08:00"), at("15:00"), Party.UNKNOWN)
    assert day_of(exact(timeline(*T_DAY_1), unknown)).external[Attribution.ENTERED_AFTERWARDS].high_ms == 0


@pytest.mark.parametrize("party", [Party.AFFILIATED, Party.OTHER_GROUP])
def test_who_is_related_is_not_external(party: Party) -> None:
    theirs = session(at("08:00"), at("15:00"), party, attribution=Attribution.CONFIRMED)
    assert day_of(exact(timeline(*T_DAY_1), theirs)).external[Attribution.ENTERED_AFTERWARDS].high_ms == 0


def test_a_booking_written_down_later_proves_nothing_above_a0() -> None:
    late = replace(session(at("09:00"), at("11:00"), Party.EXTERNAL), entered_at_ms=at("09:00") + 1)
    external_ms = day_of(exact(timeline(*T_DAY_1), late)).external
    assert external_ms[Attribution.ENTERED_AFTERWARDS].low_ms == 7_200_000
    assert (external_ms[Attribution.BOOKED].low_ms, external_ms[Attribution.BOOKED].high_ms) == (0, 7_200_000)


def test_a_run_carried_on_ends_where_another_party_signs_in() -> None:
    rules = Policy(profile=Profile.RUNSTATE, lines=POLICY_LINES, bridge_ms=300_000, carry_ms=1_800_000)
    own = session(at("11:10"), at("11:20"), Party.OWN_GROUP, attribution=Attribution.SIGNED_IN)
    day = day_of(exact(timeline(*T_DAY_1), own, *external("10:30", "11:00"), rules=rules))
    assert day.external[Attribution.BOOKED].low_ms == 40 * 60_000


def test_post_processing_goes_with_the_party_at_the_end_of_the_run() -> None:
    day = day_of(exact(timeline(*T_DAY_1), *external("14:00", "15:10")))
    assert hours_text(day.external[Attribution.BOOKED].low_ms) == "1.25", (
        "an hour of run, and what is credited after it"
    )


def test_contested_time_is_internal_for_low_and_external_for_high() -> None:
    own = session(at("09:30"), at("10:00"), Party.OWN_GROUP)
    bounds = day_of(exact(timeline(*T_DAY_1), own, *external("09:00", "11:00"))).external[Attribution.BOOKED]
    assert (hours_text(bounds.low_ms), hours_text(bounds.high_ms)) == ("1.50", "2.00")


def test_sign_in_beats_booking() -> None:
    own = session(at("09:30"), at("10:00"), Party.OWN_GROUP, attribution=Attribution.SIGNED_IN)
    bounds = day_of(exact(timeline(*T_DAY_1), own, *external("09:00", "11:00"))).external[Attribution.BOOKED]
    assert hours_text(bounds.low_ms) == hours_text(bounds.high_ms) == "1.50"


def test_an_unattended_run_keeps_its_party_for_carry_at_most() -> None:
    rules = Policy(profile=Profile.RUNSTATE, lines=POLICY_LINES, bridge_ms=300_000, carry_ms=900_000)
    day = day_of(exact(timeline(*T_DAY_1), *external("09:00", "11:00"), rules=rules))
    assert day.external[Attribution.BOOKED].low_ms == 8_100_000


def test_a_fault_ends_a_run_and_joins_nothing() -> None:
    pieces = timeline(("08:00", State.RUNNING), ("08:30", State.FAULT), ("08:31", State.RUNNING), until="09:00")
    day = day_of(exact(pieces))
    assert day.effective_ms == 59 * 60_000
    assert len(day.runs) == 2


def test_the_run_list_joins_over_unknown_but_no_hour_comes_of_it() -> None:
    pieces = timeline(("08:00", State.RUNNING), ("08:30", State.UNKNOWN), ("08:34", State.RUNNING), until="09:00")
    day = day_of(exact(pieces))
    assert [(run.from_ms, run.to_ms, run.has_gap) for run in day.runs] == [(at("08:00"), at("09:00"), True)]
    assert day.effective_ms == day.effective.low_ms == 56 * 60_000


def test_maintenance_only_lowers() -> None:
    pieces = timeline(*T_DAY_1)
    order = ((at("09:00"), at("10:00")),)
    day = day_of(judge(Observed(low=pieces, point=pieces, high=pieces), RULES, (), order))
    assert (day.effective_ms, day.effective.high_ms) == (14_400_000, 16_200_000)


def test_blips_that_bridge_a_night_are_flagged() -> None:
    edges = range(at("20:00"), at("24:00"), 295_000)
    blips = [Piece(edge, edge + 5_000, State.RUNNING) for edge in edges]
    pauses = [Piece(edge + 5_000, edge + 295_000, State.STANDBY) for edge in edges]
    night = day_of(exact(tuple(sorted(blips + pauses))))
    assert night.bridge_ms > 50 * night.run_ms, "they earn the night by the rules"
    assert night.bridged_runs == 1, "and say so"
    assert day_of(exact(timeline(*T_DAY_1))).bridged_runs == 0


def test_an_aborted_warmup_earns_nothing() -> None:
    pieces = timeline(("08:00", State.WARMUP), ("08:45", State.STANDBY), ("10:00", State.RUNNING), until="11:00")
    assert day_of(exact(pieces)).prep_ms == 0


def test_a_run_shorter_than_min_run_earns_nothing_and_brings_no_preparation() -> None:
    rules = Policy(profile=Profile.RUNSTATE, lines=POLICY_LINES, min_run_ms=120_000, prep_cap_ms=1_800_000)
    pieces = timeline(("08:00", State.WARMUP), ("08:30", State.RUNNING), ("08:31", State.STANDBY), until="09:00")
    assert day_of(exact(pieces, rules=rules)).effective_ms == 0
