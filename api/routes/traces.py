"""Samples of power."""

from typing import Annotated

from fastapi import APIRouter, Query

from api import convert, reading, wire
from api.edge import PREFIX, Asked, InstrumentName, Level, SeesTraces, Shared
from contract.states import Assurance

MAX_DAYS = 8

router = APIRouter(prefix=f"{PREFIX}/instruments/{{instrument}}", tags=["traces"])
Points = Annotated[int, Query(ge=1, le=5_000, description="About how many stretches; a gap adds two.")]


@router.get("/power", summary="Power over a period, thinned")
def power(
    instrument: InstrumentName,
    asked: Asked,
    account: SeesTraces,
    within: Shared,
    points: Points = 700,
    level: Level = 3,
) -> wire.PowerOut:
    """Least and greatest reading of each stretch, so that short peaks survive; a gap is null, never 0.

    What earns nothing at the level asked for is a gap. At most 8 days at once.
    """
    period = asked.within(MAX_DAYS)
    with within.judging(account.name) as connection:
        found = reading.instrument(connection, account, instrument)
        trace = reading.power(connection, found, period, Assurance(level), points)
    return convert.power(found, Assurance(level), period, trace)
