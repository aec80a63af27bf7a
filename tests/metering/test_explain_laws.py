"""Laws of explanations over random days: they cover, they never disagree with the hours, they say what decided."""

from datetime import UTC, date
from itertools import pairwise
from random import Random

import pytest
from days import Day, evidence, random_day, without
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from contract.ids import InstrumentId
from contract.registry import PolicyVersion
from contract.states import Assurance, State
from metering.core.daily import Judged, Part
from metering.core.evidence import Evidence
from metering.core.explain import Kind, Stretch, Why, explain
from metering.core.pipeline import Measured, measure
from metering.core.policy import Policy, Profile
from metering.core.spans import Span, union
from metering.core.tally import tally
from metering.views.words import Lang, tell

seeds = st.integers(0, 2**48)
quick = settings(deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
profiles = pytest.mark.parametrize("profile", list(Profile))
VERSION = PolicyVersion(
    policy_id="p", version=1, instrument=InstrumentId("i-1"), rules={}, content_hash=bytes(32), proposed_by="a",
    proposed_body="lab", approved_by="b", approved_body="office", approved_at_ms=0, valid_from_ms=0, valid_to_ms=None,
)  # fmt: skip


def judged(found: Evidence, measured: Measured, period: Span) -> Judged:
    added = tally(measured, period)
    document = {
        "level": int(Assurance.SIGNED),
        "effective_low_ms": added.effective.low_ms,
        "effective_high_ms": added.effective.high_ms,
    }
    part = Part(day=date(2025, 3, 10), period=period, policy=VERSION)
    return Judged(
        part=part, evidence=found, counted=found, measured=measured, tally=added, document=document, simulation=False
    )


def a_day(seed: int, profile: Profile) -> tuple[Day, Judged]:
    random = Random(seed)
    day = random_day(random, profile)
    found = evidence(without(day.links, random, random.choice((0, 0, 0.1, 0.5))))
    return day, judged(found, measure(found, day.policy, day.sessions, day.within), day.within)


@profiles
@settings(quick, max_examples=250)
@given(seed=seeds)
def test_an_explanation_covers_and_agrees_with_the_hours(profile: Profile, seed: int) -> None:
    _, one = a_day(seed, profile)
    told = explain(one, one.part.period)
    edges = [told[0].from_ms, *(each.to_ms for each in told)]
    assert (edges[0], edges[-1]) == one.part.period
    assert all(before.to_ms == after.from_ms for before, after in pairwise(told))
    assert all(from_ms < to_ms for from_ms, to_ms in pairwise(edges))
    assert union((each.from_ms, each.to_ms) for each in told if each.credited) == one.tally.intervals
    assert sum(each.low_ms for each in told) == one.document["effective_low_ms"]
    assert sum(each.high_ms for each in told) == one.document["effective_high_ms"]
    for state in State:
        assert sum(each.duration_ms for each in told if each.state is state) == one.tally.states_ms[state]
    for kind, in_all in (
        (Kind.RUN, one.tally.run_ms),
        (Kind.BRIDGE, one.tally.bridge_ms),
        (Kind.PREPARATION, one.tally.prep_ms),
        (Kind.POST_PROCESSING, one.tally.post_ms),
    ):
        assert sum(each.duration_ms for each in told if each.kind is kind) == in_all


@profiles
@settings(quick, max_examples=100)
@given(seed=seeds)
def test_cut_in_two_it_says_the_same_and_everything_can_be_said(profile: Profile, seed: int) -> None:
    day, one = a_day(seed, profile)
    cut = Random(seed).randint(day.within[0] + 1, day.within[1] - 1)
    whole = explain(one, day.within)
    halves = (*explain(one, (day.within[0], cut)), *explain(one, (cut, day.within[1])))
    assert union((each.from_ms, each.to_ms) for each in halves if each.credited) == one.tally.intervals
    for bound in ("low_ms", "high_ms"):
        assert sum(getattr(each, bound) for each in halves) == sum(getattr(each, bound) for each in whole)
    for each in whole:
        for lang in Lang:
            told = tell(each, UTC, lang)
            assert told.why
            assert "{" not in told.text


def bears_out(each: Stretch, policy: Policy) -> bool:
    """Whether the numbers of a stretch agree with its reason."""
    facts = each.facts
    return {
        Why.STANDBY_TOO_LONG_TO_BRIDGE: lambda: facts["pause_ms"] > policy.bridge_ms,
        Why.BRIDGED_STANDBY: lambda: facts["pause_ms"] <= policy.bridge_ms,
        Why.RUN_SHORTER_THAN_MIN_RUN: lambda: 0 < facts["missing_ms"] == policy.min_run_ms - facts["run_ms"],
        Why.PREPARATION_BEYOND_CAP: lambda: facts["warmup_ms"] > policy.prep_cap_ms,
        Why.POST_BEYOND_CAP: lambda: facts["cooldown_ms"] > policy.post_cap_ms,
        Why.RUN_ABOVE_ENTER: lambda: facts["power_max_mw"] >= policy.enter_mw,
        Why.RUN_THROUGH_SHORT_DIP: lambda: facts["dip_ms"] < policy.dwell_off_ms,
        Why.SILENCE: lambda: facts["silence_ms"] > facts["max_gap_ms"],
        Why.HOLE_IN_SEQUENCE: lambda: facts["missing_frames"] > 0,
    }.get(each.why, lambda: True)()


@profiles
@settings(quick, max_examples=150)
@given(seed=seeds)
def test_the_numbers_bear_the_reasons_out(profile: Profile, seed: int) -> None:
    _, one = a_day(seed, profile)
    for each in explain(one, one.part.period):
        assert bears_out(each, one.measured.policy), each
        assert each.credited == (each.kind is not Kind.NONE)
        assert 0 <= each.low_ms <= each.high_ms <= each.duration_ms
