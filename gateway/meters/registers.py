"""Device models as data: which registers a meter has, and how their words become integers in mW or mWh.

A model is a TOML file in `models/`. Does not: speak to a device (`modbus`).
"""

import math
import struct
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import files
from typing import Final, Literal

from pydantic import ConfigDict, TypeAdapter, with_config

from contract.frame import MAX_ENERGY_MWH, MAX_POWER_MW

_MODELS: Final = files("gateway.meters") / "models"
_FORMATS: Final = {"float32": ">f", "uint32": ">I", "int32": ">i", "uint16": ">H", "int16": ">h"}
_KILO: Final = {"kW", "kWh"}
_STRICT: Final = ConfigDict(extra="forbid")


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How a device shows a number.

    Attributes:
        table: which table of the device: input registers (function 04) or holding registers (03).
        type: how the words are read.
        word_order: which of two words comes first.
        unit: what the device shows, after `scale`; a share is 1 for the whole; empty for a bare number.
        scale: factor from the raw number to `unit`.
        sign: -1 where the device counts consumption as negative.
        resolution: the least step that is kept, in thousandths of W, Wh and so on: what the device resolves, so that
            columns stay small.
        source: page or clause of the data sheet.
    """

    table: Literal["input", "holding"]
    type: Literal["float32", "uint32", "int32", "uint16", "int16"]
    word_order: Literal["high-first", "low-first"]
    unit: Literal["W", "kW", "Wh", "kWh", "V", "A", "Hz", "share", ""]
    scale: float = 1.0
    sign: Literal[1, -1] = 1
    resolution: int = 1
    source: str

    @property
    def words(self) -> int:
        """How many 16-bit registers it takes."""
        return struct.calcsize(_FORMATS[self.type]) // 2


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity(Layout):
    """One quantity of a device model.

    Attributes:
        register: address on the wire, from 0 (data sheets often print it plus 1, or plus 30001).
    """

    register: int


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseQuantity(Layout):
    """A quantity that a device shows for each phase.

    Attributes:
        registers: addresses on the wire, in the order of the phases.
    """

    registers: tuple[int, ...]

    def of_phases(self) -> tuple[Quantity, ...]:
        """The quantity of each phase."""
        shared = {field.name: getattr(self, field.name) for field in fields(Layout)}
        return tuple(Quantity(register=register, **shared) for register in self.registers)


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeModel:
    """What a technician looks at beside the rack; the gateway's own sampling reads none of it.

    Attributes:
        voltage: line to neutral.
        current: in the conductors, after the meter's own ratio.
        power: active power by phase.
        power_factor: its sign follows the power's.
        line_voltage: from a phase to the next, if the device has it.
        frequency: of the supply.
        ct_primary: primary current of the transformers as set in the device, if the device has it.
        ct_secondary: their secondary current, likewise.
    """

    voltage: PhaseQuantity
    current: PhaseQuantity
    power: PhaseQuantity
    power_factor: PhaseQuantity
    line_voltage: PhaseQuantity | None = None
    frequency: Quantity
    ct_primary: Quantity | None = None
    ct_secondary: Quantity | None = None


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceModel:
    """A kind of meter: power, energy and serial number, and what a probe reads besides.

    Attributes:
        max_current_a: the most current the device's own terminals take.
    """

    name: str
    max_current_a: int
    power: Quantity
    energy: Quantity
    serial: Quantity
    probe: ProbeModel


def known_models() -> tuple[str, ...]:
    """The names of all models, in alphabetical order."""
    return tuple(sorted(entry.name.removesuffix(".toml") for entry in _MODELS.iterdir()))


@cache
def load_model(name: str) -> DeviceModel:
    """A model by its name, one of `known_models`."""
    table = tomllib.loads((_MODELS / f"{name}.toml").read_text("utf-8"))
    return TypeAdapter(DeviceModel).validate_python(table)


def power_mw(quantity: Quantity, words: Sequence[int]) -> int:
    """Power in mW, consumption positive, at the quantity's resolution.

    Raises:
        ValueError: no meter shows this: not a number, or out of range.
    """
    return _within(decode(quantity, words), -MAX_POWER_MW, MAX_POWER_MW)


def energy_mwh(quantity: Quantity, words: Sequence[int]) -> int:
    """Energy in mWh at the quantity's resolution.

    Raises:
        ValueError: no meter shows this: not a number, or out of range.
    """
    return _within(decode(quantity, words), 0, MAX_ENERGY_MWH)


def decode(quantity: Quantity, words: Sequence[int]) -> int:
    """The integer that registers stand for: thousandths of W, Wh, V, A, Hz or the whole, or the bare number.

    Raises:
        ValueError: not a number.
    """
    ordered = words if quantity.word_order == "high-first" else words[::-1]
    packed = b"".join(word.to_bytes(2, "big") for word in ordered)
    raw: float = struct.unpack(_FORMATS[quantity.type], packed)[0]
    if not math.isfinite(raw):
        raise ValueError(f"it shows {raw}")
    steps: float = raw * quantity.scale * quantity.sign * _thousandths(quantity.unit) / quantity.resolution
    return round(steps) * quantity.resolution


def _thousandths(unit: str) -> int:
    if not unit:
        return 1
    return 1_000_000 if unit in _KILO else 1_000


def _within(value: int, least: int, most: int) -> int:
    if not least <= value <= most:
        raise ValueError(f"it shows {value} thousandths, outside {least}..{most}")
    return value
