"""Plays a recording as a meter behind Modbus: the clock starts at the first stamp and ends at the last.

At each time the meter shows the last value recorded and a register that has counted it. Over a silence of the recording
the link is down: a gateway sees a gap, never a level that nobody measured. Its length in simulated time is played, tick
by tick, so that the gateway records the outage itself; a stretch of days of which one is missing is refused.
"""

import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path

from firmware_sim.app import BAD_SCENARIO, serve, write_json
from firmware_sim.lab import Lab
from firmware_sim.recording import PLUG, Recording, read
from firmware_sim.scenario import ID, InstrumentSpec, Scenario, ScenarioError
from firmware_sim.truth import Rules, effective

CLASS = "recording"
SEED = 0  # nothing is left to chance but the meter's start value and the volts of its phases


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """What is to be played.

    Attributes:
        files: the recording's, in any order.
        tz: zone of its stamps.
        instrument_id: under which it is played; the meter's serial number belongs to it.
        from_time, to_time: the part wanted, ISO 8601, without an offset in the zone; None: all.
        silent_s: the longest time for which a value holds; after a longer one the meter does not answer.
        enter_w: from which power on it runs; None: the truth tells no runs.
        bridge_s, min_run_s: as in a policy, for the truth.
    """

    files: Sequence[Path]
    tz: str
    instrument_id: str = "recording-1"
    from_time: str | None = None
    to_time: str | None = None
    silent_s: int = 60
    enter_w: int | None = None
    bridge_s: int = 300
    min_run_s: int = 0


def run(replay: Replay, *, truth: Path, ready: Path, host: str = "127.0.0.1", until_eof: bool = False) -> int:
    """Play until SIGTERM or SIGINT (see `app.run`, of which files and exit status are the same).

    What became of the rows is on stderr, and in the truth file.
    """
    ready.unlink(missing_ok=True)
    try:
        recording = _read(replay)
    except ScenarioError as error:
        sys.stderr.write(f"{error}\n")
        return BAD_SCENARIO
    sys.stderr.write(f"{recording.read} rows read, {recording.broken} broken, {recording.out_of_order} out of order\n")
    silent_ms = replay.silent_s * 1_000
    spec = InstrumentSpec(id=replay.instrument_id, class_name=CLASS, cuts=recording.cuts(silent_ms))
    scenario = Scenario(start_ms=recording.start_ms, end_ms=recording.end_ms, instruments=(spec,))
    laid = {spec.id: recording.timetable(silent_ms)}
    write_json(truth, _truth(replay, recording))
    serve(lambda: Lab(scenario, laid, seed=SEED, host=host, classes={CLASS: PLUG}), ready, until_eof=until_eof)
    return 0


def _read(replay: Replay) -> Recording:
    faults = []
    if not ID.fullmatch(replay.instrument_id):
        faults.append(f"--id: must match {ID.pattern}")
    if replay.silent_s < 1:
        faults.append("--silent-s: must be at least 1")
    if faults:
        raise ScenarioError(faults)
    return read(replay.files, replay.tz, replay.from_time, replay.to_time)


def _truth(replay: Replay, recording: Recording) -> dict[str, object]:
    """As the truth of a scenario; runs where a threshold was named, by the same plain rules."""
    silent_ms = replay.silent_s * 1_000
    rules = Rules(prep_cap_ms=0, post_cap_ms=0, bridge_ms=replay.bridge_s * 1_000, min_run_ms=replay.min_run_s * 1_000)
    told: dict[str, object] = {
        "id": replay.instrument_id,
        "class": CLASS,
        "profile": PLUG.profile,
        "energy_mw_ms": _energy_mw_ms(recording, silent_ms),
        "silences": [(cut.from_ms - 1, cut.to_ms) for cut in recording.cuts(silent_ms)],
    }
    if replay.enter_w is not None:
        states = recording.stretches(replay.enter_w, silent_ms)
        counted = effective(states, rules)
        told |= {"states": states, "effective": counted, "effective_ms": sum(b - a for a, b in counted)}
    return {
        "start_ms": recording.start_ms,
        "end_ms": recording.end_ms,
        "rules": {**asdict(rules), "enter_w": replay.enter_w, "silent_ms": silent_ms},
        "rows": {"read": recording.read, "broken": recording.broken, "out_of_order": recording.out_of_order},
        "instruments": [told],
    }


def _energy_mw_ms(recording: Recording, silent_ms: int) -> int:
    return sum(
        power_w * 1_000 * (after_ms - before_ms)
        for (before_ms, power_w), (after_ms, _) in pairwise(recording.values)
        if after_ms - before_ms <= silent_ms
    )
