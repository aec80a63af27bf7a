"""A collector's life: hear, store, acknowledge, receipt; until SIGTERM or SIGINT.

Does not: hold logic of its own; the order of effects stands in `run` alone.
"""

import logging
import signal
import socket
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Final

import structlog

from collector import config as settings
from collector import keys
from collector.receipts import Receipts
from collector.sink import Examined, Sink
from collector.subscriber import Subscriber
from contract import clock
from contract.errors import ConfigError, JishiError, StorageError
from storage.intake import Intake
from storage.migrate import status

_REPORT_PERIOD_S: Final = 60.0
_BROKER_TIMEOUT_S: Final = 5.0

_log = structlog.get_logger()


def run(config_path: Path) -> None:
    """Run until a signal; the batch in hand is finished and acknowledged first.

    Raises:
        ConfigError: the config or the key cannot be used.
    """
    config = settings.load(config_path)
    key = keys.load(config.key_file)
    _log_json()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with closing(Intake(config.dsn, config.name)) as intake, closing(Subscriber(config)) as subscriber:
        sink = Sink(intake, stop.wait)
        receipts = Receipts(intake, key, subscriber.publish)
        _log.info("started", collector=config.name, receipt_key=keys.public_hex(key))
        subscriber.start()
        try:
            _work(subscriber, sink, receipts, stop)
        finally:
            _log.info("counts", **sink.counts)


def check(config_path: Path) -> None:
    """Look at everything a start needs, and change nothing.

    Raises:
        ConfigError: all faults found, each beginning with its dotted key.
    """
    config = settings.load(config_path)
    faults: list[str] = []
    try:
        keys.load(config.key_file)
    except ConfigError as error:
        faults += error.faults
    try:
        if pending := status(config.dsn).pending:
            faults.append(f"dsn: {len(pending)} migrations are pending: run `jishi db migrate`")
    except ConfigError as error:
        faults += error.faults
    except JishiError as error:
        faults.append(f"dsn: {error}")
    try:
        socket.create_connection((config.broker.host, config.broker.port), _BROKER_TIMEOUT_S).close()
    except OSError as error:
        faults.append(f"broker.host: no answer at {config.broker.host}:{config.broker.port}: {error}")
    if faults:
        raise ConfigError(f"{config_path} has faults", faults)


def _work(subscriber: Subscriber, sink: Sink, receipts: Receipts, stop: threading.Event) -> None:
    reported_s = clock.elapsed_s()
    # One batch is heard and examined while the one before waits for the disk. At the end it is dropped: nobody has
    # acknowledged it.
    with ThreadPoolExecutor(1, "examine") as ahead:
        coming = ahead.submit(_hear, subscriber, sink)
        while not stop.is_set():
            batch = coming.result()
            coming = ahead.submit(_hear, subscriber, sink)
            try:
                if batch.messages:
                    receipts.note(sink.take(batch.messages, batch))
                    subscriber.acknowledge(batch.messages)
                receipts.send(clock.elapsed_s(), idle=not batch.messages or stop.is_set())
            except StorageError as error:
                # The sink gives up only when told to leave; a receipt not sent is still due.
                _log.warning("not done", detail=str(error))
            if clock.elapsed_s() >= reported_s + _REPORT_PERIOD_S:
                reported_s += _REPORT_PERIOD_S
                _log.info("counts", **sink.counts)


def _hear(subscriber: Subscriber, sink: Sink) -> Examined:
    """The next batch, examined; empty when nothing was heard."""
    return sink.examine(subscriber.take())


def _log_json() -> None:
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
    )
