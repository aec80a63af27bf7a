"""uvicorn as this house starts and stops it: streams end at once, no header names it, and a signal is no error."""

import contextlib
import signal
import socket
from collections.abc import Iterator
from types import FrameType
from typing import Final

import structlog
import uvicorn
from fastapi import FastAPI

from contract.errors import ConfigError

_GRACE_S: Final = 5
"""Answers in hand get so long to finish."""

_log = structlog.get_logger()


class Server(uvicorn.Server):
    """One application at one address."""

    def __init__(self, app: FastAPI, host: str, port: int) -> None:
        self._app, self._host, self._port = app, host, port
        super().__init__(
            uvicorn.Config(
                app,
                host=host,
                port=port,
                access_log=False,
                log_config=None,
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=_GRACE_S,
            )
        )

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until a signal.

        Raises:
            ConfigError: the address is taken, or not ours.
        """
        opened = sockets or [self._listening()]
        address, port = opened[0].getsockname()[:2]
        _log.info("listening", url=f"http://{address}:{port}/")
        super().run(sockets=opened)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Tell the streams first: uvicorn waits for them."""
        self._app.state.context.bell.stop()
        super().handle_exit(sig, frame)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """As uvicorn does, but not raised again afterwards: to be told to stop is a good end."""
        before = {one: signal.signal(one, self.handle_exit) for one in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for one, handler in before.items():
                signal.signal(one, handler)

    def _listening(self) -> socket.socket:
        try:
            family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
            return socket.create_server((self._host, self._port), family=family, backlog=2048)
        except OSError as error:
            fault = f"port: cannot listen at {self._host}:{self._port}: {error}"
            raise ConfigError("the server did not start", [fault]) from error
