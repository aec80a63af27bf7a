"""docs/wire.md against the golden vectors: its tables, and a decoder written from it alone."""

import re
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from wire import from_the_page, golden, make_vectors, samples

from contract import frame, ids, receipt, seal, states, topics
from contract.errors import Reason

PAGE = (Path(__file__).parents[2] / "docs" / "wire.md").read_text("utf-8")
TABLES = re.findall(r"^### `([a-z-]+)`, (\d+) bytes\n\n((?:\|.*\n)+)", PAGE, re.MULTILINE)
GOOD = {vector["name"]: vector for vector in golden.vectors("good")}
FROM_PAGE = {"frame": from_the_page.frame, "receipt": from_the_page.receipt}
KEYS = {"frame": samples.GATEWAY_KEY, "receipt": samples.COLLECTOR_KEY}


def test_the_page_shows_each_kind_of_message() -> None:
    kinds = {GOOD[name]["content"]["is"] for name, _, _ in TABLES}
    assert kinds == {"measurement", "outage", "genesis", "receipt"}


@pytest.mark.parametrize(("name", "size", "table"), TABLES, ids=[name for name, _, _ in TABLES])
def test_a_table_is_its_vector_byte_for_byte(name: str, size: str, table: str) -> None:
    rows = re.findall(r"^\| (\d+) \| `([0-9a-f ]+)` \| .+ \|$", table, re.MULTILINE)
    assert len(rows) == len(table.splitlines()) - 2, "a row is not offset, bytes, meaning"
    shown = b""
    for offset, octets in rows:
        assert int(offset) == len(shown)
        shown += bytes.fromhex(octets)
    assert shown == golden.raw(GOOD[name])
    assert int(size) == len(shown)


@pytest.mark.parametrize("vector", GOOD.values(), ids=GOOD)
def test_a_decoder_from_the_page_alone_reads_every_good_vector(vector: dict[str, Any]) -> None:
    public = KEYS[vector["kind"]].public_key().public_bytes_raw()
    read = FROM_PAGE[vector["kind"]](golden.raw(vector), public)
    if vector["kind"] == "frame":
        assert make_vectors.plain(read) == {key: vector[key] for key in ("envelope", "frame_hash", "content")}
    else:
        assert make_vectors.plain(read) == vector["content"]


def test_the_decoder_from_the_page_checks_the_signature() -> None:
    raw = bytearray(golden.raw(GOOD["outage"]))
    raw[100] ^= 1
    with pytest.raises(InvalidSignature):
        from_the_page.frame(bytes(raw), samples.GATEWAY_KEY.public_key().public_bytes_raw())


def test_the_decoder_from_the_page_knows_nothing_of_contract() -> None:
    source = Path(from_the_page.__file__).read_text("utf-8")
    assert not re.search(r"^(from|import) (contract|cbor2|wire)", source, re.MULTILINE)


def test_the_page_names_every_reason_and_every_channel() -> None:
    section = PAGE.partition("## 9.")[2].partition("## 10.")[0]
    assert [reason for reason in Reason if f"`{reason}`" not in section] == []
    assert [c for c in topics.Channel if f"`{topics.PREFIX}/{{site}}/{{gateway}}/{c}`" not in PAGE] == []


def test_the_page_states_the_bounds_and_numbers_of_the_code() -> None:
    stated = [
        f"1-{frame.MAX_TICKS:,} ",
        f"at most {frame.MAX_LINES} ids",
        f"−10^{len(str(frame.MAX_POWER_MW)) - 1} … 10^{len(str(frame.MAX_POWER_MW)) - 1}",
        f"0 … 10^{len(str(frame.MAX_ENERGY_MWH)) - 1} mWh",
        f"0 … 2^{frame.MAX_TIME_MS.bit_length() - 1}, each above",
        f"{seal.MAX_FRAME_BYTES:,} bytes a frame",
        f"at most {receipt.MAX_STREAMS:,}, each once",
        f"at most {receipt.MAX_HELD} closed ranges",
        f"`{ids.ID_PATTERN}`",
        ", ".join(f"{state.value} {state.name.lower()}" for state in states.ClockState),
        ", ".join(f"{bit.value} {str(bit.name).lower().replace('_', ' ')}" for bit in states.MeterState),
        ", ".join(f"{source.value} {source.name.lower()}" for source in states.Source),
    ]
    assert [text for text in stated if text not in PAGE] == []
    causes = PAGE.partition("| 6 | cause | ")[2].partition(" |")[0].split(", ")
    assert [int(cause.split()[0]) for cause in causes] == list(states.OutageCause)
