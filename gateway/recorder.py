"""Records one instrument: the order of effects from a reading to a signed frame. One recorder an instrument.

Order (each step MUST be done before the next; a crash between any two loses and doubles nothing):

1. a tick is written to the journal, then it belongs to the open frame;
2. a frame that ends is signed and put into the spool, then its journal is deleted, then the next one may begin;
3. at the start a journal whose frame is in the spool is deleted, any other becomes a frame at once.

A tick that could not be written is not claimed: after a blind time the next frame is an outage that says why.
"""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from contract.errors import StorageError
from contract.frame import Link, Meter, Outage
from contract.states import MeterState, OutageCause
from gateway.chain import Chain
from gateway.clocks import Stamp
from gateway.disk import DiskFullError, storing
from gateway.framer import OpenFrame, Opening, Tick, fallen
from gateway.journal import Journal, Recovered, recover
from gateway.past import Past, past_of, past_told_by

SYNC_MS: Final = 10_000
"""How much sampling time a power cut may cost."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What an instrument's devices said at one tick; None is absent.

    Attributes:
        meter: which meter it was; None where none was ever identified.
        reconnected: the meter was connected to again since the reading before.
    """

    power_mw: int | None
    lines: int | None
    energy_mwh: int | None
    meter: Meter | None
    reconnected: bool = False


class Recorder:
    """Keeps one instrument's chain, journal and open frame."""

    def __init__(
        self, chain: Chain, journal: Path, *, period_ms: int, frame_ms: int, line_names: tuple[str, ...]
    ) -> None:
        """Take up where the last process ended (step 3); on a full disk that is tried again at each tick.

        Raises:
            StorageError: the journal cannot be read, or the spool cannot be used.
        """
        self.instrument = chain.instrument
        self._chain, self._journal_path = chain, journal
        self._period_ms, self._frame_ms, self._line_names = period_ms, frame_ms, line_names
        self._open: OpenFrame | None = None
        self._journal: Journal | None = None
        self._synced_ms = 0
        self._early_from_ms = 0
        self._meter_state = MeterState.OK
        self._why_blind = OutageCause.PROCESS
        self._past: Past | None = past_told_by(chain.contents())
        self._left: Recovered | None = recover(journal)
        with suppress(DiskFullError):
            self._take_up()

    @property
    def meter(self) -> Meter | None:
        """The meter that was last seen."""
        return self._past.meter if self._past else None

    def wants_energy(self, stamp: Stamp, lines: int | None, meter: Meter) -> bool:
        """Whether the tick at `stamp` begins or ends a frame: then the energy register belongs to it."""
        frame = self._open
        return frame is None or frame.breaks(stamp, meter) or frame.ends(stamp, lines)

    def record(self, stamp: Stamp, reading: Reading) -> bool:
        """Record a tick, unless it is recorded already or there is nothing to record; returns whether it was.

        When this returns True, the tick is in the journal. Call `settle` next.

        Raises:
            StorageError: it could not be written and is not claimed; the next tick tries again.
        """
        if reading.reconnected:
            self._meter_state |= MeterState.RECONNECTED
        try:
            self._take_up()
            if self._past is not None and self._past.holds(stamp.boot_id, stamp.mono_ms):
                return False
            if reading.meter is None or (reading.power_mw is None and reading.lines is None):
                self._why_blind = OutageCause.METER_LINK
                return False
            tick = Tick(stamp.utc_ms, stamp.mono_ms, reading.power_mw, reading.lines, reading.energy_mwh)
            self._write(stamp, tick, reading.meter)
        except StorageError as error:
            self._why_blind = OutageCause.DISK_FULL if isinstance(error, DiskFullError) else OutageCause.UNKNOWN
            raise
        self._why_blind = OutageCause.UNKNOWN
        return True

    def settle(self) -> None:
        """After `record`: end the frame that is full (step 2), or bring its journal to the disk where that is due.

        Raises:
            StorageError: not done yet; all that was recorded is still in the journal, and the next tick tries again.
        """
        if self._open is None or self._journal is None:
            return
        now_ms = self._open.ticks[-1].mono_ms
        if self._open.ended:
            self.close()
        elif now_ms - self._synced_ms >= SYNC_MS:
            self._journal.sync()
            self._synced_ms = now_ms

    def close(self) -> None:
        """End the open frame, if there is one: sign, spool, then delete the journal (step 2).

        Raises:
            StorageError: the frame is still open, its ticks still in the journal.
        """
        if self._open is None or self._journal is None:
            return
        measurement = self._open.measurement()
        self._chain.say(measurement)
        self._past = self._past.and_then(measurement) if self._past else past_of(measurement)
        self._early_from_ms = self._open.early_from_ms
        self._open = None
        self._journal.close()
        self._journal = None
        self._discard()

    def _write(self, stamp: Stamp, tick: Tick, meter: Meter) -> None:
        if self._open is not None and self._open.breaks(stamp, meter):
            self.close()
        if self._open is None or self._journal is None:
            self._begin(stamp, tick, meter)
        else:
            self._journal.append(tick)
            self._open.add(tick)

    def _begin(self, stamp: Stamp, tick: Tick, meter: Meter) -> None:
        past = self._past or self._genesis(stamp)
        if past.is_blind_before(stamp, self._period_ms):
            past = self._outage(past, stamp, tick)
        stream = self._chain.end()
        opening = Opening(
            stream_id=stream.stream_id,
            seq=stream.next_seq,
            prev_hash=stream.head_hash,
            instrument=stream.instrument,
            meter=meter,
            meter_state=self._meter_state | _changed(past.meter, meter) | fallen(past.register, tick.register),
            boot_id=stamp.boot_id,
            clock=stamp.clock,
            period_ms=self._period_ms,
            line_names=self._line_names,
        )
        self._journal = Journal.create(self._journal_path, opening, tick)
        early_from_ms = self._early_from_ms if stamp.boot_id == past.boot_id else 0
        self._open = OpenFrame(opening, tick, frame_ms=self._frame_ms, early_from_ms=early_from_ms)
        self._meter_state, self._synced_ms = MeterState.OK, tick.mono_ms

    def _genesis(self, stamp: Stamp, predecessor: Link | None = None) -> Past:
        genesis = self._chain.begin(
            boot_id=stamp.boot_id, clock=stamp.clock, created_ms=stamp.utc_ms, predecessor=predecessor
        )
        self._past = past_of(genesis)
        return self._past

    def _outage(self, past: Past, stamp: Stamp, tick: Tick) -> Past:
        outage = Outage(
            instrument=self._chain.end().instrument,
            boot_id=stamp.boot_id,
            clock=stamp.clock,
            # A wall clock that went back leaves no interval to name.
            from_ms=min(past.until_ms, stamp.utc_ms),
            to_ms=stamp.utc_ms,
            cause=past.cause(stamp, self._why_blind),
            energy_before=past.register,
            energy_after=tick.register,
        )
        self._chain.say(outage)
        log.warning(
            "outage recorded", instrument=outage.instrument, cause=outage.cause.name, ms=outage.to_ms - outage.from_ms
        )
        # Flags of the next frame compare with what came before the outage, so its own register is not taken over yet.
        self._past = past.and_then(outage)
        return past

    def _take_up(self) -> None:
        if self._left is None:
            return
        if not self._is_spooled(self._left):
            self._adopt(self._left)
        if self._left.cut_bytes:
            log.warning("journal had a torn tail: cut back", instrument=self.instrument, bytes=self._left.cut_bytes)
        self._left = None
        self._discard()

    def _is_spooled(self, found: Recovered) -> bool:
        stream, opening = self._chain.stream, found.opening
        if stream is not None and stream.stream_id == opening.stream_id:
            return opening.seq < stream.next_seq
        return self._past is not None and self._past.holds(opening.boot_id, found.ticks[-1].mono_ms)

    def _adopt(self, found: Recovered) -> None:
        """Make a frame of a journal; where the spool is not the one it was written beside, in a new stream."""
        stream, opening = self._chain.stream, found.opening
        place = (opening.stream_id, opening.seq, opening.prev_hash)
        continued = stream is not None and (stream.stream_id, stream.next_seq, stream.head_hash) == place
        # A stream with nothing but its beginning was begun for this journal by a process that then ended.
        if not continued and (stream is None or stream.next_seq > 1):
            first = found.ticks[0]
            stamp = Stamp(utc_ms=first.utc_ms, mono_ms=first.mono_ms, boot_id=opening.boot_id, clock=opening.clock)
            predecessor = Link(stream_id=opening.stream_id, seq=opening.seq - 1, frame_hash=opening.prev_hash)
            log.warning("the journal is not of this spool: a new stream begins", instrument=opening.instrument)
            self._genesis(stamp, predecessor)
        frame = OpenFrame(opening, found.ticks[0], frame_ms=self._frame_ms)
        frame.ticks.extend(found.ticks[1:])
        measurement = frame.measurement()
        self._chain.say(measurement)
        self._past = self._past.and_then(measurement) if self._past else past_of(measurement)

    def _discard(self) -> None:
        with storing("journal"):
            self._journal_path.unlink(missing_ok=True)


def _changed(before: Meter | None, now: Meter) -> MeterState:
    return MeterState.SERIAL_CHANGED if before is not None and before.serial != now.serial else MeterState.OK
