"""The guard on real processes: nothing outlives its starter."""

import os
import pwd
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from fix_processes import Stage, eventually, family, is_running

import storage.guard
from storage.guard import Guarded

SLEEP = ["sleep", "600"]
STUBBORN = ["sh", "-c", "trap '' TERM; echo ready; exec sleep 600"]


def said(output: Path, word: str) -> bool:
    return word in output.read_text("utf-8")


def open_files(pid: int) -> list[Path]:
    return [entry.readlink() for entry in Path(f"/proc/{pid}/fd").iterdir()]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_killed_starter_leaves_no_process_and_no_folder(stage: Stage, number: signal.Signals) -> None:
    starter = stage.start(f"""if True:
        import pathlib
        from storage.guard import Guarded
        folder = pathlib.Path("held")
        (folder / "deep").mkdir(parents=True)
        guarded = Guarded({SLEEP}, remove=folder)
        print(guarded.pid)
        """)
    command = int(starter.words()[0])
    relatives = family(starter.pid)
    assert command in relatives
    os.kill(starter.pid, number)
    starter.kill()
    assert eventually(lambda: not any(map(is_running, relatives)))
    assert eventually(lambda: not (stage.folder / "held").exists())


def test_two_children_of_a_killed_starter_do_not_hold_each_other(stage: Stage) -> None:
    starter = stage.start(f"""if True:
        from storage.guard import Guarded
        both = [Guarded({SLEEP}), Guarded({SLEEP})]
        print(*(guarded.pid for guarded in both))
        """)
    commands = list(map(int, starter.words()))
    assert [is_running(pid) for pid in commands] == [True, True]
    starter.kill()
    assert eventually(lambda: not any(map(is_running, commands)))


def test_stopping_one_of_two_leaves_the_other() -> None:
    with Guarded(SLEEP) as first, Guarded(SLEEP) as second:
        first.stop()
        assert not is_running(first.pid)
        assert is_running(second.pid)


def test_command_that_is_killed_first_takes_its_guard_and_folder_along(tmp_path: Path) -> None:
    with Guarded(SLEEP, remove=tmp_path / "held") as guarded:
        (tmp_path / "held").mkdir()
        os.kill(guarded.pid, signal.SIGKILL)
        assert guarded.wait(60) == 128 + signal.SIGKILL
        assert not (tmp_path / "held").exists()


def test_exit_status_and_output_are_the_commands_own(tmp_path: Path) -> None:
    with (
        (tmp_path / "out").open("wb") as output,
        Guarded(["sh", "-c", "echo $WORD; exit 7"], env={"WORD": "x"}, output=output) as guarded,
    ):
        assert guarded.wait(60) == 7
        assert guarded.poll() == 7
    assert (tmp_path / "out").read_text("utf-8") == "x\n"


def test_poll_says_none_while_the_command_runs() -> None:
    with Guarded(SLEEP) as guarded:
        assert guarded.poll() is None
    assert guarded.poll() == 128 + signal.SIGTERM


def test_stop_signal_is_the_one_asked_for(tmp_path: Path) -> None:
    output = tmp_path / "out"
    command = ["sh", "-c", "trap 'exit 5' USR1; echo ready; while :; do sleep 0.01; done"]
    with output.open("wb") as file, Guarded(command, output=file, stop_signal=signal.SIGUSR1) as guarded:
        assert eventually(lambda: said(output, "ready"))
        assert guarded.stop() == 5


def test_command_that_will_not_stop_is_killed_after_its_grace(tmp_path: Path) -> None:
    output = tmp_path / "out"
    with output.open("wb") as file, Guarded(STUBBORN, output=file, grace_s=0.2) as guarded:
        assert eventually(lambda: said(output, "ready"))
        assert guarded.stop() == 128 + signal.SIGKILL


def test_stop_within_a_bound_says_so_and_goes_on_stopping(tmp_path: Path) -> None:
    output = tmp_path / "out"
    with output.open("wb") as file, Guarded(STUBBORN, output=file, grace_s=2.0) as guarded:
        assert eventually(lambda: said(output, "ready"))
        with pytest.raises(subprocess.TimeoutExpired):
            guarded.stop(timeout_s=0.1)
        assert guarded.wait(60) == 128 + signal.SIGKILL


def test_children_that_the_command_left_behind_are_ended(tmp_path: Path) -> None:
    output = tmp_path / "out"
    with output.open("wb") as file, Guarded(["sh", "-c", "sleep 600 & echo $!"], output=file) as guarded:
        assert guarded.wait(60) == 0
    orphan = int(output.read_text("utf-8"))
    assert eventually(lambda: not is_running(orphan))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_to_the_guard_stops_the_command(number: signal.Signals) -> None:
    with Guarded(SLEEP) as guarded:
        os.kill(guarded._guard.pid, number)
        assert guarded.wait(60) == 128 + signal.SIGTERM
        assert not is_running(guarded.pid)


def test_ctrl_c_of_our_terminal_reaches_neither_guard_nor_command() -> None:
    with Guarded(SLEEP) as guarded:
        assert os.getsid(guarded._guard.pid) != os.getsid(0)
        assert os.getpgid(guarded.pid) not in {os.getpgid(0), os.getpgid(guarded._guard.pid)}


def test_neither_guard_nor_command_inherits_an_open_file(tmp_path: Path) -> None:
    with (tmp_path / "secret").open("wb") as secret:
        os.set_inheritable(secret.fileno(), True)  # noqa: FBT003 - the standard library's own signature
        with Guarded(SLEEP) as guarded:
            assert [link.name for link in open_files(guarded.pid)] == ["null", "null", "null"]
            assert Path(secret.name) not in open_files(guarded._guard.pid)


def test_command_that_cannot_be_run_is_an_error_and_its_folder_goes(tmp_path: Path) -> None:
    (tmp_path / "held").mkdir()
    with pytest.raises(OSError, match=r"cannot run /no/such/program: .*No such file"):
        Guarded(["/no/such/program"], remove=tmp_path / "held")
    assert not (tmp_path / "held").exists()


def test_unknown_user_is_an_error() -> None:
    with pytest.raises(OSError, match=r"name not found.*no-such-user"):
        Guarded(SLEEP, user="no-such-user")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can run a command as another user")
def test_command_runs_as_the_user_without_roots_groups(tmp_path: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    ours = os.getgroups()
    os.setgroups([4])
    try:
        with (tmp_path / "out").open("wb") as output, Guarded(["id"], output=output, user="nobody") as guarded:
            assert guarded.wait(60) == 0
    finally:
        os.setgroups(ours)
    ids = re.findall(r"(\d+)\(", (tmp_path / "out").read_text("utf-8"))
    assert ids == [str(nobody.pw_uid), str(nobody.pw_gid), str(nobody.pw_gid)]


def test_fork_that_shares_our_end_does_not_keep_stop_from_stopping(stage: Stage) -> None:
    starter = stage.start(f"""if True:
        import os, signal
        from storage.guard import Guarded
        guarded = Guarded({SLEEP})
        fork = os.fork()
        if fork == 0:
            signal.pause()
        status = guarded.stop()
        os.kill(fork, signal.SIGKILL)
        print(status)
        """)
    assert starter.words() == [str(128 + signal.SIGTERM)]


def test_guard_started_by_hand_over_a_plain_pipe() -> None:
    command = [sys.executable, "-I", "-S", storage.guard.__file__, "--signal=2", "--", *SLEEP]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as guard:
        assert eventually(lambda: len(family(guard.pid)) == 2)
        relatives = family(guard.pid)
        assert guard.stdin
        guard.stdin.close()
        assert guard.wait(60) == 128 + signal.SIGINT
    assert not any(map(is_running, relatives))
