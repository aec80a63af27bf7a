"""What one reader may take from the others: turns at judging, connections, and the length of a body."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from evidence import DAY_MS
from fix_api import ALPHA, Lab
from fix_processes import eventually
from starlette.testclient import TestClient

from api.context import Context
from contract.units import utc_text
from metering.reading import judge

OF = f"/api/v1/instruments/{ALPHA.instrument}"
PERIOD = {"from": utc_text(DAY_MS), "to": utc_text(DAY_MS + 600_000)}
PAGE = f"/instruments/{ALPHA.instrument}"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Judging takes until this is set."""
    over = threading.Event()

    def slow(*asked: object) -> object:
        over.wait(30)
        return judge(*asked)  # type: ignore[arg-type]  # as it was asked

    monkeypatch.setattr("api.reading.judge", slow)
    yield over
    over.set()


def judging(within: Context) -> int:
    return len(within.turns._judging)


def test_one_key_that_asks_for_much_stops_nobody(
    lab: Lab, client: TestClient, held: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    within: Context = client.app.state.context  # type: ignore[attr-defined]  # Starlette's
    monkeypatch.setattr(within.turns, "_wait_s", 0.5)

    def explain(who: str) -> tuple[int, str | None]:
        answer = client.get(f"{OF}/explain", params=PERIOD, headers=lab.headers(who))
        return answer.status_code, answer.headers.get("retry-after")

    with ThreadPoolExecutor(10) as many:
        asked = [many.submit(explain, "evaluator") for _ in range(8)]
        assert eventually(lambda: sum(one.done() for one in asked) == 7)
        assert judging(within) == 1
        for path in ("/api/v1/instruments", "/api/v1/health", f"{OF}/hours", "/"):
            query = PERIOD if path.endswith("hours") else {}
            answer = client.get(path, params=query, headers=lab.headers("auditor"))
            assert answer.status_code == 200, path
        for path in ("states", "power"):
            refused = client.get(f"{OF}/{path}", params=PERIOD, headers=lab.headers("evaluator"))
            assert refused.status_code == (429 if path == "states" else 403)
        second = many.submit(explain, "lab")
        assert eventually(lambda: judging(within) == 2)
        assert explain("auditor") == (503, "5"), "two at once, of all accounts"
        for path in (PAGE, f"{PAGE}/day.svg", f"{PAGE}/explain", f"{PAGE}/explain.svg"):
            query = {"day": "2025-03-10"} if "explain" not in path else PERIOD
            page = client.get(path, params=query, headers=lab.headers("auditor") | {"Accept-Language": "en"})
            assert (page.status_code, page.headers["retry-after"]) == (503, "5"), path
            assert "busy with other questions" in page.text
        power = client.get(f"{OF}/power", params=PERIOD, headers=lab.headers("auditor"))
        assert power.status_code == 503
        page = client.get(PAGE, headers=lab.headers("evaluator") | {"Accept-Language": "en"})
        assert (page.status_code, page.headers["retry-after"]) == (429, "5")
        assert "Too much at once" in page.text
        held.set()
        assert second.result() == (200, None)
        assert sorted(one.result() for one in asked) == [(200, None), *[(429, "5")] * 7]
    assert explain("auditor") == explain("evaluator") == (200, None), "every turn was given back"
    assert not within.turns._asked


def test_who_asks_for_a_little_more_waits_for_a_turn(lab: Lab, client: TestClient, held: threading.Event) -> None:
    with ThreadPoolExecutor(3) as many:
        asked = [
            many.submit(client.get, f"{OF}/states", params=PERIOD, headers=lab.headers("evaluator")) for _ in range(3)
        ]
        threading.Timer(0.3, held.set).start()
        assert [one.result().status_code for one in asked] == [200] * 3


def test_a_key_is_looked_up_and_the_board_read_when_all_other_connections_are_taken(
    lab: Lab, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    within: Context = client.app.state.context  # type: ignore[attr-defined]  # Starlette's
    monkeypatch.setattr("storage.readers._WAIT_S", 0.1)
    client.get("/login")
    for _ in range(within.config.connections):
        within.readers._free.acquire()
    for path in ("/api/v1/health", "/api/v1/instruments"):
        assert client.get(path, headers=lab.headers("operator")).status_code == 200, path
    assert client.get("/api/v1/status", headers=lab.headers("operator")).status_code == 503
    for _ in range(within.config.connections):
        within.readers._free.release()


def test_a_long_body_is_refused_before_it_is_parsed(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def parsed(*_: object) -> None:
        raise AssertionError("nobody parses it")

    short = client.post("/login", content=b"key=x" + b"&" * 4_091, headers=FORM)
    assert short.status_code == 401, "4096 bytes are heard"
    monkeypatch.setattr("starlette.formparsers.FormParser.parse", parsed)
    for method, path in (("POST", "/login"), ("POST", "/logout"), ("GET", "/api/v1/health")):
        answer = client.request(method, path, content=b"&" * 4_097, headers=FORM)
        assert answer.status_code == 413, path
        assert ("html" in answer.headers["content-type"]) == (method == "POST")
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_long_body_that_names_no_length_is_counted(client: TestClient) -> None:
    answer = client.post("/login", content=iter([b"&" * 1_000] * 5), headers=FORM)
    assert answer.status_code == 413
    short = client.post("/login", content=iter([b"key=", b"x"]), headers=FORM)
    assert short.status_code == 401, "what is short is heard whole"
