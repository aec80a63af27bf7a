"""Frames: what the gateways signed."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response

from api import convert, reading, wire
from api.edge import PREFIX, Asked, InstrumentName, Reader, SeesEvidence
from contract.ids import StreamId
from storage import registry

MAX_DAYS = 31
COSE = "application/cose"
_FRAME: dict[int | str, dict[str, Any]] = {
    200: {"description": "The frame.", "content": {COSE: {"schema": {"type": "string", "format": "binary"}}}}
}


router = APIRouter(prefix=PREFIX, tags=["evidence"])
After = Annotated[
    str | None,
    Query(pattern="^[0-9a-f]{32}-(0|[1-9][0-9]{0,17})$", description="As `next` of the page before: stream and seq."),
]
Limit = Annotated[int, Query(ge=1, le=1_000, description="Frames a page.")]
FrameHash = Annotated[str, Path(pattern="^[0-9a-f]{64}$", description="SHA-256 of the exact bytes, hexadecimal.")]


@router.get("/instruments/{instrument}/evidence", summary="Frames of a period")
def evidence(
    instrument: InstrumentName,
    asked: Asked,
    account: SeesEvidence,
    connection: Reader,
    after: After = None,
    limit: Limit = 200,
) -> wire.EvidenceOut:
    """Frames that speak of a moment of the period, by stream, then seq, a page at a time. At most 31 days at once."""
    period = asked.within(MAX_DAYS)
    found = reading.instrument(connection, account, instrument)
    stream, _, seq = (after or "").partition("-")
    place = (StreamId(bytes.fromhex(stream)), int(seq)) if after else None
    # One more than the page holds says whether there is another.
    entries = reading.evidence(connection, found, period, place, limit + 1)
    last = entries[limit - 1] if len(entries) > limit else None
    simulation = registry.simulation(connection)
    return wire.EvidenceOut(
        **convert.window(period),
        instrument=instrument,
        frames=[convert.frame(one, simulation=simulation) for one in entries[:limit]],
        next=None if last is None else f"{last.stream_id.hex()}-{last.seq}",
    )


@router.get("/frames/{frame_hash}", summary="A frame, byte for byte", response_class=Response, responses=_FRAME)
def frame(frame_hash: FrameHash, account: SeesEvidence, connection: Reader) -> Response:
    """The exact bytes that the gateway signed (COSE_Sign1): their SHA-256 is the hash in the path."""
    raw = reading.frame(connection, account, bytes.fromhex(frame_hash))
    return Response(raw, media_type=COSE)
