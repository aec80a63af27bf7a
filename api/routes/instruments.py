"""Instruments and what they do at this moment."""

from fastapi import APIRouter

from api import convert, reading, wire
from api.edge import PREFIX, InstrumentName, SeesLive, Shared
from api.problems import ProblemError

router = APIRouter(prefix=f"{PREFIX}/instruments", tags=["instruments"])


@router.get("", summary="All instruments, with their live state")
def instruments(account: SeesLive, within: Shared) -> wire.InstrumentsOut:
    """What the registry says of each instrument of the key, and what its newest reading says.

    The newest reading is the one of highest `seq` of its stream, not the one that arrived last. One that is older than
    `fresh_s` is stale: its state is UNKNOWN, and `doubt` says why.
    """
    return wire.InstrumentsOut(instruments=[convert.instrument(card) for card in reading.board(within, account)])


@router.get("/{instrument}", summary="One instrument, with its live state")
def instrument(instrument: InstrumentName, account: SeesLive, within: Shared) -> wire.InstrumentOut:
    """As in the list of all."""
    for card in reading.board(within, account):
        if card.instrument.instrument == instrument:
            return convert.instrument(card)
    raise ProblemError.not_found(f"instrument {instrument}")
