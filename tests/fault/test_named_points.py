"""Ended between every two steps of the order of effects: what comes after makes the whole truth of it, once."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from fault.books import Ticks, audit, balanced, kept, signed, stored, told_by
from fault.doomed import Plan, Point
from fault.plant import Plant, until
from fix_servers import Mosquitto

from storage import counters
from storage.counters import Counters
from storage.pool import connect

APPEND, ROOM = "gateway.spool:Spool.append", "gateway.spool:Spool.make_room"
KEEP = "gateway.spool:Spool.keep_receipt"
RECORDING = [
    Point(step="gateway.spool:Spool.begin", when="before"),
    Point(step="sqlite3:COMMIT", when="before", within="gateway.spool:Spool.begin"),
    Point(step="gateway.spool:Spool.begin", when="after"),
    Point(step="gateway.journal:Journal.create", when="before", turn=2),
    Point(step="gateway.journal:Journal.create", when="after", turn=2),
    Point(step="gateway.journal:Journal.append", when="before", turn=4),
    Point(step="gateway.journal:Journal.append", when="after", turn=4),
    Point(step=APPEND, when="before", turn=2),
    Point(step="sqlite3:COMMIT", when="before", turn=3, within=APPEND),
    Point(step="sqlite3:COMMIT", when="after", turn=3, within=APPEND),
    Point(step="gateway.chain:Chain.say", when="after", turn=3),
    Point(step="pathlib:Path.unlink", when="before", turn=3),
    Point(step="pathlib:Path.unlink", when="after", turn=3),
]
"""Of a gateway, in their order: a stream begun, a journal begun, a tick, a frame, the spool, the journal's end."""
SENDING = [
    Point(step="aiomqtt:Client.publish", when="before", turn=3),
    Point(step="aiomqtt:Client.publish", when="after", turn=3),
    Point(step="gateway.receipts:Receipts.hear", when="before"),
    Point(step=KEEP, when="before"),
    Point(step="sqlite3:COMMIT", when="before", within=KEEP),
    Point(step="sqlite3:COMMIT", when="after", within=KEEP),
    Point(step="gateway.outbox:Outbox.in_custody", when="after"),
]
"""Of a gateway: a frame, its PUBACK; a receipt, believed, kept, acted on."""
DELETING = [
    Point(step="sqlite3:DELETE", when="before", within=ROOM),
    Point(step="sqlite3:DELETE", when="after", within=ROOM),
    Point(step="sqlite3:COMMIT", when="after", within=ROOM),
]
"""Of a gateway that keeps nothing longer than it must."""
STORE, PUBLISH = "storage.intake:Intake.store", "collector.subscriber:Subscriber.publish"
ACKNOWLEDGE = "collector.subscriber:Subscriber.acknowledge"
COMMITTED = Point(step=STORE, when="after")
COLLECTING = [
    Point(step="collector.sink:Sink.take", when="before"),
    Point(step=STORE, when="before"),
    Point(step="psycopg:Connection.transaction", when="inside", within=STORE),
    COMMITTED,
    Point(step=ACKNOWLEDGE, when="before"),
    Point(step="paho.mqtt.client:Client.ack", when="after", turn=2),
    Point(step=ACKNOWLEDGE, when="after", said="_client"),
    Point(step=PUBLISH, when="before"),
    Point(step=PUBLISH, when="after", said="_client"),
]
"""Of a collector: heard, admitted, before the commit, after it, acknowledging, acknowledged, receipt."""
SOON: dict[str, object] = {"gateway.spool:_KEPT_MS": 20_000}
"""What is in custody is deleted after so much sampling time: days would take a simulated month."""

ROOMY: dict[str, object] = {"collector.subscriber:_BATCHES_IN_FLIGHT": 100}
"""Its network thread must not wait for the main one, which waits at a point for what the other still has to send."""


def end_at_each(plant: Plant, points: Sequence[Point], truth: Ticks, settings: dict[str, object] | None = None) -> None:
    """End the gateway at each of the points; what it leaves MUST be the truth so far, without a hole."""
    known: dict[str, int] = {}
    for point in points:
        plant.gateway.dies(Plan(point=point, settings=settings or {}))
        if settings:
            continue
        left = kept(plant.gateway)
        for name, ticks in left.items():
            assert tuple(ticks) == tuple(truth[name])[: len(ticks)], point
            assert len(ticks) >= known.get(name, 0), point
        known = {name: len(ticks) for name, ticks in left.items()}


@pytest.mark.parametrize("points", [RECORDING, SENDING], ids=["recording", "sending"])
def test_a_gateway_that_ends_between_any_two_steps(
    tmp_path: Path, migrated: str, mosquitto: Mosquitto, truth: Ticks, points: Sequence[Point]
) -> None:
    with Plant(tmp_path, migrated, mosquitto.port, pace=40) as plant:
        plant.collector.start_listening()
        end_at_each(plant, points, truth)
        plant.gateway.start()
        until(plant.gateway.has_told_all, plant.words)
        audit(plant, truth)


def test_a_gateway_that_ends_while_it_deletes(
    tmp_path: Path, migrated: str, mosquitto: Mosquitto, truth: Ticks
) -> None:
    with Plant(tmp_path, migrated, mosquitto.port, pace=40) as plant:
        plant.collector.start_listening()
        end_at_each(plant, DELETING, truth, SOON)
        # Old enough, and nobody has it yet, not even the broker: that stays.
        mosquitto.kill()
        plant.gateway.start(Plan(settings=SOON))
        until(lambda: plant.gateway.says("time has ended"), plant.words)
        mosquitto.restart()
        until(plant.gateway.has_told_all, plant.words)
        frames = stored(plant.dsn)
        left = signed(plant.gateway.data_dir)
        assert len(left) < len(frames), "something must have been deleted"
        assert left.items() <= dict(frames).items()
        told = told_by(frames, plant.gateway.public)
        assert told.outages == []
        assert {name: tuple(ticks) for name, ticks in told.ticks.items()} == dict(truth)
        balanced(plant.dsn, plant.gateway.signed())


def test_a_collector_that_ends_between_any_two_steps(
    tmp_path: Path, migrated: str, mosquitto: Mosquitto, truth: Ticks
) -> None:
    with Plant(tmp_path, migrated, mosquitto.port, pace=20) as plant:
        plant.collector.start_listening()
        plant.collector.stop()  # the broker keeps what comes for it
        plant.gateway.start()
        for point in COLLECTING:
            before, held = totals(migrated), len(stored(migrated))
            plant.collector.dies(Plan(point=point, settings=ROOMY))
            after = totals(migrated)
            assert after.balanced, point
            # Whatever the point: a batch is there as a whole, with its counts, or it is not there.
            assert (after.stored - before.stored) == len(stored(migrated)) - held, point
            is_committed = COLLECTING.index(point) >= COLLECTING.index(COMMITTED)
            assert (after.received > before.received) == is_committed, point
        plant.collector.start_listening()
        until(plant.gateway.has_told_all, plant.words)
        audit(plant, truth)
        assert totals(migrated).duplicate > 0, "what was committed and not acknowledged comes again"


def totals(dsn: str) -> Counters:
    with connect(dsn) as connection:
        return counters.read(connection)
