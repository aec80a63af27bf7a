"""The demo's evidence: a pack for each instrument, the keys to check it against, and what the verifier says of each.

The packs stay when the demo is gone: that is what they are for.
"""

import errno
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.markup import escape

from contract.errors import ConfigError
from contract.units import utc_text
from jishi.demo.recording import METER
from jishi.demo.rig import Rig
from metering.pack.cli import export_keys, export_pack
from metering.verifier import cli as verifier

_SHOWN: Final = (
    "verdict", "codes", "effective_low_h", "effective_high_h", "external_low_h", "external_high_h", "coverage",
    "frames", "seconds",
)  # fmt: skip
_GOOD: Final = frozenset({"VERIFIED", "VERIFIED_WITH_GAPS"})


def folder(out: Path | None) -> Path:
    """Where the packs are left: looked at before anything runs.

    Raises:
        ConfigError: it cannot be written.
    """
    try:
        if out is None:
            return Path(tempfile.mkdtemp(prefix="jishi-packs-"))
        out.mkdir(parents=True, exist_ok=True)
        if not os.access(out, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        raise ConfigError("nothing was started", [f"--out: {out}: {error.strerror}"]) from error
    return out.absolute()


def make(rig: Rig, into: Path) -> dict[str, Any]:
    """Export and verify: `packs` and `keys` are absolute paths, `verify` what `jishi verify` says of each."""
    keys = into / "keys.json"
    export_keys(rig.dsn, keys)
    packs = [_pack(rig, into, name, *span) for name, span in _spans(rig)]
    return {
        "packs": [str(pack) for pack in packs],
        "keys": str(keys),
        "verify": [_verified(one, keys) for one in packs],
    }


def right(verified: Sequence[Mapping[str, Any]]) -> bool:
    """Whether every pack convinced the verifier."""
    return all(one["verdict"] in _GOOD for one in verified)


def show(result: Mapping[str, Any], console: Console) -> None:
    """Where the packs are, and how to check one."""
    verdicts = ", ".join(sorted({one["verdict"] for one in result["verify"]}))
    console.print(f"{len(result['packs'])} evidence packs: {verdicts}. 证据包可自行核验 Check one yourself:")
    check = f".venv/bin/jishi verify {escape(result['packs'][0])} --keys {escape(result['keys'])}"
    console.print(check, soft_wrap=True, highlight=False)


def _spans(rig: Rig) -> list[tuple[str, tuple[int, int]]]:
    played = (rig.ready["start_ms"], rig.ready["end_ms"])
    recorded = (METER.instrument, (rig.recording.from_ms, rig.recording.to_ms))
    return [*((served["id"], played) for served in rig.ready["instruments"]), recorded]


def _pack(rig: Rig, into: Path, name: str, from_ms: int, to_ms: int) -> Path:
    pack = into / f"{name}.zip"
    export_pack(rig.dsn, name, (utc_text(from_ms), utc_text(to_ms)), pack)
    return pack


def _verified(pack: Path, keys: Path) -> dict[str, Any]:
    found, _ = verifier.run(pack, keys)
    return {"pack": str(pack), **{name: found.get(name) for name in _SHOWN}}
