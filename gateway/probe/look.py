"""One look at a meter: everything its model has for a probe, in as few questions as the registers lie together."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final

from gateway.meters.modbus import ModbusUnit
from gateway.meters.port import RefusedError
from gateway.meters.registers import DeviceModel, Quantity, decode

_MOST_WORDS: Final = 60  # Eastron's meters answer at most 30 parameters at once
_NO_SUCH: Final = frozenset({1, 2, 3})  # exceptions about the question; the others say that the device is not reached
_ALONE: Final = ("power", "energy", "serial", "frequency", "ct_primary", "ct_secondary")


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseLook:
    """What a meter shows of one phase; None is a register that is not there or shows no number."""

    voltage_mv: int | None
    current_ma: int | None
    power_mw: int | None
    power_factor_permille: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a meter showed.

    Attributes:
        at_ms: when, on the clock by which its energy register moves; only differences mean something.
        line_voltages_mv: from each phase to the next; empty where the model has none.
        ct_primary_ma: primary current of the transformers as set in the meter; None where it does not say.
        ct_secondary_ma: their secondary current, likewise.
        unread: names of what the model has and the meter did not show.
    """

    at_ms: int
    serial: int | None
    phases: tuple[PhaseLook, ...]
    line_voltages_mv: tuple[int | None, ...]
    power_mw: int | None
    frequency_millihz: int | None
    energy_mwh: int | None
    ct_primary_ma: int | None
    ct_secondary_ma: int | None
    unread: tuple[str, ...]


def quantities(model: DeviceModel) -> dict[str, tuple[Quantity, ...]]:
    """What a probe reads of a model, by name; phase quantities have one for each phase."""
    probe = model.probe
    alone = (model.power, model.energy, model.serial, probe.frequency, probe.ct_primary, probe.ct_secondary)
    found: dict[str, tuple[Quantity, ...]] = {
        name: (quantity,) for name, quantity in zip(_ALONE, alone, strict=True) if quantity is not None
    }
    for name in ("voltage", "current", "power", "power_factor", "line_voltage"):
        by_phase = getattr(probe, name)
        if by_phase is not None:
            found[f"phase_{name}"] = by_phase.of_phases()
    return found


async def look(unit: ModbusUnit, model: DeviceModel, at_ms: int) -> Look:
    """Ask a meter for everything at once.

    Raises:
        DeviceError: it cannot be reached; a register that it does not have is no error but absent.
    """
    asked = quantities(model)
    shown = await _numbers(unit, chain.from_iterable(asked.values()))
    read = {name: tuple(shown[one] for one in group) for name, group in asked.items()}
    alone = {name: read.get(name, (None,))[0] for name in _ALONE}
    columns = [read[f"phase_{name}"] for name in ("voltage", "current", "power", "power_factor")]
    return Look(
        at_ms=at_ms,
        serial=alone["serial"],
        phases=tuple(
            PhaseLook(voltage_mv=voltage, current_ma=current, power_mw=power, power_factor_permille=factor)
            for voltage, current, power, factor in zip(*columns, strict=True)
        ),
        line_voltages_mv=read.get("phase_line_voltage", ()),
        power_mw=alone["power"],
        frequency_millihz=alone["frequency"],
        energy_mwh=alone["energy"],
        ct_primary_ma=alone["ct_primary"],
        ct_secondary_ma=alone["ct_secondary"],
        unread=tuple(name.removeprefix("phase_") for name, values in read.items() if None in values),
    )


async def _numbers(unit: ModbusUnit, wanted: Iterable[Quantity]) -> dict[Quantity, int | None]:
    words: dict[tuple[str, int], int] = {}
    once = dict.fromkeys(wanted)
    for run in _runs(once):
        if not await _read(unit, run, words):
            for quantity in run:  # a neighbour may be what it does not have
                await _read(unit, [quantity], words)
    return {quantity: _number(quantity, words) for quantity in once}


async def _read(unit: ModbusUnit, run: Sequence[Quantity], words: dict[tuple[str, int], int]) -> bool:
    table, first = run[0].table, run[0].register
    count = run[-1].register + run[-1].words - first
    try:
        answer = await unit.registers(table, first, count)
    except RefusedError as refusal:
        if refusal.code not in _NO_SUCH:
            raise
        return False
    words.update({(table, first + place): word for place, word in enumerate(answer)})
    return True


def _runs(wanted: Iterable[Quantity]) -> list[list[Quantity]]:
    """Quantities whose registers lie side by side, or are the same, can be asked for at once."""
    runs: list[list[Quantity]] = []
    for quantity in sorted(wanted, key=lambda each: (each.table, each.register)):
        last = runs[-1][-1] if runs else None
        end = quantity.register + quantity.words
        if (
            last is not None
            and last.table == quantity.table
            and quantity.register in (last.register, last.register + last.words)
            and end - runs[-1][0].register <= _MOST_WORDS
        ):
            runs[-1].append(quantity)
        else:
            runs.append([quantity])
    return runs


def _number(quantity: Quantity, words: Mapping[tuple[str, int], int]) -> int | None:
    own = [words.get((quantity.table, quantity.register + place)) for place in range(quantity.words)]
    read = [word for word in own if word is not None]
    if len(read) < len(own):
        return None
    try:
        return decode(quantity, read)
    except ValueError:
        return None
