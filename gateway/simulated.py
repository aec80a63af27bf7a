"""The simulator's lock-step clock, served as Modbus holding registers: time moves only when the gateway asks for it.

Registers (big-endian words, uint64 in four): 0-3 now (UTC ms), 4-7 boot id, 8-11 monotonic ms, 12-15 "advance to",
16-19 end of time. One round trip (function 23) asks for a time and reads what it became.
"""

import asyncio
import struct
from collections.abc import Sequence
from typing import Final

import structlog

from contract.errors import DeviceError
from contract.frame import MAX_TIME_MS
from contract.ids import BootId
from contract.states import ClockState
from gateway.clocks import Stamp
from gateway.meters.modbus import ModbusUnit
from gateway.meters.port import RefusedError

_ADVANCE_TO: Final = 12
_END: Final = 16
_ILLEGAL_VALUE: Final = 3
_RETRY_S: Final = 1.0

log = structlog.get_logger()


class SimulatedClock:
    """Lock-step time.

    The first tick is the present moment; each later one is a period further. After a failed round trip, which may or
    may not have moved time, the present is read again: time that moved unseen becomes the tick, so none is skipped.
    """

    def __init__(self, unit: ModbusUnit, period_ms: int) -> None:
        self._unit, self._period_ms = unit, period_ms
        self._last: Stamp | None = None
        self._sure = False

    async def next(self) -> Stamp | None:
        """Ask for the next tick; None once the end of simulated time is reached."""
        while True:
            try:
                stamp = await self._step()
            except DeviceError as error:
                if self._sure:
                    log.warning("simulated clock does not answer; asking again", error=str(error))
                self._sure = False
                await asyncio.sleep(_RETRY_S)
            else:
                self._last, self._sure = stamp or self._last, True
                return stamp

    async def _step(self) -> Stamp | None:
        last = self._last
        if last is None or not self._sure:
            now = _stamp(await self._unit.registers("holding", 0, 12))
            if last is None or (now.boot_id, now.mono_ms) != (last.boot_id, last.mono_ms):
                return now
            last = now
        wanted_ms = last.utc_ms + self._period_ms
        try:
            return _stamp(
                await self._unit.exchange(_ADVANCE_TO, struct.unpack(">4H", struct.pack(">Q", wanted_ms)), 12)
            )
        except RefusedError as refusal:
            if refusal.code != _ILLEGAL_VALUE:
                raise
        (end_ms,) = _uint64(await self._unit.registers("holding", _END, 4))
        if wanted_ms <= end_ms:
            raise DeviceError(f"the clock would not become {wanted_ms} ms: somebody else moves it")
        return None


def _stamp(words: Sequence[int]) -> Stamp:
    utc_ms, boot, mono_ms = _uint64(words)
    if max(utc_ms, mono_ms) > MAX_TIME_MS:
        raise DeviceError("the simulated clock shows no time a frame can say")
    return Stamp(utc_ms=utc_ms, mono_ms=mono_ms, boot_id=BootId(boot.to_bytes(8, "big")), clock=ClockState.SIMULATED)


def _uint64(words: Sequence[int]) -> tuple[int, ...]:
    return struct.unpack(f">{len(words) // 4}Q", struct.pack(f">{len(words)}H", *words))
