"""What may be looked at again, decided without a database."""

from dataclasses import replace

import pytest
from evidence import LATER_MS, Gateway, Stream, registry_of

from collector import quarantine
from contract.errors import EvidenceError, Reason
from contract.ids import GatewayId
from storage.quarantine import Entry

ALPHA = Gateway(name="alpha")
STREAM = Stream(gateway=ALPHA)
RAW = STREAM.grow(1)[0]
ENTRY = Entry(
    quarantine_no=1,
    reason=Reason.NO_BINDING,
    detail="",
    topic=ALPHA.topic,
    authentic=True,
    gateway=GatewayId("alpha"),
    stream_id=STREAM.stream_id,
    stream_no=1,
    seq=0,
    instrument=None,
    received_at_ms=LATER_MS,
    sha256=bytes(32),
    size_bytes=len(RAW),
    raw=RAW,
    readmitted_at_ms=None,
    readmitted_by=None,
)


def test_it_is_taken_apart_by_the_registry_of_now() -> None:
    assert quarantine.examined(ENTRY, registry_of(ALPHA)).content == ALPHA.genesis()
    faulty = quarantine.examined(ENTRY, replace(registry_of(ALPHA), bindings={}))
    assert faulty.fault
    assert faulty.fault.reason is Reason.NO_BINDING


def test_a_contradiction_is_not_even_looked_at() -> None:
    with pytest.raises(EvidenceError, match="people must decide"):
        quarantine.examined(replace(ENTRY, reason=Reason.EQUIVOCATION), registry_of(ALPHA))


@pytest.mark.parametrize(("reason", "said"), [("too-large", Reason.TOO_LARGE), ("of-tomorrow", Reason.BAD_SIGNATURE)])
def test_without_bytes_there_is_nothing_to_look_at(reason: str, said: Reason) -> None:
    with pytest.raises(EvidenceError, match="send it again") as refused:
        quarantine.examined(replace(ENTRY, raw=None, reason=reason), registry_of(ALPHA))
    assert refused.value.reason is said


def test_what_the_bytes_are_about() -> None:
    assert quarantine.instrument_of(ENTRY) == ALPHA.instrument
    assert quarantine.instrument_of(replace(ENTRY, raw=None)) is None
    assert quarantine.instrument_of(replace(ENTRY, raw=b"\xff")) is None
