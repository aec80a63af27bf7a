"""A computer's clock that is set, forward, back, or from 1970: marked and told, and nothing is lost for it.

The wall clock of the process and the kernel's word on it follow a file; all else is the product in real time.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest
from fault.books import quarantined, signed, stored, told_by
from fault.doomed import Plan
from fault.plant import Plant, until
from fix_servers import Mosquitto

from contract import clock, codec
from contract.frame import Measurement
from contract.seal import open_frame
from contract.states import ClockState, OutageCause
from storage import counters
from storage.pool import connect

SAMPLING = "period_ms = 200\nframe_s = 1"
MINUTE_MS = 60_000
STEPS_MS = {"forward": 5 * MINUTE_MS, "back": -60 * MINUTE_MS, "future": 120 * MINUTE_MS}


class Stepped:
    """A plant whose gateway's clock can be set."""

    def __init__(self, plant: Plant, path: Path) -> None:
        self.plant, self._path = plant, path

    def set(self, offset_ms: int, state: ClockState = ClockState.SYNCHRONISED) -> None:
        new = self._path.with_suffix(".new")
        new.write_text(f"{offset_ms} {state.name}", "ascii")
        new.replace(self._path)

    def start(self) -> None:
        self.plant.collector.start_listening()
        self.plant.gateway.start(Plan(clock=str(self._path)))

    def goes_on(self) -> None:
        """Wait for some frames more."""
        before = self.plant.gateway.signed()
        until(lambda: self.plant.gateway.signed() >= before + 6, self.plant.words)

    def measured(self) -> list[Measurement]:
        """What was sampled of one instrument, in order."""
        told = [codec.decode(open_frame(raw).payload) for raw in signed(self.plant.gateway.data_dir).values()]
        return [one for one in told if isinstance(one, Measurement) and one.instrument == "spectrometer-1"]


@contextmanager
def stepped(folder: Path, dsn: str, broker: int) -> Iterator[Stepped]:
    with Plant(folder, dsn, broker, sampling=SAMPLING) as plant:
        yield Stepped(plant, folder / "clock")


def all_is_held(plant: Plant) -> list[str]:
    """Stop the gateway; every frame it signed MUST be held once. Returns why some are in quarantine."""
    plant.gateway.stop()
    plant.gateway.start()  # what a stopped gateway signed last is sent by the next one
    until(lambda: not plant.gateway.waiting(), plant.words)
    plant.gateway.kill()
    spool = signed(plant.gateway.data_dir)
    until(lambda: len(stored(plant.dsn)) + len(quarantined(plant.dsn)) >= len(spool), plant.words)
    told_by(spool.items(), plant.gateway.public)
    refused = quarantined(plant.dsn)
    held = [*stored(plant.dsn), *((place, raw) for place, raw, _ in refused)]
    assert sorted(held) == sorted(spool.items())
    with connect(plant.dsn) as connection:
        assert counters.read(connection).balanced
    return [reason for _, _, reason in refused]


@pytest.mark.parametrize("step_ms", STEPS_MS.values(), ids=STEPS_MS)
def test_a_clock_that_is_set_is_told_and_costs_nothing(
    tmp_path: Path, migrated: str, mosquitto: Mosquitto, step_ms: int
) -> None:
    with stepped(tmp_path, migrated, mosquitto.port) as lab:
        lab.set(0)
        lab.start()
        lab.goes_on()
        lab.set(step_ms)
        lab.goes_on()
        frames = lab.measured()
        lab.set(0)
        reasons = all_is_held(lab.plant)
        outages = told_by(signed(lab.plant.gateway.data_dir).items(), lab.plant.gateway.public).outages
        # A frame of the future keeps its place in the chain, with its bytes; nothing is credited for it.
        assert set(reasons) == ({"future-time"} if step_ms > 10 * MINUTE_MS else set())
    (at,) = [place for place, frame in enumerate(frames) if frame.clock is ClockState.STEPPED]
    assert {frame.clock for frame in frames[:at] + frames[at + 1 :]} == {ClockState.SYNCHRONISED}
    assert abs(frames[at].utc_ms[0] - frames[at - 1].utc_ms[-1] - step_ms) < MINUTE_MS
    told = [one for one in outages if one.instrument == "spectrometer-1"]
    first = next(one for one in told if one.cause is OutageCause.CLOCK_STEP)
    assert first.to_ms == frames[at].utc_ms[0]
    assert first.from_ms == (frames[at - 1].utc_ms[-1] if step_ms > 0 else first.to_ms)
    ticks_ms = [mono_ms for frame in frames for mono_ms in frame.mono_ms]
    assert all(before < after for before, after in pairwise(ticks_ms))


def test_a_boot_in_1970_is_marked_until_the_clock_is_right(tmp_path: Path, migrated: str, mosquitto: Mosquitto) -> None:
    with stepped(tmp_path, migrated, mosquitto.port) as lab:
        now_ms = clock.utc_ms()
        lab.set(-now_ms, ClockState.UNSYNCHRONISED)
        lab.start()
        lab.goes_on()
        lab.set(0, ClockState.SYNCHRONISED)
        lab.goes_on()
        frames = lab.measured()
        assert all_is_held(lab.plant) == []
        projected = "SELECT count(*) FROM power_sample WHERE taken_at < '2000-01-01'"
        with connect(migrated) as connection:
            assert connection.execute(projected).fetchone() == (0,), "a time that means nothing is no sample's time"
    states = [frame.clock for frame in frames]
    at = states.index(ClockState.STEPPED)
    assert set(states[:at]) == {ClockState.UNSYNCHRONISED}
    assert set(states[at + 1 :]) == {ClockState.SYNCHRONISED}
    assert all(frame.utc_ms[-1] < 600 * MINUTE_MS for frame in frames[:at])
