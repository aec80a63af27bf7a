"""An electron microscope: its pumps never stop and an image adds little to them (profile `runstate`).

Never OFF: the vacuum is kept day and night.
"""

from collections.abc import Iterator
from random import Random

from firmware_sim.instruments.curves import swing
from firmware_sim.instruments.mode import InstrumentClass, Mode, State

FIRST_REST_MS = (60_000, 600_000)
IMAGES = (3, 7)
IMAGING_MS = (180_000, 1_500_000)
GAP_MS = (30_000, 270_000)
REST_MS = (330_000, 1_500_000)  # with the high voltage off
HT_SETTLES_MS = (30_000, 240_000)

PUMPS_MW = 900_000
HT_MW = 120_000
IMAGING_MW = 25_000
NOISE_MW = 5_000


def _mode(state: State, extra_mw: int, *closed: str) -> Mode:
    pumps = swing(mean_mw=PUMPS_MW + extra_mw, swing_mw=60_000, period_ms=540_000)
    return Mode(state=state, curve=pumps, noise_mw=NOISE_MW, closed=frozenset({"vacuum", *closed}))


RESTING = _mode(State.STANDBY, 0)
HT_ON = _mode(State.STANDBY, HT_MW, "ht")
IMAGING = _mode(State.RUNNING, HT_MW + IMAGING_MW, "ht", "imaging")


def plan(rng: Random) -> Iterator[tuple[int, Mode]]:
    """Rest, then some images with gaps between them under high voltage, and rest again, for ever."""
    yield rng.randint(*FIRST_REST_MS), RESTING
    while True:
        yield rng.randint(*HT_SETTLES_MS), HT_ON
        for _ in range(rng.randint(*IMAGES) - 1):
            yield rng.randint(*IMAGING_MS), IMAGING
            yield rng.randint(*GAP_MS), HT_ON
        yield rng.randint(*IMAGING_MS), IMAGING
        yield rng.randint(*REST_MS), RESTING


MICROSCOPE = InstrumentClass(profile="runstate", lines=("vacuum", "ht", "imaging"), plan=plan, rest=RESTING)
