"""Reads the committed vectors."""

import json
from pathlib import Path
from typing import Any, Final

FOLDER: Final = Path(__file__).parent / "vectors"


def vectors(name: str) -> list[dict[str, Any]]:
    """The vectors of one file, `good` for `good.json`."""
    return list(json.loads((FOLDER / f"{name}.json").read_text("utf-8"))["vectors"])


def raw(vector: dict[str, Any]) -> bytes:
    """Its bytes."""
    return bytes.fromhex(vector["hex"]) + bytes(vector.get("zeros_after", 0))
