"""`jishi evidence` and `jishi verify`."""

from pathlib import Path
from typing import Annotated

import typer

from jishi.commands.common import Dsn, Json, group, say_json, show_fields

app = group("Evidence for outsiders: packs, and the register of trust. 证据包")


@app.command(
    "export",
    epilog="Example: jishi evidence export --instrument nmr-400 --from 2025-03-01T00:00:00+08:00 "
    "--to 2025-04-01T00:00:00+08:00 --out nmr-400.zip",
)
def evidence_export(  # noqa: PLR0913 - the options of a command
    *,
    instrument: Annotated[str, typer.Option(help="Whose evidence.")],
    from_time: Annotated[str, typer.Option("--from", help="Beginning, RFC 3339 with an offset.")],
    to_time: Annotated[str, typer.Option("--to", help="End, not included.")],
    out: Annotated[Path, typer.Option(help="The pack to be written.")],
    level: Annotated[int, typer.Option(min=2, max=3, help="Of the headline; 2 for telemetry and imports.")] = 3,
    by: Annotated[str, typer.Option(help="Who exports it, for people to read.")] = "",
    dsn: Dsn = None,
    as_json: Json = False,
) -> None:
    """Measure a period and write it with all its evidence into a pack that `jishi verify` checks offline."""
    from metering.pack import cli

    show_fields(cli.export_pack(dsn, instrument, (from_time, to_time), out, level, by), as_json=as_json)


@app.command("keys", epilog="Example: jishi evidence keys --out trust.json")
def evidence_keys(
    *,
    out: Annotated[Path, typer.Option(help="The file to be written.")],
    instrument: Annotated[list[str] | None, typer.Option(help="Only this one; may be repeated.")] = None,
    dsn: Dsn = None,
    as_json: Json = False,
) -> None:
    """Write the register of trust for `jishi verify --keys`; it reaches the evaluator by another way than packs."""
    from metering.pack import cli

    show_fields(cli.export_keys(dsn, out, instrument), as_json=as_json)


def verify(
    pack: Annotated[Path, typer.Argument(help="An evidence pack.")],
    *,
    keys: Annotated[
        Path | None, typer.Option("--keys", help="The register of trust (jishi evidence keys), from the registry.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Recompute the hours of a pack from its signed bytes, offline. 核验证据包.

    Exit status: 0 verified (with or without gaps), 1 rejected, 2 not a pack, 3 without --keys: not anchored.
    """
    from metering.verifier import cli

    report, status = cli.run(pack, keys)
    if as_json:
        say_json(report)
    else:
        cli.show(report)
    raise typer.Exit(status)
