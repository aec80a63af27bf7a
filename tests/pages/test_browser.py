"""The pages in a real browser, on a real server and database: what a person does, and what the page must not do."""

import hashlib
import json
import re
from collections.abc import Callable

import pytest
from evidence import Stream
from fix_api import ALPHA, DAY, Lab, Served
from fix_pages import GAP, Watched, store

from contract import clock
from contract.units import utc_text
from metering import job
from metering.core.spans import Span
from storage import registry
from storage.pool import connect

DAY_PATH = f"/instruments/{ALPHA.instrument}?day=2025-03-10"
MONTH_PATH = f"/instruments/{ALPHA.instrument}/month/2025-03"
YEAR_PATH = f"/instruments/{ALPHA.instrument}/year/2025"
EXPLAIN_PATH = f"/instruments/{ALPHA.instrument}/explain?from={utc_text(GAP[0])}&to={utc_text(GAP[1])}"
PATHS = ("/", DAY_PATH, MONTH_PATH, YEAR_PATH, EXPLAIN_PATH, "/health", "/login")
CELL = f"[data-live='{ALPHA.instrument}']"

Browse = Callable[..., Watched]


@pytest.mark.usefixtures("history")
def test_a_link_with_a_key_signs_in_and_one_drills_down_to_the_bytes_and_out_again(browse: Browse, lab: Lab) -> None:
    watched = browse()
    page = watched.page
    watched.sign_in(lab.keys["auditor"], YEAR_PATH)
    assert page.url == watched.url + YEAR_PATH[1:]
    assert "jishi_" not in page.evaluate("JSON.stringify(performance.getEntries().map(one => one.name))")
    assert [one["name"] for one in watched.context.cookies() if one["httpOnly"]] == ["jishi_key"]
    page.wait_for_selector("figure.chart[data-drawn]")
    page.click("figure svg [aria-label*='day=2025-03-10']")
    page.wait_for_url(f"**{DAY_PATH}")
    page.go_back()
    page.click("table.months a >> text=2025-03")
    page.wait_for_selector("figure.chart[data-drawn]")
    page.click("figure svg [aria-label*='day=2025-03-10']")
    page.wait_for_url(f"**{DAY_PATH}")
    page.go_back()
    page.click("table.days a >> text=2025-03-10")
    page.click("table.intervals tr[data-kind='run'] a >> nth=0")
    assert "计入：测试" in page.inner_text(".why")
    with page.expect_download() as download:
        page.click("table.frames a >> nth=0")
    raw = download.value.path().read_bytes()
    assert raw in lab.frames
    assert download.value.suggested_filename == f"{hashlib.sha256(raw).hexdigest()}.cose"
    assert (watched.faults, watched.strayed) == ([], [])
    page.click("text=退出")
    page.wait_for_url("**/login")
    page.goto(f"{watched.url}login?lang=en#jishi_{'x' * 43}")
    page.wait_for_selector("[role=alert]")
    assert "This key opens nothing" in page.inner_text("[role=alert]")
    # Nothing is sent now: the key is taken out of the address before.
    page.route("**/login", lambda route: route.fulfill(status=204))
    page.goto(f"{watched.url}login?lang=en#jishi_{'x' * 43}", wait_until="commit")
    page.wait_for_function("document.getElementById('key')?.value && !location.hash")
    assert not [one for one in watched.context.cookies() if one["name"] == "jishi_key"]


def test_a_new_frame_is_seen_at_once_and_a_stopped_server_is_said(page: Watched, served: Served, lab: Lab) -> None:
    page.visit("/")
    cell = page.page.locator(CELL)
    assert cell.locator(".word").inner_text() == "无数据"
    page.page.wait_for_selector("#live[data-link=open]")
    stream = Stream(gateway=ALPHA, frames=list(lab.frames))
    store(lab.dsn, ALPHA, [stream.add(ALPHA.measurement(clock.utc_ms() - 5_000))])
    page.page.wait_for_selector(f"{CELL} .state[data-state=STANDBY]")
    assert cell.locator(".word").inner_text() == "待机"
    assert re.fullmatch(r"\d+ s 前", cell.locator(".age").inner_text())
    assert page.faults == []
    served.process.stop()
    page.page.wait_for_selector("#live[data-link=lost]")
    assert "实时连接已断开" in page.page.inner_text("#live")
    assert page.page.get_attribute("#live", "role") == "status"


def _state(lab: Lab, frames: list[bytes], day: Span) -> None:
    """Frames come, and the statement of their day."""
    store(lab.dsn, ALPHA, frames)
    with connect(lab.dsn) as connection:
        for instrument in registry.instruments(connection):
            job.run(connection, instrument, day)


def test_what_stays_open_is_brought_up_to_date_and_nothing_else_moves(page: Watched, lab: Lab) -> None:
    now_ms = clock.utc_ms()
    stream = Stream(gateway=ALPHA, frames=list(lab.frames))
    store(lab.dsn, ALPHA, [stream.add(ALPHA.measurement(now_ms - 120_000))])
    page.page.clock.install()
    page.visit("/")
    row = page.page.locator(f"tr[data-instrument='{ALPHA.instrument}']")
    before, hours = page.page.inner_text(".heading time"), row.inner_text()
    page.page.locator("a.name").first.focus()
    page.page.evaluate("window.kept = document.activeElement")
    frames = [stream.add(ALPHA.measurement(now_ms - 60_000))]
    today = now_ms - (now_ms - DAY[0]) % 86_400_000
    _state(lab, frames, (today, today + 86_400_000))
    page.page.clock.fast_forward(20_000)
    page.page.wait_for_timeout(1_500)
    assert page.page.inner_text(".heading time") == before, "half a minute is not over"
    page.page.clock.fast_forward(15_000)
    page.page.wait_for_function("before => document.querySelector('.heading time').innerText != before", arg=before)
    assert row.inner_text() != hours
    assert page.page.evaluate("document.activeElement === window.kept")
    assert page.page.get_attribute("#live", "data-link") == "open"
    assert page.faults == []


def test_a_day_that_stays_open_goes_on_and_a_hidden_page_asks_nothing(page: Watched, lab: Lab) -> None:
    now_ms = clock.utc_ms()
    stream = Stream(gateway=ALPHA, frames=list(lab.frames))
    store(lab.dsn, ALPHA, [stream.add(ALPHA.measurement(now_ms - 300_000))])
    page.page.clock.install()
    path = f"/instruments/{ALPHA.instrument}"
    page.visit(path)
    asked: list[str] = []
    page.page.on("request", lambda request: asked.append(request.url))
    rows, spec = page.page.locator("table.intervals tbody tr"), page.page.locator("script.broad")
    count, drawn = rows.count(), spec.text_content()
    page.page.locator("details summary").first.click()
    page.page.evaluate("document.querySelector('figure svg.marks').dataset.first = 'yes'; scrollTo(0, 300)")
    store(lab.dsn, ALPHA, [stream.add(ALPHA.measurement(now_ms - 180_000))])
    page.page.evaluate("Object.defineProperty(document, 'hidden', { configurable: true, get: () => true })")
    page.page.clock.fast_forward(60_000)
    page.page.wait_for_timeout(1_500)
    assert not [url for url in asked if url.endswith(path)]
    page.page.evaluate("delete document.hidden; document.dispatchEvent(new Event('visibilitychange'))")
    page.page.wait_for_function(
        "count => document.querySelectorAll('table.intervals tbody tr').length > count", arg=count
    )
    assert spec.text_content() != drawn
    page.page.wait_for_selector("figure svg.marks:not([data-first])")
    assert page.page.locator("details").first.get_attribute("open") is not None
    assert page.page.evaluate("scrollY") == 300
    assert page.faults == []


@pytest.mark.usefixtures("history")
def test_a_gap_looks_like_a_gap_and_needs_no_mouse(page: Watched) -> None:
    page.visit(DAY_PATH)
    spec = json.loads(page.page.locator("script.broad").text_content() or "")
    traces = [rows for one in spec["layer"] if (rows := one.get("data", {}).get("values")) and "low_w" in rows[0]]
    segments = [{row["segment"] for row in rows} for rows in traces if "segment" in rows[0]]
    assert len(segments[0]) > 1, "nothing may be drawn across the gap"
    midnight_ms = DAY[0]
    inside = [row for row in traces[0] if GAP[0] < midnight_ms + row["x"] * 1000 < GAP[1]]
    assert inside == []
    row = page.page.locator("table.intervals tr[data-state=UNKNOWN]", has_text="网关签名声明")
    assert row.count() == 1
    _is_reached_without_a_mouse(page)
    assert page.faults == []


@pytest.mark.usefixtures("history")
def test_nothing_is_wider_than_a_small_telephone_in_either_language(browse: Browse, lab: Lab) -> None:
    watched = browse(viewport={"width": 360, "height": 740})
    watched.sign_in(lab.keys["auditor"])
    for tag, heading in (("zh-Hans", "健康"), ("en", "Health")):
        for path in PATHS:
            watched.visit(path)
            assert watched.page.evaluate("document.documentElement.scrollWidth") <= 360, path
            assert watched.page.locator("h1").count() == 1, path
            assert watched.page.get_attribute("html", "lang") == tag, "a choice is kept"
            if path == "/health":
                assert watched.page.inner_text("h1") == heading
        watched.page.click("a.language")
    assert (watched.faults, watched.strayed) == ([], [])


@pytest.mark.usefixtures("history")
def test_without_scripts_the_same_is_a_plain_page(browse: Browse, lab: Lab) -> None:
    watched = browse(java_script_enabled=False)
    watched.page.goto(watched.url)
    watched.page.fill("#key", lab.keys["lab"])
    watched.page.click("button")
    assert watched.page.locator(f"{CELL} .word").inner_text() == "无数据"
    watched.page.goto(watched.url + DAY_PATH[1:])
    image = watched.page.locator("figure.chart img")
    assert image.is_visible()
    assert image.evaluate("image => image.complete && image.naturalWidth > 300")
    assert (watched.faults, watched.strayed) == ([], [])


def _is_reached_without_a_mouse(watched: Watched) -> None:
    page = watched.page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    unnamed = page.evaluate(
        "[...document.querySelectorAll('.scroll, nav, [role=region]')].filter(one => !one.ariaLabel).length"
    )
    headless = page.evaluate("[...document.querySelectorAll('table')].filter(one => !one.querySelector('th')).length")
    assert (unnamed, headless) == (0, 0)
    assert page.locator("main").count() == page.locator("header.top").count() == 1
