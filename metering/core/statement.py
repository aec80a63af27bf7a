"""A statement: the hours of one instrument on one local day under one policy version, as data with a digest.

The document holds integers and text only, so that its digest is the same wherever it is computed again.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass
from typing import Any

import cbor2

from contract.ids import InstrumentId, StreamId
from contract.registry import Binding
from contract.states import Assurance, State
from contract.usage import Session
from metering.core.pipeline import RULES_VERSION
from metering.core.spans import Span
from metering.core.tally import Tally


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """What a statement rests on.

    Attributes:
        day: ISO date of the local day; `zone` is the unit's time zone by name.
        policy: id and version of the policy, `id@version`; empty where none was in force, and nothing is credited.
        policy_hash: content hash of its rules; 32 zero bytes where none was in force.
        evidence_digest: names the frames of the window of the period.
        registry_digest: names what else was judged by: sessions, bindings, distrusted streams (`registry_digest`).
        provisional: evidence does not yet reach far enough past the period.
    """

    instrument: InstrumentId
    day: str
    zone: str
    policy: str
    policy_hash: bytes
    evidence_digest: bytes
    registry_digest: bytes
    level: Assurance
    provisional: bool


def document(basis: Basis, tally: Tally) -> dict[str, Any]:
    """The statement as it is stored, shown and hashed."""
    return {
        "instrument": basis.instrument,
        "day": basis.day,
        "zone": basis.zone,
        "period_ms": list(tally.period),
        "policy": basis.policy,
        "policy_hash": basis.policy_hash.hex(),
        "evidence_digest": basis.evidence_digest.hex(),
        "registry_digest": basis.registry_digest.hex(),
        "rules_version": RULES_VERSION,
        "level": int(basis.level),
        "provisional": basis.provisional,
        "states_ms": {state.name: duration for state, duration in sorted(tally.states_ms.items())},
        "run_ms": tally.run_ms,
        "bridge_ms": tally.bridge_ms,
        "prep_ms": tally.prep_ms,
        "post_ms": tally.post_ms,
        "effective_ms": tally.effective_ms,
        "effective_low_ms": tally.effective.low_ms,
        "effective_high_ms": tally.effective.high_ms,
        "external_ms": {f"A{level:d}": [b.low_ms, b.high_ms] for level, b in sorted(tally.external.items())},
        "contradicted_ms": tally.contradicted_ms,
        "bridged_runs": tally.bridged_runs,
        "intervals_ms": [list(span) for span in tally.intervals],
    }


def registry_digest(
    sessions: Iterable[Session], bindings: Iterable[Binding], cut: Mapping[StreamId, int], *, simulation: bool
) -> bytes:
    """SHA-256 over what a statement rests on beside frames and policy.

    Records are only added, and closed once, so that a statement never comes back after another took its place.
    """
    parts = [
        sorted(list(astuple(session)) for session in sessions),
        [list(astuple(binding)) for binding in bindings],
        [[stream, seq] for stream, seq in sorted(cut.items())],
        simulation,
    ]
    return hashlib.sha256(cbor2.dumps(parts, canonical=True)).digest()


def digest(document: Mapping[str, Any]) -> bytes:
    """SHA-256 over the deterministic CBOR of a document."""
    return hashlib.sha256(cbor2.dumps(document, canonical=True)).digest()


def total(tallies: Iterable[Tally], period: Span) -> dict[str, Any]:
    """Sums over the parts of a period; what no part covers is UNKNOWN, and may be credited for high."""
    parts = list(tallies)
    length = period[1] - period[0]
    missing = length - sum(part.period[1] - part.period[0] for part in parts)
    states = {state.name: sum(part.states_ms[state] for part in parts) for state in State}
    states[State.UNKNOWN.name] += missing
    levels = sorted({level for part in parts for level in part.external})
    return {
        "period_ms": list(period),
        "states_ms": states,
        "run_ms": sum(part.run_ms for part in parts),
        "bridge_ms": sum(part.bridge_ms for part in parts),
        "prep_ms": sum(part.prep_ms for part in parts),
        "post_ms": sum(part.post_ms for part in parts),
        "effective_ms": sum(part.effective_ms for part in parts),
        "effective_low_ms": sum(part.effective.low_ms for part in parts),
        "effective_high_ms": missing + sum(part.effective.high_ms for part in parts),
        "external_ms": {
            f"A{level:d}": [
                sum(part.external[level].low_ms for part in parts),
                missing + sum(part.external[level].high_ms for part in parts),
            ]
            for level in levels
        },
        "coverage": 1 - states[State.UNKNOWN.name] / length,
        "edges": sum(part.edges for part in parts),
        "contradicted_ms": sum(part.contradicted_ms for part in parts),
        "bridged_runs": sum(part.bridged_runs for part in parts),
    }
