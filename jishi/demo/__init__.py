"""The demo: every part on this machine, one simulated morning, and the hours against the truth."""

import time
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any, Final

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from contract import clock
from contract.errors import StorageError
from contract.units import utc_text
from gateway import spool
from jishi.demo import lab, report
from jishi.demo.rig import Rig
from metering import cli as metering
from storage import counters, frames
from storage.pool import connect

_POLL_S: Final = 0.25
_STALLED_S: Final = 120.0
"""Nothing moved for so long: something is broken, say so rather than wait for ever."""


def run(seed: int, scenario: str = "demo") -> dict[str, Any]:
    """Run a scenario to its end; returns the demo's JSON object.

    Raises:
        JishiError: a part could not be started or stopped making progress; the text says which and what it said.
    """
    with Rig(seed, scenario) as rig:
        wait_until_in_custody(rig)
        return measure(rig)


def wait_until_in_custody(rig: Rig) -> None:
    """Wait, with progress on stderr, until simulated time has ended and every frame is in the collector's custody.

    Raises:
        StorageError: nothing moved for a long time.
    """
    start, end = rig.ready["start_ms"], rig.ready["end_ms"]
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[what]}"), TimeElapsedColumn(),
        console=Console(stderr=True), transient=True,
    )  # fmt: skip
    with bar, ExitStack() as stack:
        wall = stack.enter_context(lab.WallClock(rig.ready["clock"]))
        task = bar.add_task(f"{len(rig.ready['instruments'])} instruments", total=end - start, what="")
        seen: object = None
        since_s = clock.elapsed_s()
        while not _all_in_custody(rig):
            rig.tend()
            now = wall.now_ms()
            signed, held = custody(rig)
            bar.update(task, completed=now - start, what=f"{signed} frames signed, {held} in custody")
            if seen != (seen := (now, signed, held)):
                since_s = clock.elapsed_s()
            elif clock.elapsed_s() - since_s > _STALLED_S:
                raise StorageError(f"nothing moves any more.\n{rig.log('gateway')}\n{rig.log('collector')}")
            time.sleep(_POLL_S)


def custody(rig: Rig) -> tuple[int, int]:
    """Frames signed by the gateway, and how many of them the collector has confirmed."""
    streams = spool.status(rig.gateway_data)
    return sum(stream["signed"] for stream in streams), sum(stream["upto"] + 1 for stream in streams)


def _all_in_custody(rig: Rig) -> bool:
    """Whether each instrument's evidence reaches the end of simulated time and nothing is on its way."""
    signed, held = custody(rig)
    if not signed or signed != held:
        return False
    with connect(rig.dsn) as connection:
        return all(frames.reach(connection, served["id"]) >= rig.ready["end_ms"] for served in rig.ready["instruments"])


def measure(rig: Rig) -> dict[str, Any]:
    """Meter the scenario and compare it with the truth."""
    truth = {one["id"]: one for one in rig.truth["instruments"]}
    period = (utc_text(rig.ready["start_ms"]), utc_text(rig.ready["end_ms"]))
    measured = metering.hours_run(rig.dsn, period, None, 3)["instruments"]
    signed, _ = custody(rig)
    with connect(rig.dsn) as connection:
        counted = counters.read(connection)
    right = all(report.is_right(truth[one["id"]]["effective_ms"], one["total"]) for one in measured)
    return {
        "instruments": [
            report.row(truth[one["id"]]["class"], truth[one["id"]]["effective_ms"], one) for one in measured
        ],
        "frames": {
            "signed": signed,
            "stored": counted.frames,
            "duplicate": counted.duplicate,
            "quarantined": counted.quarantined,
        },
        "samples": counted.samples,
        "broker": rig.broker.kind,
        "restarts": rig.restarts,
        "ok": right and len(measured) == len(truth) and signed == counted.frames and counted.balanced,
    }


def show(result: Mapping[str, Any]) -> None:
    """The report as a table."""
    table = Table(title="核验机时与真值 verified machine-hours against the truth, in hours")
    table.add_column("仪器 instrument", no_wrap=True)
    for heading in ("真值\ntruth", "核验\nverified", "[下限, 上限]\nbounds", "对外\nexternal", "覆盖率\ncoverage"):
        table.add_column(heading, justify="right", no_wrap=True)
    for cells in report.table_rows(result):
        table.add_row(*(escape(cell) for cell in cells))
    console = Console()
    console.print(table)
    numbers = result["frames"]
    console.print(
        f"{numbers['signed']} frames signed, {numbers['stored']} stored, {numbers['duplicate']} received again, "
        f"{numbers['quarantined']} quarantined; {result['samples']} samples of power; broker: {result['broker']}."
    )
    verdict = "hours are right and nothing was lost 机时无误，数据无失" if result["ok"] else "NOT right 有误"
    console.print(f"[bold]{verdict}[/bold]")
