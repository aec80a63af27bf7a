"""Sampling clocks: when to sample, and what is known of that moment. This one is the computer's own.

The lock-step clock of the simulator is in `simulated`. Timeouts of sending are no business of these clocks.
"""

import asyncio
import ctypes
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from contract import clock
from contract.ids import BOOT_ID_BYTES, BootId
from contract.states import ClockState

STEP_MS: Final = 500
"""A wall clock that moves by more than this against the monotonic one was set, not slewed."""

_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")
_TIMEX_BYTES: Final = 512  # struct timex has 208 on 64-bit Linux
_TIME_ERROR: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """A moment of sampling: wall time, monotonic time within a boot, and what the wall clock is worth."""

    utc_ms: int
    mono_ms: int
    boot_id: BootId
    clock: ClockState


class Clock(Protocol):
    """The sampling clock."""

    async def next(self) -> Stamp | None:
        """Wait for the next tick; None once there will be none."""


def system_boot_id() -> BootId:
    """The first 8 bytes of the id that Linux gives each boot."""
    return BootId(bytes.fromhex(_BOOT_ID.read_text("ascii").replace("-", ""))[:BOOT_ID_BYTES])


def kernel_clock() -> ClockState:
    """SYNCHRONISED only where the kernel says that something keeps its clock. Source: adjtimex(2)."""
    timex = ctypes.create_string_buffer(_TIMEX_BYTES)  # modes = 0: only asks
    try:
        state = ctypes.CDLL(None).adjtimex(timex)
    except (OSError, AttributeError):
        return ClockState.UNSYNCHRONISED
    return ClockState.SYNCHRONISED if 0 <= state < _TIME_ERROR else ClockState.UNSYNCHRONISED


class SystemClock:
    """The computer's clock: a tick each period of monotonic time; ticks that came and went meanwhile are skipped.

    The tick that first shows a step of the wall clock says STEPPED; the next says again what the kernel knows.
    """

    def __init__(self, period_ms: int, *, kernel: Callable[[], ClockState] = kernel_clock) -> None:
        self._period_ms, self._kernel = period_ms, kernel
        self._boot_id = system_boot_id()
        self._due_ms: int | None = None
        self._offset_ms: int | None = None

    async def next(self) -> Stamp | None:
        """Wait for the next tick."""
        now_ms = clock.monotonic_ms()
        if self._due_ms is None:
            self._due_ms = now_ms
        else:
            self._due_ms += self._period_ms
            self._due_ms += max(0, now_ms - self._due_ms) // self._period_ms * self._period_ms
        await asyncio.sleep(max(0, self._due_ms - now_ms) / 1_000)
        return self._stamp(clock.utc_ms(), clock.monotonic_ms())

    def _stamp(self, utc_ms: int, mono_ms: int) -> Stamp:
        before_ms, self._offset_ms = self._offset_ms, utc_ms - mono_ms
        stepped = before_ms is not None and abs(self._offset_ms - before_ms) > STEP_MS
        state = ClockState.STEPPED if stepped else self._kernel()
        return Stamp(utc_ms=utc_ms, mono_ms=mono_ms, boot_id=self._boot_id, clock=state)
