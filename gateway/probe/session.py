"""Looks at the configured instruments, once or until Ctrl-C. Needs no lock and writes nothing, also not to a device."""

import asyncio
import logging
import signal
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from contract import clock
from contract.errors import ConfigError, DeviceError
from gateway import config as configuration
from gateway.config import Config, InstrumentConfig, ModbusConfig
from gateway.meters.modbus import ModbusUnit
from gateway.meters.registers import load_model
from gateway.probe.look import Look, look
from gateway.probe.report import InstrumentReport, Report
from gateway.probe.window import judge_window
from gateway.runstate import ModbusLines

_TIMEOUT_S: Final = 3.0
_PERIOD_S: Final = 1.0
_KEPT: Final = 600  # looks; older ones say nothing about the energy register of now

Show = Callable[[Report], None]


def run(config_path: Path, only: Sequence[str], *, watch: bool, show: Show) -> int:
    """Look at the instruments of a config; call it from the main thread.

    Two looks, a second apart, are one report. With `watch` every further look makes another, until SIGINT or SIGTERM.

    Args:
        config_path: the gateway's config.
        only: ids of the instruments; none for all.
        watch: go on.
        show: is given every report.

    Returns:
        The exit status of the last report.

    Raises:
        ConfigError: the config has faults, or has no such instrument.
        DeviceError: the simulated clock cannot be reached.
    """
    config = configuration.load(config_path)
    # It says on stderr what the report says too.
    logging.getLogger("pymodbus").setLevel(logging.CRITICAL)
    return asyncio.run(_run(config, _chosen(config, only), watch=watch, show=show))


def _chosen(config: Config, only: Sequence[str]) -> list[InstrumentConfig]:
    known = [entry.id for entry in config.instrument]
    faults = [
        f"--instrument {name}: is not in the config; it has {', '.join(known)}" for name in only if name not in known
    ]
    if faults:
        raise ConfigError("nothing to probe", faults)
    return [entry for entry in config.instrument if not only or entry.id in only]


async def _run(config: Config, entries: Sequence[InstrumentConfig], *, watch: bool, show: Show) -> int:
    last: list[Report] = []

    def keep(report: Report) -> None:
        last[:] = [report]
        show(report)

    work = asyncio.ensure_future(_probe(config, entries, watch=watch, show=keep))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, work.cancel)
    try:
        await work
    except asyncio.CancelledError:
        if not last:
            raise KeyboardInterrupt from None
    return last[0].exit_status


async def _probe(config: Config, entries: Sequence[InstrumentConfig], *, watch: bool, show: Show) -> None:
    time, places = _Time(config), [_Place(entry) for entry in entries]
    try:
        await _look_at(places, time)
        while True:
            await asyncio.sleep(_PERIOD_S)
            await _look_at(places, time)
            show(Report(instruments=tuple(place.report() for place in places)))
            if not watch:
                return
    finally:
        time.close()
        for place in places:
            place.close()


async def _look_at(places: "Sequence[_Place]", time: "_Time") -> None:
    at_ms = await time.now_ms()
    await asyncio.gather(*(place.look(at_ms) for place in places))


class _Time:
    """The time by which energy registers move: this computer's, or the simulator's, which is read and never moved."""

    def __init__(self, config: Config) -> None:
        self._unit = _unit(config.simulated_clock) if config.simulated_clock is not None else None

    async def now_ms(self) -> int:
        if self._unit is None:
            return clock.monotonic_ms()
        words = await self._unit.registers("holding", 0, 4)
        return int.from_bytes(b"".join(word.to_bytes(2, "big") for word in words), "big")

    def close(self) -> None:
        if self._unit is not None:
            self._unit.close()


class _Place:
    """An instrument's devices and what they showed; a device that fails is asked again at the next look."""

    def __init__(self, entry: InstrumentConfig) -> None:
        self._entry, self._model = entry, load_model(entry.meter.model)
        self._units = {"meter": _unit(entry.meter)}
        if entry.run_state is not None:
            self._units["run-state lines"] = _unit(entry.run_state)
        self._looks: deque[Look] = deque(maxlen=_KEPT)
        self._lines: Mapping[str, bool] | None = None
        self._failures: dict[str, str] = {}

    async def look(self, at_ms: int) -> None:
        """Ask meter and lines."""
        self._failures.clear()
        await asyncio.gather(self._look_at_meter(at_ms), self._look_at_lines())

    def report(self) -> InstrumentReport:
        """What is known after the last look."""
        meter = self._entry.meter
        reached = "meter" not in self._failures
        return InstrumentReport(
            id=self._entry.id,
            model=meter.model,
            address=f"{meter.host}:{meter.port} unit {meter.unit}",
            look=self._looks[-1] if reached else None,
            lines=self._lines,
            findings=judge_window(self._looks, self._model, meter) if reached else (),
            failures=tuple(self._failures.values()),
        )

    def close(self) -> None:
        """Hang up."""
        for unit in self._units.values():
            unit.close()

    async def _look_at_meter(self, at_ms: int) -> None:
        try:
            self._looks.append(await look(self._units["meter"], self._model, at_ms))
        except DeviceError as error:
            self._looks.clear()
            self._failures["meter"] = f"meter: {error}"

    async def _look_at_lines(self) -> None:
        self._lines, run_state = None, self._entry.run_state
        if run_state is None:
            return
        try:
            bits = await ModbusLines(self._units["run-state lines"], len(run_state.lines)).bits()
        except DeviceError as error:
            self._failures["lines"] = f"run-state lines: {error}"
        else:
            self._lines = {name: bool(bits >> place & 1) for place, name in enumerate(run_state.lines)}


def _unit(address: ModbusConfig) -> ModbusUnit:
    return ModbusUnit(host=address.host, port=address.port, unit=address.unit, timeout_s=_TIMEOUT_S)
