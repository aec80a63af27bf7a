"""The loop of sampling: a tick, all instruments at once, into their recorders, until time ends."""

import asyncio
from collections.abc import Sequence

import structlog

from gateway.clocks import Clock
from gateway.instrument import Instrument
from gateway.report import Report

log = structlog.get_logger()


async def sample(clock: Clock, instruments: Sequence[Instrument], report: Report) -> None:
    """Sample at each tick of the clock until there are none left. However it ends, every open frame is closed.

    All instruments are recorded before the clock is asked for the next tick, so that a killed process has at most the
    last tick half recorded; the recorders know on which side of the half they are.
    """
    try:
        while (stamp := await clock.next()) is not None:
            readings = await asyncio.gather(*(instrument.read(stamp) for instrument in instruments))
            for instrument, reading in zip(instruments, readings, strict=True):
                instrument.record(stamp, reading)
            report.ticks += 1
    finally:
        for instrument in instruments:
            instrument.close()
    log.info("time has ended: frames are closed, publishing goes on")
