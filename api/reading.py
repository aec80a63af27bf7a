"""What routes and pages ask: storage and `metering.reading` in, plain records out.

All functions are synchronous (call them from plain `def` routes). Most take a connection of `context.connection`
(`Depends(connection)`), which only reads. Periods are half-open spans of UTC ms. Each may raise StorageError (answered
503), and those that judge ConfigError (a stored policy cannot be read; answered 500).

Does not: append statements, or know HTTP beyond the 404 of `instrument` and `frame`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from api.auth import Account
from api.context import Context
from api.live import Card, Shown
from api.problems import ProblemError
from api.totals import Total, total
from contract.ids import StreamId
from contract.registry import Instrument
from contract.states import Assurance
from contract.usage import Session
from metering.core.daily import Judged
from metering.core.evidence import assemble
from metering.core.explain import Stretch, explain
from metering.core.spans import Span, clip
from metering.core.timeline import Timeline, normal
from metering.core.timeline import clip as clip_pieces
from metering.reading import judge
from metering.views.trace import BUCKETS, Trace, joined, trace_of
from storage import frames, registry
from storage import statements as stored
from storage.frames import Entry
from storage.pool import Connection
from storage.statements import Statement


@dataclass(frozen=True, slots=True, kw_only=True)
class DayReading:
    """One local day of an instrument, judged now from the frames in the store; nothing of it is stored.

    Attributes:
        period: the whole local day, 23, 24 or 25 hours.
        parts: as `metering.views.charts.day_of` takes them; several where the policy changed within the day.
        sessions: that overlap the day, by their beginning.
        statements: the standing statements of the day at this level; they may be older than what `parts` says.
    """

    instrument: Instrument
    day: date
    period: Span
    level: Assurance
    parts: tuple[Judged, ...]
    sessions: tuple[Session, ...]
    statements: tuple[Statement, ...]


def instruments(connection: Connection, account: Account) -> tuple[Instrument, ...]:
    """The instruments that are there for an account, by id."""
    return tuple(one for one in registry.instruments(connection) if account.sees(one.unit))


def instrument(connection: Connection, account: Account, name: str) -> Instrument:
    """One instrument by its id.

    Raises:
        ProblemError: 404, there is none, or it belongs to a unit that the account does not see.
    """
    for one in instruments(connection, account):
        if one.instrument == name:
            return one
    raise ProblemError.not_found(f"instrument {name}")


def board(within: Context, account: Account) -> tuple[Card, ...]:
    """What the instruments of an account do at this moment, by id; read from the store once a second for all who ask.

    It takes a connection of its own when it must: use it without `Depends(connection)`.
    """
    return cards(within.board.shown(), account)


def cards(shown: Shown, account: Account) -> tuple[Card, ...]:
    """Of a board, what is there for an account."""
    return tuple(card for card in shown.cards if account.sees(card.instrument.unit))


def local_day(instrument: Instrument, day: date) -> Span:
    """A calendar day of the managing unit's zone, UTC ms."""
    zone = ZoneInfo(instrument.time_zone)
    edges = (datetime(one.year, one.month, one.day, tzinfo=zone) for one in (day, day + timedelta(days=1)))
    from_ms, to_ms = (round(edge.timestamp() * 1000) for edge in edges)
    return from_ms, to_ms


def whole_days(instrument: Instrument, period: Span) -> Span:
    """The whole local days that a period touches."""
    zone = ZoneInfo(instrument.time_zone)
    first, last = (datetime.fromtimestamp(at_ms / 1000, zone).date() for at_ms in (period[0], period[1] - 1))
    return local_day(instrument, first)[0], local_day(instrument, last)[1]


def judged(connection: Connection, instrument: Instrument, period: Span, level: Assurance) -> Iterator[Judged]:
    """The parts of the local days that a period touches, judged now, one at a time.

    Use the connection for nothing else until it is exhausted.
    """
    return judge(connection, instrument, period, level)


def day(connection: Connection, instrument: Instrument, day: date, level: Assurance) -> DayReading:
    """A local day judged now, with its sessions and its standing statements."""
    period = local_day(instrument, day)
    return DayReading(
        instrument=instrument,
        day=day,
        period=period,
        level=level,
        parts=tuple(judged(connection, instrument, period, level)),
        sessions=registry.sessions(connection, instrument.instrument, *period),
        statements=statements(connection, instrument, period, level),
    )


def statements(connection: Connection, instrument: Instrument, period: Span, level: Assurance) -> tuple[Statement, ...]:
    """Standing statements of one level whose period overlaps, by their beginning."""
    found = stored.read(connection, instrument.instrument, *period)
    return tuple(one for one in found if one.level == level)


def hours(connection: Connection, instrument: Instrument, period: Span, level: Assurance) -> Total:
    """The sum of the standing statements over the whole local days that a period touches.

    What no statement covers is UNKNOWN, and possible in every upper bound.
    """
    days = whole_days(instrument, period)
    return total(statements(connection, instrument, days, level), days)


def states(connection: Connection, instrument: Instrument, period: Span, level: Assurance) -> Timeline:
    """The ribbon: one state at each instant of the period, judged now."""
    pieces = [
        piece
        for one in judged(connection, instrument, period, level)
        for piece in clip_pieces(one.measured.states, one.part.period)
    ]
    return clip_pieces(normal(pieces), period)


def explained(connection: Connection, instrument: Instrument, period: Span, level: Assurance) -> tuple[Stretch, ...]:
    """Why each instant of a period was credited or not, judged now: stretches that follow each other and cover it."""
    return tuple(
        told
        for one in judged(connection, instrument, period, level)
        for cut in clip((one.part.period,), period)
        for told in explain(one, cut)
    )


def power(
    connection: Connection, instrument: Instrument, period: Span, level: Assurance, points: int = BUCKETS
) -> Trace:
    """Least and greatest power over a period, thinned to about so many points; nothing is drawn across a gap.

    What no policy covers is shown as it was read, whatever meter read it: nobody said yet what counts.
    """
    length_ms = period[1] - period[0]
    traces = []
    for one in judged(connection, instrument, period, level):
        for cut in clip((one.part.period,), period):
            share = max(1, points * (cut[1] - cut[0]) // length_ms)
            counted = one.counted
            if one.part.policy is None:
                counted = assemble(frames.read(connection, instrument.instrument, *cut))
            traces.append(trace_of(counted, one.part.rules, cut, share))
    return joined(traces)


def evidence(
    connection: Connection, instrument: Instrument, period: Span, after: tuple[StreamId, int] | None, limit: int
) -> tuple[Entry, ...]:
    """Frames that speak of a moment of the period, by stream, then seq: at most `limit` of those after a place."""
    return frames.entries(connection, instrument.instrument, period, after, limit)


def frame(connection: Connection, account: Account, frame_hash: bytes) -> bytes:
    """The exact bytes of a frame.

    Raises:
        ProblemError: 404, there is none of this hash, or it belongs to a unit that the account does not see.
    """
    found = frames.by_hash(connection, frame_hash)
    if found is None or not account.sees(found[0]):
        raise ProblemError.not_found(f"frame {frame_hash.hex()}")
    return found[1]
