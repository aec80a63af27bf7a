"""received = stored + duplicate + quarantined: a violation is an alarm of the collector, and no report hides it."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from evidence import LATER_MS, Gateway, Stream, enrol
from structlog.testing import capture_logs

from collector import admission
from collector.admission import Outcome, Verdict
from collector.sink import Sink
from collector.subscriber import Message
from storage import counters, live
from storage.intake import Intake
from storage.pool import Connection
from storage.records import Head

ALPHA = Gateway(name="alpha")
ALARM = "the books do not balance"


@pytest.fixture
def sink(migrated: str, tmp_path: Path) -> Iterator[Sink]:
    enrol(migrated, tmp_path, ALPHA)
    with closing(Intake(migrated, "test")) as intake:
        yield Sink(intake, lambda seconds: seconds > 0)


def alarms(sink: Sink, raws: list[bytes]) -> list[str]:
    heard = {"topic": ALPHA.topic, "received_at_ms": LATER_MS, "mid": 1, "qos": 1, "connection": 0}
    with capture_logs() as said:
        sink.take([Message(raw=raw, **heard) for raw in raws])  # type: ignore[arg-type]  # fields by name
    return [one["event"] for one in said if one["log_level"] == "error"]


def test_a_message_that_is_dropped_without_an_outcome_is_an_alarm(
    sink: Sink, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    raws = Stream(gateway=ALPHA).grow(4)
    assert alarms(sink, raws[:2]) == []
    real = admission.place

    def forgets(frame: admission.Frame, head: Head | None, known: set[bytes]) -> tuple[Verdict, Head]:
        verdict, after = real(frame, head, known)
        if frame.sealed.envelope.seq == 2:
            return Verdict(outcome=Outcome.QUARANTINED, authentic=True), after
        return verdict, after

    monkeypatch.setattr(admission, "place", forgets)
    assert alarms(sink, raws[2:]) == [ALARM]
    assert not counters.read(connection).balanced
    assert not live.totals(connection).balanced


@pytest.mark.parametrize("broken", ["UPDATE intake SET duplicate = duplicate + 1", "DELETE FROM frame WHERE seq = 1"])
def test_books_that_were_changed_behind_our_back_do_not_balance(
    sink: Sink, connection: Connection, broken: str
) -> None:
    alarms(sink, Stream(gateway=ALPHA).grow(3))
    assert counters.read(connection).balanced
    connection.execute(broken)
    assert not counters.read(connection).balanced
