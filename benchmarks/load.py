"""One publisher that plays every gateway: frames out at QoS 1, receipts in, and when the last of them came.

It lives in the benchmark's own process and does as little as it may; receipts are verified after the publishing.
"""

import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from benchmarks.fleet import Chain
from contract import clock
from contract.ids import GatewayId, StreamId
from contract.receipt import open_receipt
from contract.seal import frame_hash, key_id
from contract.topics import parse_topic
from jishi.demo.broker import HOST

_WINDOW: Final = 1_000
"""Most messages of all gateways together without PUBACK."""
_RECEIPTS: Final = "jishi/v1/+/+/receipt"
_POLL_S: Final = 0.02


class Load:
    """A connection that publishes and hears receipts; a context manager."""

    def __init__(self, port: int) -> None:
        self._window = threading.BoundedSemaphore(_WINDOW)
        self._listening = threading.Event()
        self._receipts: dict[GatewayId, tuple[float, bytes]] = {}
        self._client = Client(CallbackAPIVersion.VERSION2, client_id="load", protocol=MQTTProtocolVersion.MQTTv5)
        self._client.max_inflight_messages_set(2 * _WINDOW)
        self._client.on_connect = lambda client, *_: client.subscribe(_RECEIPTS, qos=1)
        self._client.on_subscribe = lambda *_: self._listening.set()
        self._client.on_publish = lambda *_: self._window.release()
        self._client.on_message = self._on_message
        self._client.connect(HOST, port)

    def __enter__(self) -> Self:
        self._client.loop_start()
        self._listening.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def publish(self, messages: Iterable[tuple[str, bytes]], tick: Callable[[], Any]) -> float:
        """Publish all; returns when the first left, s on the clock of `clock.elapsed_s`."""
        began_s = clock.elapsed_s()
        for topic, payload in messages:
            self._window.acquire()
            self._client.publish(topic, payload, qos=1)
            tick()
        return began_s

    def await_receipts(self, chains: Sequence[Chain], last: int, public: bytes, limit_s: float) -> float | None:
        """When the receipt came after which all frames up to seq `last` were in custody; None: not within `limit_s`."""
        key, kid = Ed25519PublicKey.from_public_bytes(public), key_id(public)
        missing: dict[GatewayId, dict[StreamId, tuple[int, bytes]]] = {}
        for chain in chains:
            missing.setdefault(chain.gateway, {})[chain.stream_id] = last, frame_hash(chain.frames[last])
        looked_at: dict[GatewayId, float] = {}
        deadline_s, last_s = clock.elapsed_s() + limit_s, 0.0
        pause = threading.Event()
        while missing and clock.elapsed_s() < deadline_s:
            for gateway in [one for one in missing if self._heard_s(one) > looked_at.get(one, 0.0)]:
                looked_at[gateway], raw = self._receipts[gateway]
                said = {one.stream_id: (one.upto, one.frame_hash) for one in open_receipt(raw, kid, key).streams}
                if said == missing[gateway]:
                    del missing[gateway]
                    last_s = max(last_s, looked_at[gateway])
            pause.wait(_POLL_S)
        return None if missing else last_s

    def _heard_s(self, gateway: GatewayId) -> float:
        return self._receipts.get(gateway, (0.0, b""))[0]

    def _on_message(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        self._receipts[parse_topic(message.topic).gateway] = clock.elapsed_s(), bytes(message.payload)
