"""A spectrometer with a lamp: told by its power alone (profile `power`), it has no run-state lines.

WARMUP is what that profile calls so: everything from the OFF edge to the first acquisition, inrush included.
"""

from collections.abc import Iterator
from random import Random

from firmware_sim.instruments.curves import ramp, steady
from firmware_sim.instruments.mode import InstrumentClass, Mode, State

FIRST_OFF_MS = (180_000, 480_000)
OFF_MS = (1_200_000, 5_400_000)
INRUSH_MS = 1_500
WARMUP_MS = (600_000, 2_100_000)
SERIES = (2, 4)
ACQUISITIONS = (4, 12)
ACQUISITION_MS = (20_000, 150_000)
GAP_MS = (15_000, 200_000)
PAUSE_MS = (370_000, 1_200_000)  # past any bridge of 300 s

OFF = Mode(state=State.OFF, curve=steady(2_000), noise_mw=200)
INRUSH = Mode(state=State.WARMUP, curve=steady(400_000), noise_mw=8_000)
LAMP_WARMING = Mode(state=State.WARMUP, curve=ramp(from_mw=110_000, to_mw=85_000, over_ms=1_200_000), noise_mw=2_000)
STANDBY = Mode(state=State.STANDBY, curve=steady(85_000), noise_mw=2_000)
ACQUISITION = Mode(state=State.RUNNING, curve=steady(180_000), noise_mw=3_000)


def plan(rng: Random) -> Iterator[tuple[int, Mode]]:
    """Off, on, some series of acquisitions with pauses between them, and off again, for ever."""
    yield rng.randint(*FIRST_OFF_MS), OFF
    while True:
        yield INRUSH_MS, INRUSH
        yield rng.randint(*WARMUP_MS), LAMP_WARMING
        for _ in range(rng.randint(*SERIES)):
            for _ in range(rng.randint(*ACQUISITIONS) - 1):
                yield rng.randint(*ACQUISITION_MS), ACQUISITION
                yield rng.randint(*GAP_MS), STANDBY
            yield rng.randint(*ACQUISITION_MS), ACQUISITION
            yield rng.randint(*PAUSE_MS), STANDBY
        yield rng.randint(*OFF_MS), OFF


SPECTROMETER = InstrumentClass(profile="power", lines=(), plan=plan, rest=OFF)
