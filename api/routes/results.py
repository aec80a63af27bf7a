"""What metering decided: statements, their sums, credited intervals; and the states of a period."""

from fastapi import APIRouter

from api import convert, reading, wire
from api.edge import PREFIX, Asked, InstrumentName, Level, Reader, SeesResults, Shared
from contract.states import Assurance

MAX_DAYS = 400
MAX_JUDGED_DAYS = 3
"""States and explanations are judged anew from the frames at each asking, which takes seconds."""

router = APIRouter(prefix=f"{PREFIX}/instruments/{{instrument}}", tags=["results"])


@router.get("/statements", summary="Standing statements of a period")
def statements(
    instrument: InstrumentName, asked: Asked, account: SeesResults, connection: Reader, level: Level = 3
) -> wire.StatementsOut:
    """One for each local day (or part of it, where the policy changed) that was measured and not superseded since.

    A day without one was not measured yet; it is not a day of zero hours. At most 400 days at once.
    """
    period = asked.within(MAX_DAYS)
    found = reading.instrument(connection, account, instrument)
    standing = reading.statements(connection, found, period, Assurance(level))
    return wire.StatementsOut(
        **convert.window(period),
        instrument=instrument,
        level=level,
        statements=[convert.statement(one) for one in standing],
    )


@router.get("/hours", summary="Hours of a period, added up from statements")
def hours(
    instrument: InstrumentName, asked: Asked, account: SeesResults, connection: Reader, level: Level = 3
) -> wire.HoursOut:
    """The sum over the whole local days that the period touches: `from` and `to` of the answer say which.

    What no statement covers is UNKNOWN, and possible in every upper bound. At most 400 days at once.
    """
    period = asked.within(MAX_DAYS)
    found = reading.instrument(connection, account, instrument)
    total = reading.hours(connection, found, period, Assurance(level))
    return convert.total(found, Assurance(level), period, total)


@router.get("/intervals", summary="Credited time of a period")
def intervals(
    instrument: InstrumentName, asked: Asked, account: SeesResults, connection: Reader, level: Level = 3
) -> wire.IntervalsOut:
    """The stretches that make up `effective_ms` of the standing statements. At most 400 days at once."""
    period = asked.within(MAX_DAYS)
    found = reading.instrument(connection, account, instrument)
    standing = reading.statements(connection, found, period, Assurance(level))
    return wire.IntervalsOut(
        **convert.window(period),
        instrument=instrument,
        level=level,
        intervals=convert.intervals(standing, period),
    )


@router.get("/states", summary="The ribbon of states of a period")
def states(
    instrument: InstrumentName, asked: Asked, account: SeesResults, within: Shared, level: Level = 3
) -> wire.StatesOut:
    """One state at each instant, judged now from the frames in the store; a gap is UNKNOWN. At most 3 days at once."""
    period = asked.within(MAX_JUDGED_DAYS)
    with within.judging(account.name) as connection:
        found = reading.instrument(connection, account, instrument)
        timeline = reading.states(connection, found, period, Assurance(level))
    return wire.StatesOut(**convert.window(period), instrument=instrument, level=level, states=convert.states(timeline))


@router.get("/explain", summary="Why time was credited or not")
def explain(
    instrument: InstrumentName, asked: Asked, account: SeesResults, within: Shared, level: Level = 3
) -> wire.ExplainedOut:
    """Stretch by stretch: the rule that decided, the numbers it decided by, and what would change it.

    Judged now from the frames in the store. At most 3 days at once.
    """
    period = asked.within(MAX_JUDGED_DAYS)
    with within.judging(account.name) as connection:
        found = reading.instrument(connection, account, instrument)
        told = [convert.stretch(found, one) for one in reading.explained(connection, found, period, Assurance(level))]
    return wire.ExplainedOut(**convert.window(period), instrument=instrument, level=level, stretches=told)
