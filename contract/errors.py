"""One tree of errors, branched by who must act.

Foreign errors (sockets, databases, parsers) are mapped into this tree at the edge of the room that meets them.
"""

from collections.abc import Sequence
from enum import StrEnum


class Reason(StrEnum):
    """Why bytes were quarantined. Stored with the bytes; codes are added, never renamed."""

    BAD_TOPIC = "bad-topic"
    TOO_LARGE = "too-large"
    BAD_ENVELOPE = "bad-envelope"
    UNKNOWN_KEY = "unknown-key"
    BAD_SIGNATURE = "bad-signature"
    WRONG_GATEWAY = "wrong-gateway"
    WRONG_STREAM = "wrong-stream"
    UNKNOWN_VERSION = "unknown-version"
    MALFORMED = "malformed"
    NOT_CANONICAL = "not-canonical"
    KEY_NOT_VALID = "key-not-valid"
    NO_BINDING = "no-binding"
    WRONG_METER = "wrong-meter"
    SIMULATED_CLOCK = "simulated-clock"
    FUTURE_TIME = "future-time"
    EQUIVOCATION = "equivocation"
    OFF_CHAIN = "off-chain"
    NOT_STORABLE = "not-storable"
    TOO_MANY_HOLES = "too-many-holes"


class JishiError(Exception):
    """Root of every error this project raises on purpose; its text says what to do."""


class EvidenceError(JishiError):
    """The bytes are bad: quarantine them under `reason`."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(f"{reason}: {message}")
        self.reason = reason


class DeviceError(JishiError):
    """A meter or its link failed: report it and try again."""


class StorageError(JishiError):
    """Our own storage failed: stop acknowledging until it is back."""


class ConfigError(JishiError):
    """The operator must mend something: refuse to start and list every fault at once.

    Attributes:
        faults: one sentence each, beginning with the dotted key it is about.
    """

    def __init__(self, what: str, faults: Sequence[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join([what, *(f"  {fault}" for fault in self.faults)]))
