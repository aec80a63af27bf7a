"""Wakes those who stream: when there is something new, and when the server begins to stop.

An open stream would keep the server waiting for ever: uvicorn ends no response by itself, and tells the application
only when all are done. So whoever streams waits here, and ends when `stopped` is set.
"""

import asyncio
import contextlib


class Bell:
    """Streams wait in one event loop; anyone may ring or stop it, from any thread or signal handler."""

    def __init__(self) -> None:
        self._stopped = False
        self._waiting: set[asyncio.Event] = set()
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def stopped(self) -> bool:
        """Whether the server stops."""
        return self._stopped

    @property
    def heard(self) -> bool:
        """Whether anyone waits."""
        return bool(self._waiting)

    def ring(self) -> None:
        """Wake all who wait."""
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # a loop that is closed has nobody left to wake
                self._loop.call_soon_threadsafe(self._wake)

    def stop(self) -> None:
        """Wake all who wait; from now on nobody waits."""
        self._stopped = True
        self.ring()

    async def wait(self, timeout_s: float) -> None:
        """Wait until it rings, it is stopped, or some seconds have passed."""
        event = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._waiting.add(event)
        try:
            if not self._stopped:
                await asyncio.wait_for(event.wait(), timeout_s)
        except TimeoutError:
            pass
        finally:
            self._waiting.discard(event)

    def _wake(self) -> None:
        for event in self._waiting:
            event.set()
