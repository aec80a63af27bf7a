"""What the store holds of an instrument, judged: nothing is stored here.

Does not: append statements (`job`) or know rules (`core`).
"""

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from contract.frame import span_ms
from contract.ids import InstrumentId
from contract.registry import Instrument
from contract.states import Assurance, ClockState
from metering.core import daily
from metering.core.daily import Judged, Part, Records
from metering.core.evidence import assemble
from metering.core.spans import Span
from storage import frames, registry
from storage.pool import Connection

_DAY_MS = 86_400_000
_ALWAYS = (-1 << 62, 1 << 62)


def judge(connection: Connection, instrument: Instrument, asked: Span, level: Assurance) -> Iterator[Judged]:
    """Measure the parts of the local days that a period touches.

    One at a time: a year of readings does not fit in memory.

    Raises:
        StorageError: the store failed.
        ConfigError: a policy in force cannot be read.
    """
    name = instrument.instrument
    known, until_ms = records(connection, instrument), reach(connection, name)
    for part in parts(connection, instrument, asked):
        within = part.within
        found = frames.read(connection, name, *within)
        yield daily.judge(part, known, level, found, provisional=until_ms < within[1])


def reach(connection: Connection, name: InstrumentId) -> int:
    """The latest moment (UTC ms) that the newest frame of any stream of an instrument speaks of; 0 without frames.

    A frame whose clock was not synchronised says nothing of that: it may claim any time, and make no day final.
    """
    links = assemble(frames.newest(connection, name)).links
    placed = [link.content for link in links if link.content.clock is not ClockState.UNSYNCHRONISED]
    return max((span_ms(content)[1] for content in placed), default=0)


def parts(connection: Connection, instrument: Instrument, asked: Span) -> list[Part]:
    """The parts of the local days that a period touches (`daily.parts`)."""
    # No zone is further than a day from UTC, and whole days are asked for.
    policies = registry.policies(connection, instrument.instrument, asked[0] - 2 * _DAY_MS, asked[1] + 2 * _DAY_MS)
    return list(daily.parts(policies, ZoneInfo(instrument.time_zone), asked))


def records(connection: Connection, instrument: Instrument) -> Records:
    """What the registry and the quarantine say of an instrument."""
    name = instrument.instrument
    return Records(
        instrument=instrument,
        bindings=registry.bindings(connection, name),
        sessions=registry.sessions(connection, name, *_ALWAYS),
        cut=frames.equivocated(connection, name),
        simulation=registry.simulation(connection),
    )
