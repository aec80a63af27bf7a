from dataclasses import replace

import pytest
from unit.gateway.room import BOOT, METER, OTHER_BOOT, stamp
from unit.gateway.test_journal import OPENING

from contract import codec, seal
from contract.frame import Readings, Register
from contract.states import ClockState, MeterState
from gateway.framer import EARLY_CLOSE_MS, MAX_TICKS, OpenFrame, Opening, Tick

SIMULATED = replace(OPENING, clock=ClockState.SIMULATED, meter_state=MeterState.OK)


def tick(number: int, lines: int | None = 0, power_mw: int | None = 1_000, energy_mwh: int | None = None) -> Tick:
    moment = stamp(number)
    return Tick(moment.utc_ms, moment.mono_ms, power_mw, lines, energy_mwh)


def frame(
    *, first: Tick | None = None, frame_s: int = 60, early_from_ms: int = 0, opening: Opening = SIMULATED
) -> OpenFrame:
    return OpenFrame(opening, first or tick(0), frame_ms=frame_s * 1_000, early_from_ms=early_from_ms)


def test_it_ends_with_the_last_tick_of_its_time() -> None:
    filled = frame(frame_s=3)
    assert not filled.ends(stamp(1), 0)
    filled.add(tick(1))
    assert not filled.ended
    assert filled.ends(stamp(2), 0)
    filled.add(tick(2))
    assert filled.ended
    assert filled.breaks(stamp(3), METER)


def test_a_frame_of_one_period_ends_with_its_first_tick() -> None:
    assert frame(frame_s=1).ended


def test_a_missing_tick_does_not_lengthen_it() -> None:
    filled = frame(frame_s=4)
    filled.add(tick(1))
    assert filled.ends(stamp(3), 0)
    assert filled.breaks(stamp(4), METER)


def test_an_edge_ends_it_early_at_most_once_in_five_seconds() -> None:
    filled = frame()
    assert not filled.ends(stamp(1), 0)
    assert filled.ends(stamp(1), 1)
    assert not filled.ends(stamp(1), None), "an absent reading is no edge"
    filled.add(tick(1, lines=1))
    assert filled.ended
    after = frame(first=tick(2, lines=1), early_from_ms=filled.early_from_ms)
    bouncing = 2 + EARLY_CLOSE_MS // 1_000
    for number in range(3, bouncing - 1):
        after.add(tick(number, lines=number % 2))
        assert not after.ended
    assert after.ends(stamp(bouncing - 1), 1 - after.ticks[-1].lines if after.ticks[-1].lines is not None else None)


def test_an_edge_is_seen_across_an_absent_reading() -> None:
    filled = frame()
    filled.add(tick(1, lines=None))
    assert filled.ends(stamp(2), 1)


@pytest.mark.parametrize(
    ("moment", "meter"),
    [
        (stamp(1, boot=OTHER_BOOT), METER),
        (stamp(1, clock=ClockState.STEPPED), METER),
        (stamp(1, clock=ClockState.UNSYNCHRONISED), METER),
        (stamp(1), replace(METER, serial="other")),
        (stamp(1), replace(METER, ct_primary_a=200)),
        (stamp(4), METER),
        (stamp(1, shift_ms=-1_000), METER),
        (stamp(1, shift_ms=3_000), METER),
        (replace(stamp(1), mono_ms=stamp(0).mono_ms), METER),
    ],
    ids=["boot", "step", "clock-state", "serial", "ratio", "blind", "back", "forward", "monotonic"],
)
def test_what_a_frame_cannot_hold_breaks_it(moment: object, meter: object) -> None:
    assert not frame().breaks(stamp(1), METER)
    assert not frame().breaks(stamp(3), METER), "three periods are a missing tick, no blind time"
    assert frame().breaks(moment, meter)  # type: ignore[arg-type]


def test_a_frame_that_began_with_a_step_says_so_to_its_end() -> None:
    stepped = frame(opening=replace(SIMULATED, clock=ClockState.STEPPED))
    assert not stepped.breaks(stamp(1, clock=ClockState.SYNCHRONISED), METER)
    assert stepped.breaks(stamp(1, clock=ClockState.STEPPED), METER)


def test_what_is_absent_is_absent() -> None:
    filled = frame(first=tick(0, lines=None, energy_mwh=5))
    filled.add(tick(1, lines=1, power_mw=None))
    filled.add(tick(2, lines=None, power_mw=2_000, energy_mwh=9))
    told = filled.measurement()
    assert told.power == Readings(values=(1_000, 2_000), absent=(1,))
    assert told.lines == Readings(values=(1,), absent=(0, 2))
    assert told.energy_begin == Register(time_ms=stamp(0).utc_ms, energy_mwh=5)
    assert told.energy_end == Register(time_ms=stamp(2).utc_ms, energy_mwh=9)
    assert told.meter_state is MeterState.OK
    assert codec.decode(codec.encode(told)) == told


def test_a_signal_that_is_absent_throughout_is_no_signal() -> None:
    told = frame(first=tick(0, power_mw=None)).measurement()
    assert told.power is None
    assert (told.energy_begin, told.energy_end) == (None, None)


def test_a_register_that_falls_within_a_frame_is_flagged() -> None:
    filled = frame(first=tick(0, energy_mwh=9))
    filled.add(tick(1, energy_mwh=8))
    assert filled.measurement().meter_state is MeterState.REGISTER_FELL


def test_the_widest_frame_fits_what_any_receiver_takes() -> None:
    wild = replace(SIMULATED, period_ms=200, line_names=tuple(f"line-{n}" for n in range(32)))
    most = (1 << 32) - 1
    filled = OpenFrame(wild, Tick(10**12, 10**9, 0, 0, None), frame_ms=600_000, early_from_ms=1 << 60)
    while not filled.ended:
        n = len(filled.ticks)
        jitter_ms = n * 200 + 99 * (n % 2)
        power_mw = 99_999_999_999 if n % 2 else -99_999_999_998
        filled.add(Tick(10**12 + jitter_ms, 10**9 + n * 200 + 90 * (n % 3), power_mw, most if n % 2 else 0, None))
    assert len(filled.ticks) == MAX_TICKS
    assert len(codec.encode(filled.measurement())) + 256 <= seal.MAX_FRAME_BYTES


def test_boot_is_of_the_opening() -> None:
    assert frame().measurement().boot_id == BOOT
