"""A wire that is cut without a word, and healed: recording never stops, and all of it arrives once."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fault.books import Ticks, audit
from fault.doomed import Plan
from fault.plant import HOST, Plant, until
from fault.wire import Address, Wire
from fix_servers import Mosquitto
from psycopg.conninfo import conninfo_to_dict, make_conninfo

GATEWAY = Plan(settings={"gateway.publisher:_KEEPALIVE_S": 2, "gateway.publisher:_TIMEOUT_S": 2.0})
COLLECTOR = Plan(
    settings={"collector.subscriber:_KEEPALIVE_S": 2, "collector.subscriber:_MAX_RECONNECT_S": 2},
    options={
        "psycopg:connect": {
            "tcp_user_timeout": 2_000, "keepalives_idle": 1, "keepalives_interval": 1, "connect_timeout": 2
        }
    },
)  # fmt: skip
"""Half a minute of patience each is right for a city and too long for a test; `--long` waits it out."""


EVERYWHERE = "gateway-broker collector-broker collector-database"


@pytest.mark.parametrize(
    ("cut", "forget"),
    [*((link, True) for link in EVERYWHERE.split()), (EVERYWHERE, False)],
    ids=[*EVERYWHERE.split(), "everywhere-resumed"],
)
@pytest.mark.timeout(900)
def test_a_silent_cut_loses_and_doubles_nothing(
    plant: Plant,
    wires: dict[str, Wire],
    truth: Ticks,
    cut: str,
    forget: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    cut_wires = [wires[link] for link in cut.split()]
    until(lambda: plant.gateway.signed() - plant.gateway.waiting() > 10, plant.words)
    for wire in cut_wires:
        wire.cut()
    in_custody = plant.gateway.signed() - plant.gateway.waiting()
    until(lambda: plant.gateway.says("time has ended"), plant.words)
    # What was on its way as the wire was cut may still have arrived; all else waits in the spool.
    assert plant.gateway.waiting() > plant.gateway.signed() - in_custody - 30 > 0
    for wire in cut_wires:
        wire.heal(forget=forget)
    until(plant.gateway.has_told_all, plant.words)
    audit(plant, truth)


@pytest.fixture
def wires(migrated: str, mosquitto: Mosquitto) -> Iterator[dict[str, Wire]]:
    """By the names of their ends."""

    def broker() -> Address:
        return mosquitto.host, mosquitto.port

    def database() -> Address:
        server = conninfo_to_dict(migrated)
        host, port = str(server["host"]), server.get("port", 5432)
        return Path(host) / f".s.PGSQL.{port}" if host.startswith("/") else (host, int(str(port)))

    with Wire(broker) as first, Wire(broker) as second, Wire(database) as third:
        yield dict(zip(EVERYWHERE.split(), (first, second, third), strict=True))


@pytest.fixture
def plant(tmp_path: Path, migrated: str, wires: dict[str, Wire], request: pytest.FixtureRequest) -> Iterator[Plant]:
    """A plant on those wires, at work."""
    ports = {link: wire.port for link, wire in wires.items()}
    dsn = make_conninfo(migrated, host=HOST, port=ports["collector-database"])
    is_long = request.config.getoption("--long")
    with Plant(tmp_path, dsn, ports["collector-broker"], gateway_broker=ports["gateway-broker"], pace=80) as at_work:
        at_work.collector.start_listening(None if is_long else COLLECTOR)
        at_work.gateway.start(None if is_long else GATEWAY)
        at_work.dsn = migrated
        yield at_work
