"""The lab: a clock and instruments behind their ports, moved from one time to the next as one."""

import asyncio
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass

from firmware_sim.clock import CLOCK_UNIT, Clock, clock_unit
from firmware_sim.eastron import meter
from firmware_sim.inputs import input_module
from firmware_sim.instruments.catalogue import CLASSES
from firmware_sim.instruments.mode import InstrumentClass
from firmware_sim.load import Load
from firmware_sim.noise import source
from firmware_sim.pace import Pace
from firmware_sim.scenario import InstrumentSpec, Scenario
from firmware_sim.timetable import Timetable, lay
from firmware_sim.wire import Port

METER_UNIT = 1
IO_UNIT = 2


def timetables(scenario: Scenario, seed: int) -> dict[str, Timetable]:
    """The timetable of each instrument by its id."""
    return {
        spec.id: lay(CLASSES[spec.class_name], spec.id, seed=seed, start_ms=scenario.start_ms, end_ms=scenario.end_ms)
        for spec in scenario.instruments
    }


@dataclass(slots=True)
class _Instrument:
    """An instrument's port, and how many edges of its link cuts the clock has passed: an odd number means cut."""

    spec: InstrumentSpec
    port: Port
    edges_ms: tuple[int, ...]
    passed: int = 0

    async def follow(self, t_ms: int) -> None:
        """Bring the link to its state at t_ms; a cut that was leapt over has still dropped every connection."""
        passed = bisect_right(self.edges_ms, t_ms)
        if passed != self.passed:
            self.passed = passed
            await self.port.cut()
            if passed % 2 == 0:
                await self.port.join()


class Lab:
    """A scenario being played. Must be made inside a running event loop; `open` it, and `close` it at the end."""

    def __init__(
        self,
        scenario: Scenario,
        laid: Mapping[str, Timetable],
        *,
        seed: int,
        host: str,
        classes: Mapping[str, InstrumentClass] = CLASSES,
        pace: int = 0,
    ) -> None:
        self.clock = Clock(start_ms=scenario.start_ms, end_ms=scenario.end_ms)
        self._seed, self._classes = seed, classes
        self._moving, self._pace = asyncio.Lock(), Pace(pace)
        self._clock_port = Port(host, {CLOCK_UNIT: clock_unit(self.clock, self.advance)})
        self._instruments = [self._install(spec, laid[spec.id], host) for spec in scenario.instruments]

    def _install(self, spec: InstrumentSpec, timetable: Timetable, host: str) -> _Instrument:
        load = Load(timetable, source(self._seed, spec.id, "power"))
        installed = meter(
            spec.meter,
            self.clock,
            load,
            seed=self._seed,
            instrument_id=spec.id,
            class_name=spec.class_name,
            wiring=spec.wiring,
        )
        units = {METER_UNIT: installed}
        if lines := self._classes[spec.class_name].lines:
            units[IO_UNIT] = input_module(self.clock, timetable, lines)
        edges_ms = tuple(edge_ms for cut in spec.cuts for edge_ms in (cut.from_ms, cut.to_ms))
        return _Instrument(spec, Port(host, units), edges_ms)

    async def open(self) -> None:
        """Listen on every port that is not cut at the start, the clock's last.

        Raises:
            OSError: an address cannot be listened on.
        """
        for instrument in self._instruments:
            await instrument.port.join()
            await instrument.follow(self.clock.now_ms)
        await self._clock_port.join()

    async def advance(self, to_ms: int) -> bool:
        """Bring clock and links to to_ms (UTC ms); False, and nothing moved, if the clock may not become that."""
        async with self._moving:  # joining a port waits, and two advances must not cross
            if not self.clock.may_become(to_ms):
                return False
            await self._pace.wait(to_ms - self.clock.now_ms)
            self.clock.now_ms = to_ms
            for instrument in self._instruments:
                await instrument.follow(to_ms)
            return True

    async def close(self) -> None:
        """Drop every connection and stop listening."""
        await self._clock_port.close()
        for instrument in self._instruments:
            await instrument.port.close()

    def ready(self) -> dict[str, object]:
        """The ready file's content: where everything listens."""
        return {
            "clock": {"host": self._clock_port.host, "port": self._clock_port.port, "unit": CLOCK_UNIT},
            "instruments": [_described(one, self._classes[one.spec.class_name]) for one in self._instruments],
            "start_ms": self.clock.start_ms,
            "end_ms": self.clock.end_ms,
        }


def _described(instrument: _Instrument, instrument_class: InstrumentClass) -> dict[str, object]:
    return {
        "id": instrument.spec.id,
        "class": instrument.spec.class_name,
        "profile": instrument_class.profile,
        "host": instrument.port.host,
        "port": instrument.port.port,
        "meter_model": instrument.spec.meter,
        "meter_unit": METER_UNIT,
        "io_unit": IO_UNIT if instrument_class.lines else None,
        "lines": list(instrument_class.lines),
    }
