"""The register of trust: what an evaluator has from the registry and not from the laboratory (`--keys`).

Which key speaks for which gateway, which meter serves which instrument, which rules were approved by whom and when,
and whether all of it is a simulation. What a pack says of these must be the same; sessions and what else it says have
no anchor yet (ADR 0009).
"""

import json
from collections import Counter
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

from contract.errors import ConfigError
from contract.registry import Binding, GatewayKey, Instrument, PolicyVersion, Role
from metering.core.spans import Span
from metering.verifier import rows
from metering.verifier.findings import Findings, shown
from metering.verifier.form import Registered

FORMAT: Final = "jishi-keys"
VERSION: Final = 1
_FIELDS: Final = {"format", "version", "simulation", "instruments", "keys", "bindings", "policies"}
_Valid = TypeVar("_Valid", GatewayKey, Binding, PolicyVersion)


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """A register of trust; policies carry the hash of their rules, not the rules."""

    simulation: bool
    instruments: tuple[Instrument, ...]
    keys: tuple[GatewayKey, ...]
    bindings: tuple[Binding, ...]
    policies: tuple[PolicyVersion, ...]


def dumps(anchor: Anchor) -> bytes:
    """A register of trust as its file: JSON for people to read and sign."""
    content = {
        "format": FORMAT,
        "version": VERSION,
        "simulation": anchor.simulation,
        "instruments": [rows.row(one) for one in anchor.instruments],
        "keys": [rows.row(one) for one in anchor.keys],
        "bindings": [rows.row(one) for one in anchor.bindings],
        "policies": [rows.row(one, without=("rules",)) for one in anchor.policies],
    }
    return json.dumps(content, ensure_ascii=False, indent=1).encode("utf-8") + b"\n"


def loads(raw: bytes) -> Anchor:
    """A register of trust from its file.

    Raises:
        ConfigError: it is none; says what was expected.
    """
    try:
        return _anchor(json.loads(raw, object_pairs_hook=_table))
    except (ValueError, RecursionError) as error:
        raise ConfigError("the register of trust cannot be used", [f"--keys: {shown(str(error))}"]) from error


def _table(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        raise ValueError("a name stands twice in one table")
    return table


def _anchor(value: Any) -> Anchor:  # noqa: ANN401 - JSON is whatever it is
    if not isinstance(value, dict) or value.keys() != _FIELDS or value["format"] != FORMAT:
        raise ValueError(f"exactly {', '.join(sorted(_FIELDS))} were expected, format {FORMAT}")
    if type(value["version"]) is not int or value["version"] != VERSION or type(value["simulation"]) is not bool:
        raise ValueError(f"version {VERSION}, and simulation true or false, were expected")
    read = Anchor(
        simulation=value["simulation"],
        instruments=rows.records(Instrument, value["instruments"]),
        keys=rows.records(GatewayKey, value["keys"]),
        bindings=rows.records(Binding, value["bindings"]),
        policies=rows.records(PolicyVersion, value["policies"], rules={}),
    )
    ids: dict[str, list[Hashable]] = {
        "instruments": [one.instrument for one in read.instruments],
        "keys": [one.kid for one in read.keys],
        "bindings": list(read.bindings),
        "policies": [(one.instrument, one.policy_id, one.version) for one in read.policies],
    }
    for name, each in ids.items():
        if len(set(each)) != len(each):
            raise ValueError(f"{name}: one stands twice")
    return read


def known_by(records: Iterable[_Valid], end_ms: int) -> tuple[_Valid, ...]:
    """Records as they were known by a moment: later ones left out, and ends that were still to come."""
    return open_at((one for one in records if one.valid_from_ms < end_ms), end_ms)


def open_at(records: Iterable[_Valid], end_ms: int) -> tuple[_Valid, ...]:
    """Records without the ends that were still to come at a moment: keys, of which one may have signed even later."""
    return tuple(
        one if one.valid_to_ms is None or one.valid_to_ms < end_ms else replace(one, valid_to_ms=None)
        for one in records
    )


def compare(known: Registered, anchor: Anchor, days: Span, until_ms: int, findings: Findings) -> None:
    """Steps V03, V11 and V14: what the pack says of keys, policies and bindings is what the register says.

    Args:
        known: what the pack says.
        anchor: what the register says.
        days: the whole local days of the pack; its policies are those in force on them.
        until_ms: the end of its last window; its bindings and the ends of its keys are as known by then.
        findings: gets what differs.
    """
    if known.simulation != anchor.simulation:
        findings.add("simulation-differs", f"the pack says {known.simulation}, the register {anchor.simulation}")
    _compare_keys(known, anchor, until_ms, findings)
    _compare_policies(known, anchor, days, findings)
    _compare_bindings(known, anchor, until_ms, findings)


def _compare_keys(known: Registered, anchor: Anchor, until_ms: int, findings: Findings) -> None:
    trusted = {key.kid: key for key in open_at(anchor.keys, until_ms)}
    for key in known.keys:
        if key.kid not in trusted:
            findings.add("unknown-key", f"key {key.kid.hex()} of {key.gateway} is not in the register of trust")
        elif trusted[key.kid] != key:
            findings.add("key-differs", f"key {key.kid.hex()}: {_difference(key, trusted[key.kid])}")


def _compare_policies(known: Registered, anchor: Anchor, days: Span, findings: Findings) -> None:
    """Row by row, not name by name: one name may not stand for two rules."""
    name = known.instrument.instrument
    approved = [
        one
        for one in known_by(anchor.policies, days[1])
        if one.instrument == name and (one.valid_to_ms is None or one.valid_to_ms > days[0])
    ]
    ours, theirs = _counted(known.policies), _counted(approved)
    named = {(one.policy_id, one.version): one for one in approved}
    for one in known.policies:
        if ours[_whole(one)] > theirs[_whole(one)]:
            same = named.get((one.policy_id, one.version))
            what = "it is not in the register of trust" if same is None else _difference(one, same) or "it stands twice"
            findings.add("policy-differs", f"{one.policy_id}@{one.version}: {what}")
    for one in approved:
        if theirs[_whole(one)] > ours[_whole(one)]:
            findings.add("policy-differs", f"{one.policy_id}@{one.version} is in the register and not in the pack")


def _compare_bindings(known: Registered, anchor: Anchor, until_ms: int, findings: Findings) -> None:
    name = known.instrument.instrument
    if known.instrument not in anchor.instruments:
        same = next((one for one in anchor.instruments if one.instrument == name), None)
        what = "it is not there" if same is None else _difference(known.instrument, same)
        findings.add("instrument-differs", f"{name}: {what}")
    trusted = Counter(known_by(anchor.bindings, until_ms))
    ours = Counter(known.bindings)
    for one in ours - trusted:
        findings.add("binding-differs", f"{_named(one)} is not in the register of trust, or stands twice")
    for one in Counter(each for each in trusted.elements() if each.instrument == name) - ours:
        findings.add("binding-differs", f"{_named(one)} is in the register of trust and not in the pack")
    for one in ours:
        for other in trusted:
            if other.instrument != name and _clash(one, other):
                findings.add("binding-clash", f"{_named(one)}: the same meter is {other.instrument}'s own")


def _clash(one: Binding, other: Binding) -> bool:
    same = (one.meter_model, one.meter_serial) == (other.meter_model, other.meter_serial)
    return same and one.role is other.role is Role.SOLE and overlap(one, other)


def overlap(one: Binding | PolicyVersion, other: Binding | PolicyVersion) -> bool:
    """Whether two records are valid at one moment."""
    starts_in_time = other.valid_to_ms is None or one.valid_from_ms < other.valid_to_ms
    return starts_in_time and (one.valid_to_ms is None or other.valid_from_ms < one.valid_to_ms)


def _counted(policies: Iterable[PolicyVersion]) -> Counter[Hashable]:
    return Counter(_whole(one) for one in policies)


def _whole(policy: PolicyVersion) -> Hashable:
    """All that is compared of a policy; its rules are where its hash is."""
    return tuple(rows.row(policy, without=("rules",)).items())


def _named(one: Binding) -> str:
    return f"{one.meter_model} {one.meter_serial} at {one.gateway}, {one.role}, from {one.valid_from_ms} ms"


def _difference(ours: object, theirs: object) -> str:
    mine, trusted = (rows.row(one, without=("rules",)) for one in (ours, theirs))
    return "; ".join(f"{name} {mine[name]!r}, there {trusted[name]!r}" for name in mine if mine[name] != trusted[name])
