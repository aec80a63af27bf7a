"""`jishi db account` and `jishi api`, as a person types them."""

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from fix_api import Lab, Served
from typer.testing import CliRunner

from contract.errors import ConfigError
from jishi.cli import app


def jishi(*arguments: str) -> str:
    shown = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert shown.exit_code == 0, shown.output
    return shown.stdout


def test_a_key_is_shown_once_and_opens_until_it_is_revoked(lab: Lab, served: Served) -> None:
    made = json.loads(
        jishi("db", "account", "add", "--name", "bureau", "--role", "evaluator", "--dsn", lab.dsn, "--json")
    )
    listed = json.loads(jishi("db", "account", "list", "--dsn", lab.dsn, "--json"))["accounts"]
    assert listed[-1] == listed[-1] | {"name": "bureau", "role": "evaluator", "unit": None, "revoked": None}
    assert made["key"] not in json.dumps(listed)
    assert status(served, made["key"]) == 200
    jishi("db", "account", "revoke", "bureau", "--dsn", lab.dsn)
    assert status(served, made["key"]) == 401


def status(served: Served, key: str) -> int:
    import http.client  # noqa: PLC0415

    host, _, port = served.url.removeprefix("http://").rstrip("/").partition(":")
    connection = http.client.HTTPConnection(host, int(port))
    connection.request("GET", "/api/v1/instruments", headers={"Authorization": f"Bearer {key}"})
    with connection.getresponse() as answer:
        answer.read()
    connection.close()
    return answer.status


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        (["--role", "king"], "--role: king is none of lab, evaluator, auditor, operator"),
        (["--role", "lab"], "--unit: an account of role lab names its managing unit"),
        (["--role", "auditor", "--expires", "2025-03-10T00:00:00"], "--expires: .*has no offset"),
        (["--role", "auditor", "--expires", "2025-03-10T00:00:00Z"], "--expires: is not in the future"),
    ],
)
def test_what_is_wrong_with_an_account_is_said(more: list[str], fault: str, migrated: str) -> None:
    with pytest.raises(ConfigError, match=fault):
        jishi("db", "account", "add", "--name", "x", *more, "--dsn", migrated)


def test_a_check_finds_every_fault_and_starts_nothing(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JISHI_DSN", database)
    config = tmp_path / "api.toml"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        config.write_text(f"port = {taken.getsockname()[1]}\n", "utf-8")
        with pytest.raises(ConfigError) as raised:
            jishi("api", "run", "--config", str(config), "--check")
        assert [fault.split(":")[0] for fault in raised.value.faults] == ["dsn", "port"]
        refused = subprocess.run(
            [sys.executable, "-m", "jishi", "api", "run", "--config", str(config)],
            cwd=Path(__file__).parents[3],
            capture_output=True,
            text=True,
            check=False,
        )
    assert refused.returncode == 2
    assert "port: cannot listen" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_check_of_what_is_right_says_nothing(migrated: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JISHI_DSN", migrated)
    config = tmp_path / "api.toml"
    config.write_text("port = 0\n", "utf-8")
    assert jishi("api", "run", "--config", str(config), "--check") == ""
