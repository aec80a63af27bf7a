"""Runs a command that ends when its starter ends, even if the starter was killed with SIGKILL.

Two sides of one contract live here. The library side, `Guarded`, starts this same file as a small process of its own
(`python -I -S guard.py ...options... -- command`) and holds one end of a connection whose other end is the guard's
standard input. The kernel closes that end whenever the starter is gone; the guard sees end-of-file, stops the command,
removes the folder it was given, and exits with the command's status.

It does not restart anything and does not watch over a guard that is itself killed with SIGKILL. A starter that forks
without exec shares its end with the fork: the command then lives until both are gone, or until `stop`.

This file runs alone and isolated as a script: it MUST import the standard library only, nothing of this project.
"""

import argparse
import contextlib
import os
import pwd
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Self

_STDIN = 0
_STOPPING = {signal.SIGTERM, signal.SIGINT}
_NOT_STARTED = 127  # what shells say for a command that could not be run
_REMOVAL_S = 10.0


class Guarded:
    """A running command that MUST NOT outlive this process; also a context manager that stops it.

    The command runs in a process group of its own, apart from the terminal's: Ctrl-C reaches the starter alone, which
    then stops the command in its own order. Its standard input is empty, and it inherits no other open file.

    Attributes:
        pid: process id of the command itself, not of its guard.
    """

    pid: int

    def __init__(  # noqa: PLR0913 - all optional facts about one process, as in subprocess.Popen
        self,
        command: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        output: IO[bytes] | int = subprocess.DEVNULL,
        stop_signal: signal.Signals = signal.SIGTERM,
        grace_s: float = 10.0,
        user: str | None = None,
        remove: Path | None = None,
    ) -> None:
        """Start the command; returns when it runs.

        Args:
            command: the program (found on PATH) and its arguments.
            env: the whole environment; this process's own by default.
            output: open file or descriptor that takes both standard output and standard error.
            stop_signal: asks the command to end; goes to its whole process group.
            grace_s: after this long SIGKILL follows.
            user: run the command as this user and its group; only root may.
            remove: folder to remove once the command has ended, however it ended.

        Raises:
            OSError: the command could not be started.
        """
        options = [f"--signal={stop_signal.value}", f"--grace={grace_s}"]
        options += [f"--user={user}"] if user else []
        options += [f"--remove={remove.absolute()}"] if remove else []
        # Not inheritable, like every descriptor Python makes: a second guarded child must not hold this end open.
        self._held, given = socket.socketpair()
        with given:
            self._guard: subprocess.Popen[bytes] = subprocess.Popen(  # noqa: S603 - runs what the caller means to run
                [sys.executable, "-I", "-S", __file__, *options, "--", *command],
                env=env,
                stdin=given.fileno(),
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        answer = self._held.recv(4096).decode()
        if not answer.isdigit():
            self.stop()
            raise OSError(answer or f"the guard of {command[0]} ended before it started the command")
        self.pid = int(answer)

    def poll(self) -> int | None:
        """Exit status once the command has ended and the folder is removed; None before. 128 + N: ended by signal N."""
        return self._guard.poll()

    def wait(self, timeout_s: float | None = None) -> int:
        """Wait for the command to end by itself and return its exit status.

        Raises:
            subprocess.TimeoutExpired: it still runs.
        """
        return self._guard.wait(timeout_s)

    def stop(self, timeout_s: float | None = None) -> int:
        """Stop the command, wait until it has ended and the folder is removed, return its exit status. May be repeated.

        Raises:
            subprocess.TimeoutExpired: not ended within `timeout_s`; the guard goes on stopping it.
        """
        with contextlib.suppress(OSError):  # already stopped
            # Unlike close, this ends the connection even when a fork of this process shares our end of it.
            self._held.shutdown(socket.SHUT_RDWR)
        self._held.close()
        return self._guard.wait(timeout_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()


def _main() -> int:
    """Guard one command; the process side of `Guarded`."""
    options = _options()
    wake = _wake_on_signals()
    try:
        return _run(options, wake)
    finally:
        if options.remove:
            _remove(options.remove)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Runs a command until standard input ends; then stops it.")
    parser.add_argument("--signal", type=int, default=signal.SIGTERM, help="asks the command to stop")
    parser.add_argument("--grace", type=float, default=10.0, metavar="SECONDS", help="after which SIGKILL follows")
    parser.add_argument("--user", help="run the command as this user and its group")
    parser.add_argument("--remove", type=Path, metavar="DIR", help="remove this folder after the command has ended")
    parser.add_argument("command", nargs="+")
    return parser.parse_args()


def _wake_on_signals() -> int:
    """Descriptor on which each signal that concerns us arrives as a byte."""
    wake, wakened = os.pipe()
    os.set_blocking(wakened, False)
    signal.set_wakeup_fd(wakened)
    for number in (*_STOPPING, signal.SIGCHLD):
        signal.signal(number, lambda *_: None)
    return wake


def _run(options: argparse.Namespace, wake: int) -> int:
    try:
        group = pwd.getpwnam(options.user).pw_gid if options.user else None
        child = subprocess.Popen(  # noqa: S603 - the command is what this process is for
            options.command,
            stdin=subprocess.DEVNULL,
            process_group=0,
            user=options.user,
            group=group,
            extra_groups=None if group is None else [],
        )
    except (OSError, KeyError) as error:
        _answer(f"cannot run {options.command[0]}: {error}")
        return _NOT_STARTED
    _answer(str(child.pid))
    if _stop_wanted(child, wake):
        _signal_group(child.pid, options.signal)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(options.grace)
    # Whatever is left of the group: a command that outstayed its grace, or children it did not wait for.
    _signal_group(child.pid, signal.SIGKILL)
    status = child.wait()
    return status if status >= 0 else 128 - status


def _answer(text: str) -> None:
    # The starter may be gone already, or hold no more than a pipe's write end: end-of-file will tell.
    with contextlib.suppress(OSError):
        os.write(_STDIN, text.encode())


def _stop_wanted(child: "subprocess.Popen[bytes]", wake: int) -> bool:
    """Wait for whichever comes first: the starter's end or a signal (True), or the command's own end (False)."""
    while child.poll() is None:
        readable, _, _ = select.select([_STDIN, wake], [], [])
        # The starter never writes, so a readable standard input is at its end.
        if _STDIN in readable or _STOPPING & set(os.read(wake, 512)):
            return True
    return False


def _signal_group(leader: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader, number)


def _remove(folder: Path) -> None:
    """Remove a folder, again and again while orphans of a killed command still write into it."""
    deadline = time.monotonic() + _REMOVAL_S
    while folder.exists() and time.monotonic() < deadline:
        shutil.rmtree(folder, ignore_errors=True)
        time.sleep(0.02)
    if folder.exists():
        sys.stderr.write(f"could not remove {folder}: remove it by hand\n")


if __name__ == "__main__":
    sys.exit(_main())
