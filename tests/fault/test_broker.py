"""A broker that forgets all it acknowledged: custody is the collector's alone."""

from pathlib import Path

from fault.books import Ticks, audit
from fault.plant import Plant, until
from fix_servers import Mosquitto


def test_a_broker_that_lost_its_store_costs_nothing(
    tmp_path: Path, migrated: str, mosquitto: Mosquitto, truth: Ticks
) -> None:
    with Plant(tmp_path, migrated, mosquitto.port, pace=60) as plant:
        plant.start()
        until(lambda: plant.gateway.signed() - plant.gateway.waiting() > 4, plant.words)
        plant.collector.kill()
        # What is signed from here on has its PUBACK soon, and is in the broker's store alone.
        before = plant.gateway.signed()
        until(lambda: plant.gateway.signed() > before + 12, plant.words)
        mosquitto.kill()
        (mosquitto._folder / "mosquitto.db").unlink(missing_ok=True)
        mosquitto.restart()
        plant.collector.start_listening()
        assert not plant.collector.said().rpartition('"session_present": ')[2].startswith("true")
        until(plant.gateway.has_told_all, plant.words)
        audit(plant, truth)
