"""What the JSON routes say: hours as statements say them, gaps as null, evidence byte for byte, errors in sentences."""

import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from evidence import DAY_MS, Gateway, Stream
from fix_api import ALPHA, DAY, MIDNIGHT_MS, Lab
from starlette.testclient import TestClient

from contract import seal
from contract.units import utc_text
from storage.pool import connect

OF = f"/api/v1/instruments/{ALPHA.instrument}"
WHOLE = {"from": "2025-03-10T00:00:00+08:00", "to": "2025-03-11T00:00:00+08:00"}
RUN_MS = 9_000
"""Nine frames of five ticks, each with one second of run."""
Ask = Callable[..., Any]


@pytest.fixture
def ask(client: TestClient, lab: Lab) -> Ask:
    def get(path: str, who: str = "auditor", expect: int = 200, **query: Any) -> Any:  # noqa: ANN401 - JSON
        answer = client.get(path, params=query, headers=lab.headers(who))
        assert answer.status_code == expect, answer.text
        return answer.json()

    return get


def test_a_statement_says_what_was_stored(ask: Ask) -> None:
    answer = ask(f"{OF}/statements", **WHOLE)
    (one,) = answer["statements"]
    assert (one["day"], one["from"], one["effective_ms"]) == ("2025-03-10", utc_text(MIDNIGHT_MS), RUN_MS)
    assert one["effective_h"] == RUN_MS / 3_600_000
    assert one["effective_low_ms"] <= RUN_MS <= one["effective_high_ms"]
    assert sum(one["states_ms"].values()) == 86_400_000
    assert set(one["external"]) == {"A0", "A1", "A2", "A3"}
    assert ask(f"{OF}/statements", **WHOLE, level=2)["statements"] == [], "levels are never mixed"


def test_hours_are_of_whole_local_days_and_what_is_unstated_is_possible(ask: Ask) -> None:
    stated = ask(f"{OF}/hours", **WHOLE)
    assert (stated["statements"], stated["unstated_ms"]) == (1, 0)
    more = ask(f"{OF}/hours", **{"from": "2025-03-09T12:00:00+08:00", "to": "2025-03-10T00:00:01+08:00"})
    assert (more["from"], more["to"]) == (utc_text(MIDNIGHT_MS - 86_400_000), utc_text(DAY[1]))
    assert more["asked"]["to"] == utc_text(MIDNIGHT_MS + 1_000)
    assert more["effective_ms"] == stated["effective_ms"] == RUN_MS
    assert more["unstated_ms"] == 86_400_000
    for name in ("effective_high_ms",):
        assert more[name] == stated[name] + 86_400_000
    assert more["states_ms"]["UNKNOWN"] == stated["states_ms"]["UNKNOWN"] + 86_400_000
    assert more["external"]["A1"]["high_ms"] == stated["external"]["A1"]["high_ms"] + 86_400_000
    assert sum(more["states_ms"].values()) == 2 * 86_400_000
    assert more["coverage"] == 1 - more["states_ms"]["UNKNOWN"] / (2 * 86_400_000)


def test_intervals_are_those_of_the_statement(ask: Ask) -> None:
    found = ask(f"{OF}/intervals", **WHOLE)["intervals"]
    assert sum(one["duration_ms"] for one in found) == RUN_MS
    digest = ask(f"{OF}/statements", **WHOLE)["statements"][0]["digest"]
    assert {one["statement"] for one in found} == {digest}
    third = {"from": utc_text(DAY_MS + 180_000), "to": utc_text(DAY_MS + 181_000 + 10_000)}
    assert len(ask(f"{OF}/intervals", **third)["intervals"]) == 1


def test_the_ribbon_covers_the_period_and_a_gap_is_unknown(ask: Ask) -> None:
    states = ask(f"{OF}/states", **{"from": utc_text(DAY_MS), "to": utc_text(DAY_MS + 3_600_000)})["states"]
    assert states[0]["from"] == utc_text(DAY_MS)
    assert states[-1]["to"] == utc_text(DAY_MS + 3_600_000)
    assert [one["to"] for one in states[:-1]] == [one["from"] for one in states[1:]]
    assert states[-1]["state"] == "UNKNOWN"
    assert sum(one["duration_ms"] for one in states if one["state"] == "RUNNING") == RUN_MS


def test_an_explanation_covers_the_period_and_agrees_with_the_statement(ask: Ask) -> None:
    stretches = ask(f"{OF}/explain", **WHOLE)["stretches"]
    assert (stretches[0]["from"], stretches[-1]["to"]) == (utc_text(DAY[0]), utc_text(DAY[1]))
    assert [one["to"] for one in stretches[:-1]] == [one["from"] for one in stretches[1:]]
    assert sum(one["duration_ms"] for one in stretches if one["credited"]) == RUN_MS
    assert {one["why"] for one in stretches if one["credited"]} == {"run-by-line"}
    assert all(one["text_zh"] and one["text_en"] for one in stretches)


def test_power_is_thinned_to_its_extremes_and_a_gap_is_null(lab: Lab, ask: Ask, deliver: Callable[..., None]) -> None:
    period = {"from": utc_text(DAY_MS), "to": utc_text(DAY_MS + 7_200_000)}
    fine = ask(f"{OF}/power", **period, points=5000)
    assert None not in fine["low_w"]
    stream = Stream(gateway=ALPHA, frames=list(lab.frames))
    stream.add(ALPHA.measurement(DAY_MS + 3_600_000))
    deliver(Stream(gateway=ALPHA, frames=stream.frames[-1:]))
    holed = ask(f"{OF}/power", **period, points=3)
    at = holed["low_w"].index(None)
    assert holed["taken_at"][at] is holed["high_w"][at] is None
    assert holed["taken_at"][at - 1] < utc_text(DAY_MS + 600_000)
    assert holed["taken_at"][at + 1] == utc_text(DAY_MS + 3_600_000)
    read = [(DAY_MS + 60_000 * frame) % 1_000_000 + tick for frame in range(1, 10) for tick in range(5)]
    before = [value for value in holed["high_w"][:at] if value is not None]
    assert max(before) == max(read) / 1000
    assert min(value for value in holed["low_w"][:at]) == min(read) / 1000
    assert len(holed["low_w"]) < 12


def test_without_a_policy_power_is_shown_as_it_was_read(lab: Lab, ask: Ask) -> None:
    with connect(lab.dsn) as connection:
        connection.execute("DELETE FROM policy WHERE policy_id = 'hours-alpha'")
    found = ask(f"{OF}/power", **{"from": utc_text(DAY_MS), "to": utc_text(DAY_MS + 600_000)})
    assert len([value for value in found["low_w"] if value is not None]) == 45


def test_evidence_comes_in_pages_and_byte_for_byte(lab: Lab, ask: Ask, client: TestClient) -> None:
    hashes: list[str] = []
    after: dict[str, str] = {}
    pages = 0
    while True:
        page = ask(f"{OF}/evidence", **WHOLE, limit=4, **after)
        hashes += [one["hash"] for one in page["frames"]]
        pages += 1
        if page["next"] is None:
            break
        after = {"after": page["next"]}
    assert pages == 3
    assert hashes == [seal.frame_hash(raw).hex() for raw in lab.frames]
    raw = client.get(f"/api/v1/frames/{hashes[4]}", headers=lab.headers("auditor"))
    assert raw.content == lab.frames[4]
    assert raw.headers["content-type"] == "application/cose"
    assert hashlib.sha256(raw.content).hexdigest() == hashes[4]
    first = ask(f"{OF}/evidence", **WHOLE, limit=1)["frames"][0]
    assert (first["kind"], first["seq"], first["late"]) == ("genesis", 0, True)


def test_status_counts_every_frame_once(ask: Ask) -> None:
    found = ask("/api/v1/status", who="operator")
    counters = found["counters"]
    assert counters == {"received": 20, "stored": 20, "duplicate": 0, "quarantined": 0, "balanced": True}
    assert [(one["upto"], one["held"], one["newest_seq"]) for one in found["streams"]] == [(9, [], 9)] * 2


def test_a_hole_in_custody_is_shown(deliver: Callable[[Stream], None], lab: Lab, ask: Ask) -> None:
    stream = Stream(gateway=ALPHA, frames=list(lab.frames))
    for minute in (20, 21, 22):
        stream.add(ALPHA.measurement(DAY_MS + 60_000 * minute))
    deliver(Stream(gateway=ALPHA, frames=stream.frames[11:]))
    (found,) = [one for one in ask("/api/v1/status")["streams"] if one["gateway"] == ALPHA.name]
    assert (found["upto"], found["held"], found["newest_seq"]) == (9, [[11, 12]], 12)


def test_metrics_name_nobody(lab: Lab, client: TestClient) -> None:
    client.get(f"{OF}/hours", params=WHOLE, headers=lab.headers("lab"))
    text = client.get("/api/v1/metrics", headers=lab.headers("operator")).text
    assert 'jishi_intake_frames_total{outcome="stored"} 20.0' in text
    assert 'route="/api/v1/instruments/{instrument}/hours",status="200"' in text
    for private in (str(ALPHA.instrument), "auditor", "evaluator", "jishi_" + lab.keys["lab"][6:]):
        assert private not in text


@pytest.mark.parametrize(
    ("query", "status", "said"),
    [
        ({}, 422, "query.from"),
        ({**WHOLE, "levle": 2}, 422, "query.levle: no parameter of this route; known are from, level, to"),
        ({**WHOLE, "level": [2, 3]}, 422, "query.level: given twice"),
        ({**WHOLE, "level": 4}, 422, "query.level"),
        ({**WHOLE, "from": "2025-03-10T00:00:00"}, 422, "with its offset"),
        ({**WHOLE, "from": "2025-03-10"}, 422, "with its offset"),
        ({**WHOLE, "from": "2025-03-10T00:00:00 08:00"}, 422, "%2B"),
        ({**WHOLE, "from": "2025-02-30T00:00:00Z"}, 400, "no such moment"),
        ({**WHOLE, "from": "0000-01-01T00:00:00Z"}, 400, "no such moment"),
        ({**WHOLE, "from": "0001-01-01T00:00:00+14:00"}, 400, "1970 to 9000"),
        ({**WHOLE, "from": "1969-12-31T23:59:59Z"}, 400, "1970 to 9000"),
        ({**WHOLE, "to": WHOLE["from"]}, 400, "ends after it begins"),
        ({**WHOLE, "to": "2026-04-20T00:00:00Z"}, 400, "at most 400 days"),
    ],
)
def test_a_request_that_is_wrong_is_told_how_to_mend_it(
    query: dict[str, Any], status: int, said: str, lab: Lab, client: TestClient
) -> None:
    answer = client.get(f"{OF}/hours", params=query, headers=lab.headers("auditor"))
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert said in answer.text


def test_long_periods_of_traces_are_refused(ask: Ask) -> None:
    nine = {"from": "2025-03-01T00:00:00Z", "to": "2025-03-10T00:00:00Z"}
    assert "at most 8 days" in ask(f"{OF}/power", expect=400, **nine)["detail"]
    four = {**nine, "to": "2025-03-05T00:00:00Z"}
    for path in ("states", "explain"):
        assert "at most 3 days" in ask(f"{OF}/{path}", expect=400, **four)["detail"]


def test_addresses_and_methods_that_are_not_there(client: TestClient, lab: Lab) -> None:
    unknown = client.get("/api/v1/nothing", headers=lab.headers("lab"))
    assert (unknown.status_code, unknown.json()["title"]) == (404, "Not Found")
    wrong = client.delete("/api/v1/instruments", headers=lab.headers("lab"))
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "GET")
    assert client.get("/docs").status_code == 404, "no page that loads foreign scripts"


def test_browsers_are_told_to_be_careful(client: TestClient, lab: Lab) -> None:
    for path, who in (("/api/v1/instruments", "lab"), ("/api/v1/nothing", "lab"), ("/login", "lab")):
        headers = client.get(path, headers=lab.headers(who)).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["cache-control"] == "no-store"
        assert headers["referrer-policy"] == "no-referrer"


def test_a_database_that_is_gone_is_503_and_says_nothing_of_itself(lab: Lab) -> None:
    from api.app import create  # noqa: PLC0415 - as in fix_api
    from api.config import Config  # noqa: PLC0415

    gone = create(Config(dsn="postgresql://me:s3cret@127.0.0.1:1/none"))
    with TestClient(gone) as client:
        health = client.get("/api/v1/health")
        assert (health.status_code, health.json()) == (503, {"alive": True, "database": False})
        answer = client.get("/api/v1/instruments", headers=lab.headers("lab"))
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert "127.0.0.1" not in answer.text


def test_a_fault_of_ours_shows_no_traceback(lab: Lab, client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a secret of ours")

    monkeypatch.setattr("api.reading.statements", broken)
    answer = client.get(f"{OF}/statements", params=WHOLE, headers=lab.headers("lab"))
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
    assert "secret" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_late_frames_of_another_meter_change_nothing(lab: Lab, ask: Ask) -> None:
    assert lab.frames
    live = ask(OF)["live"]
    assert (live["state"], live["doubt"], live["seq"]) == ("UNKNOWN", "stale", 9)
    assert live["taken_at"] == utc_text(DAY_MS + 9 * 60_000 + 4_000)
    assert live["age_s"] > live["fresh_s"] == 61 + 60
    assert live["power_w"] == ((DAY_MS + 540_000) % 1_000_000 + 4) / 1000


def test_an_instrument_without_frames_is_there_and_unknown(lab: Lab, ask: Ask) -> None:
    from fix_api import instrument_of, load  # noqa: PLC0415

    load(lab.dsn, lab.folder, instrument_of(Gateway(name="gamma"), "unit"))
    live = ask("/api/v1/instruments/gamma-instrument")["live"]
    assert (live["state"], live["doubt"], live["power_w"], live["age_s"]) == ("UNKNOWN", "no-frames", None, None)
