"""One instrument at each tick: asks its devices, spares those that fail, hands the reading to its recorder."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from contract.errors import DeviceError, StorageError
from contract.frame import Meter as MeterIdentity
from contract.ids import BootId
from gateway.clocks import Stamp
from gateway.config import MeterConfig
from gateway.meters.port import Meter, RunStateLines
from gateway.recorder import Reading, Recorder
from gateway.report import Report

LONGEST_PAUSE_MS = 10_000

log = structlog.get_logger()


class Patience:
    """Asks a device; after each failure spares it on the sampling clock: one period, doubling to 10 s."""

    def __init__(self, device: str, period_ms: int) -> None:
        self._device, self._period_ms = device, period_ms
        self._failures = 0
        self._boot_id = BootId(b"")
        self._again_ms = 0

    async def ask(self, stamp: Stamp, question: Callable[[], Awaitable[int]]) -> int | None:
        """The answer; None where there is none, or where the device is spared at this tick."""
        if self._failures and stamp.boot_id == self._boot_id and stamp.mono_ms < self._again_ms:
            return None
        try:
            answer = await question()
        except DeviceError as error:
            if not self._failures:
                log.warning("device failed", device=self._device, error=str(error), kind=type(error).__name__)
            # The exponent is capped before it is used: a device may be away for months.
            pause_ms = min(self._period_ms << min(self._failures, 16), max(LONGEST_PAUSE_MS, self._period_ms))
            self._failures += 1
            self._boot_id, self._again_ms = stamp.boot_id, stamp.mono_ms + pause_ms
            return None
        if self._failures:
            log.info("device answers again", device=self._device, failures=self._failures)
            self._failures = 0
        return answer


class Instrument:
    """An instrument's meter, its run-state lines if it has any, and its recorder."""

    def __init__(
        self,
        config: MeterConfig,
        meter: Meter,
        lines: RunStateLines | None,
        recorder: Recorder,
        report: Report,
        period_ms: int,
    ) -> None:
        self._config, self._meter, self._lines, self._recorder, self._report = config, meter, lines, recorder, report
        name = recorder.instrument
        self._meter_patience = Patience(f"meter of {name}", period_ms)
        self._lines_patience = Patience(f"run-state lines of {name}", period_ms)
        self._identity: MeterIdentity | None = None
        self._connections = 1
        self._stopped = False

    async def read(self, stamp: Stamp) -> Reading:
        """Ask all devices at once; the energy register follows where the frame wants it."""
        power = self._meter_patience.ask(stamp, self._meter.power_mw)
        if self._lines is None:
            power_mw, lines = await power, None
        else:
            power_mw, lines = await asyncio.gather(power, self._lines_patience.ask(stamp, self._lines.bits))
        meter, energy_mwh = self._identified(), None
        if power_mw is not None and meter is not None and self._recorder.wants_energy(stamp, lines, meter):
            energy_mwh = await self._meter_patience.ask(stamp, self._meter.energy_mwh)
        reconnected = self._meter.connections > self._connections
        self._connections = max(self._connections, self._meter.connections)
        return Reading(power_mw=power_mw, lines=lines, energy_mwh=energy_mwh, meter=meter, reconnected=reconnected)

    def record(self, stamp: Stamp, reading: Reading) -> None:
        """Record what was read; where it cannot be stored, recording stops with an alarm until it can be."""
        try:
            recorded = self._recorder.record(stamp, reading)
            self._recorder.settle()
        except StorageError as error:
            if not self._stopped:
                self._alarm("recording stopped: free disk space or raise spool_quota_mb", error)
            self._stopped = True
        else:
            if recorded and self._stopped:
                log.info("recording goes on", instrument=self._recorder.instrument)
                self._stopped = False

    def close(self) -> None:
        """End the open frame; where it cannot be stored, its journal stays and becomes a frame at the next start."""
        try:
            self._recorder.close()
        except StorageError as error:
            self._alarm("the open frame stays in its journal", error)

    def _identified(self) -> MeterIdentity | None:
        serial = self._meter.serial
        if serial is None:
            # Its run-state lines may answer before the meter does: then the meter is the one the chain last named.
            last = self._recorder.meter
            if last is None or last.model != self._config.model:
                return None
            serial = last.serial
        if self._identity is None or self._identity.serial != serial:
            self._identity = MeterIdentity(
                model=self._config.model,
                serial=serial,
                ct_primary_a=self._config.ct_primary_a,
                ct_secondary_a=self._config.ct_secondary_a,
            )
        return self._identity

    def _alarm(self, what: str, error: StorageError) -> None:
        self._report.alarm(what, instrument=self._recorder.instrument, error=str(error))
