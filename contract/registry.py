"""What the registry says, as data: who may sign, which meter serves which instrument, and since when.

Periods are half-open, POSIX ms; an end of None is open. A record is closed, never edited: history is kept.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from contract.ids import GatewayId, InstrumentId, KeyId, SiteId


class Role(StrEnum):
    """What a meter is to an instrument. Source: domain.md 4, edge cases."""

    SOLE = "sole"
    PART = "part"
    SHARED = "shared"
    AUXILIARY = "auxiliary"


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayKey:
    """A public key by which a gateway's frames are judged, within its validity."""

    kid: KeyId
    site: SiteId
    gateway: GatewayId
    public_key: bytes
    valid_from_ms: int
    valid_to_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """A meter read by a gateway serves an instrument."""

    instrument: InstrumentId
    gateway: GatewayId
    meter_model: str
    meter_serial: str
    ct_primary_a: int
    ct_secondary_a: int
    role: Role
    valid_from_ms: int
    valid_to_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """A snapshot for admission.

    Attributes:
        bindings: all of one gateway and instrument, present and past.
        simulation: marked as a simulation; only such a registry credits frames whose clock is simulated.
    """

    keys: Mapping[KeyId, GatewayKey]
    bindings: Mapping[tuple[GatewayId, InstrumentId], tuple[Binding, ...]]
    simulation: bool


def covers(valid_from_ms: int, valid_to_ms: int | None, time_ms: int) -> bool:
    """Whether a half-open validity holds at an instant."""
    return valid_from_ms <= time_ms and (valid_to_ms is None or time_ms < valid_to_ms)
