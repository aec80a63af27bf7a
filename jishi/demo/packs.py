"""The demo's evidence: a pack for each instrument, the keys to check it against, and what the verifier says of each.

The packs stay when the demo is gone: that is what they are for.
"""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.markup import escape

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


def make(rig: Rig, out: Path | None) -> dict[str, Any]:
    """Export and verify: `packs` and `keys` are absolute paths, `verify` what `jishi verify` says of each."""
    folder = Path(tempfile.mkdtemp(prefix="jishi-packs-")) if out is None else out.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    keys = folder / "keys.json"
    export_keys(rig.dsn, keys)
    packs = [_pack(rig, folder, name, *span) for name, span in _spans(rig)]
    verified = [_verified(pack, keys) for pack in packs]
    return {"packs": [str(pack) for pack in packs], "keys": str(keys), "verify": verified}


def right(verified: Sequence[Mapping[str, Any]]) -> bool:
    """Whether every pack convinced the verifier."""
    return all(one["verdict"] in _GOOD for one in verified)


def show(result: Mapping[str, Any], console: Console) -> None:
    """Where the packs are, and how to check one."""
    verdicts = ", ".join(sorted({one["verdict"] for one in result["verify"]}))
    console.print(f"{len(result['packs'])} evidence packs: {verdicts}. 证据包可自行核验 Check one yourself:")
    console.print(f"  .venv/bin/jishi verify {escape(result['packs'][0])} --keys {escape(result['keys'])}")


def _spans(rig: Rig) -> list[tuple[str, tuple[int, int]]]:
    played = (rig.ready["start_ms"], rig.ready["end_ms"])
    recorded = (METER.instrument, (rig.recording.from_ms, rig.recording.to_ms))
    return [*((served["id"], played) for served in rig.ready["instruments"]), recorded]


def _pack(rig: Rig, folder: Path, name: str, from_ms: int, to_ms: int) -> Path:
    pack = folder / f"{name}.zip"
    export_pack(rig.dsn, name, (utc_text(from_ms), utc_text(to_ms)), pack)
    return pack


def _verified(pack: Path, keys: Path) -> dict[str, Any]:
    found, _ = verifier.run(pack, keys)
    return {"pack": str(pack), **{name: found.get(name) for name in _SHOWN}}
