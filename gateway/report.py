"""What this process counted, and the alarms it raised: log lines as JSON on standard error.

Does not: decide anything. No secret is ever passed here.
"""

import logging
import sys
from collections.abc import MutableMapping
from dataclasses import asdict, dataclass

import structlog

from contract import clock, units

_log = structlog.get_logger()


@dataclass(slots=True, kw_only=True)
class Report:
    """Counters since the process began.

    Attributes:
        ticks: moments of sampling, whatever was read.
        frames_signed: frames put into the spool.
        frames_published: frames the broker acknowledged, re-sent ones each time.
        receipts: receipts that were believed.
        alarms: alarms raised, repeated ones too.
    """

    ticks: int = 0
    frames_signed: int = 0
    frames_published: int = 0
    receipts: int = 0
    alarms: int = 0

    def alarm(self, what: str, **facts: object) -> None:
        """Count an alarm and say it."""
        self.alarms += 1
        _log.warning(what, **facts)

    def say(self, what: str) -> None:
        """Write the counters to the log."""
        _log.info(what, **asdict(self))


def configure_logging() -> None:
    """One JSON object a line on standard error, with UTC time."""
    structlog.configure(
        processors=[structlog.processors.add_log_level, _add_time, structlog.processors.JSONRenderer(sort_keys=True)],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    # The gateway reports each failure of a device or the broker once, in its own words.
    for name in ("pymodbus", "mqtt"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


def _add_time(_logger: object, _method: str, event: MutableMapping[str, object]) -> MutableMapping[str, object]:
    event["at"] = units.utc_text(clock.utc_ms())
    return event
