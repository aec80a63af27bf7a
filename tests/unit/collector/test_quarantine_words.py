"""What an operator is told about each reason."""

import re

import pytest
from evidence import LATER_MS, Gateway, Stream

from collector import quarantine_words as words
from contract.errors import Reason
from contract.ids import GatewayId
from contract.states import MeterState
from storage.quarantine import Entry

ALPHA = Gateway(name="alpha")


def entry(raw: bytes | None, reason: str = Reason.NO_BINDING, topic: str = ALPHA.topic) -> Entry:
    signed = raw is not None
    return Entry(
        quarantine_no=1,
        reason=reason,
        detail="detail",
        topic=topic,
        authentic=signed,
        gateway=GatewayId("alpha") if signed else None,
        stream_id=Stream(gateway=ALPHA).stream_id if signed else None,
        stream_no=1 if signed else None,
        seq=0 if signed else None,
        instrument=None,
        received_at_ms=LATER_MS,
        sha256=bytes(32),
        size_bytes=len(raw or b""),
        raw=raw,
        readmitted_at_ms=None,
        readmitted_by=None,
    )


@pytest.mark.parametrize("reason", Reason)
def test_each_reason_says_what_to_do_in_both_languages(reason: Reason) -> None:
    zh, en = words.advice(reason)
    assert re.search(r"[\u4e00-\u9fff]", zh)
    assert en.isascii()
    assert zh.endswith("。")
    assert en.endswith(".")


def test_a_reason_of_a_newer_program_is_no_fault_of_ours() -> None:
    assert all("ask the newer" in text or "较新" in text for text in words.advice("of-tomorrow"))


def test_all_of_a_frame_is_plain_data() -> None:
    stream = Stream(gateway=ALPHA)
    stream.grow(2)
    shown = words.described(entry(stream.frames[1]))
    assert shown["instrument"] == ALPHA.instrument
    content = shown["content"]
    assert (content["clock"], content["meter_state"], content["boot_id"]) == ("synchronised", "ok", b"bootboot".hex())
    assert words._data(MeterState.RECONNECTED | MeterState.REGISTER_FELL) == "reconnected|register_fell"


def test_what_came_from_outside_moves_no_cursor() -> None:
    line = words.line(words.summary(entry(None, topic="\x1b[2Jevil\n"), None))
    assert line.isprintable()
    assert "?[2Jevil?" in line
