"""What every fault is held against: the truth of a scenario, as a gateway told it that nothing happened to."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fault.books import Ticks, signed, told_by
from fault.plant import SECONDS, Database, Gateway, Lab, until

from collector import keys

Truths = Callable[[int], Ticks]
"""From seconds of simulated time to what each instrument showed at each tick."""


@pytest.fixture(scope="session")
def truths(tmp_path_factory: pytest.TempPathFactory) -> Truths:
    known: dict[int, Ticks] = {}

    def truth(seconds: int) -> Ticks:
        if seconds not in known:
            folder = tmp_path_factory.mktemp("truth")
            lab = Lab(folder, seconds=seconds)
            nobody = keys.create(folder / "nobody.key").public_key().public_bytes_raw()
            gateway = Gateway(folder, lab, 1, nobody)  # no broker listens there
            gateway.start()
            until(lambda: gateway.says("time has ended"), gateway.said)
            gateway.stop()
            lab.stop()
            told = told_by(signed(gateway.data_dir).items(), gateway.public)
            assert [len(ticks) for ticks in told.ticks.values()] == [seconds + 1] * 2
            assert told.outages == []
            known[seconds] = {name: tuple(ticks) for name, ticks in told.ticks.items()}
        return known[seconds]

    return truth


@pytest.fixture(scope="session")
def truth(truths: Truths) -> Ticks:
    """Of the usual scenario."""
    return truths(SECONDS)


@pytest.fixture
def own_database(open_folder: Path) -> Iterator[Database]:
    """A server of this test alone, empty."""
    database = Database(open_folder / "data")
    yield database
    database.server.stop()
