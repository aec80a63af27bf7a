"""When receipts are sent: seldom, but soon enough; and never forgotten when the database fails."""

from collections import Counter
from collections.abc import Collection
from typing import TYPE_CHECKING, cast

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from collector.receipts import Receipts
from contract.errors import StorageError
from contract.ids import GatewayId, SiteId
from contract.receipt import open_receipt
from contract.seal import key_id
from contract.topics import Topic
from storage.records import GatewayCustody

if TYPE_CHECKING:
    from storage.intake import Intake

ALPHA, BETA = GatewayId("alpha"), GatewayId("beta")
KEY = Ed25519PrivateKey.generate()


class Database:
    """Answers as an Intake does, of gateways without streams."""

    def __init__(self) -> None:
        self.counter = 0
        self.fails = False

    def custody(self, gateways: Collection[GatewayId]) -> list[GatewayCustody]:
        if self.fails:
            raise StorageError("down")
        self.counter += 1
        return [
            GatewayCustody(
                site=SiteId("huaian"), gateway=one, store_epoch=b"epoch123", counter=self.counter, streams=()
            )
            for one in gateways
        ]


class Office:
    def __init__(self) -> None:
        self.database = Database()
        self.sent: list[tuple[str, bytes]] = []
        self.receipts = Receipts(cast("Intake", self.database), KEY, self._publish)

    def _publish(self, topic: Topic, raw: bytes) -> None:
        self.sent.append((str(topic), raw))

    def say(self, now_s: float, frames: int = 0, gateway: GatewayId = ALPHA, *, idle: bool = False) -> int:
        """Note frames, send what is due; how many receipts left."""
        if frames:
            self.receipts.note(Counter({gateway: frames}))
        before = len(self.sent)
        self.receipts.send(now_s, idle=idle)
        return len(self.sent) - before


def test_a_receipt_is_signed_and_goes_to_its_gateway() -> None:
    office = Office()
    assert office.say(100.0, 1) == 1
    topic, raw = office.sent[0]
    public = KEY.public_key()
    receipt = open_receipt(raw, key_id(public.public_bytes_raw()), public)
    assert topic == "jishi/v1/huaian/alpha/receipt"
    assert (receipt.gateway, receipt.counter, receipt.store_epoch) == (ALPHA, 1, b"epoch123")


def test_at_most_one_a_second_for_a_gateway() -> None:
    office = Office()
    assert office.say(100.0, 1) == 1
    assert office.say(100.9, 1) == 0
    assert office.say(100.9, 1, BETA) == 1
    assert office.say(101.0) == 1
    assert office.say(109.0) == 0


def test_sooner_after_64_frames_or_when_idle() -> None:
    office = Office()
    assert office.say(100.0, 1) == 1
    assert office.say(100.1, 63) == 0
    assert office.say(100.2, 1) == 1
    assert office.say(100.3, 1) == 0
    assert office.say(100.4, idle=True) == 1
    assert office.say(100.5, idle=True) == 0


def test_what_could_not_be_sent_is_still_due() -> None:
    office = Office()
    office.database.fails = True
    with pytest.raises(StorageError):
        office.say(100.0, 1)
    office.database.fails = False
    assert office.say(100.1) == 1
