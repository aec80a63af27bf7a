"""A long timetable: the plan of a class within working hours, rest at night and on most weekends."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from firmware_sim.instruments.mode import InstrumentClass
from firmware_sim.noise import random_from, source
from firmware_sim.timetable import Stage, Timetable, stages

SATURDAY = 5
WORKED = 0.93  # share of weekdays that are worked
WEEKEND_WORKED = 0.12
OPENS_MS = (8 * 3_600_000, 9 * 3_600_000 + 1_800_000)
CLOSES_MS = (16 * 3_600_000 + 1_800_000, 19 * 3_600_000)
LATE = 0.15  # share of worked days that go on into the evening
LATE_MS = (3_600_000, 4 * 3_600_000)


def lay_workdays(
    instrument_class: InstrumentClass, instrument_id: str, *, seed: int, period_ms: tuple[int, int], zone: ZoneInfo
) -> Timetable:
    """The timetable of one instrument over [from, to), UTC ms; working hours are those of the zone."""
    from_ms, to_ms = period_ms
    laid: list[Stage] = []
    for opens_ms, closes_ms, rng in _opened(instrument_id, seed, period_ms, zone):
        begin_ms, end_ms = max(from_ms, opens_ms), min(to_ms, closes_ms)
        if begin_ms < end_ms:
            laid += _rest(instrument_class, laid[-1].to_ms if laid else from_ms, begin_ms)
            laid += stages(instrument_class.plan(rng), begin_ms, end_ms)
    laid += _rest(instrument_class, laid[-1].to_ms if laid else from_ms, to_ms)
    return Timetable(tuple(laid))


def midnight_ms(day: date, zone: ZoneInfo) -> int:
    """The beginning of a local day, UTC ms."""
    return round(datetime.combine(day, time(), zone).timestamp()) * 1_000


def days_of(from_ms: int, to_ms: int, zone: ZoneInfo) -> Iterator[date]:
    """The local days that [from_ms, to_ms) touches."""
    day = datetime.fromtimestamp(from_ms // 1_000, UTC).astimezone(zone).date()
    while midnight_ms(day, zone) < to_ms:
        yield day
        day += timedelta(days=1)


def _opened(
    instrument_id: str, seed: int, period_ms: tuple[int, int], zone: ZoneInfo
) -> Iterator[tuple[int, int, Random]]:
    """Opening, closing and chance of each worked day; a day is the same in whichever period it lies."""
    for day in days_of(*period_ms, zone):
        rng = random_from(source(seed, instrument_id, f"day/{day.isoformat()}"))
        if rng.random() < (WEEKEND_WORKED if day.weekday() >= SATURDAY else WORKED):
            start_ms = midnight_ms(day, zone)
            closes_ms = rng.randint(*CLOSES_MS) + (rng.randint(*LATE_MS) if rng.random() < LATE else 0)
            yield start_ms + rng.randint(*OPENS_MS), start_ms + closes_ms, rng


def _rest(instrument_class: InstrumentClass, from_ms: int, to_ms: int) -> list[Stage]:
    return [Stage(from_ms=from_ms, to_ms=to_ms, mode=instrument_class.rest)] if from_ms < to_ms else []
