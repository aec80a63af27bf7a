"""A browser before the real pages: Debian's chromium by Playwright, which speaks to the server of the test alone."""

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from evidence import DAY_MS, Gateway, Stream
from fix_api import ALPHA, DAY, Lab, Served

from collector.sink import Sink
from collector.subscriber import Message
from contract import clock
from metering import job
from storage import registry
from storage.intake import Intake
from storage.pool import connect

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

_ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")
_HOUR_MS = 3_600_000
GAP = (DAY_MS + 600_000, DAY_MS + _HOUR_MS)
"""In the stream of `history`: the gateway says that it recorded nothing; measurements go on afterwards."""


@dataclass(kw_only=True)
class Watched:
    """A page and what it did besides.

    Attributes:
        faults: errors and warnings of its console, and exceptions of its scripts.
        strayed: requests to other hosts; none of them left.
    """

    page: "Page"
    context: "BrowserContext"
    url: str
    faults: list[str] = field(default_factory=list)
    strayed: list[str] = field(default_factory=list)

    def sign_in(self, key: str, path: str = "/") -> None:
        """By a link that carries the key in its fragment."""
        self.page.goto(f"{self.url}login?next={path}#{key}")
        self.page.wait_for_url(lambda url: "/login" not in url)

    def visit(self, path: str) -> None:
        """Open a page; returns when its charts are drawn."""
        self.page.goto(self.url + path.removeprefix("/"))
        for figure in self.page.locator("figure.chart").all():
            figure.locator("svg.marks").wait_for(timeout=20_000)


@pytest.fixture
def browse(served: Served) -> Iterator[Callable[..., Watched]]:
    """Opens pages, each in a browser context of its own; options are those of Playwright's `new_context`."""
    program = _required_chromium()
    # Imported where it is used: its loop would be in the way of other tests of this process.
    from playwright.sync_api import sync_playwright  # noqa: PLC0415

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(_ARGUMENTS))

        def opened(**options: object) -> Watched:
            settings = {"locale": "zh-CN", "viewport": {"width": 1280, "height": 800}} | options
            context = browser.new_context(**settings)  # type: ignore[arg-type]  # options by name
            watched = Watched(page=context.new_page(), context=context, url=served.url)
            _watch(watched, urlsplit(served.url).netloc)
            return watched

        yield opened
        browser.close()


@pytest.fixture
def page(browse: Callable[..., Watched], lab: Lab) -> Watched:
    """A page of somebody who may see everything, Chinese, 1280 px wide."""
    watched = browse()
    watched.context.add_cookies([{"name": "jishi_key", "value": lab.keys["auditor"], "url": watched.url}])
    return watched


@pytest.fixture
def history(lab: Lab) -> Stream:
    """ALPHA's stream with a gap and what came after it; the day's statement is of all of it."""
    stream = Stream(gateway=ALPHA, frames=list(lab.frames))
    stream.add(ALPHA.outage(GAP[0] - 60_000 + 4_000, GAP[1]))
    for minute in range(10):
        stream.add(ALPHA.measurement(GAP[1] + 60_000 * minute))
    store(lab.dsn, ALPHA, stream.frames[len(lab.frames) :])
    with connect(lab.dsn) as connection:
        for instrument in registry.instruments(connection):
            job.run(connection, instrument, DAY)
    return stream


def store(dsn: str, gateway: Gateway, raws: Sequence[bytes]) -> None:
    """Admit and store frames as the collector does, heard at this moment."""
    intake = Intake(dsn, "test")
    heard = {"topic": gateway.topic, "received_at_ms": clock.utc_ms(), "mid": 1, "qos": 1, "connection": 0}
    sink = Sink(intake, lambda _: True)
    sink.take([Message(raw=raw, **heard) for raw in raws])  # type: ignore[arg-type]  # fields by name
    intake.close()
    assert sink.counts["stored"] == len(raws), sink.counts


def _watch(watched: Watched, host: str) -> None:
    def heard(kind: str, text: str) -> None:
        if kind in {"error", "warning"}:
            watched.faults.append(text)

    watched.page.on("console", lambda message: heard(message.type, message.text))
    watched.page.on("pageerror", lambda error: heard("error", str(error)))

    def route(request: object) -> None:
        url = request.request.url  # type: ignore[attr-defined]  # Playwright's Route
        if urlsplit(url).netloc == host or url.startswith("data:"):
            request.continue_()  # type: ignore[attr-defined]
        else:
            watched.strayed.append(url)
            request.abort()  # type: ignore[attr-defined]

    watched.context.route("**/*", route)


def _required_chromium() -> str:
    if program := shutil.which("chromium"):
        return program
    missing = "chromium is not installed: apt-get install chromium fonts-noto-cjk (scripts/test does it where it may)"
    if os.environ.get("CI") == "true":
        pytest.fail(missing)
    pytest.skip(missing)
