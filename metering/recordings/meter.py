"""Meters a recording by a policy file: what `jishi hours file` does. Assurance L2: nobody signed it."""

import gzip
import tomllib
import zlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np

from contract.errors import ConfigError
from contract.states import Assurance, State
from contract.units import MS_PER_HOUR, hours
from metering.core.pipeline import judge
from metering.core.policy import Policy, Profile, parse_policy
from metering.core.rules import Run
from metering.core.spans import Span
from metering.core.states import Observed, by_power
from metering.core.tally import Tally, tally
from metering.core.timeline import Bound, Signal, Timeline, between_samples, clip
from metering.recordings import shdr, table, tracebase
from metering.recordings.trace import DEFAULT_GAP_MS, Kind, Trace, zone_of

FORMATS: Final = ("tracebase", "csv", "shdr")


def meter_files(
    files: Sequence[Path], policy_file: Path, form: str = "tracebase", key: str | None = None, tz: str | None = None
) -> dict[str, Any]:
    """Meter one recording that lies in one or more files, `.gz` or plain.

    Raises:
        ConfigError: a file, the policy or an option cannot be used; the text says what to do.
    """
    if form not in FORMATS:
        raise ConfigError("nothing was measured", [f"--format: {form} is none of {', '.join(FORMATS)}"])
    policy = _policy(policy_file, form)
    max_gap_ms = policy.max_gap_ms or DEFAULT_GAP_MS
    lines = [_lines(path) for path in files]
    if form == "tracebase":
        trace = tracebase.read(lines, zone_of(tz, "a tracebase file"))
    elif form == "csv":
        trace = table.read(lines, key, tz)
    else:
        trace = shdr.read(lines, key, max_gap_ms)
    if not trace.readings:
        raise ConfigError("nothing was measured", [f"no row of {trace.rows.broken} could be read: is it {form}?"])
    signal = trace.signal(max_gap_ms)
    return _result(trace, signal, [_judged(trace.kind, signal, policy, block) for block in trace.period], tz)


def _policy(path: Path, form: str) -> Policy:
    try:
        rules: dict[str, object] = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"cannot read the policy {path}", [str(error)]) from error
    if form == "shdr":
        # The stream reports states itself; no line is asked.
        return parse_policy(
            {"profile": Profile.RUNSTATE, "lines": [{"line": "execution", "state": "RUNNING"}], **rules}
        )
    return parse_policy({"profile": Profile.POWER, "leave_w": rules.get("enter_w"), **rules})


def _lines(path: Path) -> list[str]:
    try:
        raw = path.read_bytes()
        text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode("utf-8-sig")
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise ConfigError("nothing was measured", [f"{path}: {error}"]) from error
    return text.splitlines()


def _judged(kind: Kind, signal: Signal, policy: Policy, block: Span) -> Tally:
    """One block of adjacent days; nothing is held between blocks."""

    def seen(bound: Bound) -> Timeline:
        values = by_power(signal, policy, bound) if kind is Kind.POWER else signal.value
        return clip(between_samples(signal, values, block, bound), block)

    return tally(judge(Observed(low=seen(Bound.LOW), point=seen(Bound.POINT), high=seen(Bound.HIGH)), policy), block)


def _result(trace: Trace, signal: Signal, tallies: Sequence[Tally], tz: str | None) -> dict[str, Any]:
    runs = sorted(chain.from_iterable(one.runs for one in tallies), key=lambda run: run.from_ms)
    length_ms = sum(to_ms - from_ms for from_ms, to_ms in trace.period)
    return {
        "runs": [_run(run, tz) for run in runs],
        "run_h": hours(sum(run.to_ms - run.from_ms for run in runs)),
        "effective_h": hours(sum(one.effective_ms for one in tallies)),
        "effective_low_h": hours(sum(one.effective.low_ms for one in tallies)),
        "effective_high_h": hours(sum(one.effective.high_ms for one in tallies)),
        "energy_kwh": _energy_kwh(signal, trace.period) if trace.kind is Kind.POWER else None,
        "coverage": 1 - sum(one.unknown_ms for one in tallies) / length_ms if length_ms else 0.0,
        "states_s": {state.name: sum(one.states_ms[state] for one in tallies) / 1000 for state in State},
        "assurance": f"L{Assurance.TELEMETRY:d}",
        "rows": {
            "read": trace.rows.read,
            "broken": trace.rows.broken,
            "out_of_order": trace.rows.out_of_order,
        },
    }


def _run(run: Run, tz: str | None) -> Mapping[str, object]:
    zone = ZoneInfo(tz) if tz else UTC
    start, end = (datetime.fromtimestamp(t / 1000, UTC).astimezone(zone).isoformat() for t in (run.from_ms, run.to_ms))
    return {"start": start, "end": end, "seconds": (run.to_ms - run.from_ms) / 1000, "has_gap": run.has_gap}


def _energy_kwh(signal: Signal, period: Sequence[Span]) -> float:
    """Power held until the next reading, at most `max_gap`: nothing is integrated across a gap."""
    total_mw_ms = 0
    ends = np.append(signal.time_ms[1:], signal.time_ms[-1])
    joined = np.append(signal.joined[1:], False)
    held_to = np.where(joined, np.minimum(ends, signal.time_ms + signal.hold_ms), signal.time_ms)
    for from_ms, to_ms in period:
        held_ms = np.clip(held_to, from_ms, to_ms) - np.clip(signal.time_ms, from_ms, to_ms)
        total_mw_ms += int((held_ms * signal.value).sum())
    return total_mw_ms / MS_PER_HOUR / 1e6
