"""Laboratories in memory, honest or not, the packs they hand in, and what the verifier says of them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from evidence import BOOT, FROM_MS, Gateway, Stream

from contract import codec, seal
from contract.frame import Content as FrameContent
from contract.frame import Measurement, Readings, Register, span_ms
from contract.ids import StreamId, UnitId
from contract.registry import Binding, GatewayKey, Instrument, PolicyVersion, rules_hash
from contract.states import Assurance, ClockState, MeterState, Source
from contract.units import MS_PER_HOUR
from contract.usage import Attribution, Party, Purpose, Session, Way
from metering.core import daily, statement
from metering.core.daily import Records
from metering.core.spans import Span, clip
from metering.core.tally import tally
from metering.pack.assemble import Content, Stored, assemble
from metering.verifier import form
from metering.verifier.anchor import Anchor
from metering.verifier.report import Report
from metering.verifier.verify import verify

ZONE = "Asia/Shanghai"
MIDNIGHT_MS = 1_741_536_000_000  # 2025-03-10T00:00+08:00
DAY = 86_400_000
ASKED = (MIDNIGHT_MS, MIDNIGHT_MS + 2 * DAY)
NOW_MS = MIDNIGHT_MS + 40 * DAY
PERIOD_MS = 300_000
TICKS = 12
"""A frame an hour, a reading every five minutes: small packs, quickly verified."""
FRAMES = 50
ALPHA = Gateway(name="alpha")
RULES = {"profile": "power", "enter_w": 140.0, "leave_w": 140.0, "bridge_s": 0, "max_gap_s": 900, "carry_s": 600}


def policy(version: int, from_ms: int, to_ms: int | None, gateway: Gateway = ALPHA, **rules: object) -> PolicyVersion:
    said = {**RULES, **rules}
    return PolicyVersion(
        policy_id="hours",
        version=version,
        instrument=gateway.instrument,
        rules=said,
        content_hash=rules_hash(said),
        proposed_by="a",
        proposed_body="laboratory",
        approved_by="b",
        approved_body="office",
        approved_at_ms=FROM_MS,
        valid_from_ms=from_ms,
        valid_to_ms=to_ms,
    )


def session(name: str, from_h: int, to_h: int, party: Party, gateway: Gateway = ALPHA) -> Session:
    start_ms = MIDNIGHT_MS + from_h * MS_PER_HOUR
    return Session(
        session_id=name,
        instrument=gateway.instrument,
        start_ms=start_ms,
        end_ms=MIDNIGHT_MS + to_h * MS_PER_HOUR,
        party=party,
        purpose=Purpose.RESEARCH,
        way=Way.SELF_OPERATED,
        attribution=Attribution.BOOKED,
        entered_at_ms=start_ms - 1,
    )


@dataclass(kw_only=True)
class Lab:
    """What stands in a laboratory's database: one instrument, its evidence and what is registered of it."""

    gateway: Gateway = ALPHA
    streams: list[list[bytes]] = field(default_factory=list)
    rivals: list[bytes] = field(default_factory=list)
    keys: list[GatewayKey] = field(default_factory=lambda: [ALPHA.gateway_key()])
    bindings: list[Binding] = field(default_factory=lambda: [ALPHA.binding()])
    policies: list[PolicyVersion] = field(
        default_factory=lambda: [
            policy(1, FROM_MS, ASKED[0] + 36 * MS_PER_HOUR),
            policy(2, ASKED[0] + 36 * MS_PER_HOUR, None, enter_w=150.0, leave_w=150.0),
        ]
    )
    sessions: list[Session] = field(
        default_factory=lambda: [
            session("s-1", 9, 12, Party.EXTERNAL),
            session("s-2", 14, 17, Party.OWN_GROUP),
            session("s-3", 33, 36, Party.EXTERNAL),
        ]
    )
    simulation: bool = False
    asked: Span = ASKED
    level: Assurance = Assurance.SIGNED
    provisional: bool = False

    @property
    def instrument(self) -> Instrument:
        return Instrument(
            instrument=self.gateway.instrument,
            unit=UnitId("unit"),
            name_zh="质谱仪",
            name_en="MS",
            instrument_class="mass-spectrometer",
            time_zone=ZONE,
        )

    def stored(self) -> Iterator[Stored]:
        for raw in sorted((raw for frames in self.streams for raw in frames), key=place):
            begin, end = span_ms(content_of(raw))
            yield Stored(stream_id=place(raw)[0], begin_ms=begin, end_ms=end, raw=raw)

    def frames_of(self, within: Span) -> Iterator[Stored]:
        return (one for one in self.stored() if one.begin_ms < within[1] and one.end_ms >= within[0])

    def records(self) -> Records:
        cut = {}
        for raw in self.rivals:
            stream_id, seq = place(raw)
            cut[stream_id] = seq
        return Records(
            instrument=self.instrument,
            bindings=tuple(self.bindings),
            sessions=tuple(self.sessions),
            cut=cut,
            simulation=self.simulation,
        )

    def content(self) -> Content:
        """What is honestly stated of this evidence."""
        parts = list(daily.parts(self.policies, ZoneInfo(ZONE), self.asked))
        documents: list[Mapping[str, Any]] = []
        tallies: dict[Assurance, list[Any]] = {level: [] for level in form.LEVELS}
        for part in parts:
            found = [one.raw for one in self.frames_of(part.within)]
            for level in form.LEVELS:
                judged = daily.judge(part, self.records(), level, found, provisional=self.provisional)
                documents.append(judged.document)
                tallies[level] += [tally(judged.measured, cut) for cut in clip((part.period,), self.asked)]
        return Content(
            instrument=self.instrument,
            asked=self.asked,
            level=self.level,
            simulation=self.simulation,
            keys={key.kid: key for key in self.keys},
            bindings=self.bindings,
            policies=self.policies,
            sessions=self.sessions,
            parts=parts,
            statements=documents,
            totals={level: statement.total(each, self.asked) for level, each in tallies.items()},
            by="",
            code_version="test",
        )

    def rivals_of(self) -> Iterator[tuple[StreamId, bytes]]:
        for raw in sorted(self.rivals, key=lambda one: (place(one)[0], seal.frame_hash(one))):
            yield place(raw)[0], raw

    def pack(self) -> bytes:
        parts: list[bytes] = []
        assemble(self.content(), self.frames_of, self.rivals_of, parts.append)
        return b"".join(parts)

    def trust(self) -> Anchor:
        """The register of trust of an honest registry."""
        return Anchor(
            simulation=self.simulation,
            instruments=(self.instrument,),
            keys=tuple(self.keys),
            bindings=tuple(self.bindings),
            policies=tuple(self.policies),
        )


def power_w(time_ms: int) -> int:
    """Runs from 9 to 12 and from 14 to 17 o'clock each day."""
    hour = (time_ms - MIDNIGHT_MS) / MS_PER_HOUR % 24
    return 400 if 9 <= hour < 12 or 14 <= hour < 17 else 80


@cache
def register_mwh(time_ms: int) -> int:
    """The register of a load that goes on a straight line from reading to reading."""
    ticks = range(MIDNIGHT_MS - MS_PER_HOUR, time_ms, PERIOD_MS)
    return 8_000_000_000 + sum((power_w(at) + power_w(at + PERIOD_MS)) * 1_000 // 2 // TICKS for at in ticks)


def begin_ms(number: int) -> int:
    """When frame number n of a stream begins; frame 0 is the genesis, a moment before."""
    return ASKED[0] - 3 * PERIOD_MS + (number - 1) * MS_PER_HOUR


def hour(gateway: Gateway, begin_ms: int) -> Measurement:
    """An hour of readings."""
    ticks = tuple(begin_ms + PERIOD_MS * tick for tick in range(TICKS))
    return Measurement(
        instrument=gateway.instrument,
        source=Source.SAMPLED,
        meter=gateway.meter,
        meter_state=MeterState.OK,
        boot_id=BOOT,
        clock=ClockState.SYNCHRONISED,
        period_ms=PERIOD_MS,
        energy_begin=Register(time_ms=ticks[0], energy_mwh=register_mwh(ticks[0])),
        energy_end=Register(time_ms=ticks[-1], energy_mwh=register_mwh(ticks[-1])),
        line_names=(),
        utc_ms=ticks,
        mono_ms=tuple(tick - MIDNIGHT_MS + DAY for tick in ticks),
        power=Readings(values=tuple(power_w(at) * 1_000 for at in ticks)),
        lines=None,
    )


Change = Callable[[int, FrameContent], FrameContent | None]
"""What becomes of frame number n of a stream; None: it is never written."""


def stream(gateway: Gateway = ALPHA, change: Change = lambda _, content: content, name: str = "first") -> list[bytes]:
    """A gateway's frames from a quarter of an hour before the period asked for to three after it."""
    chain = Stream(gateway=gateway, name=name)
    plan: list[FrameContent] = [replace(gateway.genesis(), created_ms=begin_ms(1) - 1)]
    plan += [hour(gateway, begin_ms(number)) for number in range(1, FRAMES)]
    for number, content in enumerate(plan):
        if (changed := change(number, content)) is not None:
            chain.add(changed)
    return chain.frames


def lab(change: Change = lambda _, content: content, **more: Any) -> Lab:  # noqa: ANN401 - fields by name
    return Lab(streams=[stream(change=change)], **more)


def with_gap(number: int, content: FrameContent) -> FrameContent | None:
    """Two hours in which the meter did not answer, and the record that says so."""
    if number in (12, 13):
        return None if number == 13 else ALPHA.outage(begin_ms(12) - PERIOD_MS, begin_ms(14))
    return content


@cache
def place(raw: bytes) -> tuple[StreamId, int]:
    envelope = seal.open_frame(raw).envelope
    return envelope.stream_id, envelope.seq


@cache
def content_of(raw: bytes) -> FrameContent:
    return codec.decode(seal.open_frame(raw).payload)


def checked(made: Lab, pack: bytes | None = None, now_ms: int = NOW_MS) -> Report:
    return verify(made.pack() if pack is None else pack, made.trust(), now_ms)


def names(report: Report) -> set[str]:
    return {kind.name for kind in report.findings.kinds()}


def measured(number: int, edit: Callable[[Measurement], FrameContent], *, on: bool = False) -> Change:
    """A change of one frame, or of all measurements from it on."""

    def change(at: int, content: FrameContent) -> FrameContent:
        chosen = at >= number if on else at == number
        return edit(content) if chosen and isinstance(content, Measurement) else content

    return change
