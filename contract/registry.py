"""What the registry says, as data: who may sign, which meter serves which instrument, by which rules, since when.

Periods are half-open, POSIX ms; an end of None is open. A record is closed, never edited: history is kept.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import cbor2

from contract.ids import GatewayId, InstrumentId, KeyId, SiteId, UnitId


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
class Instrument:
    """An instrument and the zone in which its managing unit counts days."""

    instrument: InstrumentId
    unit: UnitId
    name_zh: str
    name_en: str
    instrument_class: str
    time_zone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyVersion:
    """A version of the rules for one instrument, in force in [valid_from_ms, valid_to_ms); None: open.

    Attributes:
        rules: as proposed and approved; what they mean is metering's business.
        content_hash: SHA-256 over the canonical CBOR of `rules`.
    """

    policy_id: str
    version: int
    instrument: InstrumentId
    rules: Mapping[str, object]
    content_hash: bytes
    proposed_by: str
    proposed_body: str
    approved_by: str
    approved_body: str
    approved_at_ms: int
    valid_from_ms: int
    valid_to_ms: int | None


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


def rules_hash(rules: Mapping[str, object]) -> bytes:
    """SHA-256 over the canonical CBOR of a policy's rules: what a statement names its policy by."""
    return hashlib.sha256(cbor2.dumps(rules, canonical=True)).digest()
