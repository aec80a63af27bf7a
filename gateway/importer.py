"""Imports a recording: signs it as frames of a stream of its own, and sends it like any late upload.

What is written is a function of the recording, the options and the key alone: the stream's id, its frames, their
bounds. So an import that was interrupted goes on where it stopped, one that is repeated sends nothing twice, and one
whose spool was lost signs the very same bytes again.

A silence of the recording is written as it is: the next reading comes later. No outage says that this gateway was
blind, because it was not there; how long a reading holds is for metering to judge, by the policy's `max_gap`.
Does not: read a meter, or know what hours an import may earn.
"""

import asyncio
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Final, TypedDict

from contract.frame import Meter
from contract.ids import BOOT_ID_BYTES, STREAM_ID_BYTES, BootId, StreamId, is_id
from contract.recordings import POWER_COLUMN, Sample
from contract.states import ClockState
from contract.units import ms_from_s, utc_text
from gateway import config as configuration
from gateway import keys
from gateway.chain import Chain, Recordings, Signer
from gateway.config import Config, InstrumentConfig
from gateway.disk import locked
from gateway.imported import Writing, measurements
from gateway.past import past_told_by
from gateway.publisher import Publisher
from gateway.receipts import Receipts
from gateway.report import Report, configure_logging
from gateway.spool import Spool
from gateway.trace import FORMATS, Fate, Trace, find, unusable

CLOCKS: Final = {
    state.name.lower(): state for state in (ClockState.SYNCHRONISED, ClockState.UNSYNCHRONISED, ClockState.SIMULATED)
}
_LONGEST_PERIOD_MS: Final = 86_400_000
_MAX_RATIO_A: Final = 1_000_000
_FORM_OF_IMPORTS: Final = 1
"""Changes when the same recording would be written as other frames: then it is another stream."""
_FRAMES_A_COMMIT: Final = 32
_POLL_S: Final = 0.1
MAX_TEXT: Final = 64  # of a serial number, in a frame


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a recording is to be read and what it is of.

    Attributes:
        instrument: one of the config.
        tz: zone of local times.
        form: one of FORMATS.
        clock: what the recorder's clock was worth, as far as the person who imports it knows; one of CLOCKS.
        period_s: the sampling period meant; None: the recording's median step.
        model, ct_primary_a, ct_secondary_a: of the meter that recorded; None: as the config says.
        serial: of the meter that recorded; None: the one that was last sampled here.
    """

    instrument: str
    form: str = "tracebase"
    tz: str | None = None
    clock: str = "unsynchronised"
    power_column: str = POWER_COLUMN
    period_s: float | None = None
    model: str | None = None
    serial: str | None = None
    ct_primary_a: int | None = None
    ct_secondary_a: int | None = None


@dataclass(slots=True, kw_only=True)
class Progress:
    """How far an import is: rows read, frames signed of its stream, and how many of those are in custody."""

    rows: int = 0
    signed: int = 0
    in_custody: int = 0
    all_signed: bool = False


class Imported(TypedDict):
    """What was imported, JSON-able.

    `frames` are those of the stream, `signed_now` how many this command added to it, `rows` what became of the rows.
    """

    instrument: str
    stream: str
    files: int
    rows: dict[str, int]
    first: str
    last: str
    period_s: float
    frames: int
    signed_now: int
    in_custody: int


Tell = Callable[[Progress], None]


def run(config_path: Path, files: Sequence[Path], options: Options, tell: Tell = lambda _: None) -> Imported:
    """Import a recording; returns once all of it is in the collector's custody, however long that takes.

    When a frame is signed it is durable: a command that is stopped may be given again, and goes on.

    Args:
        config_path: the gateway's TOML file; no gateway may be running on its data folder.
        files: the recording's.
        options: see there.
        tell: is called now and then, for a sign of life.

    Raises:
        ConfigError: the config, an option or a file has faults, a gateway is running, or the recording is told already.
        StorageError: the spool failed; DiskFullError: make room, then give the same command again.
    """
    _check(options)
    config = configuration.load(config_path)
    entry = _entry(config, options.instrument)
    trace = find(
        files, options.form, options.tz, options.power_column, entry.run_state.lines if entry.run_state else ()
    )
    configure_logging()
    with locked(config.data_dir), closing(Spool.open(config.data_dir, config.spool_quota_mb)) as spool:
        signer = Signer(spool, keys.load(config.data_dir), config.site, config.gateway)
        one = _Import(config, signer, trace, _writing(signer, entry, trace, options), tell)
        return asyncio.run(one.run())


class _Import:
    """One import on an open spool."""

    def __init__(self, config: Config, signer: Signer, trace: Trace, writing: Writing, tell: Tell) -> None:
        self._trace, self._writing, self._tell = trace, writing, tell
        self._recordings = Recordings(stream_id=_stream_id(signer, trace, writing), digests=trace.digests)
        self._refuse_what_others_tell(signer.spool)
        self._fate, self._progress = Fate(), Progress()
        self._first_ms = self._last_ms = -1
        report = Report()
        self._publisher = Publisher(
            config, signer.spool, Receipts(signer.spool, config.gateway, config.collector.public_key, report), report
        )
        self._spool = signer.spool
        self._chain = Chain(signer, writing.instrument, self._publisher.offer, self._recordings)

    async def run(self) -> Imported:
        """Sign and send at once; the end of sending before that of signing is a fault of sending."""
        before = self._chain.stream.next_seq if self._chain.stream else 0
        work = [asyncio.create_task(self._publisher.run()), asyncio.create_task(self._sign_and_wait())]
        try:
            done, _ = await asyncio.wait(work, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in work:
                task.cancel()
            await asyncio.gather(*work, return_exceptions=True)
        return self._imported(before)

    async def _sign_and_wait(self) -> None:
        frames = measurements(self._samples(), self._writing)
        while batch := list(islice(frames, _FRAMES_A_COMMIT)):
            if self._chain.stream is None:
                self._begin(batch[0].utc_ms[0])
            self._chain.say(*batch)
            self._say()
            await asyncio.sleep(0)  # let the publisher send what is signed
        self._progress.all_signed = True
        while self._say() < self._chain.end().next_seq:  # noqa: ASYNC110 - custody is a fact of the spool, not an event
            await asyncio.sleep(_POLL_S)

    def _begin(self, created_ms: int) -> None:
        writing = self._writing
        self._chain.begin(boot_id=writing.boot_id, clock=writing.clock, created_ms=created_ms, predecessor=None)

    def _samples(self) -> Iterator[Sample]:
        """What the stream does not tell yet. Frames are whole in the spool, so time alone says where to go on."""
        past = past_told_by(self._chain.contents())
        told_ms = past.until_ms if past and past.mono_ms is not None else -1
        for sample in self._trace.samples(self._fate):
            if self._first_ms < 0:
                self._first_ms = sample.time_ms
            self._last_ms = sample.time_ms
            if sample.time_ms > told_ms:
                yield sample

    def _say(self) -> int:
        """Tell how far it is; returns how many frames are in custody."""
        stream = next(one for one in self._spool.streams() if one.stream_id == self._recordings.stream_id)
        progress = self._progress
        progress.rows, progress.signed, progress.in_custody = self._fate.rows.read, stream.next_seq, stream.upto + 1
        self._tell(progress)
        return progress.in_custody

    def _refuse_what_others_tell(self, spool: Spool) -> None:
        """The same hours twice, under other options or among other files, would be worth nothing."""
        instrument, mine = self._writing.instrument, self._recordings.stream_id
        faults = []
        for path, digest in zip(self._trace.files, self._trace.digests, strict=True):
            told = spool.teller(instrument, digest)
            if told not in {None, mine}:
                faults.append(
                    f"{path}: was imported for {instrument} before, with other options or files (stream {told.hex()})"
                )
        if faults:
            raise unusable(*faults)

    def _imported(self, before: int) -> Imported:
        fate, signed = self._fate, self._progress.signed
        return Imported(
            instrument=self._writing.instrument,
            stream=self._recordings.stream_id.hex(),
            files=len(self._trace.files),
            rows={**asdict(fate.rows), "duplicate": fate.duplicate, "late": fate.late},
            first=utc_text(self._first_ms),
            last=utc_text(self._last_ms),
            period_s=self._writing.period_ms / 1_000,
            frames=signed,
            signed_now=signed - before,
            in_custody=self._progress.in_custody,
        )


def _check(options: Options) -> None:
    faults = []
    if options.form not in FORMATS:
        faults.append(f"--format: {options.form} is none of {', '.join(FORMATS)}")
    if options.clock not in CLOCKS:
        faults.append(f"--clock: {options.clock} is none of {', '.join(CLOCKS)}")
    if options.period_s is not None and not 1 <= options.period_s * 1_000 <= _LONGEST_PERIOD_MS:
        faults.append("--period-s: must be over 0 and at most a day")
    for name in ("ct_primary_a", "ct_secondary_a"):
        amperes = getattr(options, name)
        if amperes is not None and not 1 <= amperes <= _MAX_RATIO_A:
            faults.append(f"--{name.replace('_', '-')}: must be from 1 to {_MAX_RATIO_A}")
    if faults:
        raise unusable(*faults)


def _entry(config: Config, instrument: str) -> InstrumentConfig:
    for entry in config.instrument:
        if entry.id == instrument:
            return entry
    known = ", ".join(entry.id for entry in config.instrument)
    raise unusable(f"--instrument: {instrument} is not in the config; known are {known}")


def _writing(signer: Signer, entry: InstrumentConfig, trace: Trace, options: Options) -> Writing:
    meter = _meter(signer, entry, options)
    return Writing(
        instrument=entry.id,
        meter=meter,
        clock=CLOCKS[options.clock],
        period_ms=trace.period_ms() if options.period_s is None else ms_from_s(options.period_s),
        line_names=trace.columns.lines if trace.columns else (),
        boot_id=BootId(_name(signer, trace.digests)[:BOOT_ID_BYTES]),
    )


def _meter(signer: Signer, entry: InstrumentConfig, options: Options) -> Meter:
    """The meter that recorded, as it must stand in the registry."""
    model, serial = options.model or entry.meter.model, options.serial
    if not is_id(model):
        raise unusable(f"--model: {model!r} is none: lower-case letters, digits and hyphens, at most 32")
    if serial is None:
        past = past_told_by(Chain(signer, entry.id, lambda *_: None).contents())
        if past is None or past.meter is None or past.meter.model != model:
            raise unusable("--serial: name the serial number of the meter that recorded, as the registry has it")
        serial = past.meter.serial
    if not (1 <= len(serial) <= MAX_TEXT and serial.isascii() and serial.isprintable()):
        raise unusable(f"--serial: {serial!r} is none: 1 to {MAX_TEXT} printable ASCII characters")
    return Meter(
        model=model,
        serial=serial,
        ct_primary_a=options.ct_primary_a or entry.meter.ct_primary_a,
        ct_secondary_a=options.ct_secondary_a or entry.meter.ct_secondary_a,
    )


def _stream_id(signer: Signer, trace: Trace, writing: Writing) -> StreamId:
    """Named after all that its frames depend on."""
    said = {**asdict(writing), "boot_id": writing.boot_id.hex(), "form": _FORM_OF_IMPORTS}
    zone = trace.zone.key if trace.zone else ""
    power = trace.columns.power if trace.columns else ""
    text = json.dumps([said, zone, power], sort_keys=True).encode()
    return StreamId(_name(signer, trace.digests, text)[:STREAM_ID_BYTES])


def _name(signer: Signer, digests: Iterable[bytes], more: bytes = b"") -> bytes:
    name = hashlib.sha256(f"jishi import {signer.site}/{signer.gateway} ".encode() + signer.kid)
    for digest in digests:
        name.update(digest)
    name.update(more)
    return name.digest()
