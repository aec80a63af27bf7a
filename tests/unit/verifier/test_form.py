"""Sequences, JSON and rows of a pack: what reads back, and what is refused as a second writing."""

import pytest

from contract.frame import Genesis
from contract.registry import Binding, Role
from contract.usage import Attribution, Session
from metering.verifier import form, rows, text

SIZES = (0, 1, 23, 24, 255, 256, 65_535, 65_536)
BINDING = {
    "instrument": "nmr-400",
    "gateway": "gw-07",
    "meter_model": "sdm120",
    "meter_serial": "2401-0017",
    "ct_primary_a": 1,
    "ct_secondary_a": 1,
    "role": "sole",
    "valid_from_ms": 0,
    "valid_to_ms": None,
}


def test_a_sequence_reads_back_from_any_of_its_items() -> None:
    frames = [bytes((size % 251,)) * size for size in SIZES]
    content = memoryview(form.sequence(frames))
    read = list(form.items(content))
    assert [raw for _, raw in read] == frames
    assert [next(form.items(content, at))[1] for at, _ in read] == frames


@pytest.mark.parametrize(
    "raw",
    ["41", "5801", "580100", "59001700", "5a0000000100", "5a00010001", "60", "00", "5f41", "81", "ff", "5b" + "00" * 8],
)
def test_other_items_lengths_and_ends_are_refused(raw: str) -> None:
    with pytest.raises(ValueError, match="begins no byte string"):
        list(form.items(memoryview(bytes.fromhex(raw))))


@pytest.mark.parametrize(
    "raw",
    [b'{"a": 1}', b'{"b":1,"a":2}', b'{"a":1,"a":1}', b'"\\u6d4b"', b"1.0e0", b"[" * 100_000, b"NaN", b"1e999", b"",
     b"\xff", b'"\\ud800"', b" 1", b"1\n", b"-0"],
)  # fmt: skip
def test_json_has_one_writing(raw: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        text.loads(raw, fractions=True)


def test_json_reads_back() -> None:
    value = {"z": [1, 2.5, None, True, "机时", (1 << 63) - 1], "a": {}}
    assert text.loads(text.dumps(value), fractions=True) == value


@pytest.mark.parametrize("raw", [b"2.5", b"1e308", str(1 << 63).encode(), b"9" * 4_300, b"-" + b"9" * 19])
def test_a_number_is_an_integer_of_63_bits_where_nothing_else_is_said(raw: bytes) -> None:
    with pytest.raises(ValueError, match="integer"):
        text.loads(raw)


def test_rows_read_back() -> None:
    read = rows.record(Binding, BINDING)
    assert (read.role, rows.row(read)) == (Role.SOLE, BINDING)


@pytest.mark.parametrize(
    ("name", "value"),
    [("instrument", "NMR"), ("meter_serial", "a\nb"), ("ct_primary_a", 0), ("ct_primary_a", True),
     ("ct_primary_a", 1.0), ("role", "chief"), ("valid_from_ms", "0"), ("valid_to_ms", 1 << 60), ("gateway", None),
     ("more", 1)],
)  # fmt: skip
def test_rows_are_strict(name: str, value: object) -> None:
    with pytest.raises(ValueError, match="Binding"):
        rows.record(Binding, {**BINDING, name: value})
    with pytest.raises(ValueError, match="a list"):
        rows.records(Binding, BINDING)


@pytest.mark.parametrize("attribution", [1.0, True, 4, "1"])
def test_a_number_that_stands_for_a_word_has_one_writing(attribution: object) -> None:
    row = {
        "session_id": "s", "instrument": "i", "start_ms": 0, "end_ms": 1, "party": "external", "purpose": "research",
        "way": "other", "attribution": 1, "entered_at_ms": 0,
    }  # fmt: skip
    assert rows.record(Session, row).attribution is Attribution.BOOKED
    with pytest.raises(ValueError, match="attribution"):
        rows.record(Session, {**row, "attribution": attribution})


def test_every_field_of_every_record_of_a_pack_can_be_read() -> None:
    with pytest.raises(KeyError):
        rows.record(
            Genesis,
            dict.fromkeys(("site", "gateway", "instrument", "boot_id", "clock", "created_ms", "predecessor"), "a"),
        )
