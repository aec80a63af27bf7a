"""`jishi`: one command line over all rooms.

Every error of ours ends here, in one sentence on stderr and exit status 2. With `--json` a command prints exactly one
JSON object, on one line, the last of stdout; all else goes to stderr.
"""

import json
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from contract.errors import ConfigError, JishiError

if TYPE_CHECKING:
    from storage.registry_file import RegistryFile

_FAILED: Final = 2

app = typer.Typer(no_args_is_help=True, add_completion=False, help="机时 jishi: verified machine-hours.")
gateway_app = typer.Typer(no_args_is_help=True, help="Read meters, sign, keep and send. 网关")
collector_app = typer.Typer(no_args_is_help=True, help="Take frames from the broker into the database. 采集")
hours_app = typer.Typer(no_args_is_help=True, help="Machine-hours from the evidence stored. 机时")
sim_app = typer.Typer(no_args_is_help=True, help="Simulated instruments that speak Modbus. 仿真")
db_app = typer.Typer(no_args_is_help=True, help="The database: tables and registry. 数据库")
for name, sub in (
    ("gateway", gateway_app),
    ("collector", collector_app),
    ("hours", hours_app),
    ("sim", sim_app),
    ("db", db_app),
):
    app.add_typer(sub, name=name)

Config = Annotated[Path, typer.Option("--config", help="TOML file; the room's sample.toml lists every key.")]
Check = Annotated[bool, typer.Option("--check", help="Look for faults, list all of them, start nothing.")]
Dsn = Annotated[
    str | None, typer.Option("--dsn", envvar="JISHI_DSN", show_envvar=True, help="PostgreSQL 16-18, libpq URI.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line of stdout.")]


def main() -> None:
    """Run a command."""
    try:
        app()
    except JishiError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(_FAILED)
    except ModuleNotFoundError as error:
        sys.stderr.write(f"this command needs a part that is not installed ({error.name}): pip install 'jishi[demo]'\n")
        sys.exit(_FAILED)


def say_json(result: Mapping[str, Any]) -> None:
    """Print the one object of a `--json` command."""
    sys.stdout.write(json.dumps(result, ensure_ascii=False, separators=(",", ":")) + "\n")
    sys.stdout.flush()


@app.command(epilog="Example: jishi demo --once --json")
def demo(
    *,
    once: Annotated[bool, typer.Option("--once", help="Run the scenario to its end, then leave (the default).")] = True,  # noqa: ARG001
    as_json: Json = False,
    seed: Annotated[int, typer.Option(help="Which simulated day.")] = 1,
) -> None:
    """Start every part on this machine and compare verified hours with the truth. (演示)."""
    from jishi.demo import run, show

    # As by Ctrl-C: the parts are stopped and their folders removed in order.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    report = run(seed=seed)
    if as_json:
        say_json(report)
    else:
        show(report)
    if not report["ok"]:
        raise typer.Exit(1)


@gateway_app.command("run", epilog="Example: jishi gateway run --config gateway.toml --check")
def gateway_run(config: Config, *, check: Check = False) -> None:
    """Read, sign, keep and send until SIGTERM or Ctrl-C."""
    from gateway import app as gateway

    if not check:
        gateway.run(config)
    elif faults := gateway.check(config):
        sys.stderr.writelines(f"{fault}\n" for fault in faults)
        raise typer.Exit(_FAILED)


@gateway_app.command("key", epilog="Example: jishi gateway key --config gateway.toml")
def gateway_key(config: Config) -> None:
    """Make the gateway's key in its data folder and print the public half. Never overwrites one."""
    from gateway import config as settings
    from gateway import keys

    sys.stdout.write(keys.create(settings.load(config).data_dir).hex() + "\n")


@gateway_app.command("status", epilog="Example: jishi gateway status --config gateway.toml")
def gateway_status(config: Config) -> None:
    """What the spool holds and what the collector has in custody, as one JSON object."""
    from gateway import config as settings
    from gateway import spool

    say_json({"streams": spool.status(settings.load(config).data_dir)})


@collector_app.command("run", epilog="Example: jishi collector run --config collector.toml --check")
def collector_run(config: Config, *, check: Check = False) -> None:
    """Hear, admit, store, acknowledge and receipt until SIGTERM or Ctrl-C."""
    from collector import app as collector

    (collector.check if check else collector.run)(config)


@collector_app.command("key", epilog="Example: jishi collector key collector.key")
def collector_key(file: Path) -> None:
    """Make the key that signs receipts, or show the public half of one that is there."""
    from collector import keys

    made = keys.load(file) if file.exists() else keys.create(file)
    sys.stdout.write(keys.public_hex(made) + "\n")


@hours_app.command(
    "run", epilog="Example: jishi hours run --from 2025-03-10T00:00:00+08:00 --to 2025-03-11T00:00:00+08:00"
)
def hours_run(
    *,
    from_time: Annotated[str, typer.Option("--from", help="Beginning, RFC 3339 with an offset.")],
    to_time: Annotated[str, typer.Option("--to", help="End, not included.")],
    instrument: Annotated[list[str] | None, typer.Option(help="Only this one; may be repeated.")] = None,
    level: Annotated[int, typer.Option(min=2, max=3, help="2: every reading; 3: verified hours.")] = 3,
    dsn: Dsn = None,
    as_json: Json = False,
) -> None:
    """Measure a period: append the statements of its days, print the totals."""
    from metering import cli

    report = cli.hours_run(dsn, (from_time, to_time), instrument, level)
    if as_json:
        say_json(report)
    else:
        cli.show(report)


@hours_app.command(
    "file",
    epilog="Example: jishi hours file day.csv.gz --policy policy.toml --format tracebase --tz Europe/Berlin --json",
)
def hours_file(
    traces: Annotated[list[Path], typer.Argument(help="One recording, in one or more files; .gz or plain.")],
    policy: Annotated[Path, typer.Option(help="TOML: enter_w, leave_w, off_w, dwell_on_s, bridge_s, min_run_s ...")],
    form: Annotated[str, typer.Option("--format", help="tracebase, csv or shdr.")] = "tracebase",
    key: Annotated[str | None, typer.Option(help="Column of power (csv) or execution item (shdr).")] = None,
    tz: Annotated[str | None, typer.Option(help="Zone of local times, such as Asia/Shanghai.")] = None,
    *,
    as_json: Json = False,
) -> None:
    """Meter a recording that nobody signed (assurance L2)."""
    from metering import cli

    report = cli.file_hours(traces, policy, form, key, tz)
    if as_json:
        say_json(report)
    else:
        cli.show_file(report)


@sim_app.command("run", epilog="Example: jishi sim run --scenario demo --seed 1 --truth truth.json --ready ready.json")
def sim_run(
    *,
    scenario: Annotated[str, typer.Option(help="A shipped scenario (demo) or a TOML file.")] = "demo",
    seed: Annotated[int, typer.Option(help="Which day; the same seed plays the same day.")] = 1,
    truth: Annotated[Path, typer.Option(help="Where what really happens is written.")] = Path("truth.json"),
    ready: Annotated[Path, typer.Option(help="Where the addresses are written once all listen.")] = Path("ready.json"),
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
) -> None:
    """Play instruments as Modbus servers in lock-step time until SIGTERM or Ctrl-C."""
    from firmware_sim import app as simulator

    raise typer.Exit(simulator.run(scenario=scenario, seed=seed, truth=truth, ready=ready, host=host))


@db_app.command("migrate", epilog="Example: jishi db migrate --dsn postgresql://jishi@db.example/jishi")
def db_migrate(dsn: Dsn = None, *, as_json: Json = False) -> None:
    """Bring the tables up to date. Twice changes nothing."""
    from dataclasses import asdict

    from storage.migrate import migrate

    _show_fields(asdict(migrate(dsn)), as_json=as_json)


@db_app.command("status", epilog="Example: jishi db status --json")
def db_status(dsn: Dsn = None, *, as_json: Json = False) -> None:
    """What the database is, and which migrations are applied and pending."""
    from dataclasses import asdict

    from storage.migrate import status

    _show_fields(asdict(status(dsn)), as_json=as_json)


@db_app.command("load", epilog="Example: jishi db load registry.toml")
def db_load(file: Path, dsn: Dsn = None, *, check: Check = False) -> None:
    """Load a registry file: all of it or nothing. What is stored is never edited; twice changes nothing."""
    from dataclasses import asdict

    from storage import registry_file, registry_load
    from storage.pool import connect

    content = registry_file.read(file)
    _check_rules(content)
    if check:
        return
    with connect(dsn) as connection:
        _show_fields(asdict(registry_load.load(connection, content)), as_json=False)


def _check_rules(content: "RegistryFile") -> None:
    """A policy that metering cannot use is refused here: once stored, it could be closed but never mended."""
    from metering.core.policy import parse_policy

    faults = []
    for at, entry in enumerate(content.policy):
        try:
            parse_policy(entry.rules)
        except ConfigError as error:
            faults += [f"policy[{at}].rules.{fault}" for fault in error.faults]
    if faults:
        raise ConfigError("the registry was not changed", faults)


def _show_fields(fields: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        say_json(fields)
        return
    for key, value in fields.items():
        sys.stdout.write(f"{key}: {', '.join(value) if isinstance(value, tuple) else value}\n")
