"""MQTT: publishes frames from the spool, hears receipts, says birth and last will. The one file that knows aiomqtt.

aiomqtt discards nothing of what we publish, and nothing it remembers outlives a connection: what is sent is always read
from the spool. Its acknowledgements (PUBACK) are not custody; `outbox` and `receipts` know the difference.
"""

import asyncio
import json
from contextlib import suppress
from typing import Final

import aiomqtt
import structlog
from aiomqtt import ProtocolVersion
from paho.mqtt.client import MQTT_CLEAN_START_FIRST_ONLY
from paho.mqtt.client import Client as PahoClient
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from contract import clock
from contract.errors import StorageError
from contract.ids import StreamId
from contract.topics import Channel, Topic
from gateway.clocks import system_boot_id
from gateway.config import Config
from gateway.outbox import IN_FLIGHT, Outbox
from gateway.receipts import Receipts
from gateway.report import Report
from gateway.spool import Spool

_TIMEOUT_S: Final = 30.0
"""A broker that says nothing for so long is gone, whatever TCP believes."""
_KEEPALIVE_S: Final = 30
_LEAVE_S: Final = 2.0
_LONGEST_PAUSE_S: Final = 60.0
_WILL_DELAY_S: Final = 10
_NO_RECEIPT_S: Final = 600.0
_POLL_S: Final = 1.0
_NOBODY_SUBSCRIBES: Final = 0x10
_ERRORS_FROM: Final = 0x80

log = structlog.get_logger()


class _Client(aiomqtt.Client):
    """aiomqtt drops the reason code of a PUBACK; a broker that takes our frames for nobody must not go unseen."""

    refused: str | None = None
    told = False

    def _on_publish(
        self, client: PahoClient, userdata: object, mid: int, reason_code: ReasonCode, properties: Properties
    ) -> None:
        if reason_code.value == _NOBODY_SUBSCRIBES or reason_code.value >= _ERRORS_FROM:
            self.refused = str(reason_code)
        super()._on_publish(client, userdata, mid, reason_code, properties)


class Publisher:
    """Keeps a connection to the broker and empties the spool into the collector's custody."""

    def __init__(self, config: Config, spool: Spool, receipts: Receipts, report: Report) -> None:
        """Take up what the spool says is waiting."""
        self._config, self._spool, self._receipts, self._report = config, spool, receipts, report
        self._outbox = Outbox()
        self._wake = asyncio.Event()
        self._connections = 0
        self._receipt_s = clock.elapsed_s()
        for stream in spool.streams():
            self._outbox.offer(stream.stream_id, spool.first_seq(stream.stream_id), stream.next_seq - 1, stream.upto)
        for custody in receipts.last():
            self._outbox.in_custody(custody.stream_id, custody.upto, custody.held, clock.elapsed_s())

    def offer(self, stream_id: StreamId, seq: int) -> None:
        """A frame is in the spool; see `chain.Announce`."""
        self._report.frames_signed += 1
        self._outbox.add(stream_id, seq)
        self._wake.set()

    async def run(self) -> None:
        """Publish for ever; where the broker is away, try again after 1 s, doubling to a minute."""
        pause_s = 1.0
        while True:
            before = self._connections
            try:
                await self._connect()
            except* aiomqtt.MqttError as errors:
                if self._connections > before:
                    pause_s = 1.0
                if pause_s == 1.0:
                    log.warning("broker away; recording goes on", error=str(errors.exceptions[0]))
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    async def _connect(self) -> None:
        number = self._next_connection()
        async with self._client(number) as client:
            self._connections += 1
            client.pending_calls_threshold = IN_FLIGHT + 10
            await client.subscribe(self._topic(Channel.RECEIPT), qos=1)
            await client.publish(self._topic(Channel.STATUS), _status("online", number), qos=1, retain=True)
            # Nobody need subscribe to our status.
            client.refused = None
            log.info("connected to the broker", connection=number)
            self._outbox.reconnected()
            try:
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(self._hear(client))
                    tasks.create_task(self._send(client, tasks))
            except asyncio.CancelledError:
                # A clean end sends no last will; a broker that hangs must not hold it up.
                client.timeout = _LEAVE_S
                with suppress(aiomqtt.MqttError):
                    await client.publish(self._topic(Channel.STATUS), _status("offline", number), qos=1, retain=True)
                raise

    def _client(self, number: int) -> _Client:
        broker, v5 = self._config.broker, self._config.broker.protocol == "5"
        delay = None
        if v5:
            delay = Properties(PacketTypes.WILLMESSAGE)  # type: ignore[no-untyped-call]
            delay.WillDelayInterval = _WILL_DELAY_S
        will = aiomqtt.Will(self._topic(Channel.STATUS), _status("offline", number), 1, True, delay)  # noqa: FBT003
        return _Client(
            broker.host,
            broker.port,
            identifier=self._config.gateway,
            protocol=ProtocolVersion.V5 if v5 else ProtocolVersion.V311,
            clean_start=True if v5 else MQTT_CLEAN_START_FIRST_ONLY,
            clean_session=None if v5 else True,
            keepalive=_KEEPALIVE_S,
            timeout=_TIMEOUT_S,
            max_inflight_messages=IN_FLIGHT,
            will=will,
        )

    def _next_connection(self) -> int:
        try:
            return self._spool.count_connection()
        except StorageError:
            # On a full disk publishing goes on; the number only tells wills apart.
            return self._connections + 1

    async def _hear(self, client: _Client) -> None:
        async for message in client.messages:
            try:
                believed = self._receipts.hear(bytes(message.payload))
            except StorageError as error:
                self._report.alarm("receipt could not be kept: free disk space", error=str(error))
                continue
            self._receipt_s = clock.elapsed_s()
            for custody in believed:
                self._outbox.in_custody(custody.stream_id, custody.upto, custody.held, self._receipt_s)
            self._wake.set()

    async def _send(self, client: _Client, tasks: asyncio.TaskGroup) -> None:
        while True:
            self._wake.clear()
            while (due := self._outbox.due(clock.elapsed_s())) is not None:
                stream_id, seq = due
                if (raw := self._spool.frame(stream_id, seq)) is None:
                    first = self._spool.first_seq(stream_id)
                    self._report.alarm("the collector lacks deleted frames", stream=stream_id.hex(), seq=seq, to=first)
                    self._outbox.deleted(stream_id, first)
                    continue
                self._outbox.sent(stream_id, seq, clock.elapsed_s())
                tasks.create_task(self._publish(client, raw))
                # Let the connection write, and the sampler sample.
                await asyncio.sleep(0)
            self._watch(client)
            # Not wait_for: before Python 3.12 it forgets a cancellation that comes together with what it waits for.
            with suppress(TimeoutError):
                async with asyncio.timeout(_POLL_S):
                    await self._wake.wait()

    async def _publish(self, client: _Client, raw: bytes) -> None:
        await client.publish(self._topic(Channel.FRAME), raw, qos=1)
        self._report.frames_published += 1
        self._outbox.acknowledged()
        self._wake.set()

    def _watch(self, client: _Client) -> None:
        if client.refused is not None and not client.told:
            self._report.alarm("the broker does not deliver our frames", reason=client.refused)
            client.told = True
        now_s = clock.elapsed_s()
        if not self._outbox.waiting:
            self._receipt_s = now_s
        elif now_s - self._receipt_s > _NO_RECEIPT_S:
            self._report.alarm("no receipt for ten minutes: is the collector running?", waiting=self._outbox.waiting)
            self._receipt_s = now_s

    def _topic(self, channel: Channel) -> str:
        return str(Topic(site=self._config.site, gateway=self._config.gateway, channel=channel))


def _status(state: str, connection: int) -> bytes:
    return json.dumps({"state": state, "boot_id": system_boot_id().hex(), "connection": connection}).encode()
