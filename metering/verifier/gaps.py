"""Step V06: every stretch of the period of which nothing is known, and why as far as the evidence shows.

Does not: decide what is unknown (the core did).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from contract.frame import Measurement, Outage, span_ms
from contract.registry import Role
from contract.states import ClockState, OutageCause, Source, State
from metering.core.daily import Judged, Records
from metering.core.evidence import Link
from metering.core.spans import Span, clip
from metering.core.timeline import spans_of

REASONS = {
    "no-policy": ("无策略", "no policy in force"),
    "no-binding": ("无电表绑定", "no meter of its own bound"),
    "equivocation": ("分叉", "equivocation"),
    **{f"outage-{cause.name.lower().replace('_', '-')}": words for cause, words in {
        OutageCause.UNKNOWN: ("中断，原因不明", "outage, cause unknown"),
        OutageCause.PROCESS: ("网关程序停止", "the gateway's process was down"),
        OutageCause.BOOT: ("网关停机", "the gateway's computer was off"),
        OutageCause.METER_LINK: ("电表无应答", "the meter did not answer"),
        OutageCause.DISK_FULL: ("磁盘已满", "the gateway's disk was full"),
        OutageCause.CLOCK_STEP: ("时钟跳变", "the clock stepped"),
    }.items()},
    "clock": ("时钟不可信", "the clock was not synchronised"),
    "imported": ("外来记录，非核验", "imported, not verified"),
    "other-meter": ("非独用电表", "not a meter of its own"),
    "missing-frames": ("缺帧", "frames are missing"),
    "silence": ("无记录", "nothing was recorded"),
}  # fmt: skip
"""Why, in Chinese and English."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """[from_ms, to_ms) of which nothing is known."""

    from_ms: int
    to_ms: int
    reason: str


def gaps(judged: Judged, records: Records, asked: Span) -> Iterator[Gap]:
    """The gaps of a part of a day within the period asked for, by their beginning."""
    unknown = spans_of(judged.measured.states, State.UNKNOWN)
    for whole in clip(unknown, judged.part.period):
        for from_ms, to_ms in clip((whole,), asked):
            yield Gap(from_ms=from_ms, to_ms=to_ms, reason=_reason(judged, records, whole))


def joined(found: Iterable[Gap]) -> tuple[Gap, ...]:
    """Gaps that go on over midnight for one reason are one."""
    result: list[Gap] = []
    for gap in found:
        if result and result[-1].to_ms == gap.from_ms and result[-1].reason == gap.reason:
            result[-1] = Gap(from_ms=result[-1].from_ms, to_ms=gap.to_ms, reason=gap.reason)
        else:
            result.append(gap)
    return tuple(result)


def _reason(judged: Judged, records: Records, gap: Span) -> str:
    if judged.part.policy is None:
        return "no-policy"
    own = [(one.valid_from_ms, gap[1] if one.valid_to_ms is None else one.valid_to_ms)
           for one in records.bindings if one.role is Role.SOLE]  # fmt: skip
    if not any(clip((each,), gap) for each in own if each[0] < each[1]):
        return "no-binding"
    told = [link.content for link in judged.evidence.links if isinstance(link.content, Outage)]
    blind = [(overlap, one.cause) for one in told if (overlap := _overlap((one.from_ms, one.to_ms), gap)) > 0]
    if blind:
        return f"outage-{max(blind)[1].name.lower().replace('_', '-')}"
    counted = {link.frame_hash for link in judged.counted.links}
    left_out = [link for link in judged.evidence.links if link.frame_hash not in counted and _speaks_in(link, gap)]
    if left_out:
        return _why_left_out(left_out[0])
    if judged.evidence.cut:
        return "equivocation"
    return "missing-frames" if _has_hole(judged, gap) else "silence"


def _why_left_out(link: Link) -> str:
    content = link.content
    if content.clock in {ClockState.UNSYNCHRONISED, ClockState.STEPPED}:
        return "clock"
    return "imported" if isinstance(content, Measurement) and content.source is Source.IMPORTED else "other-meter"


def _has_hole(judged: Judged, gap: Span) -> bool:
    """Whether the frames on either side of a gap are of one stream and not neighbours."""
    links = [link for link in judged.counted.links if isinstance(link.content, Measurement)]
    before = max((link for link in links if span_ms(link.content)[1] <= gap[0]), key=_end_ms, default=None)
    after = min((link for link in links if span_ms(link.content)[0] >= gap[1]), key=_begin_ms, default=None)
    if before is None or after is None or before.stream_id != after.stream_id:
        return False
    return after.seq > before.seq + 1


def _begin_ms(link: Link) -> int:
    return span_ms(link.content)[0]


def _end_ms(link: Link) -> int:
    return span_ms(link.content)[1]


def _speaks_in(link: Link, gap: Span) -> bool:
    begin, end = span_ms(link.content)
    return begin < gap[1] and end >= gap[0]


def _overlap(span: Span, gap: Span) -> int:
    return min(span[1], gap[1]) - max(span[0], gap[0])
