"""Who may see what: every route by every role, by the table; and a route that nobody classified fails here."""

from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from fix_api import ALPHA, BETA, Lab
from starlette.testclient import TestClient

from api.auth import COOKIE, GRANTS, Permission
from contract import clock, seal
from storage import accounts
from storage.accounts import NewAccount, Role
from storage.pool import connect

PUBLIC, ANY = "public", "any account"
DAY = {"from": "2025-03-10T00:00:00+08:00", "to": "2025-03-11T00:00:00+08:00"}
OF = "/api/v1/instruments/{instrument}"
ROUTES: dict[tuple[str, str], tuple[str, dict[str, str]]] = {
    ("GET", "/api/v1/health"): (PUBLIC, {}),
    ("GET", "/api/v1/openapi.json"): (ANY, {}),
    ("GET", "/api/v1/instruments"): (Permission.LIVE, {}),
    ("GET", OF): (Permission.LIVE, {}),
    ("GET", "/api/v1/live"): (Permission.LIVE, {}),
    ("GET", f"{OF}/statements"): (Permission.RESULTS, DAY),
    ("GET", f"{OF}/hours"): (Permission.RESULTS, DAY),
    ("GET", f"{OF}/intervals"): (Permission.RESULTS, DAY),
    ("GET", f"{OF}/states"): (Permission.RESULTS, DAY),
    ("GET", f"{OF}/explain"): (Permission.RESULTS, DAY),
    ("GET", f"{OF}/power"): (Permission.TRACES, DAY),
    ("GET", f"{OF}/evidence"): (Permission.EVIDENCE, DAY),
    ("GET", "/api/v1/frames/{frame_hash}"): (Permission.EVIDENCE, {}),
    ("GET", "/api/v1/status"): (Permission.HEALTH, {}),
    ("GET", "/api/v1/metrics"): (Permission.METRICS, {}),
    ("GET", "/"): (Permission.LIVE, {}),
    ("GET", "/health"): (Permission.HEALTH, {}),
    ("GET", "/instruments/{name}"): (Permission.RESULTS, {"day": "2025-03-10"}),
    ("GET", "/instruments/{name}/day.svg"): (Permission.RESULTS, {"day": "2025-03-10"}),
    ("GET", "/instruments/{name}/month/{month}"): (Permission.RESULTS, {}),
    ("GET", "/instruments/{name}/month/{month}.svg"): (Permission.RESULTS, {}),
    ("GET", "/instruments/{name}/year/{year}"): (Permission.RESULTS, {}),
    ("GET", "/instruments/{name}/year/{year}.svg"): (Permission.RESULTS, {}),
    ("GET", "/instruments/{name}/explain"): (Permission.RESULTS, DAY),
    ("GET", "/instruments/{name}/explain.svg"): (Permission.RESULTS, DAY),
    ("GET", "/login"): (PUBLIC, {}),
    ("GET", "/static/vega.js"): (PUBLIC, {}),
    ("GET", "/static"): (PUBLIC, {}),
    ("POST", "/login"): (PUBLIC, {}),
    ("POST", "/logout"): (PUBLIC, {}),
}
"""Each route: what it takes, and a query that it answers."""
EXPECTED_TABLE = {
    Role.LAB: "live results traces evidence",
    Role.EVALUATOR: "live results",
    Role.AUDITOR: "live results traces evidence health metrics",
    Role.OPERATOR: "live health metrics",
}


def walk(routes: Iterable[Any]) -> Iterator[tuple[str, str]]:
    """Method and path of every route of an application."""
    for route in routes:
        if hasattr(route, "original_router"):
            yield from walk(route.original_router.routes)
        else:
            methods = sorted((getattr(route, "methods", None) or {"GET"}) - {"HEAD"})
            yield from ((method, route.path) for method in methods)


def address(path: str, lab: Lab) -> str:
    return filled(path, str(ALPHA.instrument), seal.frame_hash(lab.frames[3]).hex())


def filled(path: str, name: str, frame_hash: str) -> str:
    return path.format(instrument=name, name=name, frame_hash=frame_hash, month="2025-03", year="2025")


def test_every_route_is_classified(lab: Lab) -> None:
    assert set(walk(lab.app().routes)) == ROUTES.keys()


def test_the_table_of_roles_is_the_one_agreed() -> None:
    assert {role: " ".join(one for one in Permission if one in GRANTS[role]) for role in Role} == EXPECTED_TABLE


@pytest.mark.parametrize("who", [*Role, None], ids=str)
def test_every_route_by_every_role(who: Role | None, lab: Lab, client: TestClient) -> None:
    headers = lab.headers(who) if who else {}
    for (method, path), (needed, query) in ROUTES.items():
        if (needed == PUBLIC and not path.startswith("/api/")) or (path.endswith("/live") and may(who, needed)):
            continue  # a page of no one's, or a stream that does not end: tests of their own
        answer = client.request(method, address(path, lab), params=query, headers=headers)
        told = answer.headers["content-type"] if answer.content else ""
        if may(who, needed):
            assert answer.status_code == 200, (who, path, answer.text)
        elif path.startswith("/api/"):
            assert (answer.status_code, told) == (403 if who else 401, "application/problem+json"), (who, path)
            assert answer.json()["status"] == answer.status_code
        elif who:
            assert (answer.status_code, told) == (403, "text/html; charset=utf-8"), (who, path)
        else:
            assert answer.status_code == 303, (who, path)
            assert answer.headers["location"].startswith("/login")


def may(who: Role | None, needed: str) -> bool:
    return needed == PUBLIC or (who is not None and (needed == ANY or needed in GRANTS[who]))


def test_another_units_instrument_is_not_there(lab: Lab, client: TestClient) -> None:
    for who in ("other-lab", "other-auditor"):
        for (method, path), (_, query) in ROUTES.items():
            if "{" not in path:
                continue
            answer = client.request(method, address(path, lab), params=query, headers=lab.headers(who))
            nobody = filled(path, "nobody", "00" * 32)
            unknown = client.request(method, nobody, params=query, headers=lab.headers(who))
            assert answer.status_code == unknown.status_code == 404, (who, path)
            told = [one.text for one in (answer, unknown)]
            names = (str(ALPHA.instrument), seal.frame_hash(lab.frames[3]).hex(), "nobody", "00" * 32)
            for name in names:
                told = [one.replace(name, "X") for one in told]
            assert told[0] == told[1], "nothing may tell an instrument of others from one that is not"
    own = client.get("/api/v1/instruments", headers=lab.headers("other-lab")).json()["instruments"]
    assert [one["id"] for one in own] == [BETA.instrument]
    streams = client.get("/api/v1/status", headers=lab.headers("other-auditor")).json()
    assert [one["instrument"] for one in streams["streams"]] == [BETA.instrument]
    assert streams["counters"] is None, "counters are of all units"
    assert client.get("/api/v1/metrics", headers=lab.headers("other-auditor")).status_code == 403


def test_who_sees_all_units_sees_all(lab: Lab, client: TestClient) -> None:
    for who in ("evaluator", "auditor", "operator"):
        found = client.get("/api/v1/instruments", headers=lab.headers(who)).json()["instruments"]
        assert [one["id"] for one in found] == [ALPHA.instrument, BETA.instrument]


def test_a_key_that_is_wrong_expired_or_revoked_opens_nothing(
    lab: Lab, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    with connect(lab.dsn) as connection:
        soon = clock.utc_ms() + 3_600_000
        short = accounts.add(
            connection, NewAccount(name="short", role=Role.AUDITOR, expires_at_ms=soon), clock.utc_ms()
        )
        bearer = {"Authorization": f"Bearer {short}"}
        assert client.get("/api/v1/status", headers=bearer).status_code == 200
        with monkeypatch.context() as later:
            later.setattr(clock, "utc_ms", lambda: soon)
            assert client.get("/api/v1/status", headers=bearer).status_code == 401
        accounts.revoke(connection, "auditor", clock.utc_ms())
    for header in (
        f"Bearer {lab.keys['auditor']}",
        f"Bearer {lab.keys['operator'][:-1]}",
        "Bearer " + "x" * 5_000,
        f"Basic {lab.keys['operator']}",
        lab.keys["operator"],
        "",
    ):
        answer = client.get("/api/v1/status", headers={"Authorization": header})
        assert answer.status_code == 401, header
        assert answer.headers["www-authenticate"] == 'Bearer realm="jishi"'


def test_a_page_sends_the_key_as_a_cookie(lab: Lab, client: TestClient) -> None:
    cookie = {"Cookie": f"{COOKIE}={lab.keys['operator']}"}
    assert client.get("/api/v1/status", headers=cookie).status_code == 200
    wrong = cookie | {"Authorization": "Bearer jishi_wrong"}
    assert client.get("/api/v1/status", headers=wrong).status_code == 401, "a header that is wrong is not overlooked"
