"""What a running application holds, and how a route gets it. Made once by `api.app.create`."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from fastapi import Request

from api.bell import Bell
from api.config import Config
from api.live import Board
from api.metrics import Metrics
from api.turns import Turns
from storage.pool import Connection
from storage.readers import Readers


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The parts of one application.

    Attributes:
        readers: connections to the database that only read.
        reserved: two more, for what is quick and needed by all: keys, the board, health.
        board: live states, read once for all who ask.
        bell: rings when the board changed; when it is stopped, whoever streams MUST end.
    """

    config: Config
    readers: Readers
    reserved: Readers
    board: Board
    metrics: Metrics = field(default_factory=Metrics)
    bell: Bell = field(default_factory=Bell)
    turns: Turns = field(default_factory=Turns)

    @contextmanager
    def judging(self, account: str) -> Iterator[Connection]:
        """A connection to judge with, for the time of a block, when it is the account's turn.

        Raises:
            ProblemError: 429 or 503, too much is being judged.
            StorageError: as `connection`.
        """
        with self.turns.turn(account), self.readers.reading() as opened:
            yield opened


def context(request: Request) -> Context:
    """The application's parts (a FastAPI dependency too)."""
    found = request.app.state.context
    if not isinstance(found, Context):
        raise TypeError("the application was not made by api.app.create")
    return found


def connection(request: Request) -> Iterator[Connection]:
    """A connection that only reads, for the time of a request (a FastAPI dependency).

    Raises:
        StorageError: the database cannot be reached, or too many requests wait for it.
    """
    with context(request).readers.reading() as opened:
        yield opened
