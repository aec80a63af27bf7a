"""The demo for people: pages while a past is told, a table that goes on, and a clean end with a tab open."""

import contextlib
import json
import os
import pty
import re
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fix_processes import eventually, family, is_running

_PLAY = "from jishi.demo import people; people.play(1, days=2)"


class Demo:
    """A demo on a terminal of its own, and what it printed so far."""

    def __init__(self, folder: Path) -> None:
        self._ours, theirs = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-c", _PLAY],
            stdout=theirs,
            stderr=theirs,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "TMPDIR": str(folder), "COLUMNS": "200", "TERM": "xterm"},
            cwd=Path(__file__).parents[2],
        )
        os.close(theirs)
        self.said = ""
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        # Reading from a terminal that nobody writes to any more is an error, not an end.
        with contextlib.suppress(OSError):
            while heard := os.read(self._ours, 4096):
                self.said += heard.decode("utf-8", "replace")

    def address(self) -> tuple[str, str]:
        """Where the pages are, and the key to them."""
        assert eventually(lambda: "/login#" in self.said or self.process.poll() is not None)
        found = re.search(r"(http://[\d.:]+)/login#(jishi_[\w-]{43})", self.said)
        assert found, self.said
        return found[1], found[2]


@pytest.fixture
def demo(open_folder: Path) -> Iterator[Demo]:
    running = Demo(open_folder)
    yield running
    running.process.kill()
    running.process.wait()


def asked(url: str, key: str) -> Any:  # noqa: ANN401 - JSON
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {key}"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def test_it_shows_a_laboratory_at_work_and_ends_with_a_tab_open(demo: Demo) -> None:
    url, key = demo.address()
    shown = {one["id"]: one for one in asked(f"{url}/api/v1/instruments", key)["instruments"]}
    assert {"spectrometer-1", "chromatograph-1", "chromatograph-2", "microscope-1", "recording-1"} == shown.keys()
    assert eventually(lambda: "verified" in demo.said), demo.said[-2000:]
    live = urllib.request.urlopen(
        urllib.request.Request(f"{url}/api/v1/live", headers={"Authorization": f"Bearer {key}"}), timeout=30
    )
    assert live.readline(), "a tab is open"
    started = family(demo.process.pid)
    demo.process.send_signal(signal.SIGINT)
    assert demo.process.wait(timeout=60) == 0
    assert "stopped" in demo.said
    assert "Traceback" not in demo.said
    assert eventually(lambda: not any(is_running(pid) for pid in started))
    live.close()
