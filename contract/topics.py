"""MQTT topics: `jishi/v1/{site}/{gateway}/{frame|status|receipt}`. Source: design.md 3, wire-findings.md 2."""

from dataclasses import dataclass
from enum import StrEnum

from contract.errors import EvidenceError, Reason
from contract.ids import GatewayId, SiteId, is_id

PREFIX = "jishi/v1"
ALL_FRAMES = f"{PREFIX}/+/+/frame"
_PARTS = 5


class Channel(StrEnum):
    """What a topic carries."""

    FRAME = "frame"
    STATUS = "status"
    RECEIPT = "receipt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """A parsed topic; `str()` gives its text back."""

    site: SiteId
    gateway: GatewayId
    channel: Channel

    def __str__(self) -> str:
        return f"{PREFIX}/{self.site}/{self.gateway}/{self.channel}"


def parse_topic(text: str) -> Topic:
    """A topic of ours.

    Raises:
        EvidenceError: BAD_TOPIC, anything else.
    """
    parts = text.split("/")
    if len(parts) != _PARTS or "/".join(parts[:2]) != PREFIX or not (is_id(parts[2]) and is_id(parts[3])):
        raise EvidenceError(Reason.BAD_TOPIC, f"{text!r} is not {PREFIX}/site/gateway/channel")
    if parts[4] not in set(Channel):
        raise EvidenceError(Reason.BAD_TOPIC, f"{text!r} ends in none of {', '.join(Channel)}")
    return Topic(site=SiteId(parts[2]), gateway=GatewayId(parts[3]), channel=Channel(parts[4]))
