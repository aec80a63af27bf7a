"""The gateway's config: TOML to frozen dataclasses. Every fault is listed at once, by its dotted key.

Does not: touch a device, the broker or the data folder.
"""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError, with_config

from contract import seal
from contract.errors import ConfigError
from contract.frame import MAX_LINES
from contract.ids import GatewayId, InstrumentId, SiteId, is_id
from gateway.meters.registers import known_models

_STRICT: Final = ConfigDict(extra="forbid")
_SENTENCES: Final = {"missing": "is required", "unexpected_keyword_argument": "is not a known key"}


def _id(text: str) -> str:
    if not is_id(text):
        raise ValueError("must be lower-case letters, digits and hyphens, at most 32, not beginning with a hyphen")
    return text


def _model(name: str) -> str:
    if name not in known_models():
        raise ValueError(f"no such register model; known are: {', '.join(known_models())}")
    return name


def _distinct(what: str, names: Sequence[str]) -> None:
    if len(set(names)) != len(names):
        raise ValueError(f"two {what} have one name")


def _lines(names: tuple[str, ...]) -> tuple[str, ...]:
    if not 1 <= len(names) <= MAX_LINES:
        raise ValueError(f"1 to {MAX_LINES} names are needed")
    _distinct("lines", names)
    return names


def _instruments(instruments: "tuple[InstrumentConfig, ...]") -> "tuple[InstrumentConfig, ...]":
    if not instruments:
        raise ValueError("at least one is needed")
    _distinct("instruments", [instrument.id for instrument in instruments])
    return instruments


def _public_key(text: object) -> object:
    try:
        raw = bytes.fromhex(text) if isinstance(text, str) else b""
        seal.load_public_key(raw)
    except ValueError as error:
        raise ValueError(f"must be the collector's public key, 64 hex digits: {error}") from None
    return raw


_Id = Annotated[str, AfterValidator(_id)]
_Host = Annotated[str, Field(min_length=1)]
_Port = Annotated[int, Field(ge=1, le=65_535)]
_Unit = Annotated[int, Field(ge=0, le=255)]
_Amperes = Annotated[int, Field(ge=1, le=1_000_000)]


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerConfig:
    """Where frames are published."""

    host: _Host
    port: _Port = 1883
    protocol: Literal["5", "3.1.1"] = "5"


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class CollectorConfig:
    """Whose receipts are believed: a raw Ed25519 public key, in the file as 64 hex digits."""

    public_key: Annotated[bytes, BeforeValidator(_public_key)]


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class ModbusConfig:
    """A unit behind a Modbus TCP address."""

    host: _Host
    port: _Port = 502
    unit: _Unit = 1


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class MeterConfig(ModbusConfig):
    """A meter: a unit, its register model, and the ratio of its current transformers (declared, not applied)."""

    model: Annotated[str, AfterValidator(_model)]
    ct_primary_a: _Amperes = 1
    ct_secondary_a: _Amperes = 1


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class RunStateConfig(ModbusConfig):
    """A module of discrete inputs: line i is input i."""

    lines: Annotated[tuple[_Id, ...], AfterValidator(_lines)]


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class InstrumentConfig:
    """An instrument and the devices that watch it."""

    id: Annotated[InstrumentId, AfterValidator(_id)]
    meter: MeterConfig
    run_state: RunStateConfig | None = None


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything a gateway is told.

    Attributes:
        data_dir: where key, journals and spool are kept; in the file it may be relative to the file's own folder.
        period_ms: time between samples.
        frame_s: longest time one frame covers.
        spool_quota_mb: most MiB the spool may take; from 80 % on the oldest frames in custody are deleted.
        clock: the computer's, or the simulator's in lock-step.
    """

    site: Annotated[SiteId, AfterValidator(_id)]
    gateway: Annotated[GatewayId, AfterValidator(_id)]
    data_dir: Path
    period_ms: Annotated[int, Field(ge=200, le=60_000)] = 1_000
    frame_s: Annotated[int, Field(ge=1, le=600)] = 60
    spool_quota_mb: Annotated[int, Field(ge=8, le=1_000_000)] = 512
    clock: Literal["system", "simulated"] = "system"
    simulated_clock: ModbusConfig | None = None
    broker: BrokerConfig
    collector: CollectorConfig
    instrument: Annotated[tuple[InstrumentConfig, ...], AfterValidator(_instruments)]


def load(path: Path) -> Config:
    """Read a config file.

    Raises:
        ConfigError: every fault of the file, each by its dotted key.
    """
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigError(f"cannot read {path}", [str(error)]) from error
    faults = _between_keys(table)
    try:
        config = TypeAdapter(Config).validate_python(table)
    except ValidationError as error:
        faults = [_sentence(fault["loc"], fault["type"], fault["msg"]) for fault in error.errors()] + faults
        raise ConfigError(f"{path} has faults", faults) from None
    if faults:
        raise ConfigError(f"{path} has faults", faults)
    return replace(config, data_dir=path.parent / config.data_dir)


def _between_keys(table: dict[str, object]) -> list[str]:
    faults = []
    if (table.get("clock") == "simulated") != ("simulated_clock" in table):
        faults.append('simulated_clock: is required with clock = "simulated" and only then')
    period_ms, frame_s = table.get("period_ms", 1_000), table.get("frame_s", 60)
    if isinstance(period_ms, int) and isinstance(frame_s, int) and period_ms > frame_s * 1_000:
        faults.append("period_ms: is longer than a frame (frame_s)")
    return faults


def _sentence(location: tuple[int | str, ...], kind: str, message: str) -> str:
    key = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).removeprefix(".")
    return f"{key}: {_SENTENCES.get(kind) or message.removeprefix('Value error, ')}"
