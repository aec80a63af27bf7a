"""What the importer is handed: the recording of the fifth instrument, and the past of the other four."""

from typing import Any, Final

from contract.errors import JishiError
from contract.units import utc_text
from jishi.demo.parts import command
from jishi.demo.recording import METER
from jishi.demo.rig import Rig
from jishi.demo.setting import UNIT_ZONE
from storage.guard import Guarded

_HISTORY_PERIOD_S: Final = 10
_DAY_MS: Final = 86_400_000


def start_recording(rig: Rig) -> Guarded:
    """Start the import of the recording; the process ends with status 0 once all of it is in custody."""
    recording = rig.recording
    files = [str(path) for path in recording.files]
    meter = ["--model", METER.model, "--serial", recording.serial, "--period-s", "1"]
    return _start(rig, METER.instrument, files, ["--tz", recording.zone, "--format", "tracebase", *meter])


def write_history(rig: Rig, served: dict[str, Any], days: float) -> str:
    """Have the simulator write the past of one instrument; returns the trace's path."""
    name, start_ms = served["id"], rig.history_from_ms
    if start_ms is None:
        raise ValueError("this rig has no history")
    trace = rig.folder / f"{name}.csv.gz"
    what = ["--class", served["class"], "--id", name, "--format", "csv", "--tz", UNIT_ZONE]
    when = ["--from", utc_text(start_ms), "--days", str(days), "--period-s", str(_HISTORY_PERIOD_S)]
    command("sim", "trace", "--out", str(trace), "--truth", str(rig.folder / f"{name}.past.json"), *what, *when)
    return str(trace)


def start_history(rig: Rig, served: dict[str, Any], trace: str, serial: str) -> Guarded:
    """Start the import of the past of one instrument."""
    return _start(rig, served["id"], [trace], ["--format", "csv", "--serial", serial])


def ended(rig: Rig, process: Guarded) -> bool:
    """Whether an import is over.

    Raises:
        JishiError: it failed; the text says what it said.
    """
    status = process.poll()
    if status:
        raise JishiError(f"the import failed: {rig.log('importer')}")
    return status == 0


def _start(rig: Rig, instrument: str, files: list[str], more: list[str]) -> Guarded:
    config = ["--config", str(rig.folder / "importer.toml"), "--instrument", instrument, "--clock", "simulated"]
    return rig.start("importer", "gateway", "import", *files, *config, *more, "--json")
