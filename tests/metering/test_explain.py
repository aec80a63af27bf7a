"""Each reason by itself: what was seen, the rule that decided, the numbers, and what would change it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from days import LINES, frame_of

from contract.frame import Content, Measurement, Meter, Outage, Readings
from contract.ids import BootId, GatewayId, InstrumentId, StreamId, UnitId
from contract.registry import Binding, Instrument, PolicyVersion, Role, rules_hash
from contract.states import Assurance, ClockState, OutageCause, Source, State
from metering.core.daily import Judged, Part, Records, judge
from metering.core.evidence import Link
from metering.core.explain import Kind, Stretch, What, Why, explain
from metering.core.remedies import would_change
from metering.views.words import Lang, tell

START_MS = 1_741_564_800_000
SHANGHAI = ZoneInfo("Asia/Shanghai")
NAME = InstrumentId("i-1")
LINE_RULES: dict[str, object] = {
    "profile": "power+runstate", "run_floor_w": 100, "off_w": 20, "bridge_s": 60, "max_gap_s": 30,
    "prep_cap_s": 120, "post_cap_s": 60,
    "lines": [{"line": "fault", "state": "FAULT"}, {"line": "run", "state": "RUNNING"},
              {"line": "prepare", "state": "WARMUP"}, {"line": "post", "state": "COOLDOWN"}],
}  # fmt: skip
POWER_RULES: dict[str, object] = {
    "profile": "power", "enter_w": 150, "leave_w": 120, "off_w": 20, "bridge_s": 300, "max_gap_s": 30,
}  # fmt: skip
RUN, PREPARE, POST, FAULT, IDLE = 1, 2, 4, 8, 0


@dataclass(kw_only=True)
class Recording:
    """Frames of one stream, a second a tick, each seen() going on where the one before ended."""

    links: list[Link] = field(default_factory=list)
    at_s: int = 0

    def seen(self, seconds: int, power_w: int, mask: int = IDLE, **changes: object) -> "Recording":
        """So many seconds of one power and one line; `changes` are fields of the frame."""
        ticks = tuple(START_MS + 1000 * (self.at_s + tick) for tick in range(seconds))
        power = Readings(values=(power_w * 1000,) * seconds)
        link = frame_of(len(self.links), ticks, 1000, power, LINES, Readings(values=(mask,) * seconds))
        assert isinstance(link.content, Measurement)
        self.at_s += seconds
        return self.add(replace(link.content, **changes))  # type: ignore[arg-type]  # fields by name

    def add(self, content: Content) -> "Recording":
        seq = len(self.links)
        hashes = [number.to_bytes(32, "big") for number in (seq, seq + 1)]
        self.links.append(
            Link(stream_id=StreamId(bytes(16)), seq=seq, prev_hash=hashes[0], frame_hash=hashes[1], content=content)
        )
        return self

    def silent(self, seconds: int) -> "Recording":
        self.at_s += seconds
        return self


def binding(**changes: object) -> Binding:
    return replace(
        Binding(
            instrument=NAME, gateway=GatewayId("gw"), meter_model="sdm630", meter_serial="1", ct_primary_a=1,
            ct_secondary_a=1, role=Role.SOLE, valid_from_ms=0,
        ),
        **changes,  # type: ignore[arg-type]  # fields by name
    )  # fmt: skip


def judged(  # noqa: PLR0913 - what a day may rest on
    links: Sequence[Link],
    rules: dict[str, object] | None,
    seconds: int,
    *,
    level: Assurance = Assurance.SIGNED,
    bindings: tuple[Binding, ...] = (binding(),),
    cut: dict[StreamId, int] | None = None,
    simulation: bool = False,
) -> Judged:
    instrument = Instrument(
        instrument=NAME, unit=UnitId("u"), name_zh="仪器", name_en="it", instrument_class="x", time_zone="Asia/Shanghai"
    )
    records = Records(instrument=instrument, bindings=bindings, sessions=(), cut=cut or {}, simulation=simulation)
    policy = rules and PolicyVersion(
        policy_id="p", version=1, instrument=NAME, rules=rules, content_hash=rules_hash(rules), proposed_by="a",
        proposed_body="lab", approved_by="b", approved_body="office", approved_at_ms=0, valid_from_ms=0,
        valid_to_ms=None,
    )  # fmt: skip
    part = Part(day=date(2025, 3, 10), period=(START_MS, START_MS + 1000 * seconds), policy=policy or None)
    return judge(part, records, level, links, provisional=False)


def told(recording: Recording, rules: dict[str, object] | None = None, **more: object) -> list[Stretch]:
    one = judged(recording.links, LINE_RULES if rules is None else rules, recording.at_s, **more)  # type: ignore[arg-type]  # options by name
    found = explain(one, one.part.period)
    for each in found:
        for lang in Lang:
            assert tell(each, SHANGHAI, lang).text
    return list(found)


def of(found: Sequence[Stretch], why: Why) -> Stretch:
    (one,) = [each for each in found if each.why is why]
    return one


def test_a_pause_that_is_bridged_and_one_that_is_too_long() -> None:
    day = Recording().seen(600, 200, RUN).seen(60, 80).seen(600, 200, RUN).seen(61, 80).seen(600, 200, RUN)
    found = told(day)
    bridged, too_long = of(found, Why.BRIDGED_STANDBY), of(found, Why.STANDBY_TOO_LONG_TO_BRIDGE)
    assert bridged.kind is Kind.BRIDGE
    assert (bridged.facts["pause_ms"], bridged.facts["bridge_ms"]) == (60_000, 60_000)
    assert not too_long.credited
    assert dict(too_long.would_change[0].facts) == {"pause_ms": 61_000, "bridge_ms": 60_000}
    assert tell(too_long, SHANGHAI, Lang.EN).change.startswith(
        "The pause was 61 s; up to 60 s would have been bridged."
    )
    assert too_long.facts["power_mean_mw"] == 80_000


def test_what_one_rule_decided_is_one_stretch() -> None:
    day = Recording().seen(600, 200, RUN).seen(20, 80).seen(20, 80, RUN).seen(20, 80).seen(600, 200, RUN)
    found = told(day)
    assert of(found, Why.BRIDGED_STANDBY).duration_ms == 60_000, "though the line said otherwise for a part of it"


def test_idle_without_a_run_on_both_sides() -> None:
    found = told(Recording().seen(100, 2).seen(100, 80).seen(100, 200, RUN).seen(40, 2))
    idle = of(found, Why.STANDBY_NO_NEIGHBOUR_RUN)
    assert (idle.state, idle.duration_ms) == (State.STANDBY, 100_000)
    assert idle.would_change[0].what is What.RUNNING_THERE
    run = of(found, Why.RUN_BY_LINE)
    assert run.lines == ("run",)
    assert [each.why for each in found] == [Why.OFF, Why.STANDBY_NO_NEIGHBOUR_RUN, Why.RUN_BY_LINE, Why.OFF,
                                            Why.NOTHING_RECEIVED]  # fmt: skip


def test_preparation_and_post_processing_up_to_their_caps() -> None:
    found = told(Recording().seen(300, 150, PREPARE).seen(300, 200, RUN).seen(100, 150, POST).seen(50, 80))
    assert [(each.why, each.duration_ms) for each in found[:5]] == [
        (Why.PREPARATION_BEYOND_CAP, 180_000),
        (Why.PREPARATION, 120_000),
        (Why.RUN_BY_LINE, 300_000),
        (Why.POST_PROCESSING, 60_000),
        (Why.POST_BEYOND_CAP, 40_000),
    ]
    assert (found[0].facts["warmup_ms"], found[0].facts["prep_cap_ms"]) == (300_000, 120_000)


def test_preparation_and_post_processing_without_a_run() -> None:
    found = told(Recording().seen(100, 150, PREPARE).seen(100, 80).seen(100, 150, POST).seen(100, 80))
    assert found[0].why is Why.WARMUP_WITHOUT_RUN
    assert found[0].would_change[0].what is What.RUN_BESIDE
    assert of(found, Why.COOLDOWN_WITHOUT_RUN).state is State.COOLDOWN


def test_a_run_that_is_too_short_says_by_how_much_and_takes_its_preparation_along() -> None:
    day = Recording().seen(90, 150, PREPARE).seen(50, 200, RUN).seen(30, 150, POST).seen(100, 80)
    found = told(day, {**LINE_RULES, "min_run_s": 60})
    short = of(found, Why.RUN_SHORTER_THAN_MIN_RUN)
    assert dict(short.would_change[0].facts) == {"missing_ms": 10_000, "min_run_ms": 60_000, "bridge_ms": 60_000}
    assert tell(short, SHANGHAI, Lang.EN).change == "A further 10 s of running within 60 s would have made it count."
    assert of(found, Why.WARMUP_WITHOUT_RUN).facts["missing_ms"] == 10_000
    assert of(found, Why.COOLDOWN_WITHOUT_RUN).facts["missing_ms"] == 10_000


def test_a_crossing_that_did_not_last() -> None:
    day = Recording().seen(100, 80).seen(3, 180).seen(100, 80).seen(100, 180).seen(3, 80).seen(100, 180)
    found = told(day, {**POWER_RULES, "dwell_on_s": 5, "dwell_off_s": 5})
    blip, dip = of(found, Why.DWELL_NOT_REACHED), of(found, Why.RUN_THROUGH_SHORT_DIP)
    assert (blip.duration_ms, blip.facts["missing_ms"], blip.credited) == (3_000, 2_000, False)
    assert tell(blip, SHANGHAI, Lang.EN).change == "A further 2 s at or above 150 W would have counted as a run."
    assert (dip.duration_ms, dip.kind, dip.facts["dwell_off_ms"]) == (3_000, Kind.RUN, 5_000)
    idle = found[0].would_change[-1]
    assert (idle.what, idle.facts["enter_mw"], idle.facts["dwell_on_ms"]) == (What.RUNNING_THERE, 150_000, 5_000)


def test_between_the_levels_a_run_goes_on() -> None:
    day = Recording().seen(100, 180).seen(100, 130).seen(100, 80)
    one = judged(day.links, POWER_RULES, day.at_s)
    (held,) = explain(one, (START_MS + 110_000, START_MS + 190_000))
    assert (held.why, held.credited) == (Why.RUN_HELD_ABOVE_LEAVE, True)
    (run,) = explain(one, (START_MS, START_MS + 190_000))
    assert run.why is Why.RUN_ABOVE_ENTER


def test_a_line_that_the_power_does_not_bear_out() -> None:
    found = told(Recording().seen(100, 80, RUN).seen(100, 2, RUN).seen(10, 2))
    assert [(each.why, each.state) for each in found[:3]] == [
        (Why.LINES_AND_POWER_DISAGREE, State.STANDBY),
        (Why.LINES_AND_POWER_DISAGREE, State.OFF),
        (Why.OFF, State.OFF),
    ]
    assert found[0].facts["run_floor_mw"] == 100_000


def test_a_fault_is_a_fault() -> None:
    assert told(Recording().seen(100, 200, FAULT))[0].why is Why.FAULT


def test_without_a_policy_nothing_is_judged() -> None:
    one = judged((), None, 100)
    (whole,) = explain(one, one.part.period)
    assert (whole.why, whole.low_ms, whole.high_ms) == (Why.NO_POLICY, 0, 100_000)


def test_a_silence_says_how_long_and_what_it_could_add() -> None:
    found = told(Recording().seen(600, 200, RUN).silent(1800).seen(600, 200, RUN))
    gap = of(found, Why.SILENCE)
    assert dict(gap.facts) == {"silence_ms": 1_801_000, "max_gap_ms": 30_000}
    assert gap.high_ms == gap.duration_ms
    assert "could add at most 0.50 h" in tell(gap, SHANGHAI, Lang.EN).change


def missing(day: Recording, *seqs: int) -> Recording:
    day.links = [link for link in day.links if link.seq not in seqs]
    return day


def test_a_hole_in_the_sequence_counts_the_frames() -> None:
    day = Recording().seen(60, 200, RUN).seen(60, 200, RUN).seen(60, 200, RUN).seen(60, 200, RUN)
    gap = of(told(missing(day, 1, 2)), Why.HOLE_IN_SEQUENCE)
    assert gap.facts["missing_frames"] == 2


def test_what_does_not_count_at_the_level_says_why() -> None:
    cases: list[tuple[dict[str, Any], Why]] = [
        ({"clock": ClockState.UNSYNCHRONISED}, Why.CLOCK_NOT_GOOD_ENOUGH),
        ({"clock": ClockState.SIMULATED}, Why.SIMULATED_CLOCK),
        ({"source": Source.IMPORTED}, Why.IMPORTED_READINGS),
        ({"meter": Meter(model="sdm630", serial="another")}, Why.OTHER_METER),
    ]
    for changes, why in cases:
        found = told(Recording().seen(600, 200, RUN).seen(600, 200, RUN, **changes).seen(600, 200, RUN))
        assert [each.why for each in found][:3] == [Why.RUN_BY_LINE, why, Why.RUN_BY_LINE], why
        assert abs(found[1].duration_ms - 600_000) <= 1_000, "the intervals beside the frames are theirs too"


def test_in_a_simulation_another_meter_is_told_as_such() -> None:
    simulated = {"clock": ClockState.SIMULATED}
    other = {"meter": Meter(model="sdm630", serial="another"), **simulated}
    (found,) = told(Recording().seen(600, 200, RUN, **other), simulation=True)[:1]
    assert found.why is Why.OTHER_METER
    assert told(Recording().seen(600, 200, RUN, **simulated), simulation=True)[0].why is Why.RUN_BY_LINE


def test_at_level_2_readings_of_an_unsynchronised_clock_count() -> None:
    day = Recording().seen(600, 200, RUN, clock=ClockState.UNSYNCHRONISED)
    assert told(day, level=Assurance.TELEMETRY)[0].why is Why.RUN_BY_LINE


def test_a_meter_that_is_not_bound() -> None:
    bound = binding(valid_to_ms=START_MS + 300_000)
    found = told(Recording().seen(300, 200, RUN).seen(300, 200, RUN), bindings=(bound,))
    assert found[-1].why is Why.METER_NOT_BOUND
    assert found[-1].from_ms == START_MS + 299_000, "from the last reading that counts"


def test_an_outage_record_names_its_cause() -> None:
    day = Recording().seen(300, 200, RUN)
    gap = Outage(
        instrument=NAME, boot_id=BootId(bytes(8)), clock=ClockState.SYNCHRONISED, from_ms=START_MS + 299_000,
        to_ms=START_MS + 900_000, cause=OutageCause.METER_LINK, energy_before=None, energy_after=None,
    )  # fmt: skip
    found = told(day.add(gap).silent(600).seen(300, 200, RUN))
    assert of(found, Why.OUTAGE).facts["outage_cause"] == int(OutageCause.METER_LINK)
    assert "电表无应答" in tell(of(found, Why.OUTAGE), SHANGHAI, Lang.ZH).why


def test_readings_that_are_absent() -> None:
    absent = {"power": Readings(values=(200_000,) * 100, absent=tuple(range(50, 250)))}
    found = told(Recording().seen(300, 200, RUN, **absent))
    assert of(found, Why.READINGS_ABSENT).facts["ticks"] > 150


def test_a_stream_that_contradicts_itself() -> None:
    day = Recording().seen(300, 200, RUN).seen(300, 200, RUN).seen(300, 200, RUN)
    found = told(day, cut={StreamId(bytes(16)): 1})
    assert found[1].why is Why.EQUIVOCATED
    assert found[1].facts["doubted_frames"] == 2


def test_another_boot_joins_nothing() -> None:
    day = Recording().seen(300, 200, RUN).silent(10).seen(300, 200, RUN, boot_id=BootId(b"another!"))
    assert of(told(day), Why.CONTINUITY_BROKEN).credited is False


def test_what_is_outside_the_part_is_refused() -> None:
    one = judged((), None, 100)
    for within in ((START_MS - 1, START_MS + 1), (START_MS, START_MS), (START_MS, START_MS + 100_001)):
        with pytest.raises(ValueError, match="not inside"):
            explain(one, within)


def test_a_reason_does_not_depend_on_where_the_question_ends() -> None:
    day = Recording().seen(300, 150, PREPARE).seen(300, 200, RUN).seen(61, 80).seen(600, 200, RUN)
    one = judged(day.links, LINE_RULES, day.at_s)
    whole = explain(one, one.part.period)
    for each in whole:
        (inside,) = explain(one, (each.from_ms, each.to_ms))
        assert inside == each


@pytest.mark.parametrize("why", Why)
def test_every_reason_knows_what_would_change_it(why: Why) -> None:
    would_change(why, {})


def test_codes_are_never_renamed() -> None:
    for codes in (Why, What, Kind):
        assert all(one.value == one.name.lower().replace("_", "-") for one in codes)
