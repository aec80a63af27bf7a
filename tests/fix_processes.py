"""Processes that are killed: starters in a process of their own, as us and as an ordinary user, and who is left."""

import contextlib
import os
import pwd
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

_PATIENCE_S = 60.0
_CHECKOUT = Path(__file__).parent.parent
_SITE = Path(pytest.__file__).parent.parent
_ENVIRONMENT = os.environ | {"PYTHONPATH": f"{_CHECKOUT}:{_SITE}"}  # for a Python that is not the one of .venv


class Starter:
    """A Python process that runs some code, prints one line when it is ready, and waits to be killed.

    Attributes:
        pid: its process id.
        words: of the line it printed.
    """

    def __init__(self, code: str, folder: Path, python: str, user: str | None) -> None:
        self._process: subprocess.Popen[str] = subprocess.Popen(
            [python, "-u", "-c", f"{code}\nimport time; time.sleep(600)"],
            cwd=folder,
            env=_ENVIRONMENT | {"TMPDIR": str(folder)},
            stdout=subprocess.PIPE,
            text=True,
            user=user,
            group=_group(user),
            extra_groups=[] if user else None,
        )
        self.pid = self._process.pid

    def words(self) -> list[str]:
        """Wait for the line and return its words; none if the code failed (its traceback is in our stderr)."""
        assert self._process.stdout
        return self._process.stdout.readline().split()

    def kill(self) -> None:
        """SIGKILL, and reap."""
        self._process.kill()
        with self._process:
            pass


class Stage:
    """Where starters act.

    Attributes:
        folder: their folder, which is their TMPDIR too; any user may reach it.
        user: whom they run as; None: as us.
    """

    def __init__(self, folder: Path, python: str, user: str | None) -> None:
        self.folder = folder
        self.user = user
        self._python = python
        self._starters: list[Starter] = []

    def start(self, code: str) -> Starter:
        self._starters.append(Starter(code, self.folder, self._python, self.user))
        return self._starters[-1]

    def clear(self) -> None:
        for starter in self._starters:
            starter.kill()


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A temporary folder with a short name that every user may enter, unlike `tmp_path`."""
    with tempfile.TemporaryDirectory(prefix="jt-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


@pytest.fixture(params=[None, "nobody"] if os.geteuid() == 0 else [None], ids=lambda user: f"as-{user or 'us'}")
def stage(request: pytest.FixtureRequest, open_folder: Path) -> Iterator[Stage]:
    """Starters as us, and as an ordinary user if we are root; at the end nothing that they started MUST run."""
    user: str | None = request.param
    python = _python_of(user) if user else sys.executable
    if user:
        open_folder.chmod(0o777)
    on = Stage(open_folder, python, user)
    yield on
    on.clear()
    assert eventually(lambda: not _born_with(f"TMPDIR={open_folder}"))


def _python_of(user: str) -> str:
    """A Python that the user can run; ours may lie in root's home."""
    for python in (sys.executable, "/usr/bin/python3"):
        if _runs_our_code(python, user):
            return python
    pytest.skip(f"{user} cannot reach this checkout or no Python 3.11: clone below folders that are open to all")


def _runs_our_code(python: str, user: str) -> bool:
    check = [python, "-c", "import sys, storage.embedded; sys.exit(sys.version_info < (3, 11))"]
    try:
        tried = subprocess.run(
            check, user=user, group=_group(user), extra_groups=[], env=_ENVIRONMENT, cwd="/", check=False
        )
    except PermissionError:
        return False
    return tried.returncode == 0


def _group(user: str | None) -> int | None:
    return pwd.getpwnam(user).pw_gid if user else None


def family(pid: int) -> set[int]:
    """A process and all its descendants."""
    parents = {int(entry.name): _parent(entry) for entry in Path("/proc").iterdir() if entry.name.isdigit()}
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def is_running(pid: int) -> bool:
    """Whether a process exists and is not a mere zombie that nobody reaped yet."""
    return _state_and_parent(Path("/proc") / str(pid))[0] not in {"", "Z", "X"}


def _born_with(setting: str) -> list[int]:
    """Processes with this in the environment they were born with."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):  # ended meanwhile, or none of ours
            if entry.name.isdigit() and setting.encode() in (entry / "environ").read_bytes().split(b"\0"):
                found.append(int(entry.name))
    return found


def eventually(condition: Callable[[], bool]) -> bool:
    """Wait until a condition holds; False when patience ends. The bound is generous: no test is about speed."""
    deadline = time.monotonic() + _PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _parent(entry: Path) -> int:
    return _state_and_parent(entry)[1]


def _state_and_parent(entry: Path) -> tuple[str, int]:
    try:
        # The second field, the name in brackets, may hold anything.
        state, parent, *_ = (entry / "stat").read_text("utf-8").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return "", 0
    return state, int(parent)
