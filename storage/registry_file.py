"""The registry as a file: TOML to records, every fault of form at once.

Does not: know what is stored already (`registry_load`) or what a policy's rules mean (metering).
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass as plain_dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic import model_validator as check
from pydantic.dataclasses import dataclass

from contract import seal
from contract.ids import ID_PATTERN
from contract.registry import Role, rules_hash
from contract.units import parse_utc_ms
from contract.usage import Attribution, Party, Purpose, Way
from storage import toml_file

_STRICT = ConfigDict(extra="forbid")


def _time_ms(value: object) -> int:
    if not isinstance(value, str | datetime):
        raise ValueError("a time with an offset was expected, such as 2025-03-10T09:00:00+08:00")  # noqa: TRY004
    return parse_utc_ms(value if isinstance(value, str) else value.isoformat())


def _public_key(value: object) -> bytes:
    raw = bytes.fromhex(str(value))
    seal.load_public_key(raw)
    return raw


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("no such time zone: write a name such as Asia/Shanghai") from None
    return name


def _rules(rules: dict[str, Any]) -> dict[str, Any]:
    try:
        json.dumps(rules, allow_nan=False)
    except TypeError as error:
        raise ValueError(f"rules hold texts, numbers, booleans, lists and tables: {error}") from error
    return rules


Id = Annotated[str, StringConstraints(pattern=f"^{ID_PATTERN}$")]
# Neither control characters, which a terminal would obey, nor those that turn the direction of what follows.
_PLAIN = r"^[^\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]*$"
Text = Annotated[str, StringConstraints(min_length=1, max_length=256, pattern=_PLAIN)]
TimeMs = Annotated[int, BeforeValidator(_time_ms)]
PublicKey = Annotated[bytes, BeforeValidator(_public_key)]
Amperes = Annotated[int, Field(strict=True, ge=1, le=1_000_000)]


@dataclass(config=_STRICT, frozen=True, slots=True, kw_only=True)
class _Valid:
    valid_from_ms: TimeMs = Field(alias="valid_from")
    valid_to_ms: TimeMs | None = Field(default=None, alias="valid_to")

    @check(mode="after")
    def _not_empty(self) -> Self:
        if self.valid_to_ms is not None and self.valid_to_ms <= self.valid_from_ms:
            raise ValueError("valid_to is not after valid_from")
        return self


@dataclass(config=_STRICT, frozen=True, slots=True, kw_only=True)
class UnitEntry:
    """A managing unit and the zone in which it counts days."""

    unit_id: Id = Field(alias="id")
    name_zh: Text
    name_en: Text
    time_zone: Annotated[str, AfterValidator(_zone)]


@dataclass(config=_STRICT, frozen=True, slots=True, kw_only=True)
class KeyEntry(_Valid):
    """A gateway's public key, in hex in the file."""

    public_key: PublicKey


@dataclass(config=_STRICT, frozen=True, slots=True, kw_only=True)
class GatewayEntry:
    """A gateway, whose unit it is, and its keys."""

    gateway_id: Id = Field(alias="id")
    site: Id
    unit: Id
    key: list[KeyEntry] = Field(default_factory=list)


@dataclass(config=_STRICT, frozen=True, slots=True, kw_only=True)
class InstrumentEntry:
    """An instrument; `class` is its class in the field's classification."""

    instrument_id: Id = Field(alias="id")
    unit: Id
    name_zh: Text
    name_en: Text
    instrument_class: Text = Field(alias="class")


@dataclass(config=_STRICT, frozen=True, slots=True, kw_only=True)
class MeterEntry:
    """A meter, as it names itself."""

    model: Id
    serial: Text


@dataclass(config=_STRICT, frozen=True, slots=True, kw_only=True)
class BindingEntry(_Valid):
    """A meter read by a gateway serves an instrument."""

    instrument: Id
    gateway: Id
    meter_model: Id
    meter_serial: Text
    ct_primary_a: Amperes = 1
    ct_secondary_a: Amperes = 1
    role: Role = Role.SOLE


@dataclass(config=_STRICT, frozen=True, slots=True, kw_only=True)
class PolicyEntry(_Valid):
    """A version of the rules for one instrument, approved by a person of another body before it is in force."""

    policy_id: Id = Field(alias="id")
    version: Annotated[int, Field(strict=True, ge=1, lt=1 << 31)]
    instrument: Id
    proposed_by: Text
    proposed_body: Text
    approved_by: Text
    approved_body: Text
    approved_at_ms: TimeMs = Field(alias="approved_at")
    rules: Annotated[dict[str, Any], AfterValidator(_rules)]

    @check(mode="after")
    def _approved_elsewhere_and_before(self) -> Self:
        if self.approved_body == self.proposed_body:
            raise ValueError("approved_body is the body that proposed it: another one must approve")
        if self.valid_from_ms < self.approved_at_ms:
            raise ValueError("valid_from is before approved_at: a policy cannot be in force before it is approved")
        return self

    def content_hash(self) -> bytes:
        """SHA-256 over the canonical CBOR of the rules."""
        return rules_hash(self.rules)


@dataclass(config=_STRICT, frozen=True, slots=True, kw_only=True)
class SessionEntry:
    """A booking or sign-in of [start, end). No names of people."""

    session_id: Id = Field(alias="id")
    instrument: Id
    start_ms: TimeMs = Field(alias="start")
    end_ms: TimeMs = Field(alias="end")
    party: Party
    purpose: Purpose
    way: Way
    attribution: Attribution
    entered_at_ms: TimeMs = Field(alias="entered_at")

    @check(mode="after")
    def _not_empty(self) -> Self:
        if self.end_ms <= self.start_ms:
            raise ValueError("end is not after start")
        return self


@dataclass(config=_STRICT, frozen=True, slots=True, kw_only=True)
class RegistryFile:
    """A whole file. What it leaves out stays as it is stored."""

    simulation: Annotated[bool, Field(strict=True)]
    unit: list[UnitEntry] = Field(default_factory=list)
    gateway: list[GatewayEntry] = Field(default_factory=list)
    instrument: list[InstrumentEntry] = Field(default_factory=list)
    meter: list[MeterEntry] = Field(default_factory=list)
    binding: list[BindingEntry] = Field(default_factory=list)
    policy: list[PolicyEntry] = Field(default_factory=list)
    session: list[SessionEntry] = Field(default_factory=list)


@plain_dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One row to be: its kind, where the file says it, and its columns by name."""

    kind: str
    at: str
    values: dict[str, Any]


def read(path: Path) -> RegistryFile:
    """Read a registry file.

    Raises:
        ConfigError: the file cannot be read, or has faults; each begins with its dotted key (`binding[2].role`).
    """
    return toml_file.read(path, RegistryFile)


def records(file: RegistryFile) -> Iterator[Record]:
    """All rows of a file, in an order in which each comes after those it refers to."""
    for kind in ("unit", "gateway", "instrument", "meter", "binding", "policy", "session"):
        for at, entry in enumerate(getattr(file, kind)):
            values = {name: getattr(entry, name) for name in type(entry).__dataclass_fields__ if name != "key"}
            if kind == "policy":
                values["content_hash"] = entry.content_hash()
            yield Record(kind=kind, at=f"{kind}[{at}]", values=values)
            for key_at, key in enumerate(getattr(entry, "key", ())):
                yield Record(kind="gateway_key", at=f"{kind}[{at}].key[{key_at}]", values=_key_values(entry, key))


def _key_values(gateway: GatewayEntry, key: KeyEntry) -> dict[str, Any]:
    return {
        "kid": seal.key_id(key.public_key),
        "gateway": gateway.gateway_id,
        "public_key": key.public_key,
        "valid_from_ms": key.valid_from_ms,
        "valid_to_ms": key.valid_to_ms,
    }
