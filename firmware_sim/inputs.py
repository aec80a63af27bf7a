"""The digital-input module that carries an instrument's run-state lines."""

from pymodbus.constants import ExcCodes

from firmware_sim.clock import Clock
from firmware_sim.timetable import Timetable
from firmware_sim.wire import READ_DISCRETE_INPUTS, Unit

INPUTS = 8


def input_module(clock: Clock, timetable: Timetable, lines: tuple[str, ...]) -> Unit:
    """Eight discrete inputs (function 02): the lines in their order from address 0, the others open."""

    def read(address: int, count: int) -> list[bool] | ExcCodes:
        if address + count > INPUTS:
            return ExcCodes.ILLEGAL_ADDRESS
        closed = timetable.at(clock.now_ms).mode.closed
        bits = [line in closed for line in lines] + [False] * (INPUTS - len(lines))
        return bits[address : address + count]

    return Unit(reads={READ_DISCRETE_INPUTS: read})
