"""Step V08 at its limits: 2 % and one count, between what power was and what it may have been."""

from dataclasses import replace

import packs
import pytest
from packs import ALPHA, TICKS

from contract.frame import Content, Outage, Readings, Register
from contract.ids import BootId, StreamId
from contract.states import MeterState, Source
from metering.core.evidence import Link
from metering.verifier.findings import Findings
from metering.verifier.registers import Registers, count_mwh

STEP_MS = packs.PERIOD_MS
SPAN_H = (TICKS - 1) / 12
COUNT = 10_000


def frame(seq: int, power_w: tuple[int, ...], begin: int | None, end: int | None, **more: object) -> Link:
    hour = packs.hour(ALPHA, packs.begin_ms(seq + 1))
    first, last = hour.utc_ms[0], hour.utc_ms[-1]
    content = replace(
        hour,
        power=Readings(values=tuple(1_000 * each for each in power_w)),
        energy_begin=None if begin is None else Register(time_ms=first, energy_mwh=begin),
        energy_end=None if end is None else Register(time_ms=last, energy_mwh=end),
    )
    return link(seq, replace(content, **more))  # type: ignore[arg-type]  # fields by name


def link(seq: int, content: Content) -> Link:
    return Link(stream_id=StreamId(bytes(16)), seq=seq, frame_hash=bytes(32), prev_hash=bytes(32), content=content)


def found(*links: Link) -> tuple[set[str], int]:
    findings = Findings()
    registers = Registers(findings)
    for one in links:
        registers.take(one)
    registers.end()
    return {kind.name for kind in findings.kinds()}, registers.compared


STEADY = (1_000,) * TICKS
ENERGY = round(1_000_000 * SPAN_H)


@pytest.mark.parametrize(
    ("advance", "wrong"),
    [
        (ENERGY, False),
        (int(ENERGY * 1.02) + COUNT, False),
        (int(ENERGY * 1.02) + COUNT + 2, True),
        (int(ENERGY * 0.98) - COUNT + 2, False),
        (int(ENERGY * 0.98) - COUNT - 2, True),
    ],
)
def test_two_percent_and_one_count_are_allowed_and_no_more(advance: int, *, wrong: bool) -> None:
    assert found(frame(0, STEADY, 0, advance)) == ({"register-disagrees"} if wrong else set(), 1)


def test_a_step_between_two_readings_may_lie_anywhere_between_them() -> None:
    step = (0,) * 6 + (12_000,) * 6
    least, most = 12_000_000 * 5 // 12, 12_000_000 * 6 // 12
    assert found(frame(0, step, 0, least), frame(2, step, 0, most)) == (set(), 2)
    assert found(frame(0, step, 0, most + 300_000 + COUNT))[0] == {"register-disagrees"}


def test_a_long_honest_stretch_hides_no_short_lie() -> None:
    """A day at 1 kW, and one hour of it made up: 4 % of the day, all of the hour."""
    honest = [frame(seq, STEADY, seq * 1_000_000, seq * 1_000_000 + ENERGY) for seq in range(24)]
    assert found(*honest) == (set(), 23), "frame 0 ends short of an hour"
    lie = frame(10, (2_000,) * TICKS, 10_000_000, 10_000_000 + ENERGY)
    assert "register-disagrees" in found(*honest[:10], lie, *honest[11:])[0]


@pytest.mark.parametrize(
    "second",
    [
        frame(2, STEADY, None, ENERGY * 9),
        frame(1, STEADY, None, ENERGY * 9, boot_id=BootId(b"new boot")),
        frame(1, STEADY, None, ENERGY * 9, power=Readings(values=STEADY[1:], absent=(0,))),
        frame(1, STEADY, None, ENERGY * 9, utc_ms=packs.hour(ALPHA, packs.begin_ms(3)).utc_ms),
        frame(1, STEADY, None, ENERGY * 9, source=Source.IMPORTED),
    ],
)
def test_nothing_is_added_up_across_a_hole_a_boot_an_absent_reading_or_a_silence(second: Link) -> None:
    assert found(frame(0, STEADY, 0, ENERGY), second) == (set(), 1)


def test_a_fall_is_told_in_the_frame_where_it_shows() -> None:
    high, low = frame(0, STEADY, 9_000_000, 9_000_000 + ENERGY), frame(1, STEADY, 0, ENERGY)
    told = frame(1, STEADY, 0, ENERGY, meter_state=MeterState.REGISTER_FELL)
    assert found(high, low)[0] == {"register-fell", "register-disagrees"}
    assert found(high, told)[0] == {"register-reset"}
    assert found(high, frame(2, STEADY, 0, ENERGY))[0] == set(), "a hole lies between"
    assert found(high, frame(1, STEADY, None, ENERGY))[0] >= {"register-reset"}, "its first tick was not read"


def test_an_outage_tells_of_a_fall_by_its_two_registers() -> None:
    high, low = frame(0, STEADY, 9_000_000, 9_000_000 + ENERGY), frame(2, STEADY, 1, 1 + ENERGY)
    at = packs.begin_ms(2)
    before, after = Register(time_ms=at, energy_mwh=9_000_000 + ENERGY), Register(time_ms=at, energy_mwh=1)
    outage: Outage = replace(ALPHA.outage(at, at), energy_before=before, energy_after=after)
    assert found(high, link(1, outage), low)[0] == {"register-reset"}


def test_one_count_is_what_a_display_or_a_float_of_32_bits_shows() -> None:
    assert count_mwh(0) == count_mwh(8_123_000_000) == COUNT
    assert count_mwh(1_000_000 * 1_000_000) == 1_000_000 / 16
