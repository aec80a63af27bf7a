"""The demo for people: a month of past, pages to look at, and a laboratory that goes on working until Ctrl-C."""

import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from rich import box
from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from contract import clock
from contract.errors import StorageError
from contract.registry import Instrument
from contract.units import bounds_text, hours_text, share_text
from jishi.demo import importing, lab
from jishi.demo.broker import HOST, free_port
from jishi.demo.pages import Pages
from jishi.demo.recording import METER
from jishi.demo.rig import Rig
from jishi.demo.setting import UNIT_ZONE
from metering import job
from storage import accounts, registry
from storage.guard import Guarded
from storage.pool import Connection, connect

PACE: Final = 60
"""Simulated seconds in a real one: a minute a second."""
_DAYS: Final = 30
_DAY_MS: Final = 86_400_000
_LEFT_OF_START_MS: Final = 8 * 3_600_000
"""The scenario for people begins at eight; its past begins at a midnight."""
_REFRESH_S: Final = 1.0
_MEASURE_S: Final = 10.0
_POLL_S: Final = 0.1
_HEADINGS: Final = (
    "状态\nstate", "功率\nW", "真值\ntruth", "核验\nverified", "[下限, 上限]\nbounds", "覆盖率\ncoverage",
)  # fmt: skip


def play(seed: int, days: int = _DAYS) -> None:
    """Run until Ctrl-C.

    Args:
        seed: which simulated laboratory.
        days: how much of its past is told.

    Raises:
        JishiError: a part could not be started; the text says which and what it said.
    """
    console = Console()
    try:
        with ExitStack() as stack:
            with console.status("starting the simulator, PostgreSQL, a broker, collector and gateway 启动中"):
                past_ms = days * _DAY_MS + _LEFT_OF_START_MS
                rig = stack.enter_context(Rig(seed, "live", pace=PACE, history_ms=past_ms))
                pages = _open_pages(rig)
            _invite(rig, pages, console)
            _tell_past(rig, console, past_ms)
            _watch(rig, pages, console)
    except KeyboardInterrupt:
        console.print("\n已停止 stopped; nothing of it is left running")


def _tell_past(rig: Rig, console: Console, past_ms: int) -> None:
    """Import a month of each instrument, and the recording, as anyone would who has old readings."""
    served = rig.ready["instruments"]
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[what]}"), TimeElapsedColumn(),
        console=console, transient=True,
    )  # fmt: skip
    with bar:
        task = bar.add_task("a month of the past 回填历史", total=3 * len(served) + 1, what="")
        for one in served:
            bar.update(task, what=f"{one['id']}: written by the simulator")
            trace = importing.write_history(rig, one, past_ms / _DAY_MS)
            bar.update(task, advance=1, what=f"{one['id']}: signed, sent, stored")
            _finish(rig, importing.start_history(rig, one, trace, lab.serial_of(one)))
            bar.update(task, advance=1, what=f"{one['id']}: measured")
            _measure_past(rig, one["id"], past_ms)
            bar.update(task, advance=1)
        bar.update(task, what=f"{METER.instrument}: {rig.recording.name}")
        _finish(rig, importing.start_recording(rig))
        with connect(rig.dsn) as connection:
            for day in rig.recording.days:
                job.run(connection, _instrument(connection, METER.instrument), day)


def _finish(rig: Rig, process: Guarded) -> None:
    while not importing.ended(rig, process):
        rig.tend()
        time.sleep(_POLL_S)


def _measure_past(rig: Rig, name: str, past_ms: int) -> None:
    start = rig.ready["start_ms"]
    with connect(rig.dsn) as connection:
        job.run(connection, _instrument(connection, name), (start - past_ms, start - _LEFT_OF_START_MS))


def _instrument(connection: Connection, name: str) -> Instrument:
    return next(one for one in registry.instruments(connection) if one.instrument == name)


def _open_pages(rig: Rig) -> Pages:
    """Start the api with a key of a person who may see everything of this laboratory."""
    with connect(rig.dsn) as connection:
        viewer = accounts.NewAccount(name="demo", role=accounts.Role.AUDITOR)
        key = accounts.add(connection, viewer, clock.utc_ms())
    port = free_port()
    config = rig.folder / "api.toml"
    config.write_text(f'host = "{HOST}"\nport = {port}\n', "utf-8")
    rig.serve("api", "api", "run", "--config", str(config))
    pages = Pages(url=f"http://{HOST}:{port}", key=key)
    deadline = clock.elapsed_s() + 60
    while not pages.answers():
        if clock.elapsed_s() > deadline:
            raise StorageError(f"the pages did not start: {rig.log('api')}")
        time.sleep(_POLL_S)
    return pages


def _invite(rig: Rig, pages: Pages, console: Console) -> None:
    """Where to look. Not in a frame: what is broken over two lines cannot be copied."""
    lines = (
        f"[bold]页面 pages[/bold]     {pages.entrance}",
        f"[bold]密钥 key[/bold]       {pages.key}   ({pages.url}/login)",
        f"[bold]数据库 database[/bold]  export JISHI_DSN='{escape(rig.dsn)}'   # .venv/bin/jishi hours explain --help",
        f"仪器的一分钟是这里的一秒 a minute of the laboratory is a second here ({PACE}×); it is a simulation 仿真",
        "Ctrl-C 停止 stops it, and leaves nothing behind",
    )
    for line in lines:
        console.print(line, soft_wrap=True, highlight=False)


def _watch(rig: Rig, pages: Pages, console: Console) -> None:
    truth = {one["id"]: one["effective"] for one in rig.truth["instruments"]}
    measured: dict[str, Mapping[str, Any]] = {}
    measured_s = -_MEASURE_S
    with Live(console=console, auto_refresh=False) as live, lab.WallClock(rig.ready["clock"]) as wall:
        while True:
            rig.tend()
            now_ms = wall.now_ms()
            if clock.elapsed_s() - measured_s >= _MEASURE_S:
                measured = _measured(rig, list(truth), now_ms)
                measured_s = clock.elapsed_s()
            live.update(_table(pages.states(), measured, truth, now_ms), refresh=True)
            time.sleep(_REFRESH_S)


def _measured(rig: Rig, names: Sequence[str], now_ms: int) -> dict[str, Mapping[str, Any]]:
    """Hours since the laboratory was opened, up to now."""
    asked = (rig.ready["start_ms"], max(now_ms, rig.ready["start_ms"] + 1))
    with connect(rig.dsn) as connection:
        return {name: job.run(connection, _instrument(connection, name), asked).total for name in names}


def _table(
    states: Sequence[Mapping[str, Any]],
    measured: Mapping[str, Mapping[str, Any]],
    truth: Mapping[str, Sequence[Sequence[int]]],
    now_ms: int,
) -> Table:
    now = datetime.fromtimestamp(now_ms / 1000, ZoneInfo(UNIT_ZONE))
    title, caption = f"{now:%Y-%m-%d %H:%M} {UNIT_ZONE} (仿真 simulated)", "机时为开机以来 hours since the start"
    table = Table(title=title, caption=caption, box=box.SIMPLE_HEAD, padding=0)
    table.add_column("仪器 instrument", no_wrap=True)
    for heading in _HEADINGS:
        table.add_column(heading, justify="right", no_wrap=True)
    for one in states:
        if (total := measured.get(one["id"])) is None:
            continue
        length_ms = total["period_ms"][1] - total["period_ms"][0]
        until = total["period_ms"][1]
        true_ms = sum(max(0, min(to_ms, until) - from_ms) for from_ms, to_ms in truth[one["id"]])
        live = one["live"]
        power = "-" if live["power_w"] is None else f"{live['power_w']:.0f}"
        table.add_row(
            one["id"], live["state"], power, hours_text(true_ms), hours_text(total["effective_ms"]),
            escape(bounds_text(total["effective_low_ms"], total["effective_high_ms"])),
            share_text(length_ms - total["states_ms"]["UNKNOWN"], length_ms),
        )  # fmt: skip
    return table
