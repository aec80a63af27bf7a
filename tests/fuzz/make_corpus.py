"""Writes the corpus anew from the golden vectors: PYTHONPATH=tests:. .venv/bin/python tests/fuzz/make_corpus.py.

Of all vectors that are refused with the same words, numbers aside, the smallest is kept; and all that are accepted.
"""

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

from wire import golden

from contract import codec, seal
from contract.errors import EvidenceError, Reason

FOLDER: Final = Path(__file__).parent / "corpus"
_MOST_BYTES: Final = 2_048


def main() -> None:
    """Write it."""
    vectors = [one for name in ("good", "future", "hostile", "malformed", "reencoded") for one in golden.vectors(name)]
    raws = {raw for one in vectors if len(raw := golden.raw(one)) <= _MOST_BYTES}
    payloads = {payload for raw in raws if (payload := _payload(raw)) is not None}
    _write("open_frame", raws, _opened)
    _write("decode", payloads, codec.decode)
    _write("admission", raws, lambda raw: codec.decode(seal.open_frame(raw).payload))


def _write(name: str, seeds: set[bytes], read: Callable[[bytes], object]) -> None:
    kept: dict[str, bytes] = {}
    for seed in sorted(seeds, key=lambda seed: (len(seed), seed)):
        kept.setdefault(_words(seed, read), seed)
    folder = FOLDER / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for seed in kept.values():
        (folder / f"{seal.frame_hash(seed).hex()[:16]}.bin").write_bytes(seed)


def _words(seed: bytes, read: Callable[[bytes], object]) -> str:
    try:
        read(seed)
    except EvidenceError as error:
        return re.sub(r"[0-9a-f]{2}( [0-9a-f]{2})+|\d+", "", str(error))
    return seed.hex()


def _opened(raw: bytes) -> None:
    """Accepted envelopes differ in the length of their numbers alone."""
    opened = seal.open_frame(raw)
    raise EvidenceError(Reason.BAD_ENVELOPE, "open" + "." * len(opened.protected))


def _payload(raw: bytes) -> bytes | None:
    try:
        return seal.open_frame(raw).payload
    except EvidenceError:
        return None


if __name__ == "__main__":
    main()
