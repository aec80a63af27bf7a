"""What a forger can do with a pack in hand: take it apart, change it, and put every hash right again."""

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from metering.verifier import container, form, text


def members(pack: bytes) -> dict[str, bytes]:
    return {name: bytes(content) for name, content in container.read(pack).items()}


def zipped(found: Mapping[str, bytes]) -> bytes:
    """A container of exactly these members."""
    parts: list[bytes] = []
    writer = container.Writer(parts.append)
    for name in sorted(found):
        writer.add(name, found[name])
    writer.close()
    return b"".join(parts)


def repacked(found: Mapping[str, bytes]) -> bytes:
    """A pack of these members whose manifest lists them as they are."""
    said = json.loads(found[form.MANIFEST])
    others = sorted((name, raw) for name, raw in found.items() if name != form.MANIFEST)
    said["members"] = [
        {"name": name, "size": len(raw), "sha256": hashlib.sha256(raw).hexdigest()} for name, raw in others
    ]
    return zipped({**found, form.MANIFEST: text.dumps(said)})


def edited(pack: bytes, name: str, edit: Callable[[Any], object]) -> bytes:
    """A pack with one of its JSON members edited in place, every hash put right."""
    found = members(pack)
    value = json.loads(found[name])
    edit(value)
    return repacked({**found, name: text.dumps(value)})


def reframed(pack: bytes, edit: Callable[[str, list[bytes]], list[bytes]]) -> bytes:
    """A pack with the frames of each member edited, every hash put right."""
    found = members(pack)
    for name in [name for name in found if name.startswith("frames/")]:
        frames = edit(name, [raw for _, raw in form.items(memoryview(found[name]))])
        found[name] = form.sequence(frames)
    return repacked({name: raw for name, raw in found.items() if raw or name == form.RIVALS})
