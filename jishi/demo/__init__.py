"""The demo: every part on this machine, simulated instruments, and the hours against the truth."""

import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from contract import clock
from contract.errors import StorageError
from contract.units import utc_text
from gateway import spool
from jishi.demo import importing, lab, packs, report
from jishi.demo.recording import METER
from jishi.demo.rig import Rig
from metering import cli as metering
from metering import reading
from storage import counters
from storage.guard import Guarded
from storage.pool import connect

_POLL_S: Final = 0.25
_STALLED_S: Final = 120.0
"""Nothing moved for so long: something is broken, say so rather than wait for ever."""


def run(seed: int, scenario: str = "demo", out: Path | None = None) -> dict[str, Any]:
    """Run a scenario to its end; returns the demo's JSON object.

    Args:
        seed: which simulated day.
        scenario: a shipped one, or a TOML file.
        out: where the evidence packs are left; None: a new folder among the temporary ones.

    Raises:
        JishiError: a part could not be started or stopped making progress; the text says which and what it said.
    """
    into, stage = packs.folder(out), Console(stderr=True).print
    stage("starting a simulator, PostgreSQL, a broker, collector and gateway 启动")
    with Rig(seed, scenario) as rig:
        stage(f"playing simulated time to its end; importing {rig.recording.name} 运行")
        wait_until_in_custody(rig, importing.start_recording(rig))
        stage("measuring, and comparing with the truth 计量")
        result = measure(rig)
        stage("exporting and verifying evidence packs 核验")
        packed = packs.make(rig, into)
    return result | packed | {"ok": result["ok"] and packs.right(packed["verify"])}


def wait_until_in_custody(rig: Rig, imported: Guarded) -> None:
    """Wait, with progress on stderr, until simulated time has ended and every frame is in the collector's custody.

    Args:
        rig: with all its parts running.
        imported: the import of the recording, which goes on beside them.

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
        task = bar.add_task(f"{len(rig.ready['instruments']) + 1} instruments", total=end - start, what="")
        seen: object = None
        since_s = clock.elapsed_s()
        while not (importing.ended(rig, imported) and _all_in_custody(rig)):
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
    """Frames signed by both gateways, and how many of them the collector has confirmed."""
    streams = spool.status(rig.gateway_data) + spool.status(rig.importer_data)
    return sum(stream["signed"] for stream in streams), sum(stream["upto"] + 1 for stream in streams)


def _all_in_custody(rig: Rig) -> bool:
    """Whether each instrument's evidence reaches the end of simulated time and nothing is on its way."""
    signed, held = custody(rig)
    if not signed or signed != held:
        return False
    with connect(rig.dsn) as connection:
        reached = [reading.reach(connection, served["id"]) for served in rig.ready["instruments"]]
    return min(reached) >= int(rig.ready["end_ms"])


def measure(rig: Rig) -> dict[str, Any]:
    """Meter the scenario and the recording, and compare them with the truth."""
    truth = {one["id"]: one for one in rig.truth["instruments"]}
    period = (utc_text(rig.ready["start_ms"]), utc_text(rig.ready["end_ms"]))
    rows = []
    right = True
    for one in metering.hours_run(rig.dsn, period, list(truth), 3)["instruments"]:
        true_ms = truth[one["id"]]["effective_ms"]
        rows.append(report.row(truth[one["id"]]["class"], true_ms, one))
        right &= report.is_right(true_ms, one["total"])
    recorded = _recorded(rig)
    rows.append(report.row("recording", rig.recording.truth_ms, recorded))
    right &= report.is_right(rig.recording.truth_ms, recorded["total"])
    signed, _ = custody(rig)
    with connect(rig.dsn) as connection:
        counted = counters.read(connection)
    return {
        "instruments": rows,
        # Its row counts the recorded days alone; its pack all days from the first to the last, most of them unknown.
        "recording": {
            "origin": rig.recording.origin,
            "name": rig.recording.name,
            "days": [[utc_text(from_ms), utc_text(to_ms)] for from_ms, to_ms in rig.recording.days],
        },
        "frames": {
            "signed": signed,
            "stored": counted.frames,
            "duplicate": counted.duplicate,
            "quarantined": counted.quarantined,
        },
        "samples": counted.samples,
        "broker": rig.broker.kind,
        "restarts": rig.restarts,
        "ok": right and signed == counted.frames and counted.balanced,
    }


def _recorded(rig: Rig) -> dict[str, Any]:
    """The recording's days, which need not be neighbours, as one row of hours."""
    totals = []
    for from_ms, to_ms in rig.recording.days:
        (one,) = metering.hours_run(rig.dsn, (utc_text(from_ms), utc_text(to_ms)), [METER.instrument], 3)["instruments"]
        totals.append(one["total"])
    total = report.summed(totals)
    return {"id": METER.instrument, **metering.hours_of(total), "total": total}


def show(result: dict[str, Any]) -> None:
    """The report as a table."""
    table = Table(title="核验机时与真值 verified machine-hours against the truth, in hours")
    table.add_column("仪器 instrument", no_wrap=True)
    for heading in ("真值\ntruth", "核验\nverified", "[下限, 上限]\nbounds", "对外\nexternal", "覆盖率\ncoverage"):
        table.add_column(heading, justify="right", no_wrap=True)
    for cells in report.table_rows(result):
        table.add_row(*(escape(cell) for cell in cells))
    console = Console()
    console.print(table)
    numbers, recording = result["frames"], result["recording"]
    console.print(
        f"recording-1: {escape(recording['name'])} ({recording['origin']}, imported); its row counts the "
        f"{len(recording['days'])} recorded days alone, its pack all days between the first and the last. "
        f"{numbers['signed']} frames signed, {numbers['stored']} stored, {numbers['duplicate']} received again, "
        f"{numbers['quarantined']} quarantined; {result['samples']} samples of power; broker: {result['broker']}."
    )
    packs.show(result, console)
    verdict = "hours are right and nothing was lost 机时无误，数据无失" if result["ok"] else "NOT right 有误"
    console.print(f"[bold]{verdict}[/bold]")
