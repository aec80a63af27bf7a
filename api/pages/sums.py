"""Days, and sums of days, as pages show them: from standing statements, with today cut at this moment.

A day that no statement covers is unknown, not zero. What of today is still to come is neither known nor unknown: it is
left out. That is exact: where no evidence reaches, a statement's time is UNKNOWN and all of it lies in the upper bound
(the measured window goes on past the day, so no rule of length shortens it there).
Does not: judge anything.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Self

from api import reading
from api.pages import place, shown
from contract.ids import InstrumentId
from contract.registry import Instrument
from contract.states import Assurance
from contract.usage import Attribution
from metering.core.spans import Span
from metering.views.inputs import DayHours, days_of
from storage.pool import Connection
from storage.statements import Statement


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum:
    """Effective time and its bounds over some days.

    Attributes:
        unknown_ms: of which nothing is known; `length_ms`: how long the days are, up to this moment.
    """

    point_ms: int
    low_ms: int
    high_ms: int
    unknown_ms: int
    length_ms: int

    @property
    def bounds(self) -> tuple[int, int]:
        """For the filter `bounds`."""
        return self.low_ms, self.high_ms

    @property
    def covered(self) -> tuple[int, int]:
        """Known time and all of it, for the filter `share`."""
        return self.length_ms - self.unknown_ms, max(self.length_ms, 1)

    @property
    def is_unknown(self) -> bool:
        """Whether nothing at all is known, which is not zero hours."""
        return self.unknown_ms >= self.length_ms

    @classmethod
    def of(cls, parts: Iterable[DayHours | Self]) -> Self:
        """Added up."""
        found = list(parts)
        return cls(
            point_ms=sum(one.point_ms for one in found),
            low_ms=sum(one.low_ms for one in found),
            high_ms=sum(one.high_ms for one in found),
            unknown_ms=sum(one.unknown_ms for one in found),
            length_ms=sum(one.length_ms for one in found),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Days:
    """A row of local days at one level, none of them in the future.

    Attributes:
        statements: what they rest on, by their beginning.
        provisional: days of which evidence may still come.
    """

    days: tuple[DayHours, ...]
    statements: tuple[Statement, ...]
    provisional: frozenset[date]

    @property
    def stated(self) -> frozenset[date]:
        """Days of which there is a statement."""
        return frozenset(one.day for one in self.statements)

    @property
    def sum(self) -> Sum:
        """All of them."""
        return Sum.of(self.days)

    def between(self, within: tuple[date, date]) -> "Days":
        """Those from the first to the last, both included."""
        first, last = within
        return Days(
            days=tuple(one for one in self.days if first <= one.day <= last),
            statements=tuple(one for one in self.statements if first <= one.day <= last),
            provisional=frozenset(day for day in self.provisional if first <= day <= last),
        )

    def external(self) -> dict[str, tuple[int, int]]:
        """External service time per level of attribution, [low, high]; what no statement covers may all have been."""
        unstated_ms = sum(one.length_ms for one in self.days if one.day not in self.stated)
        found = {f"A{level:d}": (0, unstated_ms) for level in Attribution}
        for one in self.statements:
            for level, (low_ms, high_ms) in one.document["external_ms"].items():
                low, high = found[level]
                found[level] = low + low_ms, high + high_ms
        return found


def days_between(
    connection: Connection, instrument: Instrument, within: tuple[date, date], level: Assurance, now_ms: int
) -> Days:
    """The days from the first to the last, both included, as far as they have begun.

    Raises:
        StorageError: the store failed.
    """
    wanted = _begun(within, shown.local(now_ms - 1, instrument.time_zone).date())
    if not wanted:
        return Days(days=(), statements=(), provisional=frozenset())
    period = reading.local_day(instrument, wanted[0])[0], reading.local_day(instrument, wanted[-1])[1]
    standing = reading.statements(connection, instrument, period, level)
    known = {one.day: one for one in days_of([one.document for one in standing])}
    return Days(
        days=tuple(_until(known.get(day), day, reading.local_day(instrument, day), now_ms) for day in wanted),
        statements=standing,
        provisional=frozenset(one.day for one in standing if one.provisional),
    )


def linked(found: Days, instrument: InstrumentId) -> Days:
    """The days with where each is shown."""
    return replace(found, days=tuple(replace(one, href=place.day_href(instrument, one.day)) for one in found.days))


def _begun(within: tuple[date, date], today: date) -> list[date]:
    first, last = within[0], min(within[1], today)
    return [first + timedelta(days=after) for after in range((last - first).days + 1)]


def _until(found: DayHours | None, day: date, whole: Span, now_ms: int) -> DayHours:
    length_ms = whole[1] - whole[0]
    to_come_ms = max(whole[1] - max(now_ms, whole[0]), 0)
    if found is None:
        found = DayHours(day=day, low_ms=0, point_ms=0, high_ms=length_ms, unknown_ms=length_ms, length_ms=length_ms)
    return replace(
        found,
        high_ms=max(found.high_ms - to_come_ms, found.low_ms),
        unknown_ms=max(found.unknown_ms - to_come_ms, 0),
        length_ms=found.length_ms - to_come_ms,
    )
