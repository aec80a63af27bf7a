"""Words of attribution: who used an instrument, what for, and how well that is known. Source: domain.md 3 and 4."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum

from contract.ids import InstrumentId


class Party(StrEnum):
    """Whose use it was, seen from the managing unit. Unknown is never external."""

    OWN_GROUP = "own-group"
    OTHER_GROUP = "other-group"
    AFFILIATED = "affiliated"
    EXTERNAL = "external"
    UNKNOWN = "unknown"


class Purpose(StrEnum):
    """What the use was for."""

    TEACHING = "teaching"
    RESEARCH = "research"
    SOCIAL_SERVICE = "social-service"
    METHOD_DEVELOPMENT = "method-development"
    TRAINING = "training"
    EXCLUDED = "excluded"
    NO_LOAD = "no-load"


class Way(StrEnum):
    """The way of service (占用, 技术, 委托, 远程, 其他)."""

    SELF_OPERATED = "self-operated"
    ASSISTED = "assisted"
    COMMISSIONED = "commissioned"
    REMOTE = "remote"
    OTHER = "other"


class Attribution(IntEnum):
    """How well it is known whose use it was (A0-A3)."""

    ENTERED_AFTERWARDS = 0
    BOOKED = 1
    SIGNED_IN = 2
    CONFIRMED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A booking or sign-in: [start_ms, end_ms) of one instrument for one party. No names of people.

    Attributes:
        attribution: as recorded; `standing` is what it can claim.
        entered_at_ms: when it was written down.
    """

    session_id: str
    instrument: InstrumentId
    start_ms: int
    end_ms: int
    party: Party
    purpose: Purpose
    way: Way
    attribution: Attribution
    entered_at_ms: int

    @property
    def standing(self) -> Attribution:
        """The attribution it can claim: a booking written down after its beginning was entered afterwards."""
        if self.attribution is Attribution.BOOKED and self.entered_at_ms > self.start_ms:
            return Attribution.ENTERED_AFTERWARDS
        return self.attribution
