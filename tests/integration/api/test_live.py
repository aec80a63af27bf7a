"""The stream of live states: an event when something changed, resumed where it was cut, ended with the server."""

import http.client
import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest
from evidence import DAY_MS, LATER_MS, Stream
from fix_api import ALPHA, BETA, Lab, Served
from fix_processes import eventually
from starlette.testclient import TestClient

from contract import clock
from contract.frame import Readings
from contract.ids import BootId
from contract.states import ClockState
from storage import accounts
from storage.pool import connect

EXIT_S = 10
FAR_MS = 2_340_000_000_000  # in 2044


class Watcher:
    """One open stream, read line by line."""

    def __init__(self, url: str, headers: dict[str, str]) -> None:
        parts = urlsplit(url)
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
        self._connection.request("GET", "/api/v1/live", headers=headers)
        self.answer = self._connection.getresponse()

    def event(self) -> dict[str, Any]:
        """The next event; empty at the end of the stream."""
        found: dict[str, Any] = {}
        while line := self.answer.readline().decode():
            if line == "\n" and "data" in found:
                return found
            name, _, value = line.rstrip("\n").partition(": ")
            found[name] = json.loads(value) if name == "data" else value
        return {}

    def close(self) -> None:
        self._connection.close()


@contextmanager
def watching(served: Served, headers: dict[str, str]) -> Iterator[Watcher]:
    opened = Watcher(served.url, headers)
    try:
        yield opened
    finally:
        opened.close()


def ids(event: dict[str, Any]) -> list[str]:
    return [one["id"] for one in event["data"]["instruments"]]


def test_the_first_event_is_the_board_and_later_ones_what_changed(
    lab: Lab, served: Served, deliver: Callable[[Stream], None]
) -> None:
    with watching(served, lab.headers("evaluator")) as watcher:
        assert watcher.answer.getheader("content-type", "").startswith("text/event-stream")
        first = watcher.event()
        assert (first["event"], ids(first)) == ("board", [ALPHA.instrument, BETA.instrument])
        stream = Stream(gateway=ALPHA, frames=list(lab.frames))
        stream.add(ALPHA.measurement(DAY_MS + 60_000 * 10))
        deliver(Stream(gateway=ALPHA, frames=stream.frames[-1:]))
        second = watcher.event()
        assert ids(second) == [ALPHA.instrument]
        assert second["data"]["instruments"][0]["live"]["seq"] == 10
        last = second["id"]
    with watching(served, lab.headers("evaluator") | {"Last-Event-ID": last}) as watcher:
        stream.add(ALPHA.measurement(DAY_MS + 60_000 * 11))
        deliver(Stream(gateway=ALPHA, frames=stream.frames[-1:]))
        assert ids(watcher.event()) == [ALPHA.instrument], "nothing that was sent is sent again"
    with watching(served, lab.headers("evaluator") | {"Last-Event-ID": first["id"]}) as watcher:
        assert ids(watcher.event()) == [ALPHA.instrument], "what was missed is sent"
    for nonsense in ("0-1", "x", "99-99999999999999999999", f"{last.split('-')[0]}-x"):
        with watching(served, lab.headers("evaluator") | {"Last-Event-ID": nonsense}) as watcher:
            assert len(ids(watcher.event())) == 2, "of another board nothing was seen"


def test_a_unit_hears_of_its_own(lab: Lab, served: Served) -> None:
    with watching(served, lab.headers("other-lab")) as watcher:
        assert ids(watcher.event()) == [BETA.instrument]


def test_an_old_frame_that_comes_late_does_not_change_the_newest(
    lab: Lab, client: TestClient, deliver: Callable[..., None]
) -> None:
    stream = Stream(gateway=ALPHA, frames=list(lab.frames))
    for minute in (10, 11):
        stream.add(ALPHA.measurement(DAY_MS + 60_000 * minute))
    deliver(Stream(gateway=ALPHA, frames=stream.frames[-1:]))
    time.sleep(0.15)
    seen = client.get(f"/api/v1/instruments/{ALPHA.instrument}", headers=lab.headers("lab")).json()["live"]
    deliver(Stream(gateway=ALPHA, frames=stream.frames[-2:-1]), LATER_MS + 60_000)
    time.sleep(0.15)
    again = client.get(f"/api/v1/instruments/{ALPHA.instrument}", headers=lab.headers("lab")).json()["live"]
    assert seen["seq"] == again["seq"] == 11
    assert (seen["taken_at"], seen["received_at"]) == (again["taken_at"], again["received_at"])


def test_a_clock_that_is_years_ahead_neither_runs_for_ever_nor_hides_a_later_stream(
    lab: Lab, client: TestClient, deliver: Callable[..., None]
) -> None:
    def live() -> Any:  # noqa: ANN401 - JSON
        time.sleep(0.15)
        return client.get(f"/api/v1/instruments/{ALPHA.instrument}", headers=lab.headers("lab")).json()["live"]

    now_ms, far_ms = clock.utc_ms(), FAR_MS
    stream = Stream(gateway=ALPHA, frames=list(lab.frames))
    running = {"boot_id": BootId(b"bootboo2"), "lines": Readings(values=(1,) * 5)}
    unset = replace(ALPHA.measurement(far_ms), clock=ClockState.UNSYNCHRONISED, **running)  # type: ignore[arg-type]  # fields by name
    stream.add(unset)
    deliver(Stream(gateway=ALPHA, frames=stream.frames[-1:]), now_ms)
    found = live()
    assert (found["state"], found["doubt"], found["clock"]) == ("RUNNING", None, "UNSYNCHRONISED")
    assert 0 <= found["age_s"] < 60, "as old as what was heard of it"
    for path in ("/", f"/instruments/{ALPHA.instrument}"):
        assert "2044-" not in client.get(path, headers=lab.headers("lab")).text, "no page takes its day from it"
    later = Stream(gateway=ALPHA, name="second")
    later.add(ALPHA.genesis())
    later.add(ALPHA.measurement(now_ms + 10_000))
    deliver(later, now_ms + 20_000)
    assert live()["stream"] != found["stream"]


def test_a_revoked_key_ends_its_stream(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.routes.live.BEAT_S", 0.3)
    with TestClient(lab.app()) as client:
        from threading import Timer  # noqa: PLC0415

        def revoke() -> None:
            with connect(lab.dsn) as connection:
                accounts.revoke(connection, "evaluator", clock.utc_ms())

        Timer(3.0, revoke).start()
        answer = client.get("/api/v1/live", headers=lab.headers("evaluator"))
    assert answer.text.count("event: board") == 1
    assert 1 <= answer.text.count(": still here") < 200


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_stops_at_once_with_a_stream_open(number: signal.Signals, lab: Lab, served: Served) -> None:
    with watching(served, lab.headers("auditor")) as watcher:
        watcher.event()
        began = time.monotonic()
        os.kill(served.process.pid, number)
        assert watcher.event() == {}, "the stream is ended in order"
        assert eventually(lambda: served.process.poll() is not None)
    assert time.monotonic() - began < EXIT_S
    assert served.process.poll() == 0, served.log()
    assert "Traceback" not in served.log()


def test_the_log_holds_no_key_and_no_query(lab: Lab, served: Served) -> None:
    import urllib.error  # noqa: PLC0415
    import urllib.request  # noqa: PLC0415

    for query in ("?from=2025-03-10T00:00:00Z&to=2025-03-11T00:00:00Z", f"?key={lab.keys['lab']}"):
        address = f"{served.url}api/v1/instruments/{ALPHA.instrument}/hours{query}"
        request = urllib.request.Request(address, headers=lab.headers("lab"))
        try:
            with urllib.request.urlopen(request) as answer:
                assert answer.headers["server"] is None
        except urllib.error.HTTPError as refused:
            refused.close()
    assert eventually(lambda: served.log().count('"request"') >= 2)
    assert lab.keys["lab"] not in served.log()
    assert "2025-03-10" not in served.log()
    assert str(ALPHA.instrument) not in served.log()
