"""The Eastron energy meters as registers over one instrument's circuit. Read-only, as their users should be.

Source: Eastron SDM630-Modbus V2 and SDM120-Modbus, Modbus protocol implementation: input registers (function 04), which
the papers number 30001 + address, and holding registers (function 03), 40001 + address; float32, high word first.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from pymodbus.constants import ExcCodes

from firmware_sim.circuit import AS_DRAWN, POWER_FACTOR, POWER_FACTORS, WIRINGS, Circuit, circuit
from firmware_sim.clock import Clock
from firmware_sim.load import Load
from firmware_sim.noise import draw, source
from firmware_sim.wire import READ_HOLDING, READ_INPUT, Read, Unit, float_words, uint32_words

T = TypeVar("T")
Show = Callable[[Circuit], float]
BY_PHASE: dict[int, Callable[[Circuit, int], float]] = {  # address of the first phase; the others follow
    0x0000: Circuit.volts,  # line to neutral volts
    0x0006: Circuit.amps,
    0x000C: Circuit.watts,
    0x0012: lambda shown, phase: shown.volts(phase) * shown.amps(phase),  # volt amps
    0x0018: Circuit.vars,
    0x001E: Circuit.phase_power_factor,
}
LINE_VOLTS = 0x00C8  # 30201: line 1 to line 2, then 2 to 3 and 3 to 1
TOTALS: dict[int, Show] = {
    0x0034: Circuit.power_w,  # 30053 total system power
    0x0038: Circuit.volt_amps,  # 30057 total system volt amps
    0x003E: Circuit.total_power_factor,  # 30063 total system power factor
}
COMMON: dict[int, Show] = {
    0x0046: Circuit.frequency_hz,  # 30071 frequency of supply voltages
    0x0048: Circuit.import_kwh,  # 30073 import
    0x004A: Circuit.export_kwh,  # 30075 export
    0x0156: Circuit.total_kwh,  # 30343 total: import and export
}
SERIAL = 0xFC00  # 464513
NODE = 0x0014  # 40021


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """What one model has of its family's registers."""

    phases: int
    inputs: Mapping[int, Show]
    settings: Mapping[int, float]


def _by_phase(show: Callable[[Circuit, int], float], phase: int) -> Show:
    return lambda shown: show(shown, phase)


def _phases(count: int) -> dict[int, Show]:
    places = [(first, show, phase) for first, show in BY_PHASE.items() for phase in range(count)]
    return {first + 2 * phase: _by_phase(show, phase) for first, show, phase in places}


def _line_volts() -> dict[int, Show]:
    return {LINE_VOLTS + 2 * phase: _by_phase(Circuit.line_volts, phase) for phase in range(3)}


MODELS: dict[str, Model] = {
    "sdm630": Model(
        phases=3,
        inputs=_phases(3) | _line_volts() | TOTALS | COMMON,
        # 40011 system type: 3 phases, 4 wires; 40019 no parity, 1 stop bit; 40029 baud rate 9600
        settings={0x000A: 3, 0x0012: 0, NODE: 1, 0x001C: 2},
    ),
    "sdm120": Model(phases=1, inputs=_phases(1) | COMMON, settings={0x0012: 0, NODE: 1, 0x001C: 2}),
}
DEFAULT = "sdm630"


def wirings(model: str) -> tuple[str, ...]:
    """The ways in which a model's transformers can be fitted; what needs another phase is none of one phase's."""
    phases = MODELS[model].phases
    right = WIRINGS[AS_DRAWN]
    return tuple(
        name
        for name, wiring in WIRINGS.items()
        if wiring[phases:] == right[phases:] and all(on < phases for on, _ in wiring[:phases])
    )


def meter(  # noqa: PLR0913 - what a rack's drawing says of one meter
    model: str, clock: Clock, load: Load, *, seed: int, instrument_id: str, class_name: str = "", wiring: str = AS_DRAWN
) -> Unit:
    """A meter on a load. Its serial number belongs to the instrument whatever the seed; its start value does not."""
    made = MODELS[model]
    shown = circuit(
        clock,
        load,
        seed=seed,
        instrument_id=instrument_id,
        power_factor=POWER_FACTORS.get(class_name, POWER_FACTOR),
        wiring=WIRINGS[wiring][: made.phases],
    )
    serial = draw(source(0, instrument_id, "serial"), 0) % 90_000_000 + 10_000_000
    settings = {address: float_words(value) for address, value in made.settings.items()}
    settings[SERIAL] = uint32_words(serial)
    return Unit(
        reads={
            READ_INPUT: _parameters(made.inputs, lambda show: float_words(show(shown))),
            READ_HOLDING: _parameters(settings, lambda words: words),
        }
    )


def _parameters(table: Mapping[int, T], words_of: Callable[[T], tuple[int, int]]) -> Read:
    """Reads of whole parameters, two registers each; a hole, or half a parameter, is an illegal address."""

    def read(address: int, count: int) -> list[int] | ExcCodes:
        if count % 2:
            return ExcCodes.ILLEGAL_ADDRESS
        words: list[int] = []
        for at in range(address, address + count, 2):
            parameter = table.get(at)
            if parameter is None:
                return ExcCodes.ILLEGAL_ADDRESS
            words += words_of(parameter)
        return words

    return read
