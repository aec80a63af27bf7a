"""How the service itself is."""

from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse

from api import convert, wire
from api.edge import PREFIX, Known, Reader, SeesHealth, SeesMetrics, Shared, only_known
from api.metrics import MEDIA_TYPE
from api.problems import ProblemError
from contract import clock
from contract.errors import StorageError
from storage import live, registry

router = APIRouter(prefix=PREFIX, tags=["service"])
_TEXT: dict[int | str, dict[str, Any]] = {
    200: {"description": "Prometheus text.", "content": {"text/plain": {"schema": {"type": "string"}}}}
}


@router.get("/health", summary="Alive? Needs no key", dependencies=[Depends(only_known)])
def health(within: Shared, response: Response) -> wire.HealthOut:
    """Alive, and whether the database answers; 503 where it does not. It says nothing else, to anyone."""
    try:
        with within.reserved.reading() as connection:
            registry.revision(connection)
    except StorageError:
        response.status_code = 503
        return wire.HealthOut(alive=True, database=False)
    return wire.HealthOut(alive=True, database=True)


@router.get("/status", summary="Counters, custody and lag")
def status(account: SeesHealth, connection: Reader) -> wire.StatusOut:
    """What was taken in and what became of it, and of each stream how far it is in custody."""
    now_ms = clock.utc_ms()
    streams = [convert.custody(one, now_ms) for one in live.custody(connection) if account.sees(one.unit)]
    counters = convert.counters(live.totals(connection)) if account.unit is None else None
    return wire.StatusOut(counters=counters, streams=streams)


@router.get("/metrics", summary="For Prometheus", response_class=PlainTextResponse, responses=_TEXT)
def metrics(account: SeesMetrics, within: Shared, connection: Reader) -> Response:
    """Counters, ages of streams and latencies of the api. They are of all units: not for a key that is bound to one."""
    if account.unit is not None:
        raise ProblemError.forbidden("these are numbers of all units: ask for a key that is not bound to one")
    text = within.metrics.text(live.totals(connection), live.custody(connection), clock.utc_ms())
    return Response(text, media_type=MEDIA_TYPE)


@router.get("/openapi.json", include_in_schema=False)
def openapi(request: Request, _: Known) -> Response:
    """What this api is, for programs: any key opens it."""
    return JSONResponse(request.app.openapi())
