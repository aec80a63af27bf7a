"""The other ends of a gateway process: a simulated lab, and a collector twin that verifies, holds, gives receipts."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import paho.mqtt.client as mqtt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fix_processes import eventually
from paho.mqtt.enums import CallbackAPIVersion

from contract import codec, seal
from contract.frame import Content, Measurement
from contract.ids import GatewayId, StreamId
from contract.receipt import Custody, Receipt, seal_receipt

SITE, GATEWAY = "huaian", GatewayId("gw-1")
TOPIC: Final = f"jishi/v1/{SITE}/{GATEWAY}"
COLLECTOR: Final = Ed25519PrivateKey.from_private_bytes(b"\7" * 32)
COLLECTOR_PUBLIC: Final = COLLECTOR.public_key().public_bytes_raw()


Losing = Callable[[int, int], bool]
"""(seq, how often it was heard) to whether it is lost."""


class Collector:
    """Holds what verifies under the gateway's key, and publishes a retained receipt after each frame.

    Attributes:
        frames: exact bytes by (stream, seq); two different ones under one place fail the test at once.
        faults: what must never happen, in words.
        statuses: what was heard on the status topic.
        lose: frames for which this says yes are not taken, as if the broker had lost them.
    """

    def __init__(self, port: int, public_key: bytes, *, answers: bool = True) -> None:
        self.frames: dict[tuple[StreamId, int], bytes] = {}
        self.faults: list[str] = []
        self.statuses: list[dict[str, Any]] = []
        self.heard: list[tuple[StreamId, int]] = []
        self.answers = answers
        self.lose: Losing = _never
        self._key = seal.load_public_key(public_key)
        self._counter, self._lock = 0, threading.Lock()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, "collector-twin")
        self._client.on_message = self._on_message
        self._client.on_connect = lambda client, *_: client.subscribe([(f"{TOPIC}/frame", 1), (f"{TOPIC}/status", 1)])
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()
        assert self.faults == []

    def contents(self, stream_id: StreamId) -> list[Content]:
        """What a stream tells, from seq 0 up to its first hole, links verified."""
        told: list[Content] = []
        prev_hash = seal.FIRST_PREV_HASH
        with self._lock:
            while raw := self.frames.get((stream_id, len(told))):
                frame = seal.open_frame(raw)
                assert frame.envelope.prev_hash == prev_hash, f"the link before seq {len(told)} is broken"
                told.append(codec.decode(frame.payload))
                prev_hash = frame.frame_hash
        return told

    def stories(self) -> dict[str, list[Content]]:
        """What each instrument's only stream tells."""
        with self._lock:
            streams = {stream_id for stream_id, _ in self.frames}
        told = [self.contents(stream_id) for stream_id in streams]
        by_instrument: dict[str, list[Content]] = {contents[0].instrument: contents for contents in told if contents}
        assert len(by_instrument) == len(streams), "an instrument has one stream"
        return by_instrument

    def ticks_ms(self) -> dict[str, list[int]]:
        """The UTC times of each instrument's ticks, in the order of telling."""
        return {
            name: [utc_ms for content in told if isinstance(content, Measurement) for utc_ms in content.utc_ms]
            for name, told in self.stories().items()
        }

    def _on_message(self, _client: mqtt.Client, _userdata: object, message: mqtt.MQTTMessage) -> None:
        try:
            if message.topic.endswith("/status"):
                self.statuses.append(json.loads(message.payload))
                return
            self._take(bytes(message.payload))
            if self.answers:
                self.answer()
        except Exception as error:  # noqa: BLE001 - paho's thread would swallow it; `close` tells
            self.faults.append(repr(error))

    def _take(self, raw: bytes) -> None:
        frame = seal.open_frame(raw)
        seal.verify(frame.protected, frame.payload, frame.signature, self._key)
        place = (frame.envelope.stream_id, frame.envelope.seq)
        self.heard.append(place)
        if self.lose(frame.envelope.seq, self.heard.count(place)):
            return
        with self._lock:
            if self.frames.setdefault(place, raw) != raw:
                raise AssertionError(f"equivocation at {place}")

    def answer(self) -> None:
        """Publish a receipt of all that is held."""
        self._counter += 1
        streams = sorted({stream_id for stream_id, _ in self.frames})
        receipt = Receipt(
            gateway=GATEWAY,
            store_epoch=b"epoch--1",
            counter=self._counter,
            issued_ms=0,
            streams=tuple(self._custody(stream_id) for stream_id in streams),
        )
        raw = seal_receipt(receipt, seal.key_id(COLLECTOR_PUBLIC), COLLECTOR)
        self._client.publish(f"{TOPIC}/receipt", raw, qos=1, retain=True)

    def _custody(self, stream_id: StreamId) -> Custody:
        held = sorted(seq for stream, seq in self.frames if stream == stream_id)
        upto = next((place - 1 for place, seq in enumerate(held) if seq != place), len(held) - 1)
        beyond = held[upto + 1 :]
        first = [seq for seq in beyond if seq - 1 not in beyond]
        last = [seq for seq in beyond if seq + 1 not in beyond]
        digest = seal.frame_hash(self.frames[stream_id, upto]) if upto >= 0 else bytes(32)
        return Custody(stream_id=stream_id, upto=upto, frame_hash=digest, held=tuple(zip(first, last, strict=True)))


def _never(_seq: int, _times: int) -> bool:
    return False


class Process:
    """A command of ours in a process of its own; what it says goes to a file."""

    def __init__(self, log: Path, *command: str | Path) -> None:
        self.log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen([sys.executable, "-m", *command], stdout=output, stderr=output)

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def stop(self) -> int:
        """SIGTERM, and the exit status."""
        if self.is_running:
            os.kill(self._process.pid, signal.SIGTERM)
        return self._process.wait(60)

    def said(self, what: str) -> bool:
        return what in self.log.read_text("utf-8")


class Bench:
    """A lab, a gateway's folder and its process.

    Attributes:
        ready: the simulator's ready file.
        config: the gateway's TOML file.
        public_key: the gateway's.
    """

    def __init__(self, folder: Path, broker_port: int, scenario: str, *, protocol: str = "5") -> None:
        self._folder = folder
        (folder / "scenario.toml").write_text(scenario, "utf-8")
        ready = folder / "ready.json"
        self.lab = Process(
            folder / "lab.log",
            *("firmware_sim", "run", "--scenario", folder / "scenario.toml", "--seed", "7"),
            *("--truth", folder / "truth.json", "--ready", ready),
        )
        assert eventually(ready.exists), (folder / "lab.log").read_text("utf-8")
        self.ready = json.loads(ready.read_text("utf-8"))
        self.config = folder / "gateway.toml"
        self.config.write_text(self._toml(broker_port, protocol), "utf-8")
        self.public_key = bytes.fromhex(self.command("key"))
        self.gateway: Process | None = None

    @property
    def data_dir(self) -> Path:
        return self._folder / "data"

    @property
    def log(self) -> Path:
        return self._folder / "gateway.log"

    def command(self, name: str) -> str:
        """Run a gateway command to its end; what it printed."""
        command = [sys.executable, "-m", "gateway", name, "--config", str(self.config)]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def start(self) -> Process:
        self.gateway = Process(self.log, "gateway", "run", "--config", self.config)
        return self.gateway

    def close(self) -> None:
        if self.gateway is not None:
            self.gateway.kill()
        self.lab.stop()

    def _toml(self, broker_port: int, protocol: str) -> str:
        clock = self.ready["clock"]
        lines = [
            f'site = "{SITE}"\ngateway = "{GATEWAY}"\ndata_dir = "data"\nframe_s = 10\nclock = "simulated"',
            f'simulated_clock = {{ host = "{clock["host"]}", port = {clock["port"]}, unit = {clock["unit"]} }}',
            f'[broker]\nhost = "127.0.0.1"\nport = {broker_port}\nprotocol = "{protocol}"',
            f'[collector]\npublic_key = "{COLLECTOR_PUBLIC.hex()}"',
        ]
        for entry in self.ready["instruments"]:
            address = f'host = "{entry["host"]}", port = {entry["port"]}'
            lines += ["[[instrument]]", f'id = "{entry["id"]}"']
            lines += [f'meter = {{ model = "{entry["meter_model"]}", {address}, unit = {entry["meter_unit"]} }}']
            if entry["io_unit"] is not None:
                names = json.dumps(entry["lines"])
                lines += [f"run_state = {{ {address}, unit = {entry['io_unit']}, lines = {names} }}"]
        return "\n".join(lines)
