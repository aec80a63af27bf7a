"""`jishi db`."""

from pathlib import Path
from typing import TYPE_CHECKING

from contract.errors import ConfigError
from jishi.commands import account
from jishi.commands.common import Check, Dsn, Json, group, show_fields

if TYPE_CHECKING:
    from storage.registry_file import RegistryFile

app = group("The database: tables and registry. 数据库")
app.add_typer(account.app, name="account", epilog="Example: jishi db account list")


@app.command("migrate", epilog="Example: jishi db migrate --dsn postgresql://jishi@db.example/jishi")
def db_migrate(dsn: Dsn = None, *, as_json: Json = False) -> None:
    """Bring the tables up to date. Twice changes nothing."""
    from dataclasses import asdict

    from storage.migrate import migrate

    show_fields(asdict(migrate(dsn)), as_json=as_json)


@app.command("status", epilog="Example: jishi db status --json")
def db_status(dsn: Dsn = None, *, as_json: Json = False) -> None:
    """What the database is, and which migrations are applied and pending."""
    from dataclasses import asdict

    from storage.migrate import status

    show_fields(asdict(status(dsn)), as_json=as_json)


@app.command("load", epilog="Example: jishi db load registry.toml")
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
        show_fields(asdict(registry_load.load(connection, content)), as_json=False)


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
