"""Receipts: tell each gateway what is in custody, seldom enough to cost nothing and soon enough to free its window.

At most one a second for a gateway; at once after 64 held frames or when nothing else is to be done.
Does not: promise delivery. A receipt is retained, and any duplicate asks for a new one.
"""

from collections import Counter
from collections.abc import Callable
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from contract import clock
from contract.ids import GatewayId
from contract.receipt import Receipt, seal_receipt
from contract.seal import key_id
from contract.topics import Channel, Topic
from storage.intake import Intake
from storage.records import GatewayCustody

_PERIOD_S: Final = 1.0
_SOONER_FRAMES: Final = 64


class Receipts:
    """What is still to be said to whom."""

    def __init__(self, intake: Intake, key: Ed25519PrivateKey, publish: Callable[[Topic, bytes], None]) -> None:
        self._intake, self._key, self._publish = intake, key, publish
        self._kid = key_id(key.public_key().public_bytes_raw())
        self._unsaid: Counter[GatewayId] = Counter()
        self._said_s: dict[GatewayId, float] = {}

    def note(self, heard: Counter[GatewayId]) -> None:
        """Frames that a gateway will want to hear about: held by a committed batch, or sent again."""
        self._unsaid.update(heard)

    def send(self, now_s: float, *, idle: bool) -> None:
        """Publish what is due, from what is committed now.

        Raises:
            StorageError: the database failed; what was due still is.
        """
        due = [
            gateway
            for gateway, frames in self._unsaid.items()
            if idle or frames >= _SOONER_FRAMES or now_s >= self._said_s.get(gateway, -_PERIOD_S) + _PERIOD_S
        ]
        if not due:
            return
        for custody in self._intake.custody(due):
            topic = Topic(site=custody.site, gateway=custody.gateway, channel=Channel.RECEIPT)
            self._publish(topic, seal_receipt(_receipt(custody), self._kid, self._key))
        for gateway in due:
            del self._unsaid[gateway]
            self._said_s[gateway] = now_s


def _receipt(custody: GatewayCustody) -> Receipt:
    return Receipt(
        gateway=custody.gateway,
        store_epoch=custody.store_epoch,
        counter=custody.counter,
        issued_ms=clock.utc_ms(),
        streams=custody.streams,
    )
