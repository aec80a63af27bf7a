"""What commands share: options, and the one JSON object of `--json`."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import typer

FAILED: Final = 2

Config = Annotated[Path, typer.Option("--config", help="TOML file; the room's sample.toml lists every key.")]
Check = Annotated[bool, typer.Option("--check", help="Look for faults, list all of them, start nothing.")]
Dsn = Annotated[
    str | None, typer.Option("--dsn", envvar="JISHI_DSN", show_envvar=True, help="PostgreSQL 16-18, libpq URI.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line of stdout.")]


def group(help_text: str) -> typer.Typer:
    """A group of commands that shows its help when called alone."""
    return typer.Typer(no_args_is_help=True, help=help_text)


def say_json(result: Mapping[str, Any]) -> None:
    """Print the one object of a `--json` command."""
    sys.stdout.write(json.dumps(result, ensure_ascii=False, separators=(",", ":")) + "\n")
    sys.stdout.flush()


def show_fields(fields: Mapping[str, Any], *, as_json: bool) -> None:
    """Print a flat result, a field a line, or as JSON."""
    if as_json:
        say_json(fields)
        return
    for key, value in fields.items():
        sys.stdout.write(f"{key}: {', '.join(value) if isinstance(value, tuple) else value}\n")
