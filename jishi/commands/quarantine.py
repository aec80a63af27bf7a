"""`jishi collector quarantine`: what was refused and why, and what of it may come in after all."""

import sys
from getpass import getuser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from contract import clock
from contract.errors import ConfigError
from contract.units import parse_utc_ms
from jishi.commands.common import Dsn, Json, group, say_json

if TYPE_CHECKING:
    from storage.quarantine import Entry, Wanted

app = group("What was refused, why, and what may come in after all. 隔离区")

Reasons = Annotated[str | None, typer.Option("--reason", help="Only this reason, such as no-binding.")]
Gateway = Annotated[str | None, typer.Option("--gateway", help="Only frames of this gateway.")]
Instrument = Annotated[str | None, typer.Option("--instrument", help="Only frames about this instrument.")]
_HIDDEN = {"hex_head", "envelope", "content", "detail", "advice_zh", "advice_en"}


@app.command("list", epilog="Example: jishi collector quarantine list --reason no-binding --gateway gw-07")
def quarantine_list(  # noqa: PLR0913 - an option is a parameter
    *,
    reason: Reasons = None,
    gateway: Gateway = None,
    instrument: Instrument = None,
    since: Annotated[str | None, typer.Option(help="Heard at this time or later, RFC 3339 with an offset.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many, the newest first.")] = 50,
    dsn: Dsn = None,
    as_json: Json = False,
) -> None:
    """Refused messages, the newest first; also those that were readmitted, which say so."""
    from collector import quarantine, quarantine_words
    from storage.pool import connect

    with connect(dsn) as connection:
        found = quarantine.listed(connection, _wanted(reason, gateway, instrument, since), limit)
    told = [quarantine_words.summary(entry, about) for entry, about in found]
    if as_json:
        say_json({"entries": told})
        return
    for one in told:
        sys.stdout.write(quarantine_words.line(one) + "\n")
    if not told:
        sys.stderr.write("nothing of that kind is in quarantine 没有这样的消息\n")


@app.command("show", epilog="Example: jishi collector quarantine show 17 --raw frame.bin")
def quarantine_show(
    number: Annotated[int, typer.Argument(metavar="ID", help="Its number in the list.")],
    *,
    raw: Annotated[Path | None, typer.Option(help="Write its exact bytes to this new file.")] = None,
    dsn: Dsn = None,
    as_json: Json = False,
) -> None:
    """One refused message: why, what to do about it, and what its bytes say as far as they can be read."""
    from collector import quarantine_words
    from storage import quarantine
    from storage.pool import connect

    with connect(dsn) as connection:
        entry = quarantine.whole(connection, [number]).get(number)
    if entry is None:
        raise ConfigError(
            "nothing to show", [f"ID: {number} is not in quarantine; see jishi collector quarantine list"]
        )
    if raw:
        _write(raw, entry)
    told = quarantine_words.described(entry)
    if as_json:
        say_json(told)
    else:
        _show(told)


@app.command("readmit", epilog="Example: jishi collector quarantine readmit --reason no-binding --gateway gw-07")
def quarantine_readmit(
    numbers: Annotated[list[int] | None, typer.Argument(metavar="[ID]...", help="Numbers in the list.")] = None,
    *,
    reason: Reasons = None,
    gateway: Gateway = None,
    by: Annotated[str | None, typer.Option(help="Who decided it; the user who runs this by default.")] = None,
    dsn: Dsn = None,
    as_json: Json = False,
) -> None:
    """Admit what is admissible now, after the registry or the program was mended. Twice changes nothing.

    Exit status: 0 all of it is in its place, 1 some is still refused (and says why), 2 nothing could be done.
    """
    from dataclasses import replace

    from collector import quarantine
    from storage.pool import connect

    if bool(numbers) == bool(reason and gateway):
        raise ConfigError("nothing was readmitted", ["ID: name entries, or --reason and --gateway together"])
    wanted = _wanted(reason, gateway, None, None)
    wanted = replace(wanted, numbers=tuple(numbers)) if numbers else replace(wanted, waiting=True)
    with connect(dsn) as connection:
        decided = quarantine.readmit(connection, wanted, getuser() if by is None else by, clock.utc_ms())
    counts = {fate.value: sum(one.fate is fate for one in decided) for fate in quarantine.Fate}
    if as_json:
        told = [
            {"id": one.quarantine_no, "fate": one.fate, "reason": one.reason, "detail": one.detail} for one in decided
        ]
        say_json({**counts, "entries": told})
    else:
        for one in decided:
            sys.stdout.write(f"{one.quarantine_no}  {one.fate}  {one.detail}".rstrip() + "\n")
        sys.stderr.write(", ".join(f"{count} {fate}" for fate, count in counts.items()) + "\n")
        if counts[quarantine.Fate.READMITTED]:
            sys.stderr.write("measure their days again: jishi hours run 请重新计算所涉日期的机时\n")
    if counts[quarantine.Fate.REFUSED] or counts[quarantine.Fate.UNKNOWN]:
        raise typer.Exit(1)


def _wanted(reason: str | None, gateway: str | None, instrument: str | None, since: str | None) -> "Wanted":
    from contract.errors import Reason
    from storage.quarantine import Wanted

    faults = []
    if reason is not None and reason not in set(Reason):
        faults.append(f"--reason: {reason} is none of {', '.join(Reason)}")
    try:
        since_ms = None if since is None else parse_utc_ms(since)
    except ValueError as error:
        since_ms = None
        faults.append(f"--since: {error}")
    if faults:
        raise ConfigError("the quarantine was not asked", faults)
    return Wanted(reason=reason, gateway=gateway, instrument=instrument, since_ms=since_ms)


def _write(path: Path, entry: "Entry") -> None:
    if entry.raw is None:
        raise ConfigError("no file was written", ["--raw: nobody known signed these bytes, only their hash was kept"])
    try:
        with path.open("xb") as file:
            file.write(entry.raw)
    except OSError as error:
        raise ConfigError("no file was written", [f"--raw: {error}"]) from error


def _show(told: dict[str, Any]) -> None:
    from collector.quarantine_words import plain

    sys.stdout.write(f"{plain(told['detail'])}\n{told['advice_zh']}\n{told['advice_en']}\n\n")
    for key, value in told.items():
        if key not in _HIDDEN and value is not None:
            sys.stdout.write(f"{key}: {plain(str(value))}\n")
    for part in ("envelope", "content"):
        for key, value in (told[part] or {}).items():
            sys.stdout.write(f"{part}.{key}: {_shortly(value)}\n")
    if told["hex_head"]:
        sys.stdout.write(f"bytes: {told['hex_head']} ...\n")


def _shortly(value: object) -> str:
    """A value on one line; long columns by their first and last items."""
    if isinstance(value, list) and len(value) > 6:  # noqa: PLR2004 - as many as a line holds
        return f"{value[0]}, {value[1]}, ... {value[-1]} ({len(value)} items)"
    if isinstance(value, dict):
        return "; ".join(f"{key}: {_shortly(one)}" for key, one in value.items())
    return str(value)
