"""Health for operators: whether the counters add up, how far each stream is in custody, and how far behind it is.

Does not: repair anything, or count rows (the counters are kept with each batch).
"""

from dataclasses import dataclass

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from api.context import context
from api.edge import SeesHealth
from api.pages.rendering import page
from contract import clock
from storage import live
from storage.heads import held_ranges
from storage.live import StreamCustody

router = APIRouter()


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A stream.

    Attributes:
        held: runs in custody beyond a hole, first and last seq.
        missing: frames between what is in custody.
        lag_ms: how long ago the newest frame came; delay_ms: how old it was then. None without a frame.
    """

    stream: StreamCustody
    held: tuple[tuple[int, int], ...]
    missing: int
    lag_ms: int | None
    delay_ms: int | None


@router.get("/health")
def health_page(request: Request, account: SeesHealth) -> HTMLResponse:
    """Counters, streams and custody."""
    now_ms = clock.utc_ms()
    with context(request).readers.reading() as connection:
        totals, streams = live.totals(connection), live.custody(connection)
    rows = [_row(one, now_ms) for one in streams if account.sees(one.unit)]
    # Counters are of all units: not for an account that is bound to one.
    shown = totals if account.unit is None else None
    return page(request, "health.html", account, totals=shown, rows=rows, now=now_ms)


def _row(one: StreamCustody, now_ms: int) -> Row:
    held = held_ranges(one.held)
    edges = [one.upto, *(edge for run in held for edge in run)]
    received, end = one.newest_received_at_ms, one.newest_end_ms
    return Row(
        stream=one,
        held=held,
        missing=sum(first - before - 1 for before, first in zip(edges[::2], edges[1::2], strict=False)),
        lag_ms=None if received is None else now_ms - received,
        delay_ms=None if received is None or end is None else received - end,
    )
