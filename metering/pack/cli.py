"""What `jishi evidence` does.

Does not: parse the command line (`jishi.commands.evidence`), or know the form of a pack (`metering.verifier.form`).
"""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from contract.errors import ConfigError
from contract.registry import Instrument
from contract.states import Assurance
from contract.units import parse_utc_ms
from metering.core.spans import Span
from metering.pack import export
from metering.verifier import anchor
from metering.verifier.form import LATEST_MS
from storage import registry
from storage.pool import Connection, connect


def export_pack(
    dsn: str | None, instrument: str, period: tuple[str, str], out: Path, level: int = 3, by: str = ""
) -> dict[str, Any]:
    """Write an evidence pack; the file is there whole or not at all.

    Args:
        dsn: of the store; None: as the environment says.
        instrument: its id.
        period: beginning and end, RFC 3339 with an offset.
        out: the file; replaced if it is there.
        level: 3, or 2 for an instrument whose hours are telemetry.
        by: who exports it, for people.

    Raises:
        ConfigError: an option cannot be used, or the file cannot be written; all faults at once.
        StorageError: the database failed.
    """
    asked = _period(*period)
    part = out.with_name(f".{out.name}.part")
    with connect(dsn) as connection, Console(stderr=True).status(f"exporting {instrument}"):
        (chosen,) = _chosen(connection, [instrument])
        try:
            with part.open("wb") as file:
                count = export.export(connection, chosen, asked, file.write, Assurance(level), by)
                file.flush()
                os.fsync(file.fileno())
            part.replace(out)
        except OSError as error:
            raise ConfigError("nothing was exported", [f"--out: {out}: {error.strerror}"]) from error
        finally:
            part.unlink(missing_ok=True)
    with out.open("rb") as written:
        digest = hashlib.file_digest(written, "sha256").hexdigest()
    return {"out": str(out), "frames": count, "bytes": out.stat().st_size, "sha256": digest}


def export_keys(dsn: str | None, out: Path, only: Sequence[str] | None = None) -> dict[str, Any]:
    """Write the register of trust: of some instruments, or of all.

    Raises:
        ConfigError: an instrument is unknown, or the file cannot be written.
        StorageError: the database failed.
    """
    with connect(dsn) as connection:
        trusted = export.trust(connection, _chosen(connection, only))
    content = anchor.dumps(trusted)
    try:
        out.write_bytes(content)
    except OSError as error:
        raise ConfigError("nothing was exported", [f"--out: {out}: {error.strerror}"]) from error
    return {
        "out": str(out),
        "instruments": len(trusted.instruments),
        "keys": len(trusted.keys),
        "bindings": len(trusted.bindings),
        "policies": len(trusted.policies),
        "sha256": hashlib.sha256(content).hexdigest(),
    }


def _chosen(connection: Connection, only: Sequence[str] | None) -> tuple[Instrument, ...]:
    known = {found.instrument: found for found in registry.instruments(connection)}
    if unknown := sorted(set(only or ()) - known.keys()):
        raise ConfigError("nothing was exported", [f"--instrument: {name} is not in the registry" for name in unknown])
    return tuple(found for name, found in known.items() if not only or name in only)


def _period(from_time: str, to_time: str) -> Span:
    faults, times = [], []
    for option, text in (("--from", from_time), ("--to", to_time)):
        try:
            times.append(parse_utc_ms(text))
        except ValueError as error:
            faults.append(f"{option}: {error}")
        else:
            if not 0 <= times[-1] <= LATEST_MS:
                faults.append(f"{option}: {text} is outside the years 1970 to 9000")
    if not faults and times[0] >= times[1]:
        faults.append("--to: must be later than --from")
    if faults:
        raise ConfigError("nothing was exported", faults)
    return times[0], times[1]
