"""The command line as a person meets it: help with an example, errors in one sentence, JSON alone on its line."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup
from typer.testing import CliRunner

from jishi.cli import app
from jishi.demo import report

SAMPLES = Path(__file__).parents[3]


def commands() -> Iterator[list[str]]:
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from ([name, sub] for sub in command.commands)
        else:
            yield [name]


def jishi(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name != "JISHI_DSN"}
    return subprocess.run(
        [sys.executable, "-m", "jishi", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=kept | environment,
        cwd=SAMPLES,
    )


@pytest.mark.parametrize("command", [*commands()], ids=" ".join)
def test_every_command_has_help_with_an_example(command: list[str]) -> None:
    shown = CliRunner().invoke(app, [*command, "--help"])
    assert shown.exit_code == 0
    assert f"Example: jishi {' '.join(command)}" in " ".join(shown.output.split())


def test_a_missing_dsn_says_what_to_do() -> None:
    answer = jishi("db", "status")
    assert answer.returncode == 2
    assert "JISHI_DSN" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_server_that_is_not_there_is_named_without_the_secret() -> None:
    answer = jishi("db", "migrate", JISHI_DSN="postgresql://me:s3cret@127.0.0.1:1/none")
    assert answer.returncode == 2
    assert "s3cret" not in answer.stderr + answer.stdout
    assert "Traceback" not in answer.stderr


def test_a_broken_gateway_config_lists_every_fault_with_its_key(tmp_path: Path) -> None:
    config = tmp_path / "gateway.toml"
    config.write_text(
        """site = "Lab A"
gateway = "gw-1"
data_dir = "data"
frame_s = 601
colour = "red"
[[instrument]]
id = "i-1"
[instrument.meter]
model = "sdm631"
host = "127.0.0.1"
port = 502
unit = 1
""",
        "utf-8",
    )
    answer = jishi("gateway", "run", "--config", str(config), "--check")
    assert answer.returncode == 2
    for key in ("site", "frame_s", "colour", "instrument[0].meter.model", "broker", "collector"):
        assert key in answer.stderr, answer.stderr
    assert "sdm630" in answer.stderr, "an unknown model names the known ones"


def test_registry_and_migrations_by_command(migrated: str) -> None:
    sample = str(SAMPLES / "storage" / "sample-registry.toml")
    first, again = jishi("db", "load", sample, JISHI_DSN=migrated), jishi("db", "load", sample, JISHI_DSN=migrated)
    assert first.returncode == again.returncode == 0, first.stderr
    assert "added: 0" in again.stdout
    status = jishi("db", "status", "--json", JISHI_DSN=migrated)
    assert json.loads(status.stdout.splitlines()[-1])["pending"] == []


def test_a_policy_that_metering_cannot_use_is_refused_before_it_is_stored(migrated: str, tmp_path: Path) -> None:
    registry = tmp_path / "registry.toml"
    sample = (SAMPLES / "storage" / "sample-registry.toml").read_text("utf-8")
    registry.write_text(sample.replace("run_floor_w = 250\n", ""), "utf-8")
    answer = jishi("db", "load", str(registry), JISHI_DSN=migrated)
    assert answer.returncode == 2
    assert "policy[0].rules.run_floor_w: needed by profile power+runstate" in answer.stderr
    assert (
        "added: 0"
        not in jishi("db", "load", str(SAMPLES / "storage" / "sample-registry.toml"), JISHI_DSN=migrated).stdout
    )


def total(**changed: int) -> dict[str, object]:
    numbers = {"effective_low_ms": 3_600_000, "effective_ms": 3_610_000, "effective_high_ms": 3_620_000, "edges": 2}
    return {**numbers, **changed, "states_ms": {"UNKNOWN": changed.get("unknown", 0)}}


@pytest.mark.parametrize(
    ("truth_ms", "changed", "right"),
    [
        (3_610_000, {}, True),
        (3_600_000 - 40, {}, True),
        (3_600_000 - 41, {}, False),
        (3_620_000 + 41, {}, False),
        (3_610_000, {"effective_ms": 3_580_000}, False),
        (3_610_000, {"effective_ms": 3_580_000, "unknown": 1}, True),
    ],
)
def test_the_demo_judges_itself_strictly(truth_ms: int, changed: dict[str, int], right: bool) -> None:  # noqa: FBT001
    assert report.is_right(truth_ms, total(**changed)) is right
