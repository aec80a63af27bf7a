import asyncio
from itertools import pairwise
from pathlib import Path

import pytest
from unit.gateway.room import METER, Room, measurements, opened, stamp

from contract.errors import DeviceError
from contract.frame import Outage
from contract.states import MeterState, OutageCause
from gateway.config import MeterConfig
from gateway.instrument import LONGEST_PAUSE_MS, Instrument, Patience
from gateway.report import Report

CONFIG = MeterConfig(model=METER.model, host="127.0.0.1")


class Fake:
    """A meter and its lines; what is None fails."""

    def __init__(self) -> None:
        self.power: int | None = 1_000
        self.energy: int | None = 5
        self.lines: int | None = 0
        self.serial: str | None = METER.serial
        self.connections = 1
        self.asked = 0

    async def power_mw(self) -> int:
        self.asked += 1
        return shown(self.power)

    async def energy_mwh(self) -> int:
        return shown(self.energy)

    async def bits(self) -> int:
        return shown(self.lines)


def shown(value: int | None) -> int:
    if value is None:
        raise DeviceError("no answer")
    return value


class Bench:
    """An instrument of fake devices over a real recorder."""

    def __init__(self, room: Room) -> None:
        self.room, self.device, self.report = room, Fake(), Report()
        self.instrument = Instrument(CONFIG, self.device, self.device, room.recorder, self.report, 1_000)

    def ticks(self, *numbers: int) -> None:
        for number in numbers:
            self.instrument.record(stamp(number), asyncio.run(self.instrument.read(stamp(number))))


@pytest.fixture
def bench(tmp_path: Path):  # type: ignore[no-untyped-def]  # noqa: ANN201 - a generator of Bench
    with opened(tmp_path) as room:
        yield Bench(room)


def test_a_device_that_fails_is_spared_on_the_sampling_clock() -> None:
    asked = []

    async def play() -> None:
        patience = Patience("meter", 1_000)
        for number in range(60):

            async def question(number: int = number) -> int:
                asked.append(number)
                return shown(None if number < 50 else 7)

            answer = await patience.ask(stamp(number), question)
            assert answer == (7 if number in asked and number >= 50 else None)

    asyncio.run(play())
    assert asked[:6] == [0, 1, 3, 7, 15, 25]
    longest = max(after - before for before, after in pairwise(asked))
    assert longest * 1_000 == LONGEST_PAUSE_MS
    assert asked[-5:] == [55, 56, 57, 58, 59], "once it answers it is asked at each tick"


def test_a_pause_ends_with_the_boot() -> None:
    async def play() -> int | None:
        patience, device = Patience("meter", 1_000), Fake()
        device.power = None
        for number in range(4):
            await patience.ask(stamp(number), device.power_mw)
        device.power = 9
        return await patience.ask(stamp(0, boot=type(stamp(0).boot_id)(b"boot-two")), device.power_mw)

    assert asyncio.run(play()) == 9


def test_what_fails_is_absent_and_what_answers_is_not(bench: Bench) -> None:
    bench.ticks(0)
    bench.device.power = None
    bench.ticks(1)
    bench.device.power, bench.device.lines = 3_000, None
    bench.ticks(2)
    bench.instrument.close()
    (told,) = measurements(bench.room.story())
    assert told.power is not None
    assert told.lines is not None
    assert (told.power.values, told.power.absent) == ((1_000, 3_000), (1,))
    assert told.lines.absent == (2,)


def test_a_register_that_fails_is_absent(bench: Bench) -> None:
    bench.device.energy = None
    bench.ticks(0, 1)
    bench.instrument.close()
    (told,) = measurements(bench.room.story())
    assert (told.energy_begin, told.energy_end) == (None, None)
    assert len(told.utc_ms) == 2


def test_lines_before_the_meter_is_known_are_not_claimed_but_later_are_the_last_meter_s(tmp_path: Path) -> None:
    with opened(tmp_path) as room:
        bench = Bench(room)
        bench.device.serial, bench.device.power = None, None
        bench.ticks(0)
        assert room.story() == []
        bench.device.serial, bench.device.power = METER.serial, 1_000
        bench.ticks(1)
    with opened(tmp_path) as room:
        bench = Bench(room)
        bench.device.serial, bench.device.power = None, None
        bench.ticks(2)
        bench.instrument.close()
        told = measurements(room.story())[-1]
        assert (told.meter, told.power) == (METER, None)


def test_a_reconnected_meter_is_flagged_in_the_next_frame(bench: Bench) -> None:
    bench.ticks(0)
    bench.device.connections = 2
    bench.ticks(1)
    bench.instrument.close()
    bench.ticks(2)
    bench.instrument.close()
    bench.ticks(3)
    bench.instrument.close()
    flags = [told.meter_state for told in measurements(bench.room.story())]
    assert flags == [MeterState.OK, MeterState.RECONNECTED, MeterState.OK]


def test_a_full_spool_is_one_alarm_until_there_is_room(bench: Bench) -> None:
    bench.ticks(0)
    bench.room.spool._db.execute("PRAGMA max_page_count=1")
    bench.ticks(*range(1, 300))
    assert bench.report.alarms == 1
    bench.room.spool._db.execute("PRAGMA max_page_count=1000")
    bench.ticks(300)
    bench.instrument.close()
    (outage,) = [told for told in bench.room.story() if isinstance(told, Outage)]
    assert (outage.cause, outage.to_ms) == (OutageCause.DISK_FULL, stamp(300).utc_ms)
