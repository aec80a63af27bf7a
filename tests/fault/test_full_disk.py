"""A disk that is full, at the spool, at the broker, at the database; then there is room again."""

import os
import signal
from pathlib import Path

import pytest
from fault.books import Ticks, audit, balanced, signed, stored, told_by
from fault.disks import small_disk
from fault.plant import Database, Plant, until
from fault.wire import Wire
from fix_servers import Mosquitto, _required_mosquitto

from contract.states import OutageCause
from jishi.demo.lab import WallClock


def test_a_full_disk_at_the_spool_is_an_outage_of_that_name_and_costs_no_more(
    tmp_path: Path, migrated: str, mosquitto: Mosquitto, truth: Ticks
) -> None:
    with (
        small_disk(tmp_path / "disk", "2m") as disk,
        Plant(tmp_path, migrated, mosquitto.port, pace=40, data_dir=disk.folder / "data") as plant,
    ):
        plant.start()
        until(lambda: plant.gateway.signed() > 12, plant.words)
        disk.fill()
        until(lambda: plant.gateway.says("recording stopped"), plant.words)
        with WallClock(plant.lab.ready["clock"]) as lab:
            blind_ms = lab.now_ms() + 20_000
            until(lambda: lab.now_ms() > blind_ms, plant.words)
        before = signed(plant.gateway.data_dir)
        until(lambda: len(stored(migrated)) >= len(before), plant.words)  # publishing went on
        disk.free()
        until(lambda: plant.gateway.says("recording goes on"), plant.words)
        until(plant.gateway.has_told_all, plant.words)
        frames = list(signed(plant.gateway.data_dir).items())
        assert sorted(stored(migrated)) == sorted(frames)
        balanced(migrated, len(frames))
        told = told_by(frames, plant.gateway.public)
    assert {outage.cause for outage in told.outages} == {OutageCause.DISK_FULL}
    for name, ticks in truth.items():
        blind = [(one.from_ms, one.to_ms) for one in told.outages if one.instrument == name]
        seen = [tick for tick in ticks if not any(begin < tick[0] < end for begin, end in blind)]
        assert told.ticks[name] == seen, "what lies outside the outages is there, tick for tick"
        assert blind, "each instrument was blind"
        assert len(seen) > len(ticks) // 4


def test_a_broker_without_room_for_its_store_costs_nothing(tmp_path: Path, migrated: str, truth: Ticks) -> None:
    with small_disk(tmp_path / "disk", "1m") as disk:
        broker = Mosquitto(_required_mosquitto(), disk.folder)
        try:
            with Plant(tmp_path, migrated, broker.port, pace=40) as plant:
                plant.start()
                until(lambda: plant.gateway.signed() - plant.gateway.waiting() > 4, plant.words)
                disk.fill()
                plant.collector.kill()
                sent = plant.gateway.signed()
                until(lambda: plant.gateway.signed() > sent + 6, plant.words)
                os.kill(broker.pid, signal.SIGUSR1)  # write the store, now
                broker.kill()
                disk.free()
                broker.restart()
                plant.collector.start_listening()
                until(plant.gateway.has_told_all, plant.words)
                audit(plant, truth)
        finally:
            broker.close()


@pytest.mark.timeout(600)
def test_a_full_disk_at_the_database_costs_nothing(
    tmp_path: Path, open_folder: Path, mosquitto: Mosquitto, truth: Ticks
) -> None:
    with small_disk(open_folder / "disk", "192m") as disk:
        database = Database(disk.folder / "data")
        with Wire(lambda: database.socket) as wire:
            dsn = database.dsn(wire.port)
            database.migrate()
            try:
                with Plant(tmp_path, dsn, mosquitto.port, pace=40) as plant:
                    plant.start()
                    until(lambda: plant.gateway.signed() - plant.gateway.waiting() > 4, plant.words)
                    disk.fill()
                    until(lambda: plant.collector.says("nothing is acknowledged"), plant.words)
                    until(lambda: plant.gateway.says("time has ended"), plant.words)
                    disk.free()
                    if database.server.server.poll() is not None:  # without room for its log a server gives up
                        database.start()
                    until(plant.gateway.has_told_all, plant.words)
                    audit(plant, truth)
            finally:
                database.server.stop()
