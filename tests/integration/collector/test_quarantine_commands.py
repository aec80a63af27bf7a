"""`jishi collector quarantine` as an operator meets it."""

import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from evidence import LATER_MS, Gateway, Stream, enrol
from typer.testing import CliRunner, Result

from collector.sink import Sink
from collector.subscriber import Message
from contract import seal
from contract.errors import ConfigError, Reason
from jishi.cli import app
from storage.intake import Intake
from storage.pool import Connection

ALPHA = Gateway(name="alpha")
Run = Callable[..., Result]


@pytest.fixture
def raws(migrated: str, tmp_path: Path, connection: Connection) -> list[bytes]:
    """Three frames without a binding, one of a newer version, and one that nobody signed; quarantined as 1 to 5."""
    enrol(migrated, tmp_path, ALPHA)
    connection.execute("UPDATE binding SET valid_to_ms = valid_from_ms + 1")
    connection.execute("UPDATE registry_mark SET revision = revision + 1")
    stream = Stream(gateway=ALPHA)
    stream.grow(3)
    stream.add(b"\x1b[2J", version=9)
    sent = [*stream.frames, b"nobody"]
    with closing(Intake(migrated, "test")) as intake:
        heard = {"topic": ALPHA.topic, "received_at_ms": LATER_MS, "mid": 1, "qos": 1, "connection": 0}
        Sink(intake, lambda _: True).take([Message(raw=raw, **heard) for raw in sent])  # type: ignore[arg-type]  # fields by name
    return sent


@pytest.fixture
def run(migrated: str, raws: list[bytes]) -> Run:
    assert raws
    return lambda *words: CliRunner().invoke(
        app, ["collector", "quarantine", *map(str, words)], env={"JISHI_DSN": migrated}
    )


def told(result: Result) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    return found


def test_the_list_is_the_newest_first_and_narrows(run: Run) -> None:
    def ids(*words: object) -> list[int]:
        return [one["id"] for one in told(run("list", "--json", *words))["entries"]]

    assert ids() == [5, 4, 3, 2, 1]
    assert ids("--limit", 2) == [5, 4]
    assert ids("--reason", "no-binding") == [3, 2, 1]
    assert ids("--gateway", "alpha") == [4, 3, 2, 1]
    assert ids("--instrument", ALPHA.instrument) == [3, 2, 1]
    assert ids("--since", "2999-01-01T00:00:00Z") == []
    lines = run("list").stdout.splitlines()
    assert len(lines) == 5
    assert all(word in lines[-1] for word in ("1  ", "no-binding", "alpha", "alpha-instrument", "seq 0"))


def test_what_cannot_be_asked_is_said_at_once(run: Run) -> None:
    failed = run("list", "--reason", "bad-luck", "--since", "yesterday").exception
    assert isinstance(failed, ConfigError)
    assert [fault.partition(":")[0] for fault in failed.faults] == ["--reason", "--since"]
    for words in (
        ["readmit"],
        ["readmit", "--reason", "no-binding"],
        ["readmit", "1", "--reason", "a", "--gateway", "b"],
    ):
        assert isinstance(run(*words).exception, ConfigError)
    assert isinstance(run("show", "99").exception, ConfigError)


def test_show_says_why_what_to_do_and_what_the_bytes_say(run: Run, raws: list[bytes], tmp_path: Path) -> None:
    file = tmp_path / "frame.bin"
    shown = told(run("show", "2", "--json", "--raw", file))
    assert file.read_bytes() == raws[1]
    assert (shown["id"], shown["reason"], shown["seq"], shown["authentic"]) == (2, Reason.NO_BINDING, 1, True)
    assert "绑定" in shown["advice_zh"]
    assert "readmit" in shown["advice_en"]
    assert shown["envelope"]["prev_hash"] == seal.frame_hash(raws[0]).hex()
    assert (shown["content"]["is"], shown["content"]["instrument"]) == ("measurement", ALPHA.instrument)
    assert bytes.fromhex(shown["hex_head"]) == raws[1][:64]
    assert isinstance(run("show", "2", "--raw", file).exception, ConfigError)
    words = run("show", "2").stdout
    assert all(
        part in words for part in (shown["advice_zh"], shown["detail"], "content.period_ms: 1000", "bytes: d284")
    )


def test_show_of_what_cannot_be_read_says_so(run: Run, tmp_path: Path) -> None:
    newer = told(run("show", "4", "--json"))
    assert newer["content"] is None
    assert "version 9" in newer["content_fault"]
    assert newer["envelope"]["version"] == 9
    nobody = told(run("show", "5", "--json"))
    assert (nobody["envelope"], nobody["hex_head"], nobody["gateway"]) == (None, None, None)
    assert isinstance(run("show", "5", "--raw", tmp_path / "none").exception, ConfigError)
    assert not (tmp_path / "none").exists()


def test_readmit_tells_each_fate_and_its_status_says_if_all_is_well(run: Run, connection: Connection) -> None:
    refused = run("readmit", "--reason", "no-binding", "--gateway", "alpha", "--json")
    assert (refused.exit_code, told(refused)["refused"]) == (1, 3)
    connection.execute("UPDATE binding SET valid_to_ms = NULL")
    done = run("readmit", "--reason", "no-binding", "--gateway", "alpha", "--by", "the registrar", "--json")
    assert (done.exit_code, told(done)["readmitted"]) == (0, 3)
    again = run("readmit", 1, 2, 5, 99, "--json")
    counted = {key: value for key, value in told(again).items() if key != "entries"}
    assert (again.exit_code, counted) == (1, {"readmitted": 0, "already": 2, "refused": 1, "unknown": 1})
    assert "hours run" in run("readmit", 1).stderr or run("readmit", 1).exit_code == 0
    first = told(run("list", "--json", "--reason", "no-binding"))["entries"][0]
    assert first["readmitted_by"] == "the registrar"
    assert first["readmitted_at"]
