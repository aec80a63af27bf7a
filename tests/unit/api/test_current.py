"""The state of the newest reading, and every reason for which there is none."""

from dataclasses import replace

import days
import pytest

from api.current import Doubt, Rules, newest_meter, seen
from api.live import _aged
from contract.frame import Genesis, Measurement, Outage, Readings
from contract.ids import BootId, GatewayId, InstrumentId, SiteId
from contract.registry import PolicyVersion
from contract.states import ClockState, OutageCause, State
from metering.core.evidence import Link

START_MS = 1_741_564_800_000
LINES = [{"line": "run", "state": "RUNNING"}]
BY_POWER = {"profile": "power", "enter_w": 150, "leave_w": 130, "off_w": 20}
BY_LINE = {"profile": "runstate", "lines": LINES}
BY_BOTH = {"profile": "power+runstate", "run_floor_w": 100, "off_w": 20, "lines": LINES}


def frames(*watts: int, lines: tuple[int, ...] | None = None, size: int = 60, period_ms: int = 1_000) -> list[Link]:
    """Readings, `size` of them a frame."""
    closed = lines or (0,) * len(watts)
    found: list[Link] = []
    for at in range(0, len(watts), size):
        times = tuple(START_MS + period_ms * tick for tick in range(at, min(at + size, len(watts))))
        power = Readings(values=tuple(1_000 * value for value in watts[at : at + size]))
        run = Readings(values=closed[at : at + size])
        found.append(days.frame_of(len(found), times, period_ms, power, ("run",), run))
    return found


def rules(policy: dict[str, object] | None, **more: object) -> Rules:
    version = policy and PolicyVersion(
        policy_id="p",
        version=1,
        instrument=InstrumentId("i-1"),
        rules=policy,
        content_hash=bytes(32),
        proposed_by="a",
        proposed_body="a",
        approved_by="b",
        approved_body="b",
        approved_at_ms=0,
        valid_from_ms=0,
        valid_to_ms=None,
    )
    meter = newest_meter(days.evidence(frames(0)))
    assert meter
    return replace(Rules(policy=version or None, cut=None, own=frozenset({meter})), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("policy", "watts", "lines", "state"),
    [
        (BY_POWER, (80, 180), (0, 0), State.RUNNING),
        (BY_POWER, (180, 140), (0, 0), State.RUNNING),
        (BY_POWER, (80, 140), (0, 0), State.STANDBY),
        (BY_POWER, (180, 80), (0, 0), State.STANDBY),
        (BY_POWER, (180, 2), (0, 0), State.OFF),
        (BY_LINE, (2, 2), (0, 1), State.RUNNING),
        (BY_LINE, (2, 2), (1, 0), State.STANDBY),
        (BY_BOTH, (180, 180), (0, 1), State.RUNNING),
        (BY_BOTH, (180, 180), (1, 0), State.STANDBY),
        (BY_BOTH, (180, 60), (1, 1), State.STANDBY),
        (BY_BOTH, (180, 2), (1, 1), State.OFF),
        (BY_BOTH, (2, 180), (1, 1), State.RUNNING),
    ],
)
@pytest.mark.parametrize("size", [60, 1])
def test_the_state_is_that_of_the_newest_reading(
    policy: dict[str, object], watts: tuple[int, ...], lines: tuple[int, ...], state: State, size: int
) -> None:
    links = frames(*watts, lines=lines, size=size)
    links = [replace(one, prev_hash=(one.seq - 1).to_bytes(32, "big") if one.seq else bytes(32)) for one in links]
    found = seen(days.evidence(links), rules(policy), 7)
    assert (found.state, found.doubt) == (state, None)
    assert (found.power_mw, found.taken_at_ms, found.received_at_ms) == (1_000 * watts[-1], START_MS + 1_000, 7)


def outage() -> Outage:
    return Outage(
        instrument=InstrumentId("i-1"), boot_id=BootId(bytes(8)), clock=ClockState.SYNCHRONISED,
        from_ms=START_MS + 2_000, to_ms=START_MS + 9_000, cause=OutageCause.PROCESS,
        energy_before=None, energy_after=None,
    )  # fmt: skip


def genesis() -> Genesis:
    return Genesis(
        site=SiteId("s"), gateway=GatewayId("g"), instrument=InstrumentId("i-1"), boot_id=BootId(bytes(8)),
        clock=ClockState.SYNCHRONISED, created_ms=START_MS, predecessor=None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("last", "by", "doubt"),
    [
        (outage(), rules(BY_POWER), Doubt.OUTAGE),
        (genesis(), rules(BY_POWER), Doubt.NO_READING),
        (None, rules(BY_POWER, own=frozenset()), Doubt.OTHER_METER),
        (None, rules(BY_POWER, cut=0), Doubt.EQUIVOCATED),
        (None, rules(None), Doubt.NO_POLICY),
    ],
)
def test_a_state_that_is_not_known_says_why(last: Outage | Genesis | None, by: Rules, doubt: Doubt) -> None:
    links = frames(180, 180)
    if last:
        links.append(replace(links[-1], seq=1, content=last))
    found = seen(days.evidence(links), by, 0)
    assert (found.state, found.doubt) == (State.UNKNOWN, doubt)
    assert found.power_mw == 180_000, "what was read is still told, with its time"


def test_a_frame_without_power_has_no_state_by_power() -> None:
    (link,) = frames(180, 180)
    assert isinstance(link.content, Measurement)
    found = seen(days.evidence([replace(link, content=replace(link.content, power=None))]), rules(BY_POWER), 0)
    assert (found.state, found.doubt, found.power_mw) == (State.UNKNOWN, Doubt.NO_READING, None)


def test_a_reading_is_stale_once_the_next_frame_is_overdue() -> None:
    found = seen(days.evidence(frames(*[180] * 100, size=90)), rules(BY_POWER), 0)
    assert found.fresh_ms == 3_000 + 89_000, "three periods, and the longest frame lately"
    assert found.taken_at_ms
    due_ms = found.taken_at_ms + 92_000
    assert [_aged(found, now_ms).state for now_ms in (due_ms, due_ms + 1)] == [State.RUNNING, State.UNKNOWN]
    assert _aged(found, due_ms + 1).doubt is Doubt.STALE


def test_a_reading_from_the_future_is_in_doubt_and_a_clock_that_was_never_set_gives_no_age() -> None:
    found = seen(days.evidence(frames(180, 180)), rules(BY_POWER), START_MS + 500)
    assert found.taken_at_ms
    ahead = [_aged(found, found.taken_at_ms - early_ms) for early_ms in (600_000, 600_001)]
    assert [(one.state, one.doubt, one.age_ms) for one in ahead] == [
        (State.RUNNING, None, -600_000),
        (State.UNKNOWN, Doubt.FUTURE, None),
    ]
    other = _aged(replace(found, doubt=Doubt.OUTAGE), 0)
    assert (other.doubt, other.age_ms) == (Doubt.OUTAGE, None), "a doubt that is there already says more"
    unset = replace(found, clock=ClockState.UNSYNCHRONISED, taken_at_ms=START_MS * 2)
    assert found.fresh_ms
    due_ms = START_MS + 500 + found.fresh_ms
    assert [_aged(unset, now_ms).state for now_ms in (due_ms, due_ms + 1)] == [State.RUNNING, State.UNKNOWN]
    assert _aged(unset, due_ms + 1).doubt is Doubt.STALE
