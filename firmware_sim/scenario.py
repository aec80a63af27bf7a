"""A scenario: which instruments are in the lab, over which period, and what goes wrong when. Read from TOML."""

import re
import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from itertools import pairwise
from pathlib import Path

from firmware_sim import eastron
from firmware_sim.circuit import AS_DRAWN
from firmware_sim.instruments.catalogue import CLASSES

ID = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MOST_S = 31 * 86_400  # longer histories are imported, they do not pass Modbus

Table = dict[str, object]


class ScenarioError(ValueError):
    """A scenario that cannot be played; `faults` has one sentence for each fault, beginning with its key."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkCut:
    """The instrument's port refuses and drops connections over [from_ms, to_ms), UTC ms."""

    from_ms: int
    to_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InstrumentSpec:
    """One instrument: its id, the name of its class, its link cuts in order, its meter and how that was fitted."""

    id: str
    class_name: str
    cuts: tuple[LinkCut, ...]
    meter: str = eastron.DEFAULT
    wiring: str = AS_DRAWN


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """Instruments over [start_ms, end_ms), UTC ms."""

    start_ms: int
    end_ms: int
    instruments: tuple[InstrumentSpec, ...]


def load(name: str) -> Scenario:
    """Read a scenario that ships with the simulator ("demo") or a TOML file.

    Raises:
        ScenarioError: it cannot be read or played; every fault is listed.
    """
    shipped = files("firmware_sim") / "scenarios" / f"{name}.toml"
    try:
        text = (shipped if shipped.is_file() else Path(name)).read_text("utf-8")
        table = tomllib.loads(text)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ScenarioError([f"{name}: {error}"]) from error
    return parse(table)


def parse(table: Table) -> Scenario:
    """Check a scenario's table.

    Raises:
        ScenarioError: every fault in it.
    """
    reader = _Reader()
    scenario = reader.scenario(table)
    if reader.faults:
        raise ScenarioError(reader.faults)
    return scenario


class _Reader:
    """Reads tables and collects faults; what it returns for a faulty value only lets the reading go on."""

    def __init__(self) -> None:
        self.faults: list[str] = []

    def scenario(self, table: Table) -> Scenario:
        self._known("", table, {"start", "duration_s", "instrument"})
        start = table.get("start")
        if not isinstance(start, datetime) or start.tzinfo is None or start < EPOCH:
            self.faults.append("start: must be a date and time with an offset, as 2025-03-10T09:00:00+08:00")
            start = EPOCH
        start_ms = (start - EPOCH) // timedelta(milliseconds=1)
        duration_s = self._seconds("duration_s", table.get("duration_s"), least_s=1)
        end_ms = start_ms + duration_s * 1_000
        instruments = tuple(
            self._instrument(f"instrument[{place}]", entry, start_ms, end_ms)
            for place, entry in enumerate(self._tables("instrument", table.get("instrument", [])))
        )
        if not instruments:
            self.faults.append("instrument: at least one is needed")
        ids = [instrument.id for instrument in instruments]
        self.faults += [f"instrument[{i}].id: {name} is taken" for i, name in enumerate(ids) if name in ids[:i]]
        return Scenario(start_ms=start_ms, end_ms=end_ms, instruments=instruments)

    def _instrument(self, key: str, table: Table, start_ms: int, end_ms: int) -> InstrumentSpec:
        self._known(f"{key}.", table, {"id", "class", "fault", "meter", "wiring"})
        name, class_name = table.get("id"), table.get("class")
        if not isinstance(name, str) or not ID.fullmatch(name):
            self.faults.append(f"{key}.id: must match {ID.pattern}")
        if not isinstance(class_name, str) or class_name not in CLASSES:
            self.faults.append(f"{key}.class: must be one of {', '.join(CLASSES)}")
        cuts = [
            self._cut(f"{key}.fault[{place}]", entry, start_ms, end_ms)
            for place, entry in enumerate(self._tables(f"{key}.fault", table.get("fault", [])))
        ]
        if any(after.from_ms <= before.to_ms for before, after in pairwise(cuts)):
            self.faults.append(f"{key}.fault: link cuts must come in order and leave time between them")
        meter = self._one_of(f"{key}.meter", table.get("meter"), tuple(eastron.MODELS), eastron.DEFAULT)
        wiring = self._one_of(f"{key}.wiring", table.get("wiring"), eastron.wirings(meter), AS_DRAWN)
        return InstrumentSpec(id=str(name), class_name=str(class_name), cuts=tuple(cuts), meter=meter, wiring=wiring)

    def _cut(self, key: str, table: Table, start_ms: int, end_ms: int) -> LinkCut:
        self._known(f"{key}.", table, {"kind", "from_s", "to_s"})
        if table.get("kind") != "link-cut":
            self.faults.append(f"{key}.kind: must be link-cut")
        from_ms = start_ms + self._seconds(f"{key}.from_s", table.get("from_s")) * 1_000
        to_ms = start_ms + self._seconds(f"{key}.to_s", table.get("to_s")) * 1_000
        if not from_ms < to_ms <= end_ms:
            self.faults.append(f"{key}.to_s: must be after from_s and within duration_s")
        return LinkCut(from_ms=from_ms, to_ms=to_ms)

    def _one_of(self, key: str, value: object, known: tuple[str, ...], default: str) -> str:
        if value is None:
            return default
        if not isinstance(value, str) or value not in known:
            self.faults.append(f"{key}: must be one of {', '.join(known)}")
            return default
        return value

    def _known(self, prefix: str, table: Table, keys: set[str]) -> None:
        self.faults += [f"{prefix}{key}: unknown key" for key in table if key not in keys]

    def _tables(self, key: str, value: object) -> list[Table]:
        if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
            self.faults.append(f"{key}: must be tables, [[{key}]]")
            return []
        return value

    def _seconds(self, key: str, value: object, least_s: int = 0) -> int:
        if type(value) is not int or not least_s <= value <= MOST_S:
            self.faults.append(f"{key}: must be a whole number of seconds from {least_s} to {MOST_S}")
            return least_s
        return value
