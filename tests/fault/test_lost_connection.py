"""A connection that is lost at the very moment at which there is something more to send."""

import asyncio
from pathlib import Path

import aiomqtt
import pytest

from contract import clock
from contract.ids import GatewayId, InstrumentId, SiteId, StreamId
from gateway import keys
from gateway.config import BrokerConfig, CollectorConfig, Config
from gateway.publisher import Publisher
from gateway.receipts import Receipts
from gateway.report import Report
from gateway.spool import Spool

STREAM = StreamId(bytes(16))


class Gone:
    """A client whose connection is lost: what is published fails, like everything else."""

    refused = None

    async def publish(self, *_: object, **__: object) -> None:
        raise aiomqtt.MqttError("gone")


def test_a_loss_that_meets_a_new_frame_is_not_forgotten(tmp_path: Path) -> None:
    public = keys.create(tmp_path)
    spool = Spool.open(tmp_path, 8)
    spool.begin(STREAM, InstrumentId("nmr-400"), b"genesis", 0)
    config = Config(
        site=SiteId("huaian"),
        gateway=GatewayId("gw-1"),
        data_dir=tmp_path,
        broker=BrokerConfig(host="127.0.0.1"),
        collector=CollectorConfig(public_key=public),
        instrument=(),
    )
    report = Report()
    publisher = Publisher(config, spool, Receipts(spool, config.gateway, public, report), report)
    publisher._outbox.sent(STREAM, 0, clock.elapsed_s())  # nothing is due now

    async def lose() -> None:
        async with asyncio.TaskGroup() as tasks:
            sending = tasks.create_task(publisher._send(Gone(), tasks))  # type: ignore[arg-type]  # all that it uses
            for _ in range(10):
                await asyncio.sleep(0)
            assert publisher._wake._waiters, "it waits for something to send"
            spool.append(1, 1, (b"frame", 1))
            publisher.offer(STREAM, 1)
            assert not sending.done()
            raise aiomqtt.MqttError("gone")

    with pytest.raises(ExceptionGroup) as raised:
        asyncio.run(asyncio.wait_for(lose(), 30))
    # Whatever else it held would end the gateway: `run` knows this one alone.
    assert raised.value.split(aiomqtt.MqttError)[1] is None
    spool.close()
