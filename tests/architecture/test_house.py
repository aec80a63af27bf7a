"""Laws of the house that no linter checks; imports between rooms are import-linter's, run by scripts/check."""

import ast
import re
from enum import Enum
from pathlib import Path

import pytest

from contract import errors, frame, ids, receipt, registry, seal, states, topics, usage

ROOT = Path(__file__).parents[2]
CONTRACT = sorted((ROOT / "contract").glob("**/*.py"))
ASKS_THE_TIME = {"contract/clock.py", "firmware_sim/clock.py"}
NOT_PURE = {
    "asyncio",
    "io",
    "logging",
    "os",
    "pathlib",
    "random",
    "secrets",
    "shutil",
    "socket",
    "sqlite3",
    "subprocess",
}
NOT_PURE |= {"tempfile", "threading", "urllib"}


def sources() -> list[Path]:
    """The project's Python files."""
    folders = [folder for folder in ROOT.iterdir() if folder.is_dir() and not folder.name.startswith(".")]
    return [source for folder in folders for source in folder.rglob("*.py")]


def tree(source: Path) -> ast.Module:
    return ast.parse(source.read_text("utf-8"), str(source))


def imported(source: Path) -> set[str]:
    """Top-level names of what a file imports."""
    names = set()
    for node in ast.walk(tree(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").partition(".")[0])
    return names


def test_no_file_is_over_the_wall() -> None:
    assert CONTRACT
    assert {str(f): n for f in sources() if (n := len(f.read_text("utf-8").splitlines())) > 350} == {}


@pytest.mark.parametrize("source", CONTRACT, ids=lambda path: str(path.name))
def test_all_that_is_public_in_contract_has_a_docstring(source: Path) -> None:
    module = tree(source)
    named = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    classes = [node for node in module.body if isinstance(node, ast.ClassDef)]
    inside = [*module.body, *(node for each in classes for node in each.body)]
    public = [node for node in inside if isinstance(node, named) and not node.name.startswith("_")]
    assert ast.get_docstring(module)
    assert [node.name for node in public if not ast.get_docstring(node)] == []


@pytest.mark.parametrize("source", CONTRACT, ids=lambda path: str(path.name))
def test_contract_touches_nothing_outside(source: Path) -> None:
    assert imported(source) & NOT_PURE == set()
    calls = {
        node.func.id
        for node in ast.walk(tree(source))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert calls & {"open", "print", "input", "exec", "eval", "__import__"} == set()
    assert not re.search(r"\b(os|socket|pathlib)\.", source.read_text("utf-8"))


def test_only_the_clocks_ask_for_the_time() -> None:
    asked = r"\b(datetime|date)\.(now|utcnow|today)\(|\btime\.(time|time_ns|localtime|gmtime)\(|^from time import"
    rooms = ("api/", "collector/", "contract/", "firmware_sim/", "gateway/", "jishi/", "metering/", "storage/")
    found = {
        name
        for source in sources()
        if (name := source.relative_to(ROOT).as_posix()).startswith(rooms)
        and re.search(asked, source.read_text("utf-8"), re.MULTILINE)
    }
    assert found - ASKS_THE_TIME == set()
    assert "contract/clock.py" in found


FROZEN: dict[type[Enum], dict[str, object]] = {
    states.State: {"UNKNOWN": 0, "OFF": 1, "FAULT": 2, "STANDBY": 3, "COOLDOWN": 4, "WARMUP": 5, "RUNNING": 6},
    states.Assurance: {"DECLARED": 0, "SESSION": 1, "TELEMETRY": 2, "SIGNED": 3, "AUDITED": 4},
    states.ClockState: {"SYNCHRONISED": 0, "UNSYNCHRONISED": 1, "STEPPED": 2, "SIMULATED": 3},
    states.Source: {"SAMPLED": 0, "IMPORTED": 1},
    states.MeterState: {"OK": 0, "RECONNECTED": 1, "SERIAL_CHANGED": 2, "REGISTER_FELL": 4},
    states.OutageCause: {"UNKNOWN": 0, "PROCESS": 1, "BOOT": 2, "METER_LINK": 3, "DISK_FULL": 4, "CLOCK_STEP": 5},
    usage.Attribution: {"ENTERED_AFTERWARDS": 0, "BOOKED": 1, "SIGNED_IN": 2, "CONFIRMED": 3},
    usage.Party: {
        "OWN_GROUP": "own-group",
        "OTHER_GROUP": "other-group",
        "AFFILIATED": "affiliated",
        "EXTERNAL": "external",
        "UNKNOWN": "unknown",
    },
    usage.Purpose: {
        "TEACHING": "teaching",
        "RESEARCH": "research",
        "SOCIAL_SERVICE": "social-service",
        "METHOD_DEVELOPMENT": "method-development",
        "TRAINING": "training",
        "EXCLUDED": "excluded",
        "NO_LOAD": "no-load",
    },
    usage.Way: {
        "SELF_OPERATED": "self-operated",
        "ASSISTED": "assisted",
        "COMMISSIONED": "commissioned",
        "REMOTE": "remote",
        "OTHER": "other",
    },
    registry.Role: {"SOLE": "sole", "PART": "part", "SHARED": "shared", "AUXILIARY": "auxiliary"},
    topics.Channel: {"FRAME": "frame", "STATUS": "status", "RECEIPT": "receipt"},
    errors.Reason: {
        "BAD_TOPIC": "bad-topic",
        "TOO_LARGE": "too-large",
        "BAD_ENVELOPE": "bad-envelope",
        "UNKNOWN_KEY": "unknown-key",
        "BAD_SIGNATURE": "bad-signature",
        "WRONG_GATEWAY": "wrong-gateway",
        "WRONG_STREAM": "wrong-stream",
        "UNKNOWN_VERSION": "unknown-version",
        "MALFORMED": "malformed",
        "NOT_CANONICAL": "not-canonical",
        "KEY_NOT_VALID": "key-not-valid",
        "NO_BINDING": "no-binding",
        "WRONG_METER": "wrong-meter",
        "SIMULATED_CLOCK": "simulated-clock",
        "FUTURE_TIME": "future-time",
        "EQUIVOCATION": "equivocation",
        "OFF_CHAIN": "off-chain",
        "NOT_STORABLE": "not-storable",
        "TOO_MANY_HOLES": "too-many-holes",
    },
}
"""What stands on the wire, in databases and digests. Adding a line is a decision; changing one is never right."""


@pytest.mark.parametrize("words", FROZEN, ids=lambda words: str(words.__name__))
def test_nothing_is_renumbered_or_renamed(words: type[Enum]) -> None:
    assert {name: member.value for name, member in words.__members__.items()} == FROZEN[words]


def test_every_enumeration_of_contract_is_frozen() -> None:
    modules = (errors, frame, ids, receipt, registry, seal, states, topics, usage)
    defined = {
        value
        for module in modules
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Enum) and value.__module__ == module.__name__
    }
    assert defined == set(FROZEN)


def test_the_bounds_of_version_1_are_frozen() -> None:
    assert frame.VERSION == receipt.VERSION == 1
    assert (frame.MAX_TICKS, frame.MAX_LINES) == (4096, 32)
    assert (frame.MAX_POWER_MW, frame.MAX_ENERGY_MWH) == (10**11, 10**15)
    assert (frame.MIN_TIME_MS, frame.MAX_TIME_MS) == (0, 2**47)
    assert (65_536, bytes(32)) == (seal.MAX_FRAME_BYTES, seal.FIRST_PREV_HASH)
    assert (receipt.MAX_STREAMS, receipt.MAX_HELD, receipt.EPOCH_BYTES) == (1024, 256, 8)
    assert (ids.STREAM_ID_BYTES, ids.KEY_ID_BYTES, ids.BOOT_ID_BYTES) == (16, 8, 8)
    assert (topics.PREFIX, ids.ID_PATTERN) == ("jishi/v1", "[a-z0-9][a-z0-9-]{0,31}")


def test_the_glossary_names_what_the_code_names() -> None:
    page = (ROOT / "docs" / "glossary.md").read_text("utf-8")
    for state in states.State:
        assert re.search(rf"^\| `{state.name}` \| {state.value} \|", page, re.MULTILINE)
    for letter, levels in (("A", usage.Attribution), ("L", states.Assurance)):
        for level in levels:
            assert re.search(rf"^\| {letter}{level.value} `{level.name}` \| {level.value} \|", page, re.MULTILINE)
    for enumeration in (usage.Party, usage.Purpose, registry.Role):
        for member in enumeration:
            assert re.search(rf"\b{member.value.replace('-', '[ -]')}\b", page), member


def test_the_tests_that_the_architecture_page_names_are_there() -> None:
    page = (ROOT / "docs" / "ARCHITECTURE.md").read_text("utf-8")
    defined = {
        name
        for path in (ROOT / "tests").rglob("*.py")
        for name in re.findall(r"def (test_\w+)", path.read_text("utf-8"))
    }
    named = set(re.findall(r"`(test_\w+)`", page))
    assert named
    assert named <= defined
