"""The collector's ear: the only file that speaks MQTT.

Messages wait in a bounded queue until `take`n, and at the broker until `acknowledge`d. A full queue stops the network
thread: the broker then waits, it does not lose. Acknowledgements leave in the order of arrival; those of an earlier
connection are dropped, for the broker has used their packet ids again.

Does not: look at what a message says.
"""

import queue
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import structlog
from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from collector.config import Config
from contract import clock
from contract.seal import MAX_FRAME_BYTES
from contract.topics import ALL_FRAMES, Topic

_SESSION_EXPIRY_S: Final = 7 * 86_400
"""How long the broker keeps our messages while we are away."""
_BATCHES_IN_FLIGHT: Final = 4
_MAX_RECEIVE: Final = 65_535
_KEEPALIVE_S: Final = 30
_MAX_RECONNECT_S: Final = 30
_QUEUE_WAIT_S: Final = 0.5
_MAX_PACKET_BYTES: Final = 2 * MAX_FRAME_BYTES
"""A frame, the longest topic, and properties."""

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What was heard.

    Attributes:
        received_at_ms: when, by our clock.
        mid: the broker's packet id, good within one connection.
        connection: which connection it came by.
    """

    raw: bytes
    topic: str
    received_at_ms: int
    mid: int
    qos: int
    connection: int


class Subscriber:
    """A persistent session at the broker. `take` belongs to one thread, and `acknowledge` to one, MAY be another."""

    def __init__(self, config: Config) -> None:
        self._broker, self._limits = config.broker, config.batch
        window = min(_BATCHES_IN_FLIGHT * config.batch.frames, _MAX_RECEIVE)
        # Room for the window twice: what a lost connection left, and its redelivery.
        self._heard: queue.Queue[Message] = queue.Queue(2 * window)
        self._connection, self._lock = 0, threading.Lock()
        self._closing = threading.Event()
        self._client, self._connect = _client(config.name, modern=config.broker.protocol == "5", window=window)
        self._client.on_connect = self._on_connect
        self._client.on_connect_fail = self._on_connect_fail
        self._client.on_disconnect = self._on_disconnect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_message = self._on_message

    def start(self) -> None:
        """Connect, and go on connecting whenever the connection is lost."""
        self._client.connect_async(self._broker.host, self._broker.port, _KEEPALIVE_S, **self._connect)
        self._client.loop_start()

    def take(self) -> list[Message]:
        """The next batch, in order of arrival: full, or as old as it may become. Empty when nothing was heard."""
        batch: list[Message] = []
        size, deadline_s = 0, 0.0
        wait_s = age_s = self._limits.age_ms / 1_000
        while len(batch) < self._limits.frames and size < self._limits.size_bytes and wait_s > 0:
            try:
                message = self._heard.get(timeout=wait_s)
            except queue.Empty:
                break
            batch.append(message)
            size += len(message.raw)
            now_s = clock.elapsed_s()
            deadline_s = deadline_s or now_s + age_s
            wait_s = deadline_s - now_s
        return batch

    def acknowledge(self, messages: Sequence[Message]) -> None:
        """Tell the broker that it may forget. What the messages brought MUST be durable before."""
        for message in messages:
            # The lock keeps a new connection from beginning between the question and the act.
            with self._lock:
                if message.connection == self._connection:
                    self._client.ack(message.mid, message.qos)

    def publish(self, topic: Topic, payload: bytes) -> None:
        """Publish retained, at QoS 1. Returns at once; sent when there is a connection."""
        self._client.publish(str(topic), payload, qos=1, retain=True)

    def close(self) -> None:
        """Leave. The session stays at the broker and goes on collecting."""
        self._closing.set()
        self._client.disconnect()
        self._client.loop_stop()

    def _on_connect(
        self, client: Client, _data: object, flags: ConnectFlags, reason: ReasonCode, _properties: Properties | None
    ) -> None:
        if reason.is_failure:
            _log.error("broker refused", reason=str(reason))
            return
        _log.info("connected", session_present=flags.session_present)
        client.subscribe(ALL_FRAMES, qos=1)

    def _on_connect_fail(self, _client: Client, _data: object) -> None:
        where = f"{self._broker.host}:{self._broker.port}"
        _log.warning("no broker; it will be tried again", broker=where)

    def _on_disconnect(
        self, _client: Client, _data: object, _flags: DisconnectFlags, reason: ReasonCode, _properties: object
    ) -> None:
        # Here and not in _on_connect: no acknowledgement may slip into the next connection's queue before that.
        with self._lock:
            self._connection += 1
        if not self._closing.is_set():
            _log.warning("disconnected", reason=str(reason))

    def _on_subscribe(
        self, _client: Client, _data: object, _mid: int, reasons: list[ReasonCode], _properties: object
    ) -> None:
        for reason in reasons:
            if reason.is_failure:
                _log.error("subscription refused: nothing will be heard", topic=ALL_FRAMES, reason=str(reason))
            else:
                _log.info("listening", topic=ALL_FRAMES)

    def _on_message(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        heard = Message(
            raw=bytes(message.payload),
            topic=_topic(message),
            received_at_ms=clock.utc_ms(),
            mid=message.mid,
            qos=message.qos,
            connection=self._connection,
        )
        while not self._closing.is_set():
            try:
                self._heard.put(heard, timeout=_QUEUE_WAIT_S)
            except queue.Full:
                continue
            return


def _client(name: str, *, modern: bool, window: int) -> tuple[Client, dict[str, Any]]:
    """A client with a session that outlives connections, and what `connect_async` must be told for it."""
    client = Client(
        CallbackAPIVersion.VERSION2,
        client_id=name,
        clean_session=None if modern else False,
        protocol=MQTTProtocolVersion.MQTTv5 if modern else MQTTProtocolVersion.MQTTv311,
        manual_ack=True,
    )
    client.reconnect_delay_set(1, _MAX_RECONNECT_S)
    if not modern:
        return client, {}
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.SessionExpiryInterval = _SESSION_EXPIRY_S
    properties.ReceiveMaximum = window
    # Larger ones are no frames: the broker drops them instead of filling our memory, before any signature is seen.
    properties.MaximumPacketSize = _MAX_PACKET_BYTES
    return client, {"clean_start": False, "properties": properties}


def _topic(message: MQTTMessage) -> str:
    try:
        return message.topic
    except UnicodeDecodeError:
        return ""
