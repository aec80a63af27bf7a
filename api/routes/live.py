"""The board as a stream of server-sent events."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Header, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent

from api import convert, wire
from api.auth import Account, identify, key_of
from api.context import Context
from api.edge import PREFIX, SeesLive, Shared
from api.live import Shown
from api.reading import cards
from contract import clock
from contract.errors import StorageError

router = APIRouter(prefix=PREFIX, tags=["instruments"])
BEAT_S = 15.0
"""A comment is sent so often where nothing changes, and the key is looked at again."""
LastEvent = Annotated[
    str | None,
    Header(alias="Last-Event-ID", description="As sent by a browser that was cut off: it goes on from there."),
]


@router.get("/live", summary="Live states as server-sent events", response_class=EventSourceResponse)
async def live(
    request: Request, account: SeesLive, within: Shared, last_event_id: LastEvent = None
) -> AsyncIterator[ServerSentEvent]:
    """An event `board` holds the instruments that changed, as in `/instruments`; the first one holds all of them.

    Nothing is sent where nothing changed but a comment every 15 s. It ends when the server stops or the key is closed.
    """
    key = key_of(request) or ""
    sent = resumed(within, last_event_id)
    beat_s = clock.elapsed_s()
    first = True
    while not within.bell.stopped:
        shown = within.board.last
        if first:
            shown = await asyncio.to_thread(within.board.shown)
        if event := news(within, shown, account, sent, always=first and not sent):
            yield event
        sent, first = shown.version, False
        if clock.elapsed_s() >= beat_s + BEAT_S:
            if not await asyncio.to_thread(still_opens, within, key):
                return
            beat_s = clock.elapsed_s()
            yield ServerSentEvent(comment="still here")
        if shown is within.board.last:
            await within.bell.wait(max(0.0, beat_s + BEAT_S - clock.elapsed_s()))


def resumed(within: Context, last_event_id: str | None) -> int:
    """The version that a watcher has seen; 0: none of this board."""
    epoch, _, version = (last_event_id or "").partition("-")
    if epoch != within.board.epoch or not version.isascii() or not version.isdigit():
        return 0
    return min(int(version[:18]), within.board.last.version)


def news(within: Context, shown: Shown, account: Account, sent: int, *, always: bool) -> ServerSentEvent | None:
    """What an account was not sent yet; None: nothing."""
    changed = [convert.instrument(card) for card in cards(shown, account) if card.changed > sent]
    if not changed and not always:
        return None
    return ServerSentEvent(
        data=wire.InstrumentsOut(instruments=changed),
        event="board",
        id=f"{within.board.epoch}-{shown.version}",
        retry=2_000,
    )


def still_opens(within: Context, key: str) -> bool:
    """Whether a key still opens anything; while the database does not answer, it does."""
    try:
        return identify(within, key) is not None
    except StorageError:
        return True
