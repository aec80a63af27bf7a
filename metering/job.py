"""The shell round the core: asks storage for evidence, has the core measure, appends statements.

One statement is one instrument, one local day, one policy version, one assurance level. Its hours are computed from
the frames of that day's window and from what the registry says, whoever asks and whenever; whether it is provisional
depends on what came after.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from importlib.metadata import version
from typing import Any
from zoneinfo import ZoneInfo

from contract import clock
from contract.frame import MAX_TIME_MS, Meter
from contract.registry import Binding, Role
from contract.states import Assurance, ClockState
from metering.core import statement
from metering.core.evidence import Evidence, assemble, with_clocks, with_meters
from metering.core.pipeline import RULES_VERSION, Measured, measure, window
from metering.core.policy import Policy, Profile, parse_policy
from metering.core.spans import Span, Spans, clip, union
from metering.core.tally import tally
from storage import frames, registry, statements
from storage.pool import Connection
from storage.records import Instrument
from storage.records import Policy as StoredPolicy

_NO_POLICY = Policy(profile=Profile.POWER, bridge_ms=0)
_NO_HASH = bytes(32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One policy version's share of one local day."""

    day: date
    zone: str
    period: Span
    policy: StoredPolicy | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """The hours of one instrument over the period asked for.

    Attributes:
        total: as `statement.total`, over exactly the period asked for.
        days: the statement documents of the local days it touches, whole days.
        appended: how many of them were new.
        unread: frames that could not be read, with their reason; they earn nothing.
    """

    instrument: Instrument
    total: dict[str, Any]
    days: list[dict[str, Any]]
    appended: int
    unread: tuple[str, ...]


def run(connection: Connection, instrument: Instrument, asked: Span, level: Assurance = Assurance.SIGNED) -> Hours:
    """Measure an instrument over a period and append the statements of the local days it touches.

    Args:
        connection: to the store; statements are durable when this returns.
        instrument: as the registry names it.
        asked: UTC ms; the total is cut to it, the statements are whole days.
        level: TELEMETRY counts every frame; SIGNED those that earn verified hours.

    Raises:
        StorageError: the store failed.
        ConfigError: a policy in force cannot be read.
    """
    judged = [_judge(connection, instrument, part, level) for part in parts(connection, instrument, asked)]
    cuts = (clip((one.part.period,), asked) for one in judged)
    return Hours(
        instrument=instrument,
        total=statement.total(
            [tally(one.measured, cut) for one, cuts in zip(judged, cuts, strict=True) for cut in cuts], asked
        ),
        days=[one.document for one in judged],
        appended=sum(_append(connection, instrument, one, level) for one in judged),
        unread=tuple(reason for one in judged for reason in one.evidence.refused),
    )


def parts(connection: Connection, instrument: Instrument, asked: Span) -> Iterator[Part]:
    """Cut the local days that a period touches at the changes of policy; what no policy covers is a part too."""
    zone = ZoneInfo(instrument.time_zone)
    day = datetime.fromtimestamp(asked[0] / 1000, zone).date()
    while _midnight(day, zone) < asked[1]:
        whole = (_midnight(day, zone), _midnight(day + timedelta(days=1), zone))
        edge = whole[0]
        # A day that a zone left out (Samoa, 2011-12-30) is empty.
        for policy in registry.policies(connection, instrument.instrument, *whole) if edge < whole[1] else ():
            begin = max(policy.valid_from_ms, edge)
            end = min(whole[1], policy.valid_to_ms or whole[1])
            if edge < begin:
                yield Part(day=day, zone=instrument.time_zone, period=(edge, begin), policy=None)
            yield Part(day=day, zone=instrument.time_zone, period=(begin, end), policy=policy)
            edge = end
        if edge < whole[1]:
            yield Part(day=day, zone=instrument.time_zone, period=(edge, whole[1]), policy=None)
        day += timedelta(days=1)


def _midnight(day: date, zone: ZoneInfo) -> int:
    return round(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp() * 1000)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judged:
    """A part, what it rests on, and its statement."""

    part: Part
    evidence: Evidence
    measured: Measured
    document: dict[str, Any]


def _judge(connection: Connection, instrument: Instrument, part: Part, level: Assurance) -> _Judged:
    """One statement. Without a policy in force nothing can be judged, so no frame is read."""
    policy = _NO_POLICY if part.policy is None else parse_policy(part.policy.rules)
    within = window(policy, part.period)
    name = instrument.instrument
    cut = frames.equivocated(connection, name)
    evidence = assemble(() if part.policy is None else frames.read(connection, name, *within), cut)
    bindings = [_until(one, within[1]) for one in registry.bindings(connection, name) if one.valid_from_ms < within[1]]
    sessions = registry.sessions(connection, name, *within)
    simulation = registry.snapshot(connection).simulation
    own = _own_meters(bindings)
    counted = with_meters(with_clocks(evidence, _clocks(level, simulation=simulation)), own)
    measured = measure(counted, policy, sessions, within, clip(union(*own.values()), within))
    basis = statement.Basis(
        instrument=name,
        day=part.day.isoformat(),
        zone=part.zone,
        policy="" if part.policy is None else f"{part.policy.policy_id}@{part.policy.version}",
        policy_hash=_NO_HASH if part.policy is None else part.policy.content_hash,
        evidence_digest=evidence.digest,
        registry_digest=statement.registry_digest(sessions, bindings, dict(evidence.cut), simulation=simulation),
        level=level,
        provisional=frames.reach(connection).get(name, 0) < within[1],
    )
    document = statement.document(basis, tally(measured, part.period))
    return _Judged(part=part, evidence=evidence, measured=measured, document=document)


def _clocks(level: Assurance, *, simulation: bool) -> set[ClockState]:
    """Whose time is good enough. Source: domain.md 5; design.md 7 for simulations."""
    if level < Assurance.SIGNED:
        return set(ClockState)
    return {ClockState.SYNCHRONISED, *([ClockState.SIMULATED] if simulation else [])}


def _until(binding: Binding, end_ms: int) -> Binding:
    """A binding as it was known by the end of a window: what ended it later does not concern it."""
    ended = binding.valid_to_ms is not None and binding.valid_to_ms < end_ms
    return binding if ended else replace(binding, valid_to_ms=None)


def _own_meters(bindings: Iterable[Binding]) -> dict[Meter, Spans]:
    """The meters of the instrument's own, and when: a shared or auxiliary one only corroborates."""
    own: dict[Meter, Spans] = {}
    for one in bindings:
        if one.role is Role.SOLE:
            meter = Meter(
                model=one.meter_model,
                serial=one.meter_serial,
                ct_primary_a=one.ct_primary_a,
                ct_secondary_a=one.ct_secondary_a,
            )
            end_ms = MAX_TIME_MS + 1 if one.valid_to_ms is None else one.valid_to_ms
            own[meter] = union(own.get(meter, ()), [(one.valid_from_ms, end_ms)])
    return own


def _append(connection: Connection, instrument: Instrument, judged: _Judged, level: Assurance) -> bool:
    """Append a statement unless it stands already; one that says otherwise is superseded, never edited."""
    part, document = judged.part, judged.document
    digest = statement.digest(document)
    standing = [
        found.digest
        for found in statements.read(connection, instrument.instrument, *part.period)
        if found.level == level
    ]
    if digest in standing:
        return False
    record = statements.Statement(
        instrument=instrument.instrument,
        day=part.day,
        period_from_ms=part.period[0],
        period_to_ms=part.period[1],
        policy_hash=_NO_HASH if part.policy is None else part.policy.content_hash,
        evidence_digest=judged.evidence.digest,
        rules_version=str(RULES_VERSION),
        code_version=version("jishi"),
        provisional=document["provisional"],
        level=level,
        document=document,
        digest=digest,
        supersedes=standing[0] if standing else None,
        decided_at_ms=clock.utc_ms(),
    )
    credited = [
        statements.Interval(from_ms=from_ms, to_ms=to_ms, kind="effective", level=level)
        for from_ms, to_ms in document["intervals_ms"]
    ]
    return statements.append(connection, record, credited)
