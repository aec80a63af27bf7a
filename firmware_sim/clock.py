"""Simulated time, and the registers that serve it. Nothing in this island asks for the real time (but see `pace`)."""

import secrets
import struct
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from pymodbus.constants import ExcCodes

from firmware_sim.wire import READ_HOLDING, READ_WRITE_HOLDING, WRITE_HOLDING, Unit

CLOCK_UNIT = 247
ADVANCE_TO = 12
REGISTERS = 20
UPTIME_AT_START_MS = 60_000


@dataclass(slots=True, kw_only=True)
class Clock:
    """The time of the whole lab: it moves only when told, never back, never past the end of the scenario."""

    start_ms: int
    end_ms: int
    now_ms: int = field(init=False)
    boot_id: int = field(init=False, default_factory=lambda: secrets.randbits(64))

    def __post_init__(self) -> None:
        self.now_ms = self.start_ms

    def may_become(self, t_ms: int) -> bool:
        """Whether the clock may be set to t_ms (UTC ms): not back, not past the end; the present is allowed."""
        return self.now_ms <= t_ms <= self.end_ms

    def registers(self) -> tuple[int, ...]:
        """Now, boot id, monotonic ms, the time last asked for (which is now), the end: four big-endian words each."""
        monotonic_ms = UPTIME_AT_START_MS + self.now_ms - self.start_ms
        return struct.unpack(
            ">20H", struct.pack(">5Q", self.now_ms, self.boot_id, monotonic_ms, self.now_ms, self.end_ms)
        )


Advance = Callable[[int], Awaitable[bool]]
"""Brings the whole lab to a time (UTC ms); False, and nothing moved, if the clock may not become that."""


def clock_unit(clock: Clock, advance: Advance) -> Unit:
    """The clock's holding registers; a write must name all four words of "advance to" at once."""

    def read(address: int, count: int) -> list[int] | ExcCodes:
        if address + count > REGISTERS:
            return ExcCodes.ILLEGAL_ADDRESS
        return list(clock.registers()[address : address + count])

    async def write(address: int, words: Sequence[int]) -> ExcCodes | None:
        if (address, len(words)) != (ADVANCE_TO, 4):
            return ExcCodes.ILLEGAL_ADDRESS
        (to_ms,) = struct.unpack(">Q", struct.pack(">4H", *words))
        return None if await advance(to_ms) else ExcCodes.ILLEGAL_VALUE

    return Unit(
        reads={READ_HOLDING: read, READ_WRITE_HOLDING: read},
        writes={WRITE_HOLDING: write, READ_WRITE_HOLDING: write},
    )
