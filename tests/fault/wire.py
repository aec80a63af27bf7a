"""A TCP wire that can be cut without a word: the kernel then drops every packet, and nobody hears FIN or RST.

A socket filter that takes nothing is put on the wire's own ends, before TCP sees a packet: what arrives is neither
answered nor acknowledged, so the other side's timers run as they would with the cable pulled. No right is needed.
"""

import contextlib
import ctypes
import queue
import selectors
import socket
import struct
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Self

_ATTACH_FILTER, _DETACH_FILTER = 26, 27  # asm-generic/socket.h
_TAKE_NOTHING = struct.pack("HBBI", 0x06, 0, 0, 0)  # BPF_RET | BPF_K, 0 bytes
_CHUNK_BYTES = 1 << 16
_POLL_S = 0.05

Address = tuple[str, int] | Path
"""A TCP address, or a socket in the file system."""


class Wire:
    """Leads from a port of its own to wherever `target` says at the moment of a connection.

    Attributes:
        port: on the loopback address.
    """

    host = "127.0.0.1"

    def __init__(self, target: Callable[[], Address]) -> None:
        self._target = target
        self._listener = socket.create_server((self.host, 0))
        self.port: int = self._listener.getsockname()[1]
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._dark: set[socket.socket] = set()
        self._asked: queue.Queue[tuple[Callable[[], None], threading.Event]] = queue.Queue()
        self._closed = False
        self._thread = threading.Thread(target=self._carry, daemon=True)
        self._thread.start()

    def cut(self) -> None:
        """From now on every packet is dropped, both ways, also of connections in the making."""
        self._do(self._darken)

    def heal(self, *, forget: bool = False) -> None:
        """Let packets through again; `forget`: of new connections only, the old ones stay dark for ever."""
        self._do(lambda: self._brighten(forget=forget))

    def close(self) -> None:
        self._closed = True
        self._thread.join()
        for end in (self._listener, *self._ends()):
            end.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _do(self, what: Callable[[], None]) -> None:
        done = threading.Event()
        self._asked.put((what, done))
        assert done.wait(60), "the wire's own thread is gone"

    def _ends(self) -> list[socket.socket]:
        return [end for pair in self._pairs for end in pair]

    def _darken(self) -> None:
        _drop(self._listener)
        for end in self._ends():
            self._dark.add(end)
            if end.family == socket.AF_INET:
                _drop(end)

    def _brighten(self, *, forget: bool) -> None:
        _pass(self._listener)
        if forget:
            return
        for end in self._dark:
            if end.family == socket.AF_INET:
                _pass(end)
        self._dark.clear()

    def _carry(self) -> None:
        while not self._closed:
            with contextlib.suppress(queue.Empty):
                what, done = self._asked.get_nowait()
                what()
                done.set()
            with selectors.DefaultSelector() as ready:
                ready.register(self._listener, selectors.EVENT_READ)
                for near, far in self._pairs:
                    for end, other in ((near, far), (far, near)):
                        if end not in self._dark:
                            ready.register(end, selectors.EVENT_READ, (end, other))
                for key, _ in ready.select(_POLL_S):
                    if key.data is None:
                        self._join()
                    else:
                        self._pass_on(*key.data)

    def _join(self) -> None:
        near, _ = self._listener.accept()
        target = self._target()
        far = socket.socket(socket.AF_UNIX if isinstance(target, Path) else socket.AF_INET)
        try:
            far.connect(str(target) if isinstance(target, Path) else target)
        except OSError:
            near.close()
            far.close()
            return
        if far.family == socket.AF_INET:
            far.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        near.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._pairs.append((near, far))

    def _pass_on(self, end: socket.socket, other: socket.socket) -> None:
        if end.fileno() < 0:  # closed a moment ago, with the other end
            return
        with contextlib.suppress(OSError):
            if data := end.recv(_CHUNK_BYTES):
                other.sendall(data)
                return
        self._pairs = [pair for pair in self._pairs if end not in pair]
        for gone in (end, other):
            gone.close()


def _drop(end: socket.socket) -> None:
    program = ctypes.create_string_buffer(_TAKE_NOTHING)
    end.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, struct.pack("HP", 1, ctypes.addressof(program)))


def _pass(end: socket.socket) -> None:
    with contextlib.suppress(OSError):  # there was none
        end.setsockopt(socket.SOL_SOCKET, _DETACH_FILTER, 0)
