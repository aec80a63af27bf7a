"""Every hostile vector of the wire through the sink and into a real database: kept with its reason, stalling nobody."""

from contextlib import closing
from pathlib import Path

import pytest
from evidence import LATER_MS, Gateway, Stream, enrol
from wire import golden, samples

from collector.sink import Sink
from collector.subscriber import Message
from contract import seal
from contract.errors import Reason
from storage import counters, frames
from storage.intake import Intake
from storage.pool import Connection

GATEWAY = Gateway(name=samples.GATEWAY, site=samples.SITE, key=samples.GATEWAY_KEY)


@pytest.mark.parametrize("kind", ["malformed", "reencoded", "hostile", "future"])
def test_every_vector_that_is_poison_is_quarantined_and_stalls_nobody(
    migrated: str, connection: Connection, tmp_path: Path, kind: str
) -> None:
    enrol(migrated, tmp_path, GATEWAY)
    poison = sorted({golden.raw(one) for one in golden.vectors(kind) if one["kind"] == "frame"})
    honest = Stream(gateway=GATEWAY).grow(len(poison))
    heard = {"topic": GATEWAY.topic, "received_at_ms": LATER_MS, "mid": 1, "qos": 1, "connection": 0}
    between = [raw for pair in zip(poison, honest, strict=True) for raw in pair]
    with closing(Intake(migrated, "test")) as intake:
        said = Sink(intake, lambda seconds: seconds > 0)
        said.take([Message(raw=raw, **heard) for raw in between])  # type: ignore[arg-type]  # fields by name
    assert list(frames.read(connection, GATEWAY.instrument, 0, 1 << 50)) == honest
    total = counters.read(connection)
    assert total.balanced
    assert (total.received, total.stored, total.quarantined) == (2 * len(poison), len(honest), len(poison))
    rows = connection.execute("SELECT reason, authentic, sha256, bytes FROM quarantine").fetchall()
    assert {sha256 for _, _, sha256, _ in rows} == {seal.frame_hash(raw) for raw in poison}
    for reason, authentic, sha256, raw in rows:
        assert reason in set(Reason)
        assert (raw is not None and seal.frame_hash(raw) == sha256) if authentic else raw is None
