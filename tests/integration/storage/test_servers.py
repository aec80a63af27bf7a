"""The fixtures of real servers keep what they say."""

import socket

import fix_servers
import psycopg
import pytest
from fix_processes import is_running
from fix_servers import Mosquitto
from paho.mqtt import publish, subscribe
from paho.mqtt.client import MQTTv5


@pytest.mark.parametrize("turn", [1, 2])
def test_database_is_empty_each_time(database: str, turn: int) -> None:
    with psycopg.connect(database) as connection:
        connection.execute("CREATE TABLE leftover (turn integer)")
        connection.execute("INSERT INTO leftover VALUES (%s)", [turn])
        assert connection.execute("SELECT turn FROM leftover").fetchall() == [(turn,)]


def test_broker_comes_back_on_its_port_after_a_kill(mosquitto: Mosquitto) -> None:
    first = mosquitto.pid
    mosquitto.kill()
    assert not is_running(first)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((mosquitto.host, mosquitto.port))
    mosquitto.restart()
    assert mosquitto.pid != first
    socket.create_connection((mosquitto.host, mosquitto.port)).close()


def test_broker_keeps_its_store_when_it_is_stopped_in_good_order(mosquitto: Mosquitto) -> None:
    host, port = mosquitto.host, mosquitto.port
    publish.single("kept/here", b"42", qos=1, retain=True, hostname=host, port=port, protocol=MQTTv5)
    mosquitto.restart()
    kept = subscribe.simple("kept/here", hostname=host, port=port, protocol=MQTTv5)  # type: ignore[no-untyped-call]
    assert kept.payload == b"42"


@pytest.mark.parametrize(("ci", "outcome"), [("true", pytest.fail.Exception), ("", pytest.skip.Exception)])
def test_missing_broker_skips_here_and_fails_in_ci(
    ci: str, outcome: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fix_servers, "_mosquitto", lambda: None)
    monkeypatch.setenv("CI", ci)
    with pytest.raises(outcome, match="apt-get install mosquitto"):
        fix_servers._required_mosquitto()
