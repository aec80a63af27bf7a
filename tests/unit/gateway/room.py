"""A recorder over a real spool and journal in a folder, fed with made-up ticks; and the story its chain then tells."""

from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from contract import codec, seal
from contract.errors import StorageError
from contract.frame import Content, Measurement, Meter
from contract.ids import BootId, GatewayId, InstrumentId, SiteId, StreamId
from contract.states import ClockState
from gateway.chain import Chain, Signer
from gateway.clocks import Stamp
from gateway.recorder import Reading, Recorder
from gateway.spool import Spool

KEY: Final = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
SITE, GATEWAY, INSTRUMENT = SiteId("huaian"), GatewayId("gw-1"), InstrumentId("nmr-400")
BOOT, OTHER_BOOT = BootId(b"boot-one"), BootId(b"boot-two")
METER: Final = Meter(model="sdm630", serial="12345678")
T0_MS: Final = 1_741_568_400_000
MONO0_MS: Final = 60_000
PERIOD_MS: Final = 1_000
FRAME_TICKS: Final = 5


def stamp(tick: int, *, boot: BootId = BOOT, clock: ClockState = ClockState.SIMULATED, shift_ms: int = 0) -> Stamp:
    """The moment of a tick; `shift_ms` sets the wall clock forward."""
    return Stamp(
        utc_ms=T0_MS + tick * PERIOD_MS + shift_ms, mono_ms=MONO0_MS + tick * PERIOD_MS, boot_id=boot, clock=clock
    )


def reading(
    tick: int,
    *,
    power: bool = True,
    lines: int | None = 0,
    energy_mwh: int | None = 1_000_000,
    meter: Meter | None = METER,
    reconnected: bool = False,
) -> Reading:
    """A reading that tells its tick: power is the tick's number in watts."""
    return Reading(
        power_mw=tick * 1_000 if power else None,
        lines=lines,
        energy_mwh=energy_mwh,
        meter=meter,
        reconnected=reconnected,
    )


class Room:
    """A recorder and what it stands on."""

    def __init__(self, folder: Path, spool: Spool, frame_ticks: int) -> None:
        self.folder, self.spool = folder, spool
        self.announced: list[tuple[StreamId, int]] = []
        signer = Signer(spool, KEY, SITE, GATEWAY)
        chain = Chain(signer, INSTRUMENT, self._hear)
        self.recorder = Recorder(
            chain,
            folder / "nmr-400.journal",
            period_ms=PERIOD_MS,
            frame_ms=frame_ticks * PERIOD_MS,
            line_names=("run",),
        )

    def tick(self, number: int) -> bool:
        """Record an ordinary tick, and settle where the disk lets it."""
        recorded = self.recorder.record(stamp(number), reading(number))
        with suppress(StorageError):
            self.recorder.settle()
        return recorded

    def _hear(self, stream_id: StreamId, seq: int) -> None:
        # Another connection sees only what is committed.
        with closing(Spool.open(self.folder, 64)) as other:
            assert other.frame(stream_id, seq), "announced before it was in the spool"
        self.announced.append((stream_id, seq))

    def story(self) -> list[Content]:
        """What the newest stream tells, its signatures and links verified."""
        streams = self.spool.streams()
        return [] if not streams else contents(self.spool, streams[-1].stream_id)


@contextmanager
def opened(folder: Path, *, quota_mb: int = 64, frame_ticks: int = FRAME_TICKS) -> Iterator[Room]:
    """Start on a folder; at the end it is left as a killed process leaves it."""
    folder.mkdir(exist_ok=True)
    spool = Spool.open(folder, quota_mb)
    try:
        yield Room(folder, spool, frame_ticks)
    finally:
        spool.close()


def contents(spool: Spool, stream_id: StreamId) -> list[Content]:
    """What a stream of a spool tells, from seq 0 without a hole, every signature and link verified."""
    told, prev_hash = [], seal.FIRST_PREV_HASH
    for seq in range(next(s.next_seq for s in spool.streams() if s.stream_id == stream_id)):
        raw = spool.frame(stream_id, seq)
        assert raw is not None
        frame = seal.open_frame(raw)
        seal.verify(frame.protected, frame.payload, frame.signature, KEY.public_key())
        assert (frame.envelope.stream_id, frame.envelope.seq, frame.envelope.prev_hash) == (stream_id, seq, prev_hash)
        told.append(codec.decode(frame.payload))
        prev_hash = frame.frame_hash
    return told


def measurements(story: list[Content]) -> list[Measurement]:
    return [content for content in story if isinstance(content, Measurement)]


def ticks(story: list[Content]) -> list[int]:
    """The numbers of the ticks that are told, in the order of telling."""
    return [(utc_ms - T0_MS) // PERIOD_MS for told in measurements(story) for utc_ms in told.utc_ms]
