"""`jishi hours explain` on a real database: the moment asked about, a period, JSON, the terminal, and a picture."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from evidence import DAY_MS, FROM_MS, LATER_MS, Gateway, Stream, enrol
from typer.testing import CliRunner

from collector.sink import Sink
from collector.subscriber import Message
from contract.errors import ConfigError
from contract.frame import Readings
from contract.units import utc_text
from jishi.cli import app
from metering import job
from storage import registry, registry_file, registry_load
from storage.intake import Intake
from storage.pool import connect

ALPHA = Gateway(name="alpha")
POLICY = f"""simulation = false
[[policy]]
id = "hours"
version = 1
instrument = "{ALPHA.instrument}"
proposed_by = "a"
proposed_body = "laboratory"
approved_by = "b"
approved_body = "office"
approved_at = "{utc_text(FROM_MS)}"
valid_from = "{utc_text(FROM_MS)}"
[policy.rules]
profile = "runstate"
bridge_s = 30
lines = [{{ line = "run", state = "RUNNING" }}]
"""


@pytest.fixture
def store(migrated: str, tmp_path: Path) -> str:
    """A stream of one minute each: run, idle, nothing, run."""
    enrol(migrated, tmp_path, ALPHA)
    path = tmp_path / "policy.toml"
    path.write_text(POLICY, "utf-8")
    with connect(migrated) as connection:
        registry_load.load(connection, registry_file.read(path))
    stream = Stream(gateway=ALPHA)
    stream.add(ALPHA.genesis())
    for minute, mask in ((0, 1), (1, 0), (3, 1)):
        ticks = tuple(DAY_MS + 60_000 * minute + 1_000 * tick for tick in range(60))
        content = replace(
            ALPHA.measurement(), utc_ms=ticks, mono_ms=ticks, power=Readings(values=(100_000,) * 60),
            lines=Readings(values=(mask,) * 60),
        )  # fmt: skip
        stream.add(content)
    intake = Intake(migrated, "test")
    heard = {"topic": ALPHA.topic, "received_at_ms": LATER_MS, "mid": 1, "qos": 1, "connection": 0}
    Sink(intake, lambda _: True).take([Message(raw=raw, **heard) for raw in stream.frames])  # type: ignore[arg-type]
    intake.close()
    return migrated


def said(store: str, *options: str) -> str:
    result = CliRunner().invoke(app, ["hours", "explain", "--dsn", store, "--instrument", ALPHA.instrument, *options])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_a_moment_is_told_with_its_neighbours(store: str, tmp_path: Path) -> None:
    drawn = tmp_path / "day.svg"
    text = said(store, "--at", utc_text(DAY_MS + 90_000), "--json", "--picture", str(drawn))
    (line,) = text.strip().splitlines()
    found = json.loads(line)
    assert [each["why"] for each in found["stretches"]] == [
        "run-by-line", "standby-too-long-to-bridge", "silence",
    ]  # fmt: skip
    asked = found["stretches"][1]
    assert (asked["state"], asked["credited"], asked["facts"]["bridge_ms"]) == ("STANDBY", False, 30_000)
    assert asked["texts"]["zh"]["when"].startswith("2025-03-10 08:01")
    assert "质谱仪" in drawn.read_text("utf-8")


def test_a_period_agrees_with_the_hours_of_the_same_period(store: str) -> None:
    period = (DAY_MS - 1_000, DAY_MS + 400_000)
    found = json.loads(said(store, "--from", utc_text(period[0]), "--to", utc_text(period[1]), "--json"))
    with connect(store) as connection:
        (instrument,) = registry.instruments(connection)
        total = job.run(connection, instrument, period).total
    told = found["stretches"]
    assert sum(each["duration_ms"] for each in told if each["credited"]) == total["effective_ms"]
    assert sum(each["low_ms"] for each in told) == total["effective_low_ms"]
    assert sum(each["high_ms"] for each in told) == total["effective_high_ms"]


@pytest.mark.parametrize(("lang", "words"), [("zh", "不计"), ("en", "not credited"), ("both", "不计")])
def test_the_terminal_shows_sentences_within_80_columns(store: str, lang: str, words: str) -> None:
    text = said(store, "--at", utc_text(DAY_MS + 90_000), "--lang", lang)
    assert words in text
    assert max(sum(1 + (sign > "\u2e80") for sign in line) for line in text.splitlines()) <= 80


@pytest.mark.parametrize(
    "options",
    [
        (), ("--at", "2025-03-10"), ("--from", "2025-03-10T00:00:00Z"),
        ("--at", "2025-03-10T00:00:00Z", "--lang", "fr"),
        ("--from", "2025-03-10T00:00:00Z", "--to", "2025-03-10T00:00:00Z"),
        ("--from", "2025-03-10T00:00:00Z", "--to", "2025-03-18T00:00:00Z"),
        ("--at", "2025-03-10T00:00:00Z", "--picture", "day.pdf"),
        ("--at", "2025-03-10T00:00:00Z", "--instrument", "nobody"),
        ("--at", "2025-03-10T00:00:00Z", "--picture", "/nowhere/day.svg"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused(store: str, options: tuple[str, ...]) -> None:
    result = CliRunner().invoke(app, ["hours", "explain", "--dsn", store, "--instrument", ALPHA.instrument, *options])
    assert isinstance(result.exception, ConfigError)
