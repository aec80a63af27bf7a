"""`jishi gateway`."""

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jishi.commands.common import FAILED, Check, Config, Json, group, say_json, show_fields

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway import importer

app = group("Read meters, sign, keep and send. 网关")


@app.command("run", epilog="Example: jishi gateway run --config gateway.toml --check")
def gateway_run(config: Config, *, check: Check = False) -> None:
    """Read, sign, keep and send until SIGTERM or Ctrl-C."""
    from gateway import app as gateway

    if not check:
        gateway.run(config)
    elif faults := gateway.check(config):
        sys.stderr.writelines(f"{fault}\n" for fault in faults)
        raise typer.Exit(FAILED)


@app.command("key", epilog="Example: jishi gateway key --config gateway.toml")
def gateway_key(config: Config) -> None:
    """Make the gateway's key in its data folder and print the public half. Never overwrites one."""
    from gateway import config as settings
    from gateway import keys

    sys.stdout.write(keys.create(settings.load(config).data_dir).hex() + "\n")


@app.command("status", epilog="Example: jishi gateway status --config gateway.toml")
def gateway_status(config: Config) -> None:
    """What the spool holds and what the collector has in custody, as one JSON object."""
    from gateway import config as settings
    from gateway import spool

    say_json({"streams": spool.status(settings.load(config).data_dir)})


@app.command("probe", epilog="Example: jishi gateway probe --config gateway.toml --instrument nmr-400 --watch")
def gateway_probe(
    config: Config,
    *,
    instrument: Annotated[list[str] | None, typer.Option(help="Only this one; may be repeated.")] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Look again each second until Ctrl-C.")] = False,
    as_json: Json = False,
) -> None:
    """Beside the rack: what each meter shows now, and whether that is plausible. 现场检查.

    Needs no key, lock or broker; to a device it is one more Modbus connection.

    A serial bus admits one master: stop the gateway first, unless the bridge
    before the bus queues for several clients. 串行总线只容一个主站.

    Exit status: 0 all green, 1 yellow or red, 2 a device or the config cannot
    be read. With --json --watch, one object a look.
    """
    from gateway import probe
    from gateway.probe import table

    show = (lambda report: say_json(report.as_json())) if as_json else table.shown(watch=watch)
    raise typer.Exit(probe.run(config, instrument or (), watch=watch, show=show))


@app.command(
    "import",
    epilog="Example: jishi gateway import day.csv.gz --config gateway.toml --instrument nmr-400 --tz Asia/Shanghai",
)
def gateway_import(  # noqa: PLR0913 - each is an option of the command
    traces: Annotated[list[Path], typer.Argument(help="One recording, in one or more files; .gz or plain.")],
    config: Config,
    instrument: Annotated[str, typer.Option(help="Whose recording it is; one of the config.")],
    *,
    form: Annotated[str, typer.Option("--format", help="tracebase or csv.")] = "tracebase",
    tz: Annotated[str | None, typer.Option(help="Zone of local times, such as Asia/Shanghai.")] = None,
    clock: Annotated[
        str, typer.Option(help="What the recorder's clock was worth: synchronised, unsynchronised or simulated.")
    ] = "unsynchronised",
    power_column: Annotated[str, typer.Option(help="Column of active power in W (csv).")] = "power_w",
    period_s: Annotated[float | None, typer.Option(help="Sampling period; otherwise the median step.")] = None,
    model: Annotated[str | None, typer.Option(help="Of the meter; otherwise the config's.")] = None,
    serial: Annotated[str | None, typer.Option(help="Of the meter; otherwise the one last sampled here.")] = None,
    ct_primary_a: Annotated[int | None, typer.Option(help="Of its transformers; otherwise the config's.")] = None,
    ct_secondary_a: Annotated[int | None, typer.Option(help="Of its transformers; otherwise the config's.")] = None,
    as_json: Json = False,
) -> None:
    """Sign a recording and send it like any late upload; ends when all of it is in custody. No gateway may be running.

    The same command again goes on where it stopped and sends nothing twice.
    """
    from gateway import importer

    options = importer.Options(
        instrument=instrument,
        form=form,
        tz=tz,
        clock=clock,
        power_column=power_column,
        period_s=period_s,
        model=model,
        serial=serial,
        ct_primary_a=ct_primary_a,
        ct_secondary_a=ct_secondary_a,
    )
    with _importing() as tell:
        done = importer.run(config, traces, options, tell)
    show_fields(done, as_json=as_json)


@contextmanager
def _importing() -> "Iterator[importer.Tell]":
    """A line on stderr that says how far an import is."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[what]}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("importing", total=None, what="")

        def tell(seen: "importer.Progress") -> None:
            total = seen.signed if seen.all_signed else None
            what = f"{seen.rows} rows, {seen.signed} frames signed, {seen.in_custody} in custody"
            bar.update(task, total=total, completed=seen.in_custody, what=what)

        yield tell
