"""Charts as data: nothing is lost in thinning, gaps stay gaps, clocks are local, and no text can become code."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from string import Formatter
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from days import LINES, evidence, frame_of, session

from contract.frame import Readings
from contract.states import ClockState, OutageCause, State
from contract.units import hours_text
from contract.usage import Party
from metering.core.policy import Policy, Profile
from metering.core.reasons import Kind, Stretch, What, Why
from metering.core.timeline import Piece, normal
from metering.views import labels, phrases, picture, words
from metering.views.charts import Day, DayHours, Lang, Trace, day_chart, days_of, month_chart, year_chart
from metering.views.inputs import Threshold
from metering.views.thin import BUCKETS as BUCKETS_OF_STATES
from metering.views.thin import MOST, thinned
from metering.views.trace import BUCKETS, trace_of

HOUR_MS = 3_600_000
SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")
START_MS = 1_741_536_000_000  # 2025-03-10T00:00 in Shanghai
POLICY = Policy(profile=Profile.POWER, enter_mw=150_000, leave_mw=120_000, max_gap_ms=30_000)
HOSTILE = "</script>${1}'\"; datum.x"


def a_day(zone: ZoneInfo = SHANGHAI, start_ms: int = START_MS, hours: int = 24) -> Day:
    end_ms = start_ms + hours * HOUR_MS
    edges = [start_ms + number * HOUR_MS for number in (0, 8, 9, 12, 13, 17)]
    states = (State.OFF, State.WARMUP, State.RUNNING, State.UNKNOWN, State.STANDBY, State.OFF)
    return Day(
        period=(start_ms, end_ms),
        zone=zone,
        name_zh="液相色谱仪",
        name_en=HOSTILE,
        trace=Trace(time_ms=(start_ms, edges[3]), low_mw=(2_000, 2_000), high_mw=(3_000, 300_000), segment=(1, 1)),
        thresholds=(Threshold(name="enter", level_mw=150_000, within=(start_ms, end_ms)),),
        states=tuple(Piece(a, b, s) for a, b, s in zip(edges, [*edges[1:], end_ms], states, strict=True)),
        low=((edges[1], edges[3] - 5_000),),
        point=((edges[1], edges[3]),),
        high=((edges[1], edges[4]),),
        sessions=(session(edges[2], edges[4], Party.EXTERNAL), session(edges[2], edges[3], Party.OWN_GROUP, name="b")),
        mark=(edges[3], edges[4]),
    )


def year(**changes: object) -> list[DayHours]:
    full = DayHours(day=date(2025, 1, 1), low_ms=0, point_ms=0, high_ms=0, unknown_ms=0, length_ms=24 * HOUR_MS)
    return [
        replace(full, **changes),  # type: ignore[arg-type]  # fields by name
        replace(full, day=date(2025, 1, 2), high_ms=24 * HOUR_MS, unknown_ms=24 * HOUR_MS),
        replace(
            full, day=date(2025, 1, 4), low_ms=HOUR_MS, point_ms=5 * HOUR_MS, high_ms=6 * HOUR_MS, unknown_ms=HOUR_MS
        ),
    ]


def rows(spec: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for layer in spec["layer"]:
        yield from layer["data"]["values"]


def without_data(value: object) -> object:
    """A specification less its data values, titles and scale domains, where text of ours and of users may stand."""
    if isinstance(value, dict):
        return {
            key: without_data(each)
            for key, each in value.items()
            if key not in ("values", "$schema", "title", "domain")
        }
    return [without_data(each) for each in value] if isinstance(value, list) else value


def charts() -> Iterator[dict[str, Any]]:
    for lang in Lang:
        for narrow in (False, True):
            for width_px in (None, 900):
                yield day_chart(a_day(), lang, width_px=width_px, narrow=narrow)
                yield year_chart(2025, year(), lang, width_px=width_px, narrow=narrow)
                yield month_chart(year(), lang, width_px=width_px, narrow=narrow)


def test_no_text_is_code_and_nothing_is_fetched() -> None:
    for spec in charts():
        assert json.loads(json.dumps(spec)) == spec, "plain data"
        frame = json.dumps(without_data(spec))
        for code in ("expr", "signal", "calculate", "filter", "labelExpr", "transform", '"url"', "http", HOSTILE):
            assert code not in frame
        assert spec["width"] in ("container", 900)


def test_a_short_peak_survives_and_a_gap_breaks_the_line() -> None:
    power = [80_000] * 43_200
    power[20_000] = 999_000
    frames = [
        frame_of(seq, tuple(START_MS + 2000 * tick for tick in range(first, first + 60)), 2_000,
                 Readings(values=tuple(power[first : first + 60])), LINES, Readings(values=(0,) * 60))
        for seq, first in enumerate(range(0, 43_200, 60)) if seq != 400
    ]  # fmt: skip
    trace = trace_of(evidence(frames), POLICY, (START_MS, START_MS + 24 * HOUR_MS))
    assert max(trace.high_mw) == 999_000
    assert len(trace.time_ms) <= BUCKETS + 4
    assert set(trace.segment) == {trace.segment[0], trace.segment[0] + 1}
    seam = trace.segment.index(trace.segment[-1])
    assert trace.time_ms[seam - 1] == START_MS + 2000 * (400 * 60 - 1), "up to the last reading before the gap"
    assert trace.time_ms[seam] == START_MS + 2000 * 401 * 60


@pytest.mark.parametrize(("day", "hours"), [(date(2025, 3, 30), 23), (date(2025, 10, 26), 25)])
def test_a_day_of_23_or_25_hours_is_as_long_as_it_was(day: date, hours: int) -> None:
    start_ms = round(datetime(day.year, day.month, day.day, tzinfo=BERLIN).timestamp() * 1000)
    spec = day_chart(a_day(BERLIN, start_ms, hours), Lang.EN, width_px=1000)
    ticks = {row["text"]: row["x"] for row in rows(spec) if row.get("side")}
    assert ticks["24:00"] == hours * 3600
    assert ticks["06:00"] == (6 + hours - 24) * 3600
    domains = {tuple(each["encoding"]["x"]["scale"]["domain"]) for each in spec["layer"]}
    assert domains == {(0, hours * 3600)}


def test_a_day_that_flickers_is_thinned_and_its_sums_are_not() -> None:
    day = a_day()
    first, last = day.period
    turns = (State.RUNNING, State.RUNNING, State.STANDBY)
    pieces = normal(Piece(at, min(at + 7_000, last), turns[n % 3]) for n, at in enumerate(range(first, last, 7_000)))
    credited = tuple(piece[:2] for piece in pieces if piece.state is State.RUNNING)
    spec = day_chart(replace(day, states=pieces, low=credited, point=credited, high=credited), Lang.EN, width_px=1000)
    assert len(pieces) > MOST
    assert len(list(rows(spec))) < 8_000
    assert hours_text(sum(b - a for a, b in credited)) in spec["title"]["subtitle"]
    thin = thinned(pieces, day.period)
    assert (thin[0].from_ms, thin[-1].to_ms) == day.period
    assert len(thin) <= BUCKETS_OF_STATES
    assert thinned(thin, day.period) == thin


def test_labels_are_local_times() -> None:
    spec = day_chart(a_day(), Lang.ZH, width_px=1000)
    assert {"00:00", "08:00", "24:00"} <= {row["text"] for row in rows(spec) if row.get("side")}
    assert "2025-03-10 09:00–12:00" in {row.get("when") for row in rows(spec)}


def test_bounds_gaps_and_the_question_can_be_seen() -> None:
    spec = day_chart(a_day(), Lang.ZH, width_px=1000)
    credit = [each["data"]["values"] for each in spec["layer"] if each["mark"].get("fill") in ("#009e73", "#00614a")]
    assert [[(row["x"], row["x2"]) for row in each] for each in credit] == [
        [(28_800, 46_800)], [(28_800, 43_200)], [(28_800, 43_195)],
    ]  # fmt: skip
    assert any("asked" in row for row in rows(spec))
    hatched = [row for row in rows(spec) if row.get("y", 0) > row.get("y2", row.get("y", 0))]
    assert hatched
    assert all(43_200 <= row["x"] < row["x2"] <= 46_800 for row in hatched)


def test_sessions_that_overlap_stand_in_two_rows() -> None:
    spec = day_chart(a_day(), Lang.EN, width_px=1000)
    assert len({row["y"] for row in rows(spec) if "party" in row}) == 2


def test_a_day_of_no_data_is_not_a_day_of_no_hours() -> None:
    spec = year_chart(2025, year(), Lang.EN, width_px=1000)
    levels = {row["day"]: row["level"] for row in rows(spec) if "level" in row}
    assert levels == {"2025-01-01": "0 h", "2025-01-02": "no data", "2025-01-03": "no data", "2025-01-04": "≤ 8 h"}
    slashes = next(each for each in spec["layer"] if each["mark"]["type"] == "rule")
    assert len(slashes["data"]["values"]) == 2
    assert "5.00 h [1.00, 54.00], coverage 48.95 %" in spec["title"]["subtitle"][0], "a missing day is unknown too"


def test_links_stay_on_the_site_and_only_days_that_have_one_are_links() -> None:
    spec = year_chart(2025, year(href="/day/2025-01-01"), Lang.EN, width_px=1000)
    linked = [each for each in spec["layer"] if "href" in each["encoding"]]
    assert [row["href"] for each in linked for row in each["data"]["values"]] == ["/day/2025-01-01"]
    for href in ("https://example.org/", "//example.org", "/\\example.org", "javascript:alert(1)", "day"):
        with pytest.raises(ValueError, match="no link within the site"):
            year_chart(2025, year(href=href), Lang.EN)
        with pytest.raises(ValueError, match="no link within the site"):
            month_chart(year(href=href), Lang.EN)


def test_statements_of_one_day_are_added_up() -> None:
    document = {
        "day": "2025-03-10", "period_ms": [0, 12 * HOUR_MS], "effective_ms": HOUR_MS, "effective_low_ms": 1,
        "effective_high_ms": 2 * HOUR_MS, "states_ms": {"UNKNOWN": HOUR_MS},
    }  # fmt: skip
    (day,) = days_of([document, document])
    assert (day.point_ms, day.low_ms, day.high_ms) == (2 * HOUR_MS, 2, 4 * HOUR_MS)
    assert (day.unknown_ms, day.length_ms) == (2 * HOUR_MS, 24 * HOUR_MS)


@pytest.mark.parametrize("lang", Lang)
def test_an_empty_month_can_be_drawn(lang: Lang) -> None:
    assert month_chart([], lang)["layer"]
    assert year_chart(2025, [], lang, narrow=True)["layer"]


def test_every_code_has_words_in_both_languages() -> None:
    for table, codes in (
        (phrases.REASONS, Why), (phrases.CHANGES, What), (labels.KINDS, Kind), (labels.STATES, State),
        (labels.PARTIES, Party), (labels.CLOCKS, ClockState), (labels.CAUSES, OutageCause),
    ):  # fmt: skip
        assert set(table) == set(codes)
    for variants in (*phrases.REASONS.values(), *phrases.CHANGES.values()):
        for zh, en in variants:
            named = [{name for _, name, _, _ in Formatter().parse(text) if name} for text in (zh, en)]
            assert named[0] == named[1], en
            assert any("\u4e00" <= sign <= "\u9fff" for sign in zh)
            assert en.isascii()


@pytest.mark.parametrize(
    ("duration_ms", "text"),
    [(300_000, "300 s"), (420_500, "420.5 s"), (600_000, "10 min"), (4_260_000, "71 min"), (9_000_000, "2.50 h")],
)
def test_durations_are_said_as_people_say_them(duration_ms: int, text: str) -> None:
    assert words.duration_text(duration_ms) == text


def test_no_line_ends_between_a_number_and_its_unit() -> None:
    said = words.unbroken("Power 231 W, 12.5 kW for 71 min 3 s: 0.51 h of 3 W-2 hats")
    assert said == "Power 231\xa0W, 12.5\xa0kW for 71\xa0min 3\xa0s: 0.51\xa0h of 3\xa0W-2 hats"
    assert words.unbroken("功率 231 W，平均 3 台") == "功率 231\xa0W，平均 3 台"


def test_a_gap_tells_no_power_of_a_reading_at_its_edge() -> None:
    facts = {"power_readings": 1, "power_min_mw": 210_000, "power_mean_mw": 210_000, "power_max_mw": 210_000}
    gap = Stretch(
        from_ms=0, to_ms=HOUR_MS, state=State.UNKNOWN, kind=Kind.NONE, why=Why.NOTHING_RECEIVED,
        facts=facts, would_change=(), low_ms=0, high_ms=HOUR_MS,
    )  # fmt: skip
    assert "210" not in words.tell(gap, SHANGHAI, Lang.EN).text
    known = replace(gap, state=State.STANDBY, why=Why.STANDBY_NO_NEIGHBOUR_RUN)
    assert words.tell(known, SHANGHAI, Lang.EN).seen == "Power 210 W."


def test_a_day_without_a_trace_has_no_empty_band_of_power() -> None:
    whole, bare = (
        day_chart(replace(a_day(), trace=trace), Lang.EN, width_px=900) for trace in (a_day().trace, Trace())
    )
    assert "Power (W)" in {row.get("text") for row in rows(whole)}
    assert not {"Power (W)", "run at ≥ 150 W"} & {row.get("text") for row in rows(bare)}
    assert bare["height"] < whole["height"] - 100
    assert picture.render(bare, picture.Format.SVG).startswith(b"<svg")


def test_an_upper_bound_is_rounded_up() -> None:
    assert words.at_most_text(1_800_001) == "0.51 h"


def test_a_span_over_a_change_of_the_clock_says_the_offsets() -> None:
    before = round(datetime(2025, 10, 26, 0, 30, tzinfo=UTC).timestamp() * 1000)
    assert words.span_text(before, before + HOUR_MS, BERLIN) == "2025-10-26 02:30+0200–02:30+0100"
    assert words.span_text(before, before + 1, UTC).startswith("2025-10-26 00:30–")
    midnight = START_MS + 24 * HOUR_MS
    assert words.span_text(midnight - HOUR_MS, midnight, SHANGHAI) == "2025-03-10 23:00–24:00"


def test_pictures_are_drawn_with_chinese() -> None:
    assert picture.draws_chinese()
    spec = day_chart(a_day(), Lang.ZH, width_px=400, narrow=True)
    assert picture.render(spec, picture.Format.PNG).startswith(b"\x89PNG")
    svg = picture.render(spec, picture.Format.SVG).decode()
    assert "液相色谱仪" in svg
    assert "<script" not in svg
