"""Names of things. They become topics and file names, so their form is checked once, at the edge."""

import re
from typing import NewType

UnitId = NewType("UnitId", str)
SiteId = NewType("SiteId", str)
GatewayId = NewType("GatewayId", str)
InstrumentId = NewType("InstrumentId", str)
StreamId = NewType("StreamId", bytes)
"""16 random bytes: one instrument's chain of frames from one spool."""
KeyId = NewType("KeyId", bytes)
"""First 8 bytes of SHA-256 over a raw Ed25519 public key. It finds a key; it proves nothing."""
BootId = NewType("BootId", bytes)
"""8 bytes that change at every boot: within one, monotonic time never goes back."""

ID_PATTERN = r"[a-z0-9][a-z0-9-]{0,31}"
STREAM_ID_BYTES = 16
KEY_ID_BYTES = 8
BOOT_ID_BYTES = 8

_ID = re.compile(ID_PATTERN)


def is_id(text: str) -> bool:
    """Whether `text` may name a site, gateway, unit, instrument or run-state line."""
    return _ID.fullmatch(text) is not None
