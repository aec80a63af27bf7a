"""What a chain already says, and what follows from it for the next tick: pure.

Does not: read the spool (`recorder` hands frames in) or write the outage (`recorder` again).
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from contract.frame import Content, Genesis, Measurement, Meter, Outage, Register
from contract.ids import BootId
from contract.states import ClockState, OutageCause
from gateway.clocks import Stamp
from gateway.framer import BLIND_PERIODS


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """The end of one instrument's story so far.

    Attributes:
        until_ms: the story is told up to here (UTC): the last tick, the end of an outage, or the beginning.
        boot_id: the boot it was told in.
        mono_ms: monotonic time of the last tick in that boot; None where none is known.
        register: the last energy register known.
        meter: the meter of the last measurement.
    """

    until_ms: int
    boot_id: BootId
    mono_ms: int | None = None
    register: Register | None = None
    meter: Meter | None = None

    def holds(self, boot_id: BootId, mono_ms: int) -> bool:
        """Whether the tick at this moment is recorded already: within a boot, monotonic time never goes back."""
        return self.mono_ms is not None and boot_id == self.boot_id and mono_ms <= self.mono_ms

    def is_blind_before(self, stamp: Stamp, period_ms: int) -> bool:
        """Whether nothing was recorded for too long before `stamp`, or the wall clock went back."""
        return not self.until_ms <= stamp.utc_ms <= self.until_ms + BLIND_PERIODS * period_ms

    def cause(self, stamp: Stamp, noted: OutageCause) -> OutageCause:
        """Why nothing was recorded: what the clock shows goes before what was `noted`."""
        if stamp.boot_id != self.boot_id:
            return OutageCause.BOOT
        if stamp.clock is ClockState.STEPPED:
            return OutageCause.CLOCK_STEP
        return noted

    def and_then(self, content: Content) -> "Past":
        """The past once `content` is part of it."""
        told = past_of(content)
        return replace(told, register=told.register or self.register, meter=told.meter or self.meter)


def past_of(content: Content) -> Past:
    """The past that one frame tells."""
    match content:
        case Measurement():
            return Past(
                until_ms=content.utc_ms[-1],
                boot_id=content.boot_id,
                mono_ms=content.mono_ms[-1],
                register=content.energy_end or content.energy_begin,
                meter=content.meter,
            )
        case Outage():
            register = content.energy_after or content.energy_before
            return Past(until_ms=content.to_ms, boot_id=content.boot_id, register=register)
        case Genesis():
            return Past(until_ms=content.created_ms, boot_id=content.boot_id)


def past_told_by(newest_first: Iterable[Content]) -> Past | None:
    """The past told by a chain's frames, read back to its last measurement; None where there are none."""
    told: list[Content] = []
    for content in newest_first:
        told.append(content)
        if isinstance(content, Measurement):
            break
    past = None
    for content in reversed(told):
        past = past_of(content) if past is None else past.and_then(content)
    return past
