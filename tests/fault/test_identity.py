"""One identity twice, a spool that was copied, a collector with another key, frames in any order and number."""

import shutil
from pathlib import Path
from random import Random

from fault.books import Ticks, audit, quarantined, signed, stored, told_by
from fault.plant import GATEWAY, SITE, Gateway, Lab, Plant, until
from fix_collector import Publisher
from fix_servers import Mosquitto

from contract.ids import GatewayId, SiteId
from contract.seal import open_frame
from contract.topics import Channel, Topic
from metering.core.evidence import assemble
from metering.reading import records
from storage import counters, frames, registry
from storage.pool import connect

TOPIC = str(Topic(site=SiteId(SITE), gateway=GatewayId(GATEWAY), channel=Channel.FRAME))
_ALWAYS = (0, 1 << 50)


def test_weeks_late_in_any_order_and_thrice_is_stored_once(
    tmp_path: Path, migrated: str, mosquitto: Mosquitto, publisher: Publisher, truth: Ticks
) -> None:
    with Plant(tmp_path, migrated, mosquitto.port) as plant:
        mosquitto.kill()
        plant.gateway.start()  # it records a day of last year, and nobody hears it
        until(lambda: plant.gateway.says("time has ended"), plant.words)
        plant.gateway.kill()
        mosquitto.restart()
        sent = 2 * list(signed(plant.gateway.data_dir).values())
        Random(5).shuffle(sent)
        assert [open_frame(raw).envelope.seq for raw in sent[:5]] != [0, 1, 2, 3, 4]
        plant.collector.start_listening()
        publisher.send(TOPIC, sent)
        until(lambda: len(stored(migrated)) == len(sent) // 2, plant.words)
        plant.gateway.start()
        until(plant.gateway.has_told_all, plant.words)
        audit(plant, truth)
        with connect(migrated) as connection:
            assert counters.read(connection).duplicate >= len(sent) // 2


def test_a_collector_with_another_key_stores_and_nobody_believes_it(
    tmp_path: Path, migrated: str, mosquitto: Mosquitto, truth: Ticks
) -> None:
    with Plant(tmp_path, migrated, mosquitto.port, pace=60) as plant:
        plant.start()
        until(lambda: plant.gateway.signed() - plant.gateway.waiting() > 4, plant.words)
        plant.collector.stop()
        before = plant.gateway.signed() - plant.gateway.waiting()
        assert plant.collector.use_key("other.key") != plant.collector.public
        plant.collector.start_listening()
        until(lambda: plant.gateway.says("receipt not believed"), plant.words)
        until(lambda: len(stored(migrated)) > before + 12, plant.words)
        after = plant.gateway.signed() - plant.gateway.waiting()
        # A receipt with the right key may have been on its way.
        assert after < len(stored(migrated)) - 6, "what it says changes nothing"
        plant.collector.stop()
        plant.collector.use_key("collector.key")
        plant.collector.start_listening()
        until(plant.gateway.has_told_all, plant.words)
        audit(plant, truth)


def test_two_gateways_with_one_identity_tell_two_whole_stories_and_both_notice(
    tmp_path: Path, migrated: str, mosquitto: Mosquitto, truth: Ticks
) -> None:
    with Plant(tmp_path, migrated, mosquitto.port, pace=60) as plant:
        twin_dir = tmp_path / "twin"
        twin_dir.mkdir()
        lab = Lab(twin_dir, pace=60)
        (twin_dir / "data").mkdir(mode=0o700)
        shutil.copy2(plant.gateway.data_dir / "key.pem", twin_dir / "data" / "key.pem")
        twin = Gateway(twin_dir, lab, mosquitto.port, plant.collector.public)
        try:
            plant.start()
            twin.start()
            for gateway in (plant.gateway, twin):
                until(gateway.has_told_all, lambda: f"{plant.words()}\n{twin.said()}")
            for gateway in (plant.gateway, twin):
                until(lambda: gateway.says("it is not a stream of this spool"), gateway.said)  # noqa: B023
        finally:
            twin.stop()
            lab.stop()
        spools = [signed(gateway.data_dir) for gateway in (plant.gateway, twin)]
        assert sorted(stored(migrated)) == sorted((spools[0] | spools[1]).items())
        for spool in spools:
            told = told_by(spool.items(), plant.gateway.public)
            assert told.outages == []
            assert {name: tuple(ticks) for name, ticks in told.ticks.items()} == dict(truth)
        assert quarantined(migrated) == []


def test_a_copied_spool_is_noticed_on_both_ends_and_earns_nothing_from_there(
    tmp_path: Path, migrated: str, mosquitto: Mosquitto, truth: Ticks
) -> None:
    with Plant(tmp_path, migrated, mosquitto.port, pace=60) as plant:
        plant.start()
        until(lambda: plant.gateway.signed() - plant.gateway.waiting() > 8, plant.words)
        assert plant.gateway.stop() == 0
        copy_dir = tmp_path / "copy"
        shutil.copytree(plant.gateway.data_dir, copy_dir / "data")
        forked = {place for place, _ in signed(copy_dir / "data").items()}
        plant.gateway.start()
        until(plant.gateway.has_told_all, plant.words)
        plant.gateway.kill()
        ours = signed(plant.gateway.data_dir)
        lab = Lab(copy_dir, seed=8)
        copy = Gateway(copy_dir, lab, mosquitto.port, plant.collector.public)
        try:
            copy.start()
            until(lambda: copy.says("time has ended"), copy.said)
            theirs = {place: raw for place, raw in signed(copy.data_dir).items() if place not in forked}
            rivals = [(place, raw) for place, raw in theirs.items() if place in ours]
            until(
                lambda: len(stored(migrated)) + len(quarantined(migrated)) == len(ours) + len(theirs),
                lambda: f"{plant.words()}\n{copy.said()}",
            )
            until(lambda: copy.says("two gateways may share a copied spool"), copy.said)
        finally:
            copy.stop()
            lab.stop()
        refused = quarantined(migrated)
        assert sorted((place, raw) for place, raw, reason in refused if reason == "equivocation") == sorted(rivals)
        assert len(rivals) > len(truth)
        # Past the end of ours the copy's frames take places that were free; they are evidence, and not believed.
        held = [*stored(migrated), *((place, raw) for place, raw, _ in refused)]
        assert sorted(held) == sorted([*ours.items(), *theirs.items()])
        assert ours.items() <= dict(stored(migrated)).items(), "nothing that came before the copy is lost"
        with connect(migrated) as connection:
            assert counters.read(connection).balanced
            for instrument in registry.instruments(connection):
                cut = records(connection, instrument).cut
                evidence = assemble(frames.read(connection, instrument.instrument, *_ALWAYS), cut)
                believed = {(bytes(link.stream_id), link.seq) for link in evidence.links}
                assert believed == {place for place in forked if place[0] in {stream for stream, _ in believed}}
                assert len(evidence.doubted) > len(rivals) // len(truth) // 2
