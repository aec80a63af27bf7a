"""One statement from what it rests on. The service and the offline verifier call the same function.

Does not: fetch anything. Whoever calls brings frames and records, and may bring more than a day needs.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, tzinfo
from typing import Any

from contract.frame import MAX_TIME_MS, Meter
from contract.ids import StreamId
from contract.registry import Binding, Instrument, PolicyVersion, Role
from contract.states import Assurance
from contract.usage import Session
from metering.core import statement
from metering.core.evidence import Evidence, Link, assemble, earning, with_meters
from metering.core.pipeline import Measured, measure, window
from metering.core.policy import Policy, Profile, parse_policy
from metering.core.spans import Span, Spans, clip, union
from metering.core.tally import Tally, tally

NO_HASH = bytes(32)
"""The policy hash of a statement where no policy was in force."""
_NO_POLICY = Policy(profile=Profile.POWER, bridge_ms=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One policy version's share of one local day; `policy` is None where none was in force."""

    day: date
    period: Span
    policy: PolicyVersion | None

    @property
    def rules(self) -> Policy:
        """The policy read.

        Raises:
            ConfigError: it cannot be used.
        """
        return _NO_POLICY if self.policy is None else parse_policy(self.policy.rules)

    @property
    def within(self) -> Span:
        """What must be measured so that the bounds of the part hold at its edges too."""
        return window(self.rules, self.period)


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """What the registry says of one instrument.

    Attributes:
        bindings: by their beginning; sessions: in any order. Both may reach beyond the part that is judged.
        cut: streams under whose (stream, seq) two authentic frames are known, and the lowest such seq.
        simulation: whether frames whose clock is simulated earn verified hours.
    """

    instrument: Instrument
    bindings: tuple[Binding, ...]
    sessions: tuple[Session, ...]
    cut: Mapping[StreamId, int]
    simulation: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A part, what it rests on, what was measured, and its statement.

    Attributes:
        counted: the evidence that earns hours at the level asked for.
        simulation: as the registry says.
    """

    part: Part
    evidence: Evidence
    counted: Evidence
    measured: Measured
    tally: Tally
    document: dict[str, Any]
    simulation: bool


def parts(policies: Sequence[PolicyVersion], zone: tzinfo, asked: Span) -> Iterator[Part]:
    """Cut the local days that a period touches at the changes of policy; what no policy covers is a part too.

    Args:
        policies: of one instrument, by their beginning, no two in force at once.
        zone: of the managing unit.
        asked: UTC ms; the parts make up whole local days.
    """
    day = datetime.fromtimestamp(asked[0] / 1000, zone).date()
    while _midnight(day, zone) < asked[1]:
        edge, end = _midnight(day, zone), _midnight(day + timedelta(days=1), zone)
        # A day that a zone left out (Samoa, 2011-12-30) is empty.
        for policy in policies if edge < end else ():
            inside = clip(((policy.valid_from_ms, policy.valid_to_ms or end),), (edge, end))
            for from_ms, to_ms in inside:
                if edge < from_ms:
                    yield Part(day=day, period=(edge, from_ms), policy=None)
                yield Part(day=day, period=(from_ms, to_ms), policy=policy)
                edge = to_ms
        if edge < end:
            yield Part(day=day, period=(edge, end), policy=None)
        day += timedelta(days=1)


def _midnight(day: date, zone: tzinfo) -> int:
    return round(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp() * 1000)


def judge(
    part: Part, records: Records, level: Assurance, frames: Iterable[bytes | Link], *, provisional: bool
) -> Judged:
    """Measure one part and state its hours. Without a policy in force nothing can be judged, and no frame is read.

    Args:
        part: of `parts`.
        records: what else it rests on.
        level: TELEMETRY counts every frame; SIGNED those that earn verified hours.
        frames: exactly those of the instrument that speak of a moment in `part.within`, in any order.
        provisional: whether evidence does not reach past that yet.

    Raises:
        ConfigError: the policy cannot be used.
    """
    policy, within = part.rules, part.within
    sessions = [one for one in records.sessions if one.start_ms < within[1] and one.end_ms > within[0]]
    bindings = [_until(one, within[1]) for one in records.bindings if one.valid_from_ms < within[1]]
    evidence = assemble(() if part.policy is None else frames, records.cut)
    own = _own_meters(bindings)
    counted = with_meters(earning(evidence, level, simulation=records.simulation), own)
    measured = measure(counted, policy, sessions, within, clip(union(*own.values()), within))
    basis = statement.Basis(
        instrument=records.instrument.instrument,
        day=part.day.isoformat(),
        zone=records.instrument.time_zone,
        policy="" if part.policy is None else f"{part.policy.policy_id}@{part.policy.version}",
        policy_hash=NO_HASH if part.policy is None else part.policy.content_hash,
        evidence_digest=evidence.digest,
        registry_digest=statement.registry_digest(
            sessions, bindings, dict(evidence.cut), simulation=records.simulation
        ),
        level=level,
        provisional=provisional,
    )
    added = tally(measured, part.period)
    return Judged(
        part=part,
        evidence=evidence,
        counted=counted,
        measured=measured,
        tally=added,
        document=statement.document(basis, added),
        simulation=records.simulation,
    )


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
