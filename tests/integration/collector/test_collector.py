"""The collector as a process, on a real broker and a real database, through kills and cuts."""

import random
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from evidence import TICKS, Gateway, Stream, enrol
from fix_collector import Collector, Publisher
from fix_processes import eventually
from fix_servers import Mosquitto
from psycopg.conninfo import conninfo_to_dict

from collector import keys
from collector.__main__ import main
from contract import seal
from contract.receipt import Custody
from storage import counters, frames
from storage.counters import Counters
from storage.migrate import status
from storage.pool import connect

MakeCollector = Callable[..., Collector]
GATEWAYS = [Gateway(name="alpha"), Gateway(name="beta"), Gateway(name="gamma", site="shanghai")]


def totals(dsn: str) -> Counters:
    with connect(dsn) as connection:
        return counters.read(connection)


def _received_more(dsn: str, than: int) -> bool:
    return totals(dsn).received > than


def is_told(publisher: Publisher, running: Collector, stream: Stream) -> bool:
    """Whether the newest receipt tells the stream's gateway that all of it is in custody."""
    return publisher.custody(stream.gateway.topic, running.public).get(stream.stream_id) == whole(stream)


def whole(stream: Stream) -> Custody:
    last = seal.frame_hash(stream.frames[-1])
    return Custody(stream_id=stream.stream_id, upto=len(stream.frames) - 1, frame_hash=last)


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_kills_lose_nothing_and_double_nothing(
    collector: MakeCollector,
    publisher: Publisher,
    migrated: str,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    protocol: str,
) -> None:
    kills = 60 if request.config.getoption("--long") else 6
    enrol(migrated, tmp_path, *GATEWAYS)
    streams = [Stream(gateway=gateway, name=name) for gateway in GATEWAYS for name in ("old", "new")]
    sent = [(stream.gateway.topic, raw) for stream in streams for raw in stream.grow(10 * kills)]
    sent += random.sample(sent, len(sent) // 4)
    random.shuffle(sent)
    running = collector(protocol=protocol)
    running.start()
    for part in range(kills):
        before = totals(migrated).received
        for topic, raw in sent[part::kills]:
            publisher.send(topic, [raw])
        moment = before + random.randrange(len(sent) // kills)
        assert eventually(partial(_received_more, migrated, moment))
        running.kill()
        running.start()
    everything = sum(len(stream.frames) for stream in streams)
    assert eventually(lambda: totals(migrated).stored >= everything)
    after = totals(migrated)
    assert after.balanced
    assert (after.stored, after.quarantined) == (everything, 0)
    assert after.samples == (everything - len(streams)) * TICKS
    # A kill between acknowledgement and receipt leaves a gateway waiting: it sends its last frame again.
    for stream in streams:
        publisher.send(stream.gateway.topic, stream.frames[-1:])
    assert eventually(lambda: all(is_told(publisher, running, stream) for stream in streams))
    assert running.stop() == 0
    with connect(migrated) as connection:
        for gateway in GATEWAYS:
            found = list(frames.read(connection, gateway.instrument, 0, 1 << 50))
            assert sorted(found) == sorted(raw for one in streams if one.gateway is gateway for raw in one.frames)


def test_sigterm_leaves_in_good_order(
    collector: MakeCollector, publisher: Publisher, migrated: str, tmp_path: Path
) -> None:
    enrol(migrated, tmp_path, *GATEWAYS)
    stream = Stream(gateway=GATEWAYS[0])
    running = collector()
    running.start()
    publisher.send(stream.gateway.topic, stream.grow(50))
    assert eventually(lambda: totals(migrated).received > 0)
    assert running.stop() == 0
    assert '"counts"' in running.log().splitlines()[-1]
    running.start()
    assert eventually(lambda: totals(migrated).stored == 50)
    assert eventually(lambda: is_told(publisher, running, stream))
    running.stop()
    after = totals(migrated)
    # At most the last batch is sent again: its acknowledgements may be lost with the connection.
    assert after.received == 50 + after.duplicate <= 57


def test_a_database_that_is_away_for_a_while_costs_nothing(
    collector: MakeCollector, publisher: Publisher, migrated: str, postgres_server: str, tmp_path: Path
) -> None:
    enrol(migrated, tmp_path, *GATEWAYS)
    stream = Stream(gateway=GATEWAYS[0])
    running = collector()
    running.start()
    publisher.send(stream.gateway.topic, stream.grow(30))
    assert eventually(lambda: totals(migrated).stored > 7)
    name = conninfo_to_dict(migrated)["dbname"]
    with connect(postgres_server) as admin:
        admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        publisher.send(stream.gateway.topic, stream.grow(30))
        assert eventually(lambda: "nothing is acknowledged" in running.log())
        admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    assert eventually(lambda: is_told(publisher, running, stream))
    after = totals(migrated)
    assert after.balanced
    assert (after.stored, after.samples) == (60, 59 * TICKS)


def test_a_broker_that_restarts_is_found_again(
    collector: MakeCollector, publisher: Publisher, migrated: str, tmp_path: Path, mosquitto: Mosquitto
) -> None:
    enrol(migrated, tmp_path, *GATEWAYS)
    stream = Stream(gateway=GATEWAYS[0])
    running = collector()
    running.start()
    publisher.send(stream.gateway.topic, stream.grow(20))
    mosquitto.restart()
    publisher.send(stream.gateway.topic, stream.grow(20))
    assert eventually(lambda: is_told(publisher, running, stream))
    assert totals(migrated).stored == 40


def test_two_collectors_on_one_database_store_everything_once(
    collector: MakeCollector, publisher: Publisher, migrated: str, tmp_path: Path
) -> None:
    enrol(migrated, tmp_path, *GATEWAYS)
    streams = [Stream(gateway=gateway) for gateway in GATEWAYS]
    for name in ("one", "two"):
        collector(name).start()
    sent = [(stream.gateway.topic, raw) for stream in streams for raw in stream.grow(60)]
    random.shuffle(sent)
    for topic, raw in sent:
        publisher.send(topic, [raw])
    assert eventually(lambda: totals(migrated).received == 2 * len(sent))
    after = totals(migrated)
    assert after.balanced
    assert (after.stored, after.duplicate, after.samples) == (180, 180, 177 * TICKS)


def test_the_check_lists_everything_that_a_start_would_miss(
    database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "c.toml"
    path.write_text(f'dsn = "{database}"\n[broker]\nport = 1\n', "utf-8")
    assert main(["run", "--config", str(path), "--check"]) == 2
    said = capsys.readouterr().err
    migrations = len(status(database).pending)
    assert migrations > 0
    assert all(key in said for key in ("key_file: ", f"dsn: {migrations} migrations are pending", "broker.host: "))


def test_the_check_is_silent_where_nothing_is_wrong(
    migrated: str, mosquitto: Mosquitto, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "c.toml"
    path.write_text(f'dsn = "{migrated}"\n[broker]\nport = {mosquitto.port}\n', "utf-8")
    keys.create(tmp_path / "collector.key")
    assert main(["run", "--config", str(path), "--check"]) == 0
    assert capsys.readouterr().err == ""
