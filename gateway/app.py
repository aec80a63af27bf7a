"""Wires the gateway and runs it until SIGTERM or SIGINT."""

import asyncio
import signal
from contextlib import closing
from pathlib import Path
from typing import Final

from contract.errors import ConfigError
from gateway import config as configuration
from gateway import keys
from gateway.chain import Chain, Signer
from gateway.clocks import Clock, SystemClock
from gateway.config import Config, InstrumentConfig, ModbusConfig
from gateway.disk import locked
from gateway.instrument import Instrument
from gateway.meters.modbus import ModbusMeter, ModbusUnit
from gateway.meters.registers import load_model
from gateway.publisher import Publisher
from gateway.receipts import Receipts
from gateway.recorder import Recorder
from gateway.report import Report, configure_logging
from gateway.runstate import ModbusLines
from gateway.sampler import sample
from gateway.simulated import SimulatedClock
from gateway.spool import Spool

_REPORT_EVERY_S: Final = 60.0
_SIMULATED_TIMEOUT_S: Final = 10.0
_LONGEST_TIMEOUT_S: Final = 3.0


def run(config_path: Path) -> None:
    """Run a gateway until SIGTERM or SIGINT; then open frames are closed and spooled. Call it from the main thread.

    Raises:
        ConfigError: the config, the key or the data folder has faults.
        StorageError: the spool or a journal cannot be opened.
    """
    config = configuration.load(config_path)
    configure_logging()
    with locked(config.data_dir):
        signer_key = keys.load(config.data_dir)
        with closing(Spool.open(config.data_dir, config.spool_quota_mb)) as spool:
            asyncio.run(_run(config, Signer(spool, signer_key, config.site, config.gateway)))


def check(config_path: Path) -> tuple[str, ...]:
    """The faults that would keep a gateway from starting, one sentence each; no device is touched, nothing is made."""
    try:
        keys.load(configuration.load(config_path).data_dir)
    except ConfigError as error:
        return (str(error),)
    return ()


async def _run(config: Config, signer: Signer) -> None:
    report = Report()
    receipts = Receipts(signer.spool, config.gateway, config.collector.public_key, report)
    publisher = Publisher(config, signer.spool, receipts, report)
    instruments = [
        _instrument(config, entry, Chain(signer, entry.id, publisher.offer), report) for entry in config.instrument
    ]
    work = asyncio.gather(sample(_clock(config), instruments, report), publisher.run(), _report_on(report))
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, work.cancel)
    try:
        await work
    except asyncio.CancelledError:
        pass
    finally:
        report.say("stopped")


async def _report_on(report: Report) -> None:
    while True:
        await asyncio.sleep(_REPORT_EVERY_S)
        report.say("counters")


def _clock(config: Config) -> Clock:
    if config.simulated_clock is None:
        return SystemClock(config.period_ms)
    return SimulatedClock(_unit(config, config.simulated_clock), config.period_ms)


def _instrument(config: Config, entry: InstrumentConfig, chain: Chain, report: Report) -> Instrument:
    lines, run_state = None, entry.run_state
    if run_state is not None:
        lines = ModbusLines(_unit(config, run_state), len(run_state.lines))
    recorder = Recorder(
        chain,
        config.data_dir / f"{entry.id}.journal",
        period_ms=config.period_ms,
        frame_ms=config.frame_s * 1_000,
        line_names=run_state.lines if run_state else (),
    )
    meter = ModbusMeter(_unit(config, entry.meter), load_model(entry.meter.model))
    return Instrument(entry.meter, meter, lines, recorder, report, config.period_ms)


def _unit(config: Config, address: ModbusConfig) -> ModbusUnit:
    # In lock-step a slow machine must take longer and measure the same: there a timeout is for what hangs, not for what
    # is late. In real time a silent device must not cost the other instruments their tick.
    seconds = config.period_ms / 2_000
    timeout_s = _SIMULATED_TIMEOUT_S if config.clock == "simulated" else min(seconds, _LONGEST_TIMEOUT_S)
    return ModbusUnit(host=address.host, port=address.port, unit=address.unit, timeout_s=timeout_s)
