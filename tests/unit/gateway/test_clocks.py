import asyncio
from collections.abc import Iterator

import pytest
from unit.firmware_sim.client import HOST, serving

from contract import clock
from contract.ids import BOOT_ID_BYTES
from contract.states import ClockState
from firmware_sim.lab import Lab
from firmware_sim.scenario import InstrumentSpec, Scenario
from gateway.clocks import STEP_MS, Stamp, SystemClock, kernel_clock, system_boot_id
from gateway.meters.modbus import ModbusUnit
from gateway.simulated import SimulatedClock

START_MS, SECONDS = 1_741_568_400_000, 5
SCENARIO = Scenario(
    start_ms=START_MS,
    end_ms=START_MS + SECONDS * 1_000,
    instruments=(InstrumentSpec(id="a", class_name="spectrometer", cuts=()),),
)


class Times:
    """The computer's clocks, moved by hand; sleeping moves them too."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.utc_ms, self.mono_ms, self.slept_ms = START_MS, 60_000, 0
        monkeypatch.setattr(clock, "utc_ms", lambda: self.utc_ms)
        monkeypatch.setattr(clock, "monotonic_ms", lambda: self.mono_ms)
        monkeypatch.setattr("gateway.clocks.asyncio.sleep", self._sleep)

    def pass_ms(self, duration_ms: int) -> None:
        self.utc_ms += duration_ms
        self.mono_ms += duration_ms

    async def _sleep(self, seconds: float) -> None:
        self.pass_ms(round(seconds * 1_000))


@pytest.fixture
def times(monkeypatch: pytest.MonkeyPatch) -> Iterator[Times]:
    with monkeypatch.context() as patched:
        yield Times(patched)


def next_of(ticking: SystemClock) -> Stamp:
    stamp = asyncio.run(ticking.next())
    assert stamp is not None
    return stamp


def test_ticks_keep_their_rhythm_and_skip_what_is_past(times: Times) -> None:
    ticking = SystemClock(1_000)
    assert next_of(ticking).mono_ms == 60_000
    times.pass_ms(300)
    assert next_of(ticking).mono_ms == 61_000
    times.pass_ms(1_001)
    assert next_of(ticking).mono_ms == 62_001, "a little late is late, not skipped"
    assert next_of(ticking).mono_ms == 63_000
    times.pass_ms(3_500)
    assert next_of(ticking).mono_ms == 66_500
    assert next_of(ticking).mono_ms == 67_000


@pytest.mark.parametrize("shift_ms", [STEP_MS + 1, -STEP_MS - 1, 3_600_000])
def test_a_step_of_the_wall_clock_is_said_once(times: Times, shift_ms: int) -> None:
    ticking = SystemClock(1_000, kernel=lambda: ClockState.SYNCHRONISED)
    assert next_of(ticking).clock is ClockState.SYNCHRONISED
    times.utc_ms += shift_ms
    assert next_of(ticking).clock is ClockState.STEPPED
    assert next_of(ticking).clock is ClockState.SYNCHRONISED


def test_a_slewed_clock_did_not_step(times: Times) -> None:
    ticking = SystemClock(1_000, kernel=lambda: ClockState.UNSYNCHRONISED)
    for _ in range(10):
        assert next_of(ticking).clock is ClockState.UNSYNCHRONISED
        times.utc_ms += STEP_MS


def test_the_boot_has_an_id_and_the_kernel_an_opinion() -> None:
    assert len(system_boot_id()) == BOOT_ID_BYTES
    assert system_boot_id() == system_boot_id() != bytes(BOOT_ID_BYTES)
    assert kernel_clock() in {ClockState.SYNCHRONISED, ClockState.UNSYNCHRONISED}


def test_a_kernel_that_cannot_be_asked_leaves_the_clock_unsynchronised(monkeypatch: pytest.MonkeyPatch) -> None:
    class Refusing:
        @staticmethod
        def adjtimex(_timex: object) -> int:
            return -1

    monkeypatch.setattr("gateway.clocks.ctypes.CDLL", lambda _: Refusing)
    assert kernel_clock() is ClockState.UNSYNCHRONISED


@pytest.mark.parametrize(("answer", "state"), [(0, 0), (3, 0), (4, 0), (5, 1)])
def test_only_time_error_means_unsynchronised(monkeypatch: pytest.MonkeyPatch, answer: int, state: int) -> None:
    class Kernel:
        @staticmethod
        def adjtimex(_timex: object) -> int:
            return answer

    monkeypatch.setattr("gateway.clocks.ctypes.CDLL", lambda _: Kernel)
    assert kernel_clock() is ClockState(state)


def simulated(lab: Lab) -> tuple[SimulatedClock, ModbusUnit]:
    address = lab.ready()["clock"]
    assert isinstance(address, dict)
    unit = ModbusUnit(host=HOST, port=address["port"], unit=address["unit"], timeout_s=10)
    return SimulatedClock(unit, 1_000), unit


def test_lock_step_begins_with_the_present_and_ends_with_the_end() -> None:
    async def play() -> None:
        async with serving(SCENARIO) as lab:
            ticking, unit = simulated(lab)
            stamps = [await ticking.next() for _ in range(SECONDS + 2)]
            assert [s.utc_ms - START_MS for s in stamps if s] == [0, 1_000, 2_000, 3_000, 4_000, 5_000]
            assert stamps[-1] is None
            assert {s.clock for s in stamps if s} == {ClockState.SIMULATED}
            assert {s.boot_id for s in stamps if s} == {lab.clock.boot_id.to_bytes(8, "big")}
            assert {s.utc_ms - s.mono_ms for s in stamps if s} == {START_MS - 60_000}
            unit.close()

    asyncio.run(play())


def test_a_second_process_goes_on_at_the_present() -> None:
    async def play() -> None:
        async with serving(SCENARIO) as lab:
            for _ in range(2):
                ticking, unit = simulated(lab)
                await ticking.next()
                await ticking.next()
                unit.close()
            assert lab.clock.now_ms == START_MS + 2_000

    asyncio.run(play())


def test_time_that_moved_unseen_is_a_tick_and_none_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.simulated._RETRY_S", 0.01)

    async def play() -> None:
        async with serving(SCENARIO) as lab:
            ticking, unit = simulated(lab)
            await ticking.next()
            # The answer to the next question is lost: the clock moves, the gateway does not hear of it.
            await lab._clock_port.cut()
            assert await lab.advance(START_MS + 1_000)
            again = asyncio.create_task(ticking.next())
            await asyncio.sleep(0.05)
            await lab._clock_port.join()
            heard = await again
            assert heard is not None
            assert heard.utc_ms == START_MS + 1_000
            unit.close()

    asyncio.run(play())


def test_somebody_else_who_moves_the_clock_does_not_end_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.simulated._RETRY_S", 0.01)

    async def play() -> None:
        async with serving(SCENARIO) as lab:
            ticking, unit = simulated(lab)
            await ticking.next()
            await lab.advance(START_MS + 3_000)
            heard = await ticking.next()
            assert heard is not None
            assert heard.utc_ms == START_MS + 3_000
            unit.close()

    asyncio.run(play())
