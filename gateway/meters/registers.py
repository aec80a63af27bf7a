"""Device models as data: which registers a meter has, and how their words become integers in mW or mWh.

A model is a TOML file in `models/`. Does not: speak to a device (`modbus`).
"""

import math
import struct
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final, Literal

from pydantic import ConfigDict, TypeAdapter, with_config

from contract.frame import MAX_ENERGY_MWH, MAX_POWER_MW

_MODELS: Final = files("gateway.meters") / "models"
_FORMATS: Final = {"float32": ">f", "uint32": ">I", "int32": ">i", "uint16": ">H", "int16": ">h"}
_MILLI: Final = {"W": 1_000, "kW": 1_000_000, "Wh": 1_000, "kWh": 1_000_000, "": 1}


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """One quantity of a device model.

    Attributes:
        table: which table of the device: input registers (function 04) or holding registers (03).
        register: address on the wire, from 0 (data sheets often print it plus 1, or plus 30001).
        type: how the words are read.
        word_order: which of two words comes first.
        unit: what the device shows, after `scale`; empty for a bare number.
        scale: factor from the raw number to `unit`.
        sign: -1 where the device counts consumption as negative.
        resolution: the least step that is kept, in mW or mWh: what the device resolves, so that columns stay small.
        source: page or clause of the data sheet.
    """

    table: Literal["input", "holding"]
    register: int
    type: Literal["float32", "uint32", "int32", "uint16", "int16"]
    word_order: Literal["high-first", "low-first"]
    unit: Literal["W", "kW", "Wh", "kWh", ""]
    scale: float = 1.0
    sign: Literal[1, -1] = 1
    resolution: int = 1
    source: str

    @property
    def words(self) -> int:
        """How many 16-bit registers it takes."""
        return struct.calcsize(_FORMATS[self.type]) // 2


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceModel:
    """A kind of meter: power, energy and serial number."""

    name: str
    power: Quantity
    energy: Quantity
    serial: Quantity


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
    """The integer that registers stand for: thousandths of W or Wh, or the bare number.

    Raises:
        ValueError: not a number.
    """
    ordered = words if quantity.word_order == "high-first" else words[::-1]
    packed = b"".join(word.to_bytes(2, "big") for word in ordered)
    raw: float = struct.unpack(_FORMATS[quantity.type], packed)[0]
    if not math.isfinite(raw):
        raise ValueError(f"it shows {raw}")
    steps: float = raw * quantity.scale * quantity.sign * _MILLI[quantity.unit] / quantity.resolution
    return round(steps) * quantity.resolution


def _within(value: int, least: int, most: int) -> int:
    if not least <= value <= most:
        raise ValueError(f"it shows {value} thousandths, outside {least}..{most}")
    return value
