"""Records as they go out: integers become watts, hours and RFC 3339 here, and nowhere before."""

from collections.abc import Iterable, Mapping
from typing import Any, Final
from zoneinfo import ZoneInfo

from api import wire
from api.live import Card
from api.totals import Total
from contract.registry import Instrument
from contract.states import Assurance
from contract.units import MS_PER_HOUR, hours, utc_text
from metering.core.reasons import Stretch
from metering.core.spans import Span
from metering.core.timeline import Timeline
from metering.views import words
from metering.views.trace import Trace
from metering.views.words import Lang
from storage.frames import Entry
from storage.live import StreamCustody, Totals
from storage.projection import KINDS
from storage.statements import Statement

_KIND_NAMES: Final = {number: kind.__name__.lower() for kind, number in KINDS.items()}
_LATE_MS: Final = 72 * MS_PER_HOUR
"""Evidence that was heard later than this after what it speaks of. Source: domain.md 5."""
_SAME: Final = ("run_ms", "bridge_ms", "prep_ms", "post_ms", "states_ms", "contradicted_ms")
_EFFECTIVE: Final = ("effective", "effective_low", "effective_high")


def window(period: Span) -> dict[str, Any]:
    """The two ends, for any model that is a `Window`."""
    return {"from_": utc_text(period[0]), "to": utc_text(period[1])}


def instrument(card: Card) -> wire.InstrumentOut:
    """A place on the board."""
    one, live = card.instrument, card.live
    return wire.InstrumentOut(
        id=one.instrument,
        unit=one.unit,
        name_zh=one.name_zh,
        name_en=one.name_en,
        instrument_class=one.instrument_class,
        time_zone=one.time_zone,
        live=wire.LiveOut(
            state=live.state.name,
            doubt=live.doubt,
            power_w=_thousandth(live.power_mw),
            taken_at=_time(live.taken_at_ms),
            received_at=_time(live.received_at_ms),
            age_s=_thousandth(live.age_ms),
            fresh_s=_thousandth(live.fresh_ms),
            clock=None if live.clock is None else live.clock.name,
            stream=None if live.stream_id is None else live.stream_id.hex(),
            seq=live.seq,
        ),
    )


def statement(one: Statement) -> wire.StatementOut:
    """A stored statement."""
    return wire.StatementOut(
        **window((one.period_from_ms, one.period_to_ms)),
        **_amounts(one.document),
        day=one.day.isoformat(),
        level=one.level,
        provisional=one.provisional,
        policy=one.document["policy"],
        policy_hash=one.policy_hash.hex(),
        evidence_digest=one.evidence_digest.hex(),
        digest=one.digest.hex(),
        supersedes=None if one.supersedes is None else one.supersedes.hex(),
        rules_version=one.rules_version,
        code_version=one.code_version,
        decided_at=utc_text(one.decided_at_ms),
    )


def total(of: Instrument, level: Assurance, asked: Span, one: Total) -> wire.HoursOut:
    """A sum of statements."""
    sums = {name: getattr(one, name) for name in (*_SAME, *(f"{name}_ms" for name in _EFFECTIVE), "external_ms")}
    return wire.HoursOut(
        **window(one.period),
        **_amounts(sums),
        instrument=of.instrument,
        level=level,
        asked=wire.Window(**window(asked)),
        coverage=one.coverage,
        statements=one.statements,
        provisional=one.provisional,
        unstated_h=hours(one.unstated_ms),
        unstated_ms=one.unstated_ms,
    )


def intervals(standing: Iterable[Statement], period: Span) -> list[wire.IntervalOut]:
    """Credited time that overlaps a period."""
    return [
        wire.IntervalOut(
            **window((from_ms, to_ms)),
            kind="effective",
            duration_h=hours(to_ms - from_ms),
            duration_ms=to_ms - from_ms,
            statement=one.digest.hex(),
        )
        for one in standing
        for from_ms, to_ms in one.document["intervals_ms"]
        if from_ms < period[1] and to_ms > period[0]
    ]


def states(timeline: Timeline) -> list[wire.StateOut]:
    """A ribbon."""
    return [
        wire.StateOut(**window((from_ms, to_ms)), state=state.name, duration_ms=to_ms - from_ms)
        for from_ms, to_ms, state in timeline
    ]


def stretch(of: Instrument, one: Stretch) -> wire.StretchOut:
    """A stretch of an explanation, in codes and in words."""
    zone = ZoneInfo(of.time_zone)
    return wire.StretchOut(
        **window((one.from_ms, one.to_ms)),
        state=one.state.name,
        credited=one.credited,
        kind=one.kind,
        why=one.why,
        duration_ms=one.duration_ms,
        low_ms=one.low_ms,
        high_ms=one.high_ms,
        facts=dict(one.facts),
        lines=list(one.lines),
        would_change=[wire.ChangeOut(what=each.what, facts=dict(each.facts)) for each in one.would_change],
        text_zh=words.tell(one, zone, Lang.ZH).text,
        text_en=words.tell(one, zone, Lang.EN).text,
    )


def power(of: Instrument, level: Assurance, period: Span, trace: Trace) -> wire.PowerOut:
    """Power, with a null at each gap."""
    columns: dict[str, list[Any]] = {"taken_at": [], "low_w": [], "high_w": []}
    before = None
    for at_ms, low_mw, high_mw, segment in zip(trace.time_ms, trace.low_mw, trace.high_mw, trace.segment, strict=True):
        if before not in {None, segment}:
            for column in columns.values():
                column.append(None)
        before = segment
        for column, value in zip(columns.values(), (utc_text(at_ms), low_mw / 1000, high_mw / 1000), strict=True):
            column.append(value)
    return wire.PowerOut(
        **window(period),
        instrument=of.instrument,
        level=level,
        taken_at=columns["taken_at"],
        low_w=columns["low_w"],
        high_w=columns["high_w"],
    )


def frame(one: Entry, *, simulation: bool) -> wire.FrameOut:
    """A stored frame."""
    return wire.FrameOut(
        **window((one.begin_ms, one.end_ms)),
        stream=one.stream_id.hex(),
        seq=one.seq,
        hash=one.frame_hash.hex(),
        kind=_KIND_NAMES[one.kind],
        received_at=utc_text(one.received_at_ms),
        late=None if simulation else one.received_at_ms - one.end_ms > _LATE_MS,
        size_bytes=one.size_bytes,
    )


def custody(one: StreamCustody, now_ms: int) -> wire.CustodyOut:
    """How far a stream is in custody."""
    heard_ms = one.newest_received_at_ms
    return wire.CustodyOut(
        stream=one.stream_id.hex(),
        gateway=one.gateway,
        instrument=one.instrument,
        unit=one.unit,
        upto=one.upto,
        held=[(int(str(first)), int(str(last))) for first, last, *_ in one.held],
        newest_seq=one.newest_seq,
        newest_end_at=_time(one.newest_end_ms),
        newest_received_at=_time(heard_ms),
        lag_s=None if heard_ms is None else (now_ms - heard_ms) / 1000,
    )


def counters(one: Totals) -> wire.CountersOut:
    """What was taken in."""
    return wire.CountersOut(
        received=one.received,
        stored=one.stored,
        duplicate=one.duplicate,
        quarantined=one.quarantined,
        balanced=one.balanced,
    )


def _amounts(sums: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of `AmountsOut`, of a statement's document or of a sum of them."""
    found: dict[str, Any] = {name: sums[name] for name in _SAME}
    for name in _EFFECTIVE:
        found |= {f"{name}_ms": sums[f"{name}_ms"], f"{name}_h": hours(sums[f"{name}_ms"])}
    found["external"] = {level: _bounds(*ends) for level, ends in sums["external_ms"].items()}
    return found


def _bounds(low_ms: int, high_ms: int) -> wire.BoundsOut:
    return wire.BoundsOut(low_h=hours(low_ms), high_h=hours(high_ms), low_ms=low_ms, high_ms=high_ms)


def _time(at_ms: int | None) -> str | None:
    return None if at_ms is None else utc_text(at_ms)


def _thousandth(value: int | None) -> float | None:
    return None if value is None else value / 1000
