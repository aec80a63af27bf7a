"""`jishi db account`: who may ask the api."""

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from contract import clock
from contract.errors import ConfigError
from contract.units import parse_utc_ms, utc_text
from jishi.commands.common import Dsn, Json, group, say_json

if TYPE_CHECKING:
    from storage.accounts import StoredAccount

app = group("Keys of the api: who may see what. 账号")


@app.command("add", epilog='Example: jishi db account add --name "county evaluator" --role evaluator')
def account_add(
    *,
    name: Annotated[str, typer.Option(help="Who it is for; no two keys that stand have one name.")],
    role: Annotated[str, typer.Option(help="lab, evaluator, auditor or operator.")],
    unit: Annotated[str | None, typer.Option(help="Sees this managing unit alone; a lab names one.")] = None,
    expires: Annotated[str | None, typer.Option(help="RFC 3339 with an offset.")] = None,
    dsn: Dsn = None,
    as_json: Json = False,
) -> None:
    """Make a key and print it, this once: only its hash is stored."""
    from contract.ids import UnitId
    from storage import accounts
    from storage.pool import connect

    new = accounts.NewAccount(
        name=name, role=_role(role), unit=None if unit is None else UnitId(unit), expires_at_ms=_expiry(expires)
    )
    with connect(dsn) as connection:
        key = accounts.add(connection, new, clock.utc_ms())
    if as_json:
        say_json({"name": name, "role": role, "unit": unit, "expires": expires, "key": key})
    else:
        sys.stdout.write(f"{key}\n")
        sys.stderr.write("keep it now: it is not stored, and never shown again\n")


@app.command("list", epilog="Example: jishi db account list --json")
def account_list(dsn: Dsn = None, *, as_json: Json = False) -> None:
    """All accounts, also those that expired or were revoked. Keys are not shown: they are not stored."""
    from storage import accounts
    from storage.pool import connect

    with connect(dsn) as connection:
        found = [_shown(one) for one in accounts.listed(connection)]
    if as_json:
        say_json({"accounts": found})
        return
    for one in found:
        sys.stdout.write("  ".join(f"{key}={value}" for key, value in one.items() if value is not None) + "\n")


@app.command("revoke", epilog='Example: jishi db account revoke "county evaluator"')
def account_revoke(name: str, dsn: Dsn = None) -> None:
    """Close the key that stands under a name. It opens nothing from now on; its row stays."""
    from storage import accounts
    from storage.pool import connect

    with connect(dsn) as connection:
        accounts.revoke(connection, name, clock.utc_ms())


def _role(text: str) -> Any:  # noqa: ANN401 - its type is imported inside the command alone
    from storage.accounts import Role

    try:
        return Role(text)
    except ValueError as error:
        raise ConfigError("no account was made", [f"--role: {text} is none of {', '.join(Role)}"]) from error


def _expiry(text: str | None) -> int | None:
    try:
        return None if text is None else parse_utc_ms(text)
    except ValueError as error:
        raise ConfigError("no account was made", [f"--expires: {error}"]) from error


def _shown(one: "StoredAccount") -> dict[str, str | None]:
    times = {"created": one.created_at_ms, "expires": one.expires_at_ms, "revoked": one.revoked_at_ms}
    said = {"name": one.name, "role": one.role.value, "unit": one.unit}
    return said | {name: None if at_ms is None else utc_text(at_ms) for name, at_ms in times.items()}
