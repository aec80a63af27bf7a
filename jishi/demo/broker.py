"""The demo's MQTT broker: mosquitto where it is on the machine, else amqtt; on a free loopback port.

It is open to whoever can reach this machine's loopback address, as a demo may be; a broker for real gateways is not.
"""

import os
import shutil
import socket
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from contract import clock
from contract.errors import StorageError
from storage.guard import Guarded

HOST: Final = "127.0.0.1"
_START_S: Final = 30.0
_POLL_S: Final = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """A running broker.

    Attributes:
        kind: mosquitto or amqtt.
        protocol: the newest MQTT it speaks, as the rooms' configs write it.
    """

    kind: str
    port: int
    protocol: str
    process: Guarded


def start(folder: Path) -> Broker:
    """Start a broker with its files in `folder`; returns once it takes connections.

    Raises:
        StorageError: it did not start; what it said follows.
    """
    port = free_port()
    program = installed_mosquitto()
    kind, protocol = ("mosquitto", "5") if program else ("amqtt", "3.1.1")
    config = folder / "broker.conf"
    config.write_text(_mosquitto(port) if program else _amqtt(port), "utf-8")
    command = [program or str(Path(sys.executable).parent / "amqtt"), "-c", str(config)]
    log = folder / "broker.log"
    with log.open("ab") as output:
        process = Guarded(command, output=output)
    deadline = clock.elapsed_s() + _START_S
    while not _listens(port):
        if process.poll() is not None or clock.elapsed_s() > deadline:
            process.stop()
            raise StorageError(f"{kind} did not start on port {port}: {log.read_text('utf-8')[-2000:]}")
        time.sleep(_POLL_S)
    return Broker(kind=kind, port=port, protocol=protocol, process=process)


def installed_mosquitto() -> str | None:
    """Path of mosquitto; Debian puts it where only root's PATH looks."""
    return shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


def free_port() -> int:
    """A loopback port that nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _listens(port: int) -> bool:
    try:
        socket.create_connection((HOST, port), timeout=1).close()
    except OSError:
        return False
    return True


def _mosquitto(port: int) -> str:
    # Started by root it would become the user mosquitto, who cannot read the demo's folder.
    user = "user root\n" if os.geteuid() == 0 else ""
    return f"{user}listener {port} {HOST}\nallow_anonymous true\nmax_queued_messages 0\nlog_dest stderr\n"


def _amqtt(port: int) -> str:
    return f"""listeners:
  default:
    type: tcp
    bind: {HOST}:{port}
plugins:
  amqtt.plugins.authentication.AnonymousAuthPlugin:
    allow_anonymous: true
"""
