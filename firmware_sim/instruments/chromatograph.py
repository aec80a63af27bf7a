"""A gas chromatograph: power and the lines of its remote connector (profile `power+runstate`).

"start" is held closed for as long as an injection runs; a real connector may pulse it.
"""

from collections.abc import Iterator
from random import Random

from firmware_sim.instruments.curves import ramp, steady, swing
from firmware_sim.instruments.mode import InstrumentClass, Mode, State

FIRST_OFF_MS = (180_000, 480_000)
OFF_MS = (1_200_000, 5_400_000)
WARMUP_MS = (600_000, 1_200_000)
IDLE_AFTER_WARMUP = 0.25  # share of warm-ups that no injection follows at once: they earn no preparation
SEQUENCES = (2, 3)
INJECTIONS = (2, 4)
INJECTION_MS = (480_000, 960_000)
STOP_MS = 2_000
GAP_MS = (60_000, 240_000)
LONG_GAP = 0.2  # share of gaps inside a sequence that are longer than any bridge of 300 s
LONG_GAP_MS = (370_000, 900_000)
COOLDOWN_MS = (360_000, 600_000)

OFF = Mode(state=State.OFF, curve=steady(5_000), noise_mw=300)
OVEN_HEATING = Mode(
    state=State.WARMUP,
    curve=ramp(from_mw=620_000, to_mw=880_000, over_ms=900_000),
    noise_mw=15_000,
    closed=frozenset({"prepare"}),
)
INJECTION = Mode(  # 320 to 850 W with its noise: never under 300 W
    state=State.RUNNING,
    curve=swing(mean_mw=585_000, swing_mw=250_000, period_ms=76_000),
    noise_mw=15_000,
    closed=frozenset({"start"}),
)
STOPPED = Mode(state=State.STANDBY, curve=steady(180_000), noise_mw=4_000, closed=frozenset({"stop"}))
READY = Mode(state=State.STANDBY, curve=steady(180_000), noise_mw=4_000, closed=frozenset({"ready"}))
COOLING = Mode(
    state=State.COOLDOWN,
    curve=ramp(from_mw=230_000, to_mw=190_000, over_ms=600_000),
    noise_mw=4_000,
    closed=frozenset({"post"}),
)


def _gap(rng: Random) -> Iterator[tuple[int, Mode]]:
    yield STOP_MS, STOPPED
    yield rng.randint(*(LONG_GAP_MS if rng.random() < LONG_GAP else GAP_MS)) - STOP_MS, READY


def _sequence(rng: Random) -> Iterator[tuple[int, Mode]]:
    for _ in range(rng.randint(*INJECTIONS) - 1):
        yield rng.randint(*INJECTION_MS), INJECTION
        yield from _gap(rng)
    yield rng.randint(*INJECTION_MS), INJECTION
    yield rng.randint(*COOLDOWN_MS), COOLING
    yield rng.randint(*LONG_GAP_MS), READY


def plan(rng: Random) -> Iterator[tuple[int, Mode]]:
    """Off, heating, some sequences of injections each ended by a cool-down, and off again, for ever."""
    yield rng.randint(*FIRST_OFF_MS), OFF
    while True:
        yield rng.randint(*WARMUP_MS), OVEN_HEATING
        if rng.random() < IDLE_AFTER_WARMUP:
            yield rng.randint(*GAP_MS), READY
        for _ in range(rng.randint(*SEQUENCES)):
            yield from _sequence(rng)
        yield rng.randint(*OFF_MS), OFF


CHROMATOGRAPH = InstrumentClass(
    profile="power+runstate", lines=("start", "stop", "ready", "prepare", "post"), plan=plan, rest=OFF
)
