"""Receipts: what the collector may say, and what a gateway must not believe."""

from dataclasses import replace
from typing import Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.contract.strategies import UNHURRIED, items, receipts
from wire import samples

from contract import seal
from contract.errors import EvidenceError
from contract.ids import GatewayId, StreamId
from contract.receipt import MAX_HELD, MAX_STREAMS, Custody, Receipt, open_receipt, seal_receipt

KEY, KID = samples.COLLECTOR_KEY, samples.COLLECTOR_KID
HELD = Custody(stream_id=samples.STREAM, upto=4, frame_hash=bytes([1]) * 32, held=((6, 7), (9, 9)))
GOOD = samples.receipt(HELD)


def opened(raw: bytes) -> Receipt:
    return open_receipt(raw, KID, KEY.public_key())


def streams(count: int, held: tuple[tuple[int, int], ...] = ()) -> tuple[Custody, ...]:
    return tuple(
        Custody(stream_id=StreamId(i.to_bytes(16)), upto=0, frame_hash=bytes([1]) * 32, held=held) for i in range(count)
    )


def ranges(count: int) -> tuple[tuple[int, int], ...]:
    return tuple((2 + 2 * i, 2 + 2 * i) for i in range(count))


@UNHURRIED
@given(receipts)
def test_what_is_sealed_is_opened_the_same(receipt: Receipt) -> None:
    assert opened(seal_receipt(receipt, KID, KEY)) == receipt


def test_the_largest_receipt_is_opened_the_same() -> None:
    receipt = samples.receipt(*streams(MAX_STREAMS, ranges(MAX_HELD)))
    assert opened(seal_receipt(receipt, KID, KEY)) == receipt


def custody(**changes: object) -> Receipt:
    return samples.receipt(replace(HELD, **changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "receipt",
    [
        samples.receipt(*streams(MAX_STREAMS + 1)),
        samples.receipt(*streams(1, ranges(MAX_HELD + 1))),
        samples.receipt(HELD, HELD),
        replace(GOOD, gateway=GatewayId("GW 7")),
        replace(GOOD, store_epoch=bytes(7)),
        replace(GOOD, counter=-1),
        replace(GOOD, counter=True),
        replace(GOOD, counter=1 << 63),
        replace(GOOD, issued_ms=-1),
        custody(upto=-2),
        custody(upto=-1),
        custody(upto=1 << 63),
        custody(frame_hash=bytes(31)),
        custody(stream_id=StreamId(bytes(15))),
        custody(held=((5, 7),)),
        custody(held=((3, 7),)),
        custody(held=((7, 6),)),
        custody(held=((9, 9), (6, 7))),
        custody(held=((6, 7), (8, 9))),
        custody(held=([6, 7],)),
    ],
)
def test_seal_refuses_what_open_would(receipt: Receipt) -> None:
    with pytest.raises(ValueError, match=r".+"):
        seal_receipt(receipt, KID, KEY)


@UNHURRIED
@given(st.data())
def test_a_changed_item_is_refused_or_says_exactly_what_is_written(data: st.DataObject) -> None:
    header, payload, _ = seal.open_signed(seal_receipt(GOOD, KID, KEY))
    parts: Any = cbor2.loads(payload)
    within = data.draw(st.sampled_from((parts, parts[5], parts[5][0], parts[5][0][3], parts[5][0][3][0])))
    within[data.draw(st.integers(0, len(within) - 1))] = data.draw(items())
    raw = seal.sign(header, cbor2.dumps(parts), KEY)
    try:
        receipt = opened(raw)
    except EvidenceError:
        pass
    else:
        assert seal_receipt(receipt, KID, KEY) == raw


@UNHURRIED
@given(st.integers(0, 400), st.integers(1, 255))
def test_any_other_byte_in_any_place_is_refused(at: int, change: int) -> None:
    raw = bytearray(seal_receipt(GOOD, KID, KEY))
    raw[at % len(raw)] ^= change
    with pytest.raises(EvidenceError):
        opened(bytes(raw))
