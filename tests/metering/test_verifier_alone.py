"""The verifier as an outsider has it: its own few packages, no database, no broker, no web; and its command."""

import json
import subprocess
import sys
from pathlib import Path

import forging
import packs
import pytest
from packs import lab
from rich.console import Console

from contract.errors import ConfigError
from contract.units import utc_text
from metering.verifier import anchor, cli, form
from metering.verifier.verify import verify

ROOT = Path(__file__).parents[2]
BLOCKED = (
    "psycopg", "psycopg_pool", "yoyo", "paho", "aiomqtt", "pymodbus", "fastapi", "structlog",
    "storage", "gateway", "collector", "api", "firmware_sim",
)  # fmt: skip
SHIM = f"""
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {BLOCKED!r}:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Blocked())
"""
COMMAND = """
from jishi.cli import main
sys.argv = ["jishi", *sys.argv[1:]]
main()
"""
LIBRARY = """
from pathlib import Path
from metering.verifier import cli
found, status = cli.run(Path(sys.argv[1]), Path(sys.argv[2]))
assert not {"typer", "pydantic"} & sys.modules.keys()
print(found["verdict"])
"""


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """A pack with a gap, and the register of trust."""
    made = lab(packs.with_gap)
    (tmp_path / "pack.zip").write_bytes(made.pack())
    (tmp_path / "trust.json").write_bytes(anchor.dumps(made.trust()))
    return tmp_path / "pack.zip", tmp_path / "trust.json"


def run(program: str, *arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", SHIM + program, *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)


def test_it_runs_without_database_broker_and_web_and_says_one_object(files: tuple[Path, Path]) -> None:
    pack, trust = files
    done = run(COMMAND, "verify", pack, "--keys", trust, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    assert done.stdout.count("\n") == 1
    names = ["verdict", "codes", "effective_low_h", "effective_high_h", "external_low_h", "external_high_h"]
    assert set(names) | {"coverage", "frames", "seconds", "level"} <= found.keys()
    assert (found["verdict"], found["codes"], found["frames"]) == ("VERIFIED_WITH_GAPS", [], 49)


def test_its_core_needs_no_command_line_either(files: tuple[Path, Path]) -> None:
    done = run(LIBRARY, *files)
    assert (done.returncode, done.stdout) == (0, "VERIFIED_WITH_GAPS\n"), done.stderr


def test_the_exit_status_says_the_verdict(files: tuple[Path, Path], tmp_path: Path) -> None:
    pack, trust = files
    assert cli.run(pack, trust)[1] == 0
    assert cli.run(pack, None)[1] == 3
    torn = tmp_path / "torn.zip"
    torn.write_bytes(forging.edited(pack.read_bytes(), form.STATEMENTS, lambda said: said.pop()))
    assert [cli.run(torn, None)[1], cli.run(torn, trust)[1]] == [1, 1]
    found, status = cli.run(trust, trust)
    assert (found["verdict"], found["codes"], found["effective_low_h"], status) == ("NOT_A_PACK", ["V01"], None, 2)
    cli.show(found, Console(width=80))


def test_a_file_that_cannot_be_read_or_is_no_register_of_trust_is_named(files: tuple[Path, Path]) -> None:
    pack, _ = files
    with pytest.raises(ConfigError, match="nowhere"):
        cli.run(pack.with_name("nowhere"), None)
    with pytest.raises(ConfigError, match="--keys"):
        cli.run(pack, pack)
    with pytest.raises(ConfigError, match="--keys"):
        anchor.loads(b'{"format":"jishi-keys"}')


def test_the_register_of_trust_reads_back() -> None:
    honest = lab().trust()
    read = anchor.loads(anchor.dumps(honest))
    assert (read.keys, read.bindings, read.instruments) == (honest.keys, honest.bindings, honest.instruments)
    assert [one.content_hash for one in read.policies] == [one.content_hash for one in honest.policies]


def test_the_page_for_people_fits_80_columns(files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    pack, trust = files
    for keys in (trust, None):
        cli.show(cli.run(pack, keys)[0], Console(width=80))
    shown = capsys.readouterr().out
    assert max(map(len, shown.splitlines())) <= 80
    for words in (
        "VERIFIED_WITH_GAPS",
        "UNANCHORED",
        "有效机时",
        "[10.41, 13.09]",
        "V05  ✓",
        "V06  !",
        "V20 得分与金额",
    ):
        assert words in shown
    assert "…" not in shown


def test_many_gaps_are_cut_on_the_page_and_whole_in_the_object(capsys: pytest.CaptureFixture[str]) -> None:
    made = lab(lambda number, content: content if number % 3 or not number else None)
    # Not one chain: the frames that were never written are no holes in it, only silence.
    found = verify(made.pack(), made.trust(), packs.NOW_MS).as_json(0)
    assert [gap["reason"] for gap in found["gaps"]] == 16 * ["silence"]
    assert found["gaps"][0]["from"] < found["gaps"][0]["to"] < utc_text(packs.ASKED[1])
    cli.show(found, Console(width=80))
    assert "… 4" in capsys.readouterr().out
