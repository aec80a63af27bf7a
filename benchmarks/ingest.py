"""Signed frames from the broker into PostgreSQL: `python -m benchmarks.ingest [--json] [--quick]`.

A real mosquitto, a real PostgreSQL with durable commits and a real collector, each a process of its own; frames of
thousands of streams, signed beforehand; timed from the first publish to the receipt after which all of them are in
custody (the first frame of each stream goes before that). The ceiling and the plain rival are measured in the same run.
docs/benchmarks.md says how to read it.

Exit status 1: something was lost or doubled.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

import psycopg
from psycopg.conninfo import make_conninfo
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from benchmarks import fleet, plain, servers
from benchmarks.fleet import Chain
from benchmarks.load import Load
from collector import keys
from contract import clock
from contract.errors import JishiError
from storage import registry_file, registry_load
from storage.embedded import EmbeddedPostgres
from storage.migrate import migrate
from storage.pool import connect
from storage.queries import SQL

_RECEIPTS_S: Final = 120.0
_COPIES: Final = 3
_TICKS: Final = (60, 600)

_COPY_OUT: Final = "COPY (SELECT taken_at, instrument_no, power_mw FROM power_sample) TO STDOUT (FORMAT BINARY)"
_STORED: Final = """
SELECT (SELECT count(*) FROM frame), count(*), count(DISTINCT (taken_at, instrument_no)) FROM power_sample
"""
_MONTH: Final = "SELECT ensure_month('2025-03-01')"


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much is sent: measurements a stream for frames of 60 and of 600 ticks, samples to the plain rival."""

    gateways: int
    frames: dict[int, int]
    plain: int


QUICK: Final = Size(gateways=250, frames={60: 8, 600: 2}, plain=1_000)
FULL: Final = Size(gateways=1_000, frames={60: 12, 600: 3}, plain=5_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What was measured for frames of one length.

    Attributes:
        samples_per_s, frames_per_s: from the first publish to the last receipt.
        copy_ceiling_samples_per_s: bare binary COPY of the same rows into the same table, in one transaction.
        plain_samples_per_s: aiomqtt and one INSERT a sample.
        lost, duplicate: samples sent that are not stored, and stored more than once.
        cpu_us_per_frame: CPU time of each process and its children over the measured time.
    """

    samples_per_s: int
    frames_per_s: int
    copy_ceiling_samples_per_s: int
    plain_samples_per_s: int
    ratio_to_copy: float
    ratio_to_plain: float
    lost: int
    duplicate: int
    seconds: float
    frames: int
    samples: int
    bytes_per_frame: int
    cpu_us_per_frame: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """One run: its servers, and where it shows how far it is."""

    folder: Path
    server: EmbeddedPostgres
    size: Size
    progress: Progress

    def template(self) -> None:
        """A database with schema and registry, which every part of the run begins with."""
        task = self.progress.add_task("schema and registry", total=None)
        with psycopg.connect(self.server.dsn, autocommit=True) as admin:
            admin.execute("CREATE DATABASE template")
        dsn = make_conninfo(self.server.dsn, dbname="template")
        migrate(dsn)
        file = self.folder / "registry.toml"
        file.write_text(fleet.registry_text(self.size.gateways), "utf-8")
        with connect(dsn) as connection:
            registry_load.load(connection, registry_file.read(file))
            # Also in an installation the month is there when its second frame comes.
            connection.execute(_MONTH)
        self.progress.update(task, total=1, completed=1)

    def plain_samples_per_s(self) -> float:
        """The rival's rate."""
        count = self.size.plain
        task = self.progress.add_task("plain: aiomqtt and INSERT", total=count)
        samples = [
            json.dumps({"utc_ms": 1_741_564_800_000 + 1_000 * nth, "instrument_no": 1, "power_mw": 400_000 + nth})
            for nth in range(count)
        ]
        dsn = servers.copy_of(self.server.dsn, "template", "plain")
        with ExitStack() as stack:
            port, _ = stack.enter_context(servers.broker(self.folder))
            name = plain.__name__
            rival, log = stack.enter_context(servers.program(self.folder, dsn, name, str(port), str(count)))
            servers.await_(lambda: "listening" in log.read_text("utf-8"), rival, name)
            load = stack.enter_context(Load(port))
            messages = ((plain.TOPIC.replace("#", "one"), sample.encode()) for sample in samples)
            began_s = load.publish(messages, lambda: self.progress.advance(task))
            servers.await_(lambda: "done" in log.read_text("utf-8"), rival, name, _RECEIPTS_S)
            return count / (clock.elapsed_s() - began_s)

    def figures(self, ticks: int, plain_samples_per_s: float) -> Figures:
        """Measure frames of so many ticks."""
        chains = self._signed(ticks)
        dsn = servers.copy_of(self.server.dsn, "template", f"frames_{ticks}")
        took_s, used_s = self._ingest(ticks, chains, dsn)
        signed = [raw for chain in chains for raw in chain.frames[1:]]
        frames, samples = len(signed), len(signed) * ticks
        with psycopg.connect(dsn) as connection:
            stored_frames, stored, distinct = connection.execute(_STORED).fetchone() or (0, 0, 0)
        ceiling = stored / self._copy_s(dsn)
        rate = samples / took_s
        return Figures(
            samples_per_s=round(rate),
            frames_per_s=round(frames / took_s),
            copy_ceiling_samples_per_s=round(ceiling),
            plain_samples_per_s=round(plain_samples_per_s),
            ratio_to_copy=round(rate / ceiling, 3),
            ratio_to_plain=round(rate / plain_samples_per_s, 1),
            lost=max(samples - distinct, (frames + len(chains) - stored_frames) * ticks),
            duplicate=stored - distinct,
            seconds=round(took_s, 2),
            frames=frames,
            samples=samples,
            bytes_per_frame=sum(map(len, signed)) // frames,
            cpu_us_per_frame={name: round(used * 1e6 / frames) for name, used in used_s.items()},
        )

    def _signed(self, ticks: int) -> list[Chain]:
        streams = self.size.gateways * fleet.STREAMS_A_GATEWAY
        task = self.progress.add_task(f"signing frames of {ticks}", total=streams)
        found = fleet.chains(self.size.gateways, self.size.frames[ticks], ticks)
        return list(self.progress.track(found, total=streams, task_id=task))

    def _ingest(self, ticks: int, chains: list[Chain], dsn: str) -> tuple[float, dict[str, float]]:
        """Seconds from the first publish to the last receipt, and CPU seconds of each process."""
        frames = sum(len(chain.frames) for chain in chains)
        task = self.progress.add_task(f"frames of {ticks}", total=frames)
        with ExitStack() as stack:
            port, broker_pid = stack.enter_context(servers.broker(self.folder))
            public, config = _collector(self.folder, ticks, port)
            arguments = ("collector", "run", "--config", str(config))
            collector, log = stack.enter_context(servers.program(self.folder, dsn, *arguments))
            servers.await_(lambda: "listening" in log.read_text("utf-8"), collector, "collector")
            load = stack.enter_context(Load(port))
            pids = {"collector": collector.pid, "postgres": self.server.server.pid, "mosquitto": broker_pid}
            # The first frame of a stream is sent once in its life: what is timed begins after it.
            load.publish(_in_rounds(chains, 0, 1), lambda: self.progress.advance(task))
            load.await_receipts(chains, 0, public, _RECEIPTS_S)
            before = {name: servers.cpu_s(pid) for name, pid in pids.items()} | {"load": time.process_time()}
            last = len(chains[0].frames) - 1
            began_s = load.publish(_in_rounds(chains, 1, last + 1), lambda: self.progress.advance(task))
            ended_s = load.await_receipts(chains, last, public, _RECEIPTS_S)
            after = {name: servers.cpu_s(pid) for name, pid in pids.items()} | {"load": time.process_time()}
        took_s = (_RECEIPTS_S if ended_s is None else ended_s - began_s) or 1.0
        return took_s, {name: after[name] - before[name] for name in after}

    def _copy_s(self, dsn: str) -> float:
        """Seconds that a bare COPY of the stored samples into their own table takes; the median of a few."""
        task = self.progress.add_task("ceiling: binary COPY", total=_COPIES)
        with psycopg.connect(dsn, autocommit=True) as connection, connection.cursor() as cursor:
            with cursor.copy(_COPY_OUT) as copy:
                rows = b"".join(copy)
            took_s = []
            for _ in range(_COPIES):
                began_s = clock.elapsed_s()
                with cursor.copy(SQL["copy_power_samples"]) as copy:
                    copy.write(rows)
                took_s.append(clock.elapsed_s() - began_s)
                self.progress.advance(task)
        return median(took_s)


def _in_rounds(chains: list[Chain], begin: int, end: int) -> Iterator[tuple[str, bytes]]:
    """Frame `begin` of every stream, then the next of every stream, up to `end`: as a fleet sends them."""
    topics = [fleet.topic(chain.gateway) for chain in chains]
    for seq in range(begin, end):
        yield from zip(topics, (chain.frames[seq] for chain in chains), strict=True)


def _collector(folder: Path, ticks: int, port: int) -> tuple[bytes, Path]:
    """The public key of a collector's receipts, and its config: the defaults."""
    key = folder / f"collector-{ticks}.key"
    public = keys.create(key).public_key().public_bytes_raw()
    config = folder / f"collector-{ticks}.toml"
    config.write_text(f'key_file = "{key}"\n[broker]\nport = {port}\n', "utf-8")
    return public, config


def run(size: Size, progress: Progress) -> dict[str, Any]:
    """The whole benchmark, as the object that `--json` prints."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="jishi-bench-")))
        server = stack.enter_context(EmbeddedPostgres.start(durable=True))
        bench = Bench(folder=folder, server=server, size=size, progress=progress)
        bench.template()
        plain_samples_per_s = bench.plain_samples_per_s()
        measured = {f"frames_{ticks}": asdict(bench.figures(ticks, plain_samples_per_s)) for ticks in _TICKS}
        conditions = {
            "streams": size.gateways * fleet.STREAMS_A_GATEWAY,
            "gateways": size.gateways,
            "postgres": servers.settings(server.dsn),
            "mosquitto": servers.BROKER.split("\n")[:-1],
        }
        return measured | {"conditions": conditions}


def _table(measured: dict[str, Any]) -> Table:
    table = Table(title="ingest")
    table.add_column("")
    for name in measured:
        table.add_column(name, justify="right")
    for row in next(iter(measured.values())):
        table.add_row(row, *(str(figures[row]) for figures in measured.values()))
    return table


def main() -> int:
    """Run, and print what was measured."""
    parser = argparse.ArgumentParser(prog="scripts/bench ingest", description="Signed frames into PostgreSQL.")
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line of stdout")
    parser.add_argument("--quick", action="store_true", help="ends within 45 s")
    options = parser.parse_args()
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    try:
        with Progress(*columns, console=Console(stderr=True), refresh_per_second=2) as progress:
            said = run(QUICK if options.quick else FULL, progress)
    except JishiError as error:
        print(error, file=sys.stderr)
        return 2
    measured = {name: figures for name, figures in said.items() if name != "conditions"}
    if options.json:
        print(json.dumps(said))
    else:
        console = Console()
        console.print(_table(measured))
        console.print_json(data=said["conditions"])
    return int(any(figures["lost"] or figures["duplicate"] for figures in measured.values()))


if __name__ == "__main__":
    sys.exit(main())
