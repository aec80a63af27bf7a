"""Policies as a person writes them."""

import pytest

from contract.errors import ConfigError
from contract.states import State
from metering.core.policy import LONGEST_WARMUP_MS, Profile, parse_policy

POWER = {"profile": "power", "enter_w": 140, "leave_w": 120.5, "off_w": 20}


def test_units_become_integers() -> None:
    policy = parse_policy(POWER | {"bridge_s": 12.5, "max_gap_s": 30})
    assert (policy.enter_mw, policy.leave_mw, policy.off_mw) == (140_000, 120_500, 20_000)
    assert (policy.bridge_ms, policy.max_gap_ms) == (12_500, 30_000)


def test_lines_keep_their_order() -> None:
    lines = [{"line": "stop", "state": "STANDBY"}, {"line": "run", "state": "RUNNING"}]
    policy = parse_policy({"profile": "runstate", "lines": lines})
    assert policy.profile is Profile.RUNSTATE
    assert policy.lines == (("stop", State.STANDBY), ("run", State.RUNNING))


def test_every_fault_is_listed_with_its_key() -> None:
    rules = {
        "profile": "powr",
        "enter_w": "much",
        "bridge_s": -1,
        "lines": [{"line": "run"}],
        "warmup_from_off": 1,
        "thr": 5,
    }
    with pytest.raises(ConfigError) as raised:
        parse_policy(rules)
    keys = {fault.split(":")[0] for fault in raised.value.faults}
    assert keys == {"profile", "enter_w", "bridge_s", "lines[0]", "warmup_from_off", "thr", "leave_w"}


@pytest.mark.parametrize("levels", [{"leave_w": 141}, {"off_w": 130}])
def test_levels_must_be_in_order(levels: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match="off_w <= leave_w <= enter_w"):
        parse_policy(POWER | levels)


@pytest.mark.parametrize(
    ("profile", "needed"), [("power", "enter_w"), ("power+runstate", "run_floor_w"), ("runstate", "lines")]
)
def test_what_a_profile_needs(profile: str, needed: str) -> None:
    with pytest.raises(ConfigError, match=f"{needed}: needed by profile"):
        parse_policy({"profile": profile})


def test_the_windows_reach_as_far_as_the_rules() -> None:
    caps = {"prep_cap_s": 1800, "bridge_s": 300, "min_run_s": 60, "dwell_on_s": 5, "max_gap_s": 30}
    policy = parse_policy(POWER | caps)
    assert policy.margin_ms() == (1800 + 300 + 60 + 5 + 30) * 1000, "one limit follows another"
    assert policy.look_behind_ms() == policy.margin_ms() + LONGEST_WARMUP_MS, "a reading between the levels remembers"
    runstate = parse_policy({"profile": "runstate", "lines": [{"line": "run", "state": "RUNNING"}], **caps})
    assert runstate.look_behind_ms() == runstate.margin_ms()
