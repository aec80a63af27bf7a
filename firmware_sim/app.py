"""Plays a scenario from beginning to the signal to stop: truth first, then ports, then the ready file."""

import asyncio
import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from firmware_sim.lab import Lab, timetables
from firmware_sim.scenario import ScenarioError, load
from firmware_sim.truth import truth as truth_of

BAD_SCENARIO = 2
STDIN = 0


def run(  # noqa: PLR0913 - the options of a command
    *,
    scenario: str,
    seed: int,
    truth: Path,
    ready: Path,
    host: str = "127.0.0.1",
    until_eof: bool = False,
    pace: int = 0,
) -> int:
    """Play a scenario until SIGTERM or SIGINT, or with until_eof until standard input ends; the main thread only.

    The truth file is complete before anything listens; the ready file appears, complete, once everything listens.

    Args:
        scenario: the name of a shipped scenario or the path of a TOML file.
        seed: chooses the day; the same seed plays the same day.
        truth: where the truth file is written.
        ready: where the ready file is written; one left by an earlier run is removed first.
        host: the IPv4 address to listen on.
        until_eof: also end when standard input does, as when the parent process dies.
        pace: simulated seconds in a real one, at most; 0: as fast as time is asked for.

    Returns:
        The process's exit status: 0, or 2 for a bad scenario, every fault of which is on stderr.
    """
    ready.unlink(missing_ok=True)
    try:
        played = load(scenario)
    except ScenarioError as error:
        sys.stderr.write(f"{error}\n")
        return BAD_SCENARIO
    laid = timetables(played, seed)
    write_json(truth, truth_of(played, laid, seed))
    serve(lambda: Lab(played, laid, seed=seed, host=host, pace=pace), ready, until_eof=until_eof)
    return 0


def serve(make_lab: Callable[[], Lab], ready: Path, *, until_eof: bool) -> None:
    """Open a lab, write the ready file, and keep it open until the signal to stop (see `run`).

    Raises:
        OSError: an address cannot be listened on.
    """

    async def play() -> None:
        stop = _stop_event(until_eof=until_eof)
        lab = make_lab()
        try:
            await lab.open()
            write_json(ready, lab.ready())
            await stop.wait()
        finally:
            await lab.close()

    asyncio.run(play())


def write_json(path: Path, content: dict[str, object]) -> None:
    """Write a JSON file that is either absent or whole."""
    part = path.with_name(f"{path.name}.part")
    part.write_text(json.dumps(content) + "\n", "utf-8")
    part.replace(path)


def _stop_event(*, until_eof: bool) -> asyncio.Event:
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)

    def watch() -> None:
        while os.read(STDIN, 4096):
            pass
        with suppress(RuntimeError):  # the loop may have ended first
            loop.call_soon_threadsafe(stop.set)

    if until_eof:
        # A thread, because the loop cannot watch every kind of standard input; os.read, because it holds no lock.
        threading.Thread(target=watch, daemon=True).start()
    return stop
