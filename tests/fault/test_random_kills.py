"""SIGKILL of whatever part, wherever it just is, again and again; two at once now and then."""

from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from fault.books import Ticks, audit
from fault.plant import FRAME_S, Database, Plant, until
from fault.wire import Wire
from fix_servers import Mosquitto

SECONDS_A_KILL = 40
PACE = 40
"""A second of real time for each kill, at least: as long as a process takes to start."""


@pytest.mark.timeout(1_800)
def test_kills_of_anything_lose_nothing_and_double_nothing(
    tmp_path: Path,
    own_database: Database,
    mosquitto: Mosquitto,
    truths: Callable[[int], Ticks],
    request: pytest.FixtureRequest,
) -> None:
    kills = 200 if request.config.getoption("--long") else 12
    seconds = kills * SECONDS_A_KILL // 2
    random = Random(11)
    own_database.migrate()
    with (
        Wire(lambda: own_database.socket) as wire,
        Plant(tmp_path, own_database.dsn(wire.port), mosquitto.port, seconds=seconds, pace=PACE) as plant,
    ):
        parts: dict[str, tuple[Callable[[], None], Callable[[], None]]] = {
            "gateway": (plant.gateway.kill, plant.gateway.start),
            "broker": (mosquitto.kill, mosquitto.restart),
            "collector": (plant.collector.kill, plant.collector.start),
            "database": (own_database.kill, own_database.start),
        }
        plant.start()
        killed: list[str] = []
        frames = 2 * seconds // FRAME_S  # at least
        while len(killed) < kills:
            wanted = int(frames * (len(killed) + random.random()) / (kills + 1))
            until(lambda: plant.gateway.signed() >= wanted, plant.words)  # noqa: B023
            victims = random.sample(sorted(parts), random.choice((1, 1, 1, 2)))
            for victim in victims:
                parts[victim][0]()
            for victim in victims:
                parts[victim][1]()
            killed += victims
        assert set(killed) == set(parts)
        until(plant.gateway.has_told_all, plant.words)
        audit(plant, truths(seconds))
