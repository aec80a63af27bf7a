"""A collector as a process of its own, and a publisher that plays its gateways."""

import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from fix_processes import eventually
from fix_servers import Mosquitto
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from collector import keys
from contract.ids import GatewayId, StreamId
from contract.receipt import Custody, open_receipt
from contract.seal import key_id
from storage.guard import Guarded

_CHECKOUT = Path(__file__).parent.parent


class Collector:
    """`python -m collector run`, with small batches so that there are many moments between two of them.

    Attributes:
        public: the raw public key of its receipts.
    """

    def __init__(self, folder: Path, dsn: str, port: int, name: str, protocol: str) -> None:
        self._log = folder / f"{name}.log"
        self._config = folder / f"{name}.toml"
        key = folder / f"{name}.key"
        self.public = keys.create(key).public_key().public_bytes_raw()
        broker = f'[broker]\nport = {port}\nprotocol = "{protocol}"'
        batch = "[batch]\nframes = 7\nage_ms = 20"
        self._config.write_text(f'name = "{name}"\nkey_file = "{key}"\n{broker}\n{batch}\n', "utf-8")
        self._environment = {**os.environ, "JISHI_DSN": dsn}
        self._process: Guarded | None = None

    def start(self) -> None:
        """Start; returns when it is subscribed."""
        heard = self.log().count('"listening"')
        command = [sys.executable, "-m", "collector", "run", "--config", str(self._config)]
        with self._log.open("ab") as output:
            self._process = Guarded(["env", "-C", str(_CHECKOUT), *command], env=self._environment, output=output)
        assert eventually(lambda: self.log().count('"listening"') > heard), self.log()

    def kill(self) -> None:
        """SIGKILL."""
        assert self._process
        os.kill(self._process.pid, signal.SIGKILL)
        self._process.stop()

    def stop(self) -> int:
        """SIGTERM; its exit status."""
        return self._process.stop() if self._process else 0

    def log(self) -> str:
        return self._log.read_text("utf-8") if self._log.exists() else ""


class Publisher:
    """Sends frames at QoS 1 and hears receipts."""

    def __init__(self, port: int) -> None:
        self._client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        self._client.max_inflight_messages_set(200)
        self._client.on_message = self._on_message
        self._receipts: dict[str, bytes] = {}
        self._client.on_connect = lambda client, *_: client.subscribe("jishi/v1/+/+/receipt", qos=1)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def send(self, topic: str, raws: Iterable[bytes]) -> None:
        """Publish; returns when the broker has acknowledged all."""
        assert eventually(self._client.is_connected)
        for sent in [self._client.publish(topic, raw, qos=1) for raw in raws]:
            sent.wait_for_publish(60)

    def custody(self, topic: str, public: bytes) -> dict[StreamId, Custody]:
        """What the newest receipt for a gateway says, its signature verified; empty before the first."""
        raw = self._receipts.get(topic.replace("/frame", "/receipt"))
        if raw is None:
            return {}
        receipt = open_receipt(raw, key_id(public), Ed25519PublicKey.from_public_bytes(public))
        assert receipt.gateway == GatewayId(topic.split("/")[3])
        return {one.stream_id: one for one in receipt.streams}

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _on_message(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        self._receipts[message.topic] = bytes(message.payload)


@pytest.fixture
def publisher(mosquitto: Mosquitto) -> Iterator[Publisher]:
    opened = Publisher(mosquitto.port)
    yield opened
    opened.close()


@pytest.fixture
def collector(mosquitto: Mosquitto, migrated: str, tmp_path: Path) -> Iterator[Callable[..., Collector]]:
    """Makes collectors on the test's broker and database; each is stopped afterwards."""
    made: list[Collector] = []

    def make(name: str = "collector-1", protocol: str = "5") -> Collector:
        made.append(Collector(tmp_path, migrated, mosquitto.port, name, protocol))
        return made[-1]

    yield make
    for one in made:
        one.stop()
