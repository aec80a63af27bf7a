"""Every payload decoded once, every part of a day judged again: steps V05 to V09, V12, V13 and V16, then V06.

A pack is read part of a day by part of a day: what is kept is its file and some days of readings.
Does not: verify signatures; they and the links hold already (`chain`).
"""

from collections import defaultdict
from itertools import accumulate
from typing import TYPE_CHECKING

from contract import codec
from contract.errors import EvidenceError, Reason
from contract.frame import VERSION, Content, Measurement, span_ms
from contract.ids import StreamId
from contract.seal import Sealed
from metering.core import daily
from metering.core.daily import Records
from metering.core.evidence import Link
from metering.core.spans import Span, union
from metering.verifier import form
from metering.verifier.chain import opened
from metering.verifier.contents import Contents
from metering.verifier.findings import Findings, RejectedError
from metering.verifier.gaps import gaps, joined
from metering.verifier.opening import Pack
from metering.verifier.progress import PHASES, Progress
from metering.verifier.registers import Registers
from metering.verifier.report import Hours
from metering.verifier.statements import Statements

if TYPE_CHECKING:
    from metering.core.gaps import Gap


class Recomputing:
    """Steps V05 to V09 frame by frame, V12, V13 and V16 part by part, V06 at the end."""

    def __init__(self, pack: Pack, cut: dict[StreamId, int], now_ms: int, findings: Findings) -> None:
        self._pack = pack
        self._findings = findings
        self._keys = {key.kid: key for key in pack.known.keys}
        self._records = Records(
            instrument=pack.known.instrument,
            bindings=pack.known.bindings,
            sessions=pack.known.sessions,
            cut=cut,
            simulation=pack.known.simulation,
        )
        self._contents = Contents(pack.known, now_ms, findings)
        self._registers = Registers(findings)
        self._statements = Statements(pack.statements, pack.parts, findings)
        self._members: dict[int, list[tuple[StreamId, memoryview]]] = defaultdict(list)
        for (at, stream_id), content in pack.frames.items():
            self._members[at].append((stream_id, content))
        self._pool: list[tuple[int, int, Link]] = []
        self._ticks = 0
        self._gaps: list[Gap] = []
        self._frames = 0
        findings.checked |= {"V06", "V07", "V08", "V09"}

    def run(self, progress: Progress) -> Hours:
        """Recompute every part of a day, then the totals.

        Raises:
            RejectedError: a frame cannot be read, or stands where it does not belong.
        """
        pack, asked = self._pack, self._pack.manifest.asked
        before: tuple[Span, ...] = ()
        begins = [from_ms for from_ms, _ in pack.windows]
        # The earliest moment that a later part needs; after the last one nothing does.
        needed = [*[*accumulate(reversed(begins), min)][-2::-1], pack.until_ms]
        for at, (part, window) in enumerate(zip(pack.parts, pack.windows, strict=True)):
            if part.policy is not None:
                self._take(at, window, before)
                before = union(before, (window,))
            self._judge(at)
            self._pool = [one for one in self._pool if one[1] >= needed[at]]
            self._ticks = sum(_ticks(link) for *_, link in self._pool)
            progress(len(pack.parts) + (PHASES - 1) * (at + 1), PHASES * len(pack.parts))
        self._registers.end()
        self._note_policies()
        totals = self._statements.totals(pack.manifest.totals, asked)
        found = joined(self._gaps)
        for gap in found:
            self._findings.add("gap", f"{gap.from_ms} to {gap.to_ms} ms: {gap.why}")
        return Hours(totals=totals, gaps=found, frames=self._frames, provisional=tuple(self._statements.provisional))

    def _take(self, at: int, window: Span, before: tuple[Span, ...]) -> None:
        for stream_id, content in self._members[at]:
            last = -1
            for _, raw in form.items(content):
                sealed = opened(raw, self._findings)
                if sealed is None:
                    raise RejectedError
                link = self._read(sealed)
                begin, end = span_ms(link.content)
                here = begin < window[1] and end >= window[0]
                if not here or any(begin < to and end >= since for since, to in before) or link.seq <= last:
                    name = f"frame {link.seq} of stream {stream_id.hex()}"
                    raise self._findings.stop("misplaced", f"{name} does not belong to part {at} of the days")
                last = link.seq
                self._contents.take(link, self._keys[sealed.envelope.kid])
                self._registers.take(link)
                self._pool.append((begin, end, link))
                self._ticks += _ticks(link)
                if self._ticks > form.MAX_TICKS:
                    what = f"over {form.MAX_TICKS} readings, the most that a part of a day may need"
                    raise self._findings.stop("too-large", what)
                self._frames += 1

    def _read(self, sealed: Sealed) -> Link:
        envelope = sealed.envelope
        try:
            content = _decoded(sealed)
        except EvidenceError as error:
            raise self._findings.stop(
                "frame", f"frame {envelope.seq} of {envelope.stream_id.hex()}: {error}"
            ) from error
        if content.instrument != self._pack.manifest.instrument:
            raise self._findings.stop("misplaced", f"frame {envelope.seq} speaks of {content.instrument}")
        return Link(
            stream_id=envelope.stream_id,
            seq=envelope.seq,
            frame_hash=sealed.frame_hash,
            prev_hash=envelope.prev_hash,
            content=content,
        )

    def _judge(self, at: int) -> None:
        part, (from_ms, to_ms) = self._pack.parts[at], self._pack.windows[at]
        links = [link for begin, end, link in self._pool if begin < to_ms and end >= from_ms]
        for place, level in enumerate(form.LEVELS):
            claimed = self._statements.claimed_provisional(at, place)
            judged = daily.judge(part, self._records, level, links, provisional=claimed)
            self._statements.check(at, place, judged, self._pack.manifest.asked)
            if level is self._pack.manifest.level:
                self._gaps += gaps(judged, self._pack.manifest.asked)

    def _note_policies(self) -> None:
        for part in self._pack.parts:
            if part.policy is None:
                self._findings.add("no-policy", f"{part.day.isoformat()}: {part.period[0]} to {part.period[1]} ms")


def _ticks(link: Link) -> int:
    return len(link.content.utc_ms) if isinstance(link.content, Measurement) else 1


def _decoded(sealed: Sealed) -> Content:
    if sealed.envelope.version != VERSION:
        raise EvidenceError(Reason.UNKNOWN_VERSION, f"version {sealed.envelope.version}: update the verifier")
    return codec.decode(sealed.payload)
