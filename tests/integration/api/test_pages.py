"""The pages without a browser: who may see what, what is escaped, what is said of errors, what is served."""

import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from evidence import DAY_MS, Stream, retimed
from fix_api import ALPHA, BETA, DAY, Lab, load
from fix_pages import store
from starlette.testclient import TestClient

from contract import clock
from contract.states import ClockState
from contract.units import utc_text
from storage.pool import connect

NAME = ALPHA.instrument
DAY_PATH = f"/instruments/{NAME}?day=2025-03-10"
MONTH_PATH = f"/instruments/{NAME}/month/2025-03"
YEAR_PATH = f"/instruments/{NAME}/year/2025"
EXPLAIN_PATH = f"/instruments/{NAME}/explain?from={utc_text(DAY_MS)}&to={utc_text(DAY_MS + 600_000)}"
PATHS = ("/", DAY_PATH, MONTH_PATH, YEAR_PATH, EXPLAIN_PATH)


@pytest.fixture
def seen(client: TestClient, lab: Lab) -> TestClient:
    """An auditor's browser."""
    client.cookies.set("jishi_key", lab.keys["auditor"])
    return client


def text(html: str) -> str:
    """What a person reads: no scripts, no tags."""
    bare = re.sub(r"<script.*?</script>|<[^>]+>", " ", html, flags=re.DOTALL)
    return " ".join(bare.split())


def test_a_stranger_is_led_to_the_login_and_back(client: TestClient, lab: Lab) -> None:
    for path in (*PATHS, "/health"):
        client.cookies.clear()
        answer = client.get(path)
        assert answer.status_code == 303, path
        assert "instrument" not in answer.text, path
        form = client.get(answer.headers["location"])
        back = re.search(r'name="next" value="([^"]*)"', form.text)
        assert back, path
        wanted = back[1].replace("&amp;", "&")
        signed_in = client.post("/login", data={"key": f" {lab.keys['auditor']}\n", "next": wanted})
        assert (signed_in.status_code, signed_in.headers["location"]) == (303, path)
        assert client.get(wanted).status_code == 200, path


def test_the_cookie_is_kept_from_scripts_and_other_sites(client: TestClient, lab: Lab) -> None:
    cookie = client.post("/login", data={"key": lab.keys["auditor"]}).headers["set-cookie"]
    assert all(word in cookie for word in ("HttpOnly", "SameSite=strict", "Path=/"))
    elsewhere = client.post("/login", data={"key": lab.keys["auditor"]}, headers={"Sec-Fetch-Site": "cross-site"})
    assert elsewhere.status_code == 403
    assert "set-cookie" not in elsewhere.headers


def test_the_login_leads_nowhere_else(client: TestClient, lab: Lab) -> None:
    for address in ("//[", "//elsewhere.example/", "/\\elsewhere.example", "https://elsewhere.example/", "x", "/a\nb"):
        answer = client.post("/login", data={"key": lab.keys["auditor"], "next": address})
        assert answer.headers["location"] == "/", address
        assert 'name="next" value="/"' in client.get("/login", params={"next": address}).text, address


def test_a_wrong_key_is_401_with_a_sentence_and_no_cookie(client: TestClient) -> None:
    answer = client.post("/login?lang=en", data={"key": "jishi_" + "x" * 43})
    assert answer.status_code == 401
    assert "This key opens nothing" in answer.text
    assert "jishi_key" not in answer.headers.get("set-cookie", "")


def test_the_day_says_hours_bounds_policy_and_every_interval(seen: TestClient) -> None:
    said = text(seen.get(f"{DAY_PATH}&lang=en").text)
    for part in ("hours-alpha@1", "office", "Asia/Shanghai (UTC+08:00)", "credited: measurement", "provisional", "A3"):
        assert part in said, part
    assert said.count("credited: measurement") == 9, "nine frames hold a second of run each"
    assert "100.00 %" not in said, "ten minutes are known of a whole day"
    assert "24:00:00" in said


def test_what_cannot_be_verified_stands_beside_it_and_a_statement_that_is_overtaken_says_so(
    seen: TestClient, lab: Lab, deliver: Callable[[Stream], None]
) -> None:
    before = text(seen.get(f"{DAY_PATH}&lang=en").text)
    assert "Telemetry hours" not in before
    assert "It says what this page says" in before
    more = Stream(gateway=ALPHA, frames=list(lab.frames))
    for minute in range(20, 30):
        begin_ms = DAY_MS + 60_000 * minute
        more.add(retimed(ALPHA.measurement(begin_ms), begin_ms, ClockState.UNSYNCHRONISED))
    deliver(more)
    after = text(seen.get(f"{DAY_PATH}&lang=en").text)
    assert "Telemetry hours (L2)" in after
    assert "says otherwise" in after


def test_the_intervals_of_a_day_follow_each_other_and_lead_to_their_explanation(seen: TestClient) -> None:
    html = seen.get(DAY_PATH).text
    spans = re.findall(r'explain\?from=([^&]+)&amp;to=([^"]+)"', html)
    assert spans[0][0] == utc_text(DAY[0])
    assert spans[-1][1] == utc_text(DAY[1])
    assert all(before[1] == after[0] for before, after in pairwise(spans))
    for from_, to in spans[:4]:
        assert seen.get(f"/instruments/{NAME}/explain?from={from_}&to={to}").status_code == 200


def test_the_explanation_names_the_frames_that_speak_of_it_and_they_are_to_be_had(seen: TestClient, lab: Lab) -> None:
    hrefs = re.findall(r'href="(/api/v1/frames/[0-9a-f]{64})"', seen.get(EXPLAIN_PATH).text)
    assert {seen.get(href).content for href in hrefs} == set(lab.frames)


def test_many_frames_come_in_pages(seen: TestClient, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.pages.explain._FRAMES", 4)
    href: str | None = EXPLAIN_PATH
    found: list[str] = []
    while href:
        html = seen.get(href).text
        found += re.findall(r'href="/api/v1/frames/([0-9a-f]{64})"', html)
        more = re.search(r'href="([^"]+)" rel="next">', html.partition('id="evidence"')[2])
        href = more and more[1].replace("&amp;", "&")
    assert len(found) == len(set(found)) == len(lab.frames)


def test_month_and_year_lead_down_and_tell_no_data_from_no_hours(seen: TestClient) -> None:
    month = seen.get(f"{MONTH_PATH}?lang=en").text
    assert f'href="/instruments/{NAME}?day=2025-03-10"' in month
    row = re.search(r"<tr>\s*<th[^>]*><a[^>]*day=2025-03-11.*?</tr>", month, re.DOTALL)
    assert row
    assert "unknown" in row[0]
    assert "none yet" in row[0]
    assert "[0.00, 24.00]" in row[0]
    assert f'href="/instruments/{NAME}/month/2025-03"' in seen.get(YEAR_PATH).text


@pytest.mark.parametrize("who", ["evaluator", "other-lab", "operator", "lab"])
def test_a_page_shows_what_the_role_may_see_and_no_more(client: TestClient, lab: Lab, who: str) -> None:
    client.cookies.set("jishi_key", lab.keys[who])
    board = client.get("/?lang=en").text
    assert (str(NAME) in board, str(BETA.instrument) in board) == {
        "evaluator": (True, True),
        "operator": (True, True),
        "lab": (True, False),
        "other-lab": (False, True),
    }[who]
    assert ("Verified hours this month" in board) == (who != "operator")
    assert ('href="/health"' in board) == (who == "operator")
    statuses = [client.get(path).status_code for path in (DAY_PATH, EXPLAIN_PATH, "/health")]
    assert (
        statuses
        == {
            "evaluator": [200, 200, 403],
            "operator": [403, 403, 200],
            "lab": [200, 200, 403],
            "other-lab": [404, 404, 403],
        }[who]
    )


def test_an_evaluator_sees_neither_trace_nor_frames(client: TestClient, lab: Lab) -> None:
    client.cookies.set("jishi_key", lab.keys["evaluator"])
    assert '"low_w"' not in client.get(DAY_PATH).text.partition("narrow")[0].replace('"field":"low_w"', "")
    html = client.get(f"{EXPLAIN_PATH}&lang=en").text
    assert "/api/v1/frames/" not in html
    assert "may not see frames" in html


def test_names_from_the_registry_cannot_become_markup(seen: TestClient, lab: Lab, tmp_path: Path) -> None:
    evil = "</script><script>alert(1)</script><img src=x>"
    with connect(lab.dsn) as connection:
        connection.execute("UPDATE instrument SET name_zh = %s, name_en = %s", [evil, evil])
    load(lab.dsn, tmp_path, '[[unit]]\nid = "third"\nname_zh = "三"\nname_en = "3"\ntime_zone = "UTC"\n')
    for path in PATHS:
        html = seen.get(path).text
        assert "<script>alert" not in html, path
        assert "<img src=x" not in html, path
        assert "alert(1)" in html or path != "/", path


_WRONG = (
    ("/nowhere", 404),
    ("/instruments/nobody", 404),
    (f"/instruments/{NAME}?day=yesterday", 400),
    (f"/instruments/{NAME}?day=0001-01-01", 400),
    (f"/instruments/{NAME}/month/2025-13", 400),
    (f"/instruments/{NAME}/year/20x5", 400),
    (f"/instruments/{NAME}/explain", 400),
    (f"/instruments/{NAME}/explain?from=2025-03-10T00:00:00Z&to=2025-03-09T00:00:00Z", 400),
    (f"/instruments/{NAME}/explain?from=2025-03-10T00:00:00Z&to=2026-03-10T00:00:00Z", 400),
    (f"/instruments/{NAME}/explain?from=2150-03-10T00:00:00Z&to=2150-03-10T01:00:00Z", 404),
    (f"{EXPLAIN_PATH}&after=zz:1", 400),
    (f"/instruments/{NAME}/day.svg?day=2150-01-01", 404),
)


def test_errors_are_pages_that_say_what_to_do(seen: TestClient) -> None:
    for path, status in _WRONG:
        answer = seen.get(path, headers={"Accept-Language": "en"})
        assert (answer.status_code, answer.headers["content-type"]) == (status, "text/html; charset=utf-8"), path
        assert "To the overview" in answer.text, path
        assert "Traceback" not in answer.text, path


def test_a_database_that_does_not_answer_is_said_without_our_insides(lab: Lab) -> None:
    with connect(lab.dsn) as connection, TestClient(lab.app(), follow_redirects=False) as client:
        client.cookies.set("jishi_key", lab.keys["auditor"])
        connection.execute("ALTER TABLE account RENAME TO hidden")
        answer = client.get("/", headers={"Accept-Language": "en"})
    assert answer.status_code == 503
    assert "The database does not answer" in answer.text
    assert "account" not in answer.text
    assert "hidden" not in answer.text


def test_a_day_to_come_is_not_a_day_without_data(seen: TestClient) -> None:
    for path in (f"/instruments/{NAME}?day=2150-01-01", f"/instruments/{NAME}/month/2150-01"):
        html = seen.get(path, headers={"Accept-Language": "en"}).text
        assert "still to come" in html
        assert "<figure" not in html


def test_each_chart_is_a_picture_too(seen: TestClient) -> None:
    day, explain = DAY_PATH.replace("?", "/day.svg?"), EXPLAIN_PATH.replace("/explain?", "/explain.svg?")
    for path in (day, f"{MONTH_PATH}.svg", f"{YEAR_PATH}.svg", explain):
        answer = seen.get(path)
        assert answer.headers["content-type"] == "image/svg+xml", path
        assert answer.content.startswith(b"<svg"), path


def test_scripts_and_styles_come_from_here_and_vega_is_made_once(client: TestClient) -> None:
    first = client.get("/static/vega.js")
    assert "window.vegaEmbed" in first.text
    assert client.get("/static/vega.js", headers={"If-None-Match": first.headers["etag"]}).status_code == 304
    plain = client.get("/static/vega.js", headers={"Accept-Encoding": "identity"})
    assert plain.text == first.text
    for name in ("style.css", "charts.js", "live.js", "refresh.js", "login.js", "states.svg", "icon.svg"):
        answer = client.get(f"/static/{name}")
        assert answer.status_code == 200, name
        assert not re.search(r"https?://(?!www\.w3\.org)", answer.text), name


def test_a_simulation_says_so_on_every_page_and_nothing_else_does(client: TestClient, lab: Lab) -> None:
    client.cookies.set("jishi_key", lab.keys["auditor"])
    every = (*PATHS, f"{DAY_PATH.partition('?')[0]}?day=2150-01-01", "/health", "/login", "/nowhere")
    for path in every:
        assert "no real hours" not in client.get(path, headers={"Accept-Language": "en"}).text, path
    with connect(lab.dsn) as connection:
        connection.execute("UPDATE registry_mark SET simulation = true")
    with TestClient(lab.app(), follow_redirects=False) as simulated:
        simulated.cookies.set("jishi_key", lab.keys["auditor"])
        for path in every:
            assert "Simulation: no real hours" in simulated.get(path, headers={"Accept-Language": "en"}).text, path
        assert "仿真，非真实机时" in simulated.get("/").text


def test_an_instrument_without_data_this_month_is_in_no_headline(seen: TestClient, lab: Lab) -> None:
    none = text(seen.get("/?lang=en").text)
    assert "unknown 2 without data this month, not in the sum" in none
    assert none.count("no data this month; last reading 2025-03-10") == 2
    stream = Stream(gateway=ALPHA, frames=list(lab.frames))
    store(lab.dsn, ALPHA, [stream.add(ALPHA.measurement(clock.utc_ms() - 5_000))])
    with TestClient(lab.app()) as client:
        one = text(client.get("/?lang=en", headers={"Cookie": f"jishi_key={lab.keys['auditor']}"}).text)
    assert "1 without data this month, not in the sum" in one
    assert one.count("no data this month; last reading 2025-03-10") == 1


def test_a_year_says_since_when_there_are_data(seen: TestClient) -> None:
    said = text(seen.get(f"{YEAR_PATH}?lang=en").text)
    assert "Data of this year begin on 2025-03-10, coverage 0.00 % from then on" in said


def test_what_is_wrong_with_an_address_is_said_in_the_language_of_the_page(seen: TestClient) -> None:
    for path, status in _WRONG:
        said = text(seen.get(path, headers={"Accept-Language": "zh"}).text)
        assert status != 400 or re.search("请写成|可以查看|所问时段", said), path
        assert "write" not in said, path


def test_a_gap_tells_no_power_and_one_verdict(seen: TestClient) -> None:
    from_ms = DAY_MS + 12 * 3_600_000
    html = seen.get(f"/instruments/{NAME}/explain?from={utc_text(from_ms)}&to={utc_text(from_ms + 3_600_000)}&lang=en")
    said = text(html.text)
    assert "not credited" in said
    assert "Credited of it 0.00 h [0.00, 1.00]" in said
    assert "unknown" not in said.partition("Credited of it")[2].partition("Length")[0]


def test_no_page_holds_a_script_of_its_own(seen: TestClient) -> None:
    for path in (*PATHS, "/health", "/login"):
        html = seen.get(path).text
        assert not re.search(r"<script(?![^>]*(src=|type=\"application/json\"))", html), path
        assert not re.search(r"\son\w+=", html), path
        assert not re.search(r"(src|href)=\"(https?:)?//", html), path


def test_health_adds_up_and_names_what_is_held(seen: TestClient) -> None:
    said = text(seen.get("/health?lang=en").text)
    assert "They add up: received 20 = stored 20 + duplicate 0 + quarantined 0" in said
    assert str(NAME) in said


def test_counters_are_of_all_units_and_not_for_who_is_bound_to_one(client: TestClient, lab: Lab) -> None:
    client.cookies.set("jishi_key", lab.keys["other-auditor"])
    said = text(client.get("/health?lang=en").text)
    assert str(BETA.instrument) in said
    assert "They add up" not in said
    assert "20" not in said.replace("2025", "").replace("2026", "").partition("Streams")[0]


def test_a_fault_of_ours_is_a_page_where_a_person_reads_it(seen: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a secret of ours")

    monkeypatch.setattr("api.reading.day", broken)
    answer = seen.get(DAY_PATH, headers={"Accept-Language": "en"})
    assert (answer.status_code, answer.headers["content-type"]) == (500, "text/html; charset=utf-8")
    assert "The fault is ours" in answer.text
    assert "secret" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"
    monkeypatch.setattr("api.pages.problem_page", broken)
    worse = seen.get(DAY_PATH)
    assert (worse.status_code, worse.headers["content-type"]) == (500, "application/problem+json")
