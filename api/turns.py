"""Turns at judging: it takes a processor and a connection for seconds, so that a few do it at once and nobody twice.

Does not: know what is judged.
"""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Final

from api.problems import ProblemError

AT_ONCE: Final = 2
"""Of all accounts; of one account, one."""
_ASKED: Final = 3
"""Requests of one account, judged or waiting: a person may open two pages more while the first one comes."""
_WAIT_S: Final = 5.0


class Turns:
    """For use by any number of threads."""

    def __init__(self, wait_s: float = _WAIT_S) -> None:
        self._wait_s = wait_s
        self._changed = threading.Condition()
        self._judging: set[str] = set()
        self._asked: Counter[str] = Counter()

    @contextmanager
    def turn(self, account: str) -> Iterator[None]:
        """One account's turn, for the time of a block.

        Raises:
            ProblemError: 429, the account asks for too much at once; 503, others had their turns for too long.
        """
        with self._changed:
            if self._asked[account] >= _ASKED:
                raise _refused(HTTPStatus.TOO_MANY_REQUESTS, "this key asks for too much at once: one after the other")
            self._asked[account] += 1
            try:
                self._await(account)
            except ProblemError:
                self._leave(account)
                raise
        try:
            yield
        finally:
            with self._changed:
                self._judging.discard(account)
                self._leave(account)
                self._changed.notify_all()

    def _await(self, account: str) -> None:
        if not self._changed.wait_for(lambda: self._is_free(account), self._wait_s):
            if account in self._judging:
                raise _refused(HTTPStatus.TOO_MANY_REQUESTS, "this key is still being answered: ask again afterwards")
            raise _refused(HTTPStatus.SERVICE_UNAVAILABLE, "others are being answered: ask again in a few seconds")
        self._judging.add(account)

    def _is_free(self, account: str) -> bool:
        return account not in self._judging and len(self._judging) < AT_ONCE

    def _leave(self, account: str) -> None:
        self._asked[account] -= 1
        if not self._asked[account]:
            del self._asked[account]


def _refused(status: HTTPStatus, detail: str) -> ProblemError:
    return ProblemError(status, detail, headers={"Retry-After": "5"})
