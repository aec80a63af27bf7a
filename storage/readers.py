"""A few connections that only read, shared by the threads of a server.

They are opened when first needed. After an error of the server none that is idle is believed: a restarted server costs
one failed request, not one for each connection.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from contract.errors import StorageError
from storage.pool import Connection, connect, mapped
from storage.queries import SQL

_WAIT_S: Final = 5.0


class Readers:
    """For use by any number of threads. What it opens refuses to write (`default_transaction_read_only`)."""

    def __init__(self, dsn: str | None, connections: int) -> None:
        self._dsn = dsn
        self._free = threading.BoundedSemaphore(connections)
        self._lock = threading.Lock()
        self._idle: list[Connection] = []
        self._closed = False

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection for the time of a block.

        Raises:
            StorageError: the server failed, or all connections were busy for too long.
            ConfigError: the DSN.
        """
        if not self._free.acquire(timeout=_WAIT_S):
            raise StorageError("all connections to the database are busy: ask again, or allow more `connections`")
        try:
            yield from self._lent()
        finally:
            self._free.release()

    def close(self) -> None:
        """Close those that are idle now, and the others when they are given back."""
        self._closed = True
        self._drop_idle()

    def _lent(self) -> Iterator[Connection]:
        with self._lock:
            connection = self._idle.pop() if self._idle else None
        if connection is None:
            connection = connect(self._dsn)
            with mapped():
                connection.execute(SQL["only_read"])
        try:
            yield connection
        except StorageError:
            self._drop_idle()
            connection.close()
            raise
        finally:
            self._give_back(connection)

    def _give_back(self, connection: Connection) -> None:
        with self._lock:
            # A transaction left in the middle would be the next reader's.
            idle = connection.info.transaction_status.name == "IDLE"
            if idle and not connection.closed and not self._closed:
                self._idle.append(connection)
                return
        connection.close()

    def _drop_idle(self) -> None:
        with self._lock:
            dropped, self._idle = self._idle, []
        for connection in dropped:
            connection.close()
