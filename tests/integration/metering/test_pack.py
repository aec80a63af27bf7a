"""Packs from a real database: the same bytes each time, verified offline, and the hours are those that stand."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from evidence import DAY_MS, FROM_MS, LATER_MS, Gateway, Stream, enrol

from collector.sink import Sink
from collector.subscriber import Message
from contract.errors import ConfigError
from contract.frame import Measurement
from contract.ids import BootId
from contract.states import ClockState, Source
from contract.units import utc_text
from metering.pack import cli
from metering.verifier import cli as verifier
from metering.verifier import container, form, text
from storage import registry_file, registry_load, statements
from storage.intake import Intake
from storage.pool import Connection, connect

ALPHA, BETA = Gateway(name="alpha"), Gateway(name="beta")
MIDNIGHT_MS = DAY_MS - 8 * 3_600_000
ASKED = (utc_text(DAY_MS), utc_text(DAY_MS + 600_000))

Deliver = Callable[[Stream], None]


@pytest.fixture
def deliver(migrated: str, tmp_path: Path) -> Deliver:
    """Admits and stores a stream's frames as the collector does."""
    enrol(migrated, tmp_path, ALPHA, BETA)

    def put(stream: Stream) -> None:
        intake = Intake(migrated, "test")
        sink = Sink(intake, lambda _: True)
        heard = {"topic": stream.gateway.topic, "received_at_ms": LATER_MS, "mid": 1, "qos": 1, "connection": 0}
        sink.take([Message(raw=raw, **heard) for raw in stream.frames])  # type: ignore[arg-type]  # fields by name
        intake.close()

    return put


@pytest.fixture
def approved(migrated: str, tmp_path: Path, deliver: Deliver) -> Deliver:
    """The same, with policies in force that change at noon, and a session."""
    noon = MIDNIGHT_MS + 12 * 3_600_000
    load(migrated, tmp_path, policy(1, MIDNIGHT_MS, noon) + policy(2, noon) + SESSION)
    return deliver


def load(dsn: str, folder: Path, content: str) -> None:
    path = folder / "more.toml"
    path.write_text(f"simulation = false\n{content}", "utf-8")
    with connect(dsn) as connection:
        registry_load.load(connection, registry_file.read(path))


def policy(version: int, valid_from_ms: int, valid_to_ms: int | None = None) -> str:
    until = f'valid_to = "{utc_text(valid_to_ms)}"' if valid_to_ms else ""
    return f"""[[policy]]
id = "hours"
version = {version}
instrument = "{ALPHA.instrument}"
proposed_by = "a"
proposed_body = "laboratory"
approved_by = "b"
approved_body = "office"
approved_at = "{utc_text(MIDNIGHT_MS - 1)}"
valid_from = "{utc_text(valid_from_ms)}"
{until}
[policy.rules]
profile = "runstate"
bridge_s = 0
max_gap_s = {60 + version}
lines = [{{ line = "run", state = "RUNNING" }}]
"""


SESSION = f"""[[session]]
id = "s-1"
instrument = "{ALPHA.instrument}"
start = "{utc_text(DAY_MS)}"
end = "{utc_text(DAY_MS + 300_000)}"
party = "external"
purpose = "research"
way = "self-operated"
attribution = 1
entered_at = "{utc_text(DAY_MS - 1)}"
"""


def ten(name: str = "first") -> Stream:
    stream = Stream(gateway=ALPHA, name=name)
    stream.grow(10)
    return stream


def exported(dsn: str, folder: Path, name: str = "pack.zip", level: int = 3) -> Path:
    out = folder / name
    cli.export_pack(dsn, ALPHA.instrument, ASKED, out, level)
    cli.export_keys(dsn, folder / "trust.json")
    return out


def verified(pack: Path) -> dict[str, object]:
    return verifier.run(pack, pack.parent / "trust.json")[0]


def test_a_pack_is_verified_and_states_the_hours_that_stand(
    approved: Deliver, migrated: str, tmp_path: Path, connection: Connection
) -> None:
    approved(ten())
    pack = exported(migrated, tmp_path)
    found = verified(pack)
    assert (found["verdict"], found["codes"], found["frames"]) == ("VERIFIED_WITH_GAPS", [], 10)
    assert found["effective_h"] == 9 / 3_600
    assert found["external_high_h"]
    said = text.loads(container.read(pack.read_bytes())[form.STATEMENTS])
    standing = statements.read(connection, ALPHA.instrument, MIDNIGHT_MS, MIDNIGHT_MS + 86_400_000)
    assert [one["level"] for one in said] == [2, 3, 2, 3]
    assert sorted(map(text.dumps, said)) == sorted(text.dumps(one.document) for one in standing)


def test_the_same_store_gives_the_same_bytes_also_after_another_run(
    approved: Deliver, migrated: str, tmp_path: Path
) -> None:
    approved(ten())
    first = exported(migrated, tmp_path).read_bytes()
    assert exported(migrated, tmp_path, "again.zip").read_bytes() == first
    assert not list(tmp_path.glob(".*.part"))


def test_a_stream_in_two_parts_holds_each_frame_once(approved: Deliver, migrated: str, tmp_path: Path) -> None:
    stream = ten()
    # The policy changes at noon; a frame shortly before it belongs to the windows of both parts.
    for minute in (225, 239, 241, 300):
        stream.add(ALPHA.measurement(DAY_MS + 60_000 * minute))
    approved(stream)
    pack = exported(migrated, tmp_path)
    members = container.read(pack.read_bytes())
    frames = [raw for name in members if name.startswith("frames/") for _, raw in form.items(members[name])]
    assert (sorted(frames), len(frames)) == (sorted(stream.frames), 14)
    assert verified(pack)["codes"] == []


def test_equivocation_comes_with_both_frames_and_the_verifier_finds_it_by_itself(
    approved: Deliver, migrated: str, tmp_path: Path
) -> None:
    whole = ten()
    approved(whole)
    twin = Stream(gateway=ALPHA, frames=whole.frames[:6])
    twin.add(ALPHA.measurement(DAY_MS + 1))
    approved(Stream(gateway=ALPHA, frames=twin.frames[6:]))
    pack = exported(migrated, tmp_path)
    assert form.RIVALS in container.read(pack.read_bytes())
    found = verified(pack)
    assert (found["codes"], found["effective_h"]) == ([], 5 / 3_600)
    assert "equivocation" in str(found["steps"])


def test_an_edit_of_the_database_is_found_offline(
    approved: Deliver, migrated: str, tmp_path: Path, connection: Connection
) -> None:
    approved(ten())
    forged = replace(ALPHA.measurement(DAY_MS + 300_000), period_ms=999)
    other = Stream(gateway=BETA, frames=ten().frames[:5])
    raw = other.add(forged)
    connection.execute("UPDATE frame SET bytes = %s WHERE seq = 5", [raw])
    found = verified(exported(migrated, tmp_path))
    assert found["verdict"] == "REJECTED"
    assert {"V01", "V03", "V05"} & set(found["codes"])  # type: ignore[call-overload]  # a list of codes


def test_a_gateway_of_another_instrument_is_in_the_register_and_not_in_the_pack(
    approved: Deliver, migrated: str, tmp_path: Path
) -> None:
    approved(ten())
    pack = exported(migrated, tmp_path)
    known = form.records(text.loads(container.read(pack.read_bytes())[form.RECORDS]))
    assert [key.gateway for key in known.keys] == ["alpha"]
    said = cli.export_keys(migrated, tmp_path / "one.json", [ALPHA.instrument])
    assert (said["instruments"], said["keys"], said["policies"]) == (1, 1, 2)
    assert cli.export_keys(migrated, tmp_path / "all.json")["keys"] == 2
    assert verifier.run(pack, tmp_path / "one.json")[1] == verifier.run(pack, tmp_path / "all.json")[1] == 0


def test_telemetry_is_exported_as_telemetry(approved: Deliver, migrated: str, tmp_path: Path) -> None:
    stream = Stream(gateway=ALPHA)
    stream.grow(1)
    for minute in range(1, 10):
        stream.add(replace(ALPHA.measurement(DAY_MS + 60_000 * minute), source=Source.IMPORTED))
    approved(stream)
    found = verified(exported(migrated, tmp_path, level=2))
    assert (found["level"], found["effective_h"]) == (2, 9 / 3_600)
    assert verified(exported(migrated, tmp_path))["effective_h"] == 0


def test_a_day_without_a_policy_carries_no_frames(deliver: Deliver, migrated: str, tmp_path: Path) -> None:
    deliver(ten())
    found = verified(exported(migrated, tmp_path))
    assert (found["verdict"], found["frames"], found["coverage"]) == ("VERIFIED_WITH_GAPS", 0, 0)


ROTATED_MS = DAY_MS + 3 * 86_400_000
NEW = Gateway(name="alpha")
"""The same gateway with its next key, enrolled days after the pack's end."""


@pytest.fixture
def rotated(approved: Deliver, migrated: str, tmp_path: Path) -> Deliver:
    content = f"""[[gateway]]
id = "alpha"
site = "huaian"
unit = "unit"
[[gateway.key]]
public_key = "{ALPHA.public.hex()}"
valid_from = "{utc_text(FROM_MS)}"
valid_to = "{utc_text(ROTATED_MS)}"
[[gateway.key]]
public_key = "{NEW.public.hex()}"
valid_from = "{utc_text(ROTATED_MS)}"
"""
    load(migrated, tmp_path, content)
    return approved


def renewed() -> Stream:
    """A stream that goes on under the next key."""
    return Stream(gateway=NEW, frames=ten().frames)


def astray(content: Measurement) -> Measurement:
    return replace(content, clock=ClockState.UNSYNCHRONISED, boot_id=BootId(b"bootboo2"))


def test_an_outage_that_ends_after_a_rotation_of_keys_is_verified(
    rotated: Deliver, migrated: str, tmp_path: Path
) -> None:
    stream = renewed()
    stream.add(ALPHA.outage(DAY_MS + 600_000, ROTATED_MS + 3_600_000))
    stream.add(ALPHA.measurement(ROTATED_MS + 3_600_001))
    rotated(stream)
    found = verified(exported(migrated, tmp_path))
    assert (found["verdict"], found["codes"], found["frames"]) == ("VERIFIED_WITH_GAPS", [], 11)
    assert len(found["keys"]) == 2  # type: ignore[arg-type]  # a list of keys


def test_a_clock_astray_under_a_later_key_is_verified(rotated: Deliver, migrated: str, tmp_path: Path) -> None:
    stream = renewed()
    stream.add(astray(ALPHA.measurement(DAY_MS + 800_000)))
    rotated(stream)
    found = verified(exported(migrated, tmp_path))
    assert (found["verdict"], found["codes"]) == ("VERIFIED_WITH_GAPS", [])
    assert "validity-unjudged" in str(found["steps"])


def test_equivocation_weeks_later_is_not_the_packs(rotated: Deliver, migrated: str, tmp_path: Path) -> None:
    rotated(ten())
    before = exported(migrated, tmp_path).read_bytes()
    for begin_ms in (ROTATED_MS + 1, ROTATED_MS + 7_777):
        stream = renewed()
        stream.add(ALPHA.measurement(begin_ms))
        rotated(stream)
    pack = exported(migrated, tmp_path)
    assert not container.read(pack.read_bytes())[form.RIVALS]
    assert container.read(pack.read_bytes())[form.RECORDS] == container.read(before)[form.RECORDS]
    assert verified(pack)["codes"] == []


def test_a_meter_that_moved_to_a_gateway_whose_clock_was_astray_is_verified(
    approved: Deliver, migrated: str, tmp_path: Path
) -> None:
    own = f"""[[binding]]
instrument = "{ALPHA.instrument}"
meter_model = "{ALPHA.meter.model}"
meter_serial = "{ALPHA.meter.serial}"
"""
    first = f'gateway = "alpha"\nvalid_from = "{utc_text(FROM_MS)}"\nvalid_to = "{utc_text(ROTATED_MS)}"\n'
    load(migrated, tmp_path, own + first + own + f'gateway = "beta"\nvalid_from = "{utc_text(ROTATED_MS)}"\n')
    approved(ten())
    moved = Stream(gateway=BETA, name="moved")
    created_ms = DAY_MS + 900_000
    genesis = replace(BETA.genesis(), instrument=ALPHA.instrument, created_ms=created_ms)
    moved.add(replace(genesis, clock=ClockState.UNSYNCHRONISED))
    moved.add(astray(ALPHA.measurement(created_ms)))
    approved(moved)
    found = verified(exported(migrated, tmp_path))
    assert (found["verdict"], found["codes"], found["frames"]) == ("VERIFIED_WITH_GAPS", [], 12)


def test_faults_are_listed_and_leave_no_file(approved: Deliver, migrated: str, tmp_path: Path) -> None:
    approved(ten())
    out = tmp_path / "pack.zip"
    with pytest.raises(ConfigError) as raised:
        cli.export_pack(migrated, "alpha-instrument", ("2025-03-10", "soon"), out)
    assert [fault.split(":")[0] for fault in raised.value.faults] == ["--from", "--to"]
    with pytest.raises(ConfigError, match="--instrument: nobody"):
        cli.export_pack(migrated, "nobody", ASKED, out)
    with pytest.raises(ConfigError, match="--out"):
        cli.export_pack(migrated, ALPHA.instrument, ASKED, tmp_path / "no" / "pack.zip")
    with pytest.raises(ConfigError, match="--out"):
        cli.export_keys(migrated, tmp_path / "no" / "trust.json")
    assert not out.exists()
