"""Holds simulated time back to what people can follow: the one place of this island that knows real time."""

import asyncio

_CATCH_UP_S = 1.0


class Pace:
    """At most so many simulated seconds in a real one; 0: as fast as it is asked for. Within a running event loop."""

    def __init__(self, times: int) -> None:
        self._times = times
        self._due_s = 0.0

    async def wait(self, by_ms: int) -> None:
        """Wait until simulated time may move on by so much (ms). What was missed is caught up for a second at most."""
        if self._times:
            now_s = asyncio.get_running_loop().time()
            self._due_s = max(self._due_s, now_s - _CATCH_UP_S) + by_ms / 1000 / self._times
            await asyncio.sleep(max(0.0, self._due_s - now_s))
