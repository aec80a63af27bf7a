"""Step V06: every stretch of the period of which nothing is known, and why, in words for people.

Does not: decide what is unknown, or why (the core does).
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from contract.states import OutageCause
from metering.core import gaps as core
from metering.core.daily import Judged
from metering.core.gaps import Gap
from metering.core.reasons import Why
from metering.core.spans import Span, clip

REASONS: Final[Mapping[Why, tuple[str, str]]] = {
    Why.NO_POLICY: ("无策略", "no policy in force"),
    Why.METER_NOT_BOUND: ("无独用电表绑定", "no meter of its own bound"),
    Why.OTHER_METER: ("非独用电表", "not a meter of its own"),
    Why.CLOCK_NOT_GOOD_ENOUGH: ("时钟不可信", "the clock was not synchronised"),
    Why.SIMULATED_CLOCK: ("仿真时钟", "a simulated clock"),
    Why.IMPORTED_READINGS: ("外来记录，非核验", "imported, not verified"),
    Why.EQUIVOCATED: ("分叉", "equivocation"),
    Why.OUTAGE: ("中断", "outage"),
    Why.READINGS_ABSENT: ("无读数", "readings absent"),
    Why.HOLE_IN_SEQUENCE: ("缺帧", "frames are missing"),
    Why.CONTINUITY_BROKEN: ("换流、换时钟或重启", "another stream, clock or boot"),
    Why.SILENCE: ("无记录", "nothing was recorded"),
    Why.NOTHING_RECEIVED: ("一侧全无记录", "no record on one side"),
}
"""Why nothing is known, in Chinese and English."""
CAUSES: Final[Mapping[OutageCause, tuple[str, str]]] = {
    OutageCause.UNKNOWN: ("原因不明", "cause unknown"),
    OutageCause.PROCESS: ("网关程序停止", "gateway's process down"),
    OutageCause.BOOT: ("网关停机", "gateway's computer off"),
    OutageCause.METER_LINK: ("电表无应答", "the meter did not answer"),
    OutageCause.DISK_FULL: ("磁盘已满", "gateway's disk full"),
    OutageCause.CLOCK_STEP: ("时钟跳变", "the clock stepped"),
}


def gaps(judged: Judged, asked: Span) -> Iterator[Gap]:
    """The gaps of a part of a day within the period asked for, by their beginning."""
    if not judged.tally.unknown_ms:
        return
    for within in clip((judged.part.period,), asked):
        for gap in core.gaps(judged):
            for from_ms, to_ms in clip(((gap.from_ms, gap.to_ms),), within):
                yield gap._replace(from_ms=from_ms, to_ms=to_ms)


def joined(found: Iterable[Gap]) -> tuple[Gap, ...]:
    """Gaps that go on over midnight for one reason are one."""
    result: list[Gap] = []
    for gap in found:
        before = result[-1] if result else None
        if before and (before.to_ms, before.why, before.facts) == (gap.from_ms, gap.why, gap.facts):
            result[-1] = before._replace(to_ms=gap.to_ms)
        else:
            result.append(gap)
    return tuple(result)


def words(gap: Gap) -> tuple[str, str]:
    """Why, in Chinese and English."""
    zh, en = REASONS[gap.why]
    if gap.why is not Why.OUTAGE:
        return zh, en
    cause_zh, cause_en = CAUSES[OutageCause(gap.facts["outage_cause"])]
    return f"{zh}：{cause_zh}", f"{en}: {cause_en}"
