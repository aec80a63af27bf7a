"""The true power and energy of one instrument: a step function that may change at whole seconds and at stage edges.

Because it is a step function, its integral is exact. Knows no register and no float.
"""

from firmware_sim.noise import jitter
from firmware_sim.timetable import Timetable

STEP_MS = 1_000
COUNT_MW = 100  # power comes in steps of 0.1 W


class Load:
    """One instrument's electrical load; `key` is its source of noise."""

    def __init__(self, timetable: Timetable, key: bytes) -> None:
        self._timetable = timetable
        self._key = key
        # A cache, never a state: the integral up to a time is a pure function of that time.
        self._counted_from_ms = self._counted_to_ms = timetable.stages[0].from_ms
        self._counted_mw_ms = 0

    def power_mw(self, t_ms: int) -> int:
        """The power at t_ms, a multiple of 100 mW and never negative."""
        return self._piece(t_ms)[0]

    def energy_mw_ms(self, t_ms: int) -> int:
        """The exact integral of the power from the start of the timetable to t_ms, in mW·ms."""
        if t_ms < self._counted_to_ms:
            self._counted_to_ms, self._counted_mw_ms = self._counted_from_ms, 0
        while self._counted_to_ms < t_ms:
            power_mw, until_ms = self._piece(self._counted_to_ms)
            until_ms = min(until_ms, t_ms)
            self._counted_mw_ms += power_mw * (until_ms - self._counted_to_ms)
            self._counted_to_ms = until_ms
        return self._counted_mw_ms

    def _piece(self, t_ms: int) -> tuple[int, int]:
        """The power in mW at t_ms, and until when (UTC ms) it stays that."""
        stage = self._timetable.at(t_ms)
        step_ms = t_ms - t_ms % STEP_MS
        from_ms = max(stage.from_ms, step_ms)
        level_mw = stage.mode.curve(from_ms, from_ms - stage.from_ms) + jitter(self._key, step_ms, stage.mode.noise_mw)
        return max(0, level_mw // COUNT_MW * COUNT_MW), min(stage.to_ms, step_ms + STEP_MS)
