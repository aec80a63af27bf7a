from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from unit.gateway.room import FRAME_TICKS, GATEWAY, T0_MS, Room, opened

from contract import seal
from contract.ids import GatewayId, StreamId
from contract.receipt import Custody, Receipt, seal_receipt
from gateway.receipts import Receipts
from gateway.report import Report

COLLECTOR = Ed25519PrivateKey.from_private_bytes(b"\7" * 32)
PUBLIC = COLLECTOR.public_key().public_bytes_raw()
EPOCH, NEXT_EPOCH = b"epoch--1", b"epoch--2"


class Desk:
    """A gateway with frames 0..4 of one stream, and a collector that answers it."""

    def __init__(self, room: Room) -> None:
        self.room, self.report = room, Report()
        if not room.spool.streams():
            for number in range(4 * FRAME_TICKS):
                room.tick(number)
        self.stream_id = room.spool.streams()[0].stream_id
        self.receipts = Receipts(room.spool, GATEWAY, PUBLIC, self.report)

    def custody(self, upto: int) -> Custody:
        raw = self.room.spool.frame(self.stream_id, upto) if upto >= 0 else None
        return Custody(stream_id=self.stream_id, upto=upto, frame_hash=seal.frame_hash(raw) if raw else bytes(32))

    def receipt(self, upto: int, counter: int, epoch: bytes = EPOCH) -> Receipt:
        return Receipt(
            gateway=GATEWAY, store_epoch=epoch, counter=counter, issued_ms=T0_MS, streams=(self.custody(upto),)
        )

    def hear(self, receipt: Receipt, key: Ed25519PrivateKey = COLLECTOR) -> tuple[Custody, ...]:
        return self.receipts.hear(seal_receipt(receipt, seal.key_id(key.public_key().public_bytes_raw()), key))

    @property
    def upto(self) -> int:
        return self.room.spool.streams()[0].upto


@pytest.fixture
def desk(tmp_path: Path):  # type: ignore[no-untyped-def]  # noqa: ANN201 - a generator of Desk
    with opened(tmp_path) as room:
        yield Desk(room)


def test_a_receipt_of_our_own_frames_is_believed(desk: Desk) -> None:
    assert desk.hear(desk.receipt(2, 1)) == (desk.custody(2),)
    assert (desk.upto, desk.report.receipts, desk.report.alarms) == (2, 1, 0)


def test_the_retained_receipt_of_an_earlier_connection_is_believed_again(desk: Desk) -> None:
    desk.hear(desk.receipt(2, 1))
    assert desk.hear(desk.receipt(2, 1)) == (desk.custody(2),)
    assert desk.report.alarms == 0


def test_what_is_not_believed_changes_nothing_and_is_an_alarm(desk: Desk) -> None:
    desk.hear(desk.receipt(2, 5))
    stranger = Ed25519PrivateKey.from_private_bytes(b"\x08" * 32)
    wrong_hash = replace(desk.custody(3), frame_hash=b"\1" * 32)
    unknown = replace(desk.custody(3), stream_id=StreamId(b"\xee" * 16))
    refused = [
        (desk.receipt(3, 6), stranger),
        (replace(desk.receipt(3, 6), gateway=GatewayId("gw-2")), COLLECTOR),
        (desk.receipt(3, 5), COLLECTOR),
        (desk.receipt(3, 4), COLLECTOR),
        (desk.receipt(1, 7), COLLECTOR),
        (desk.receipt(-1, 8), COLLECTOR),
        (replace(desk.receipt(3, 9), streams=(unknown,)), COLLECTOR),
        (replace(desk.receipt(3, 10), streams=(wrong_hash,)), COLLECTOR),
        (replace(desk.receipt(3, 11), streams=(replace(desk.custody(3), upto=99),)), COLLECTOR),
    ]
    for alarms, (receipt, key) in enumerate(refused, start=1):
        assert desk.hear(receipt, key) == ()
        assert (desk.upto, desk.report.alarms) == (2, alarms), receipt
    assert desk.receipts.hear(b"no receipt at all") == ()
    assert desk.report.alarms == len(refused) + 1
    assert desk.hear(desk.receipt(3, 12)) == (desk.custody(3),)


def test_a_stream_that_is_not_believed_does_not_cost_the_others(desk: Desk) -> None:
    strange = replace(desk.custody(1), stream_id=StreamId(b"\xee" * 16))
    assert desk.hear(replace(desk.receipt(2, 1), streams=(desk.custody(2), strange))) == (desk.custody(2),)
    assert (desk.upto, desk.report.alarms) == (2, 1)


def test_custody_falls_under_a_new_epoch_only_and_there_is_no_way_back(desk: Desk) -> None:
    desk.hear(desk.receipt(3, 9))
    assert desk.hear(desk.receipt(1, 1, NEXT_EPOCH)) == (desk.custody(1),)
    assert desk.upto == 1
    assert desk.hear(desk.receipt(3, 10)) == (), "the epoch before the restore is over"
    assert desk.hear(desk.receipt(0, 2, NEXT_EPOCH)) == ()
    assert (desk.upto, desk.report.alarms) == (1, 2)


def test_an_empty_restored_collector_is_believed(desk: Desk) -> None:
    desk.hear(desk.receipt(3, 9))
    assert desk.hear(desk.receipt(-1, 1, NEXT_EPOCH)) == (desk.custody(-1),)
    assert desk.upto == -1


def test_what_a_new_epoch_does_not_name_is_not_held_any_more(desk: Desk) -> None:
    desk.hear(desk.receipt(3, 9))
    restored = replace(desk.receipt(3, 1, NEXT_EPOCH), streams=())
    assert desk.hear(restored) == (desk.custody(-1),)
    assert desk.upto == -1, "a restored store that forgot a stream must be given it again"
    assert desk.hear(replace(desk.receipt(-1, 2, NEXT_EPOCH))) == (desk.custody(-1),)
    assert desk.report.alarms == 0


def test_what_was_believed_survives_a_restart(tmp_path: Path) -> None:
    with opened(tmp_path) as room:
        desk = Desk(room)
        desk.hear(desk.receipt(2, 5))
        told = desk.custody(2)
    with opened(tmp_path) as room:
        again = Desk(room)
        assert again.receipts.last() == (told,)
        assert again.hear(again.receipt(3, 4)) == (), "the counter of an earlier process counts"


def test_a_new_key_of_the_collector_begins_anew(tmp_path: Path) -> None:
    with opened(tmp_path) as room:
        desk = Desk(room)
        desk.hear(desk.receipt(2, 5))
        other = Ed25519PrivateKey.from_private_bytes(b"\x08" * 32)
        desk.receipts = Receipts(room.spool, GATEWAY, other.public_key().public_bytes_raw(), desk.report)
        assert desk.receipts.last() == ()
        assert desk.hear(desk.receipt(3, 1), other) == (desk.custody(3),)
