"""The ear on a real broker: what is not acknowledged comes again, and late acknowledgements touch nothing."""

from collections.abc import Callable, Iterator
from contextlib import closing

import pytest
from fix_collector import Publisher
from fix_processes import eventually
from fix_servers import Mosquitto

from collector.config import BatchLimits, Broker, Config
from collector.subscriber import Message, Subscriber

TOPIC = "jishi/v1/huaian/alpha/frame"
PAYLOADS = [b"one", b"two", b"three"]
Connect = Callable[[], Subscriber]


@pytest.fixture(params=["5", "3.1.1"])
def connect(mosquitto: Mosquitto, request: pytest.FixtureRequest) -> Iterator[Connect]:
    """Opens the same session at the broker, again and again; the one before is closed first."""
    opened: list[Subscriber] = []

    def make() -> Subscriber:
        broker = Broker(port=mosquitto.port, protocol=request.param)
        if opened:
            opened.pop().close()
        opened.append(Subscriber(Config(broker=broker, batch=BatchLimits(age_ms=50))))
        opened[-1].start()
        return opened[-1]

    yield make
    for one in opened:
        one.close()


def taken(subscriber: Subscriber, count: int) -> list[Message]:
    """So many messages, however many batches that takes."""
    found: list[Message] = []

    def enough() -> bool:
        found.extend(subscriber.take())
        return len(found) >= count

    assert eventually(enough)
    return found


def drained(subscriber: Subscriber) -> list[bytes]:
    """What still comes, acknowledged."""
    found = []
    while messages := subscriber.take():
        subscriber.acknowledge(messages)
        found += [one.raw for one in messages]
    return found


def listening(subscriber: Subscriber, publisher: Publisher) -> None:
    """Wait until the broker knows the subscription."""

    def heard() -> bool:
        publisher.send(TOPIC, [b"probe"])
        return bool(drained(subscriber))

    assert eventually(heard)
    drained(subscriber)


def test_what_is_not_acknowledged_comes_again_in_order(connect: Connect, publisher: Publisher) -> None:
    first = connect()
    listening(first, publisher)
    publisher.send(TOPIC, PAYLOADS)
    heard = taken(first, 3)
    assert [one.raw for one in heard] == PAYLOADS
    first.acknowledge(heard[:1])
    second = connect()
    again = taken(second, 2)
    assert [one.raw for one in again] == PAYLOADS[1:]
    second.acknowledge(again)
    # One more round trip: a connection that is closed at once may take its last acknowledgement with it.
    publisher.send(TOPIC, [b"last"])
    taken(second, 1)
    assert drained(connect()) == [b"last"]


def test_an_acknowledgement_of_a_lost_connection_touches_nothing(
    connect: Connect, publisher: Publisher, mosquitto: Mosquitto
) -> None:
    first = connect()
    listening(first, publisher)
    publisher.send(TOPIC, PAYLOADS)
    old = taken(first, 3)
    mosquitto.restart()
    redelivered = taken(first, 3)
    assert {one.connection for one in old}.isdisjoint(one.connection for one in redelivered)
    first.acknowledge(old)
    with closing(connect()) as second:
        assert [one.raw for one in taken(second, 3)] == PAYLOADS
