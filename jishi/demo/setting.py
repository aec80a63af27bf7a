"""What the demo writes down before it starts: configs of the rooms, and the registry of a simulated laboratory."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from contract.units import utc_text
from jishi.demo.broker import HOST
from jishi.demo.recording import METER, Recording

SITE: Final = "demo"
GATEWAY: Final = "demo-gw1"
IMPORTER: Final = "demo-import"
"""A second gateway: it takes no readings, it signs recordings that it is handed."""
UNIT: Final = "demo-institute"
UNIT_ZONE: Final = "Asia/Shanghai"
_LENDER: Final = "demo-lender"
_DAY_MS: Final = 86_400_000
_NAMES: Final = {
    "spectrometer": ("紫外可见分光光度计", "UV-Vis spectrometer"),
    "chromatograph": ("高效液相色谱仪", "Chromatograph"),
    "microscope": ("扫描电子显微镜", "Scanning electron microscope"),
}
_COMMON: Final = "bridge_s = 300\nprep_cap_s = 1800\npost_cap_s = 900\n"
_RULES: Final = {
    "power": "enter_w = 150\nleave_w = 130\noff_w = 20\ndwell_on_s = 5\nwarmup_from_off = true\n",
    "power+runstate": """run_floor_w = 250
off_w = 50
lines = [
  { line = "stop", state = "STANDBY" },
  { line = "prepare", state = "WARMUP" },
  { line = "post", state = "COOLDOWN" },
  { line = "start", state = "RUNNING" },
]
""",
    "runstate": 'lines = [{ line = "imaging", state = "RUNNING" }]\n',
}
_SESSIONS: Final = ((0.0, 0.45, "external"), (0.5, 0.8, "own-group"))
"""As shares of the scenario: a booking by an outside firm, then one by the own group."""
_BOOKED_MS: Final = ((9 * 3_600_000, 12 * 3_600_000), (13 * 3_600_000, 17 * 3_600_000))
"""Of a past day: morning and afternoon; by day and instrument an outside firm has one of them, or nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Laboratory:
    """What is registered and configured.

    Attributes:
        ready: what the simulator serves, and from when to when.
        serials: of the meters, by instrument.
        keys: public keys of the gateways, hex.
        recording: what the importer is handed as an instrument of its own.
        history_from_ms: since when the importer tells the other instruments' past; None: there is none.
    """

    ready: Mapping[str, Any]
    serials: Mapping[str, str]
    keys: Mapping[str, str]
    recording: Recording
    history_from_ms: int | None = None

    @property
    def since_ms(self) -> int:
        """Since when keys and policies are valid."""
        start: int = self.ready["start_ms"] if self.history_from_ms is None else self.history_from_ms
        return start - _DAY_MS


def gateway_config(folder: Path, ready: Mapping[str, Any], broker: tuple[int, str], collector_key: str) -> str:
    """TOML of the gateway: one instrument entry for each that the simulator serves."""
    clock = ready["clock"]
    simulated = f"""clock = "simulated"
[simulated_clock]
host = "{clock["host"]}"
port = {clock["port"]}
unit = {clock["unit"]}
"""
    return _gateway(GATEWAY, folder, simulated, broker, collector_key) + "".join(map(_instrument, ready["instruments"]))


def importer_config(folder: Path, ready: Mapping[str, Any], broker: tuple[int, str], collector_key: str) -> str:
    """TOML of the importer: the same instruments, and the one that was recorded."""
    text = _gateway(IMPORTER, folder, "", broker, collector_key) + "".join(map(_instrument, ready["instruments"]))
    return f'{text}[[instrument]]\nid = "{METER.instrument}"\n[instrument.meter]\nmodel = "sdm120"\nhost = "{HOST}"\n'


def collector_config(folder: Path, broker: tuple[int, str]) -> str:
    """TOML of the collector; its DSN comes by the environment."""
    return f"key_file = {json.dumps(str(folder / 'collector.key'))}\n{_broker(broker)}"


def registry(lab: Laboratory) -> str:
    """TOML of the registry, marked as a simulation."""
    recording = lab.recording
    since = {GATEWAY: lab.since_ms, IMPORTER: min(lab.since_ms, recording.from_ms - _DAY_MS)}
    text = "simulation = true\n"
    text += _unit(UNIT, "演示研究所", "Demo Institute", UNIT_ZONE)
    text += _unit(_LENDER, "记录来源单位", "Where the recording was made", recording.zone)
    text += "".join(_registered_gateway(name, lab.keys[name], since[name]) for name in (GATEWAY, IMPORTER))
    for served in lab.ready["instruments"]:
        text += _served(lab, served) + "".join(_sessions(lab, served["id"]))
    return text + _recorded(recording)


def rules_of(profile: str) -> str:
    """TOML of the policy rules for a profile of the simulator's instruments."""
    return f'profile = "{profile}"\n{_COMMON}{_RULES[profile]}'


def _gateway(name: str, folder: Path, more: str, broker: tuple[int, str], collector_key: str) -> str:
    return f"""site = "{SITE}"
gateway = "{name}"
data_dir = {json.dumps(str(folder))}
{more}{_broker(broker)}[collector]
public_key = "{collector_key}"
"""


def _broker(broker: tuple[int, str]) -> str:
    port, protocol = broker
    return f'[broker]\nhost = "{HOST}"\nport = {port}\nprotocol = "{protocol}"\n'


def _instrument(served: Mapping[str, Any]) -> str:
    address = f'host = "{served["host"]}"\nport = {served["port"]}\n'
    text = f'[[instrument]]\nid = "{served["id"]}"\n[instrument.meter]\nmodel = "{served["meter_model"]}"\n{address}'
    text += f"unit = {served['meter_unit']}\n"
    if served["io_unit"] is None:
        return text
    return f"{text}[instrument.run_state]\n{address}unit = {served['io_unit']}\nlines = {json.dumps(served['lines'])}\n"


def _unit(name: str, name_zh: str, name_en: str, zone: str) -> str:
    return f'[[unit]]\nid = "{name}"\nname_zh = "{name_zh}"\nname_en = "{name_en}"\ntime_zone = "{zone}"\n'


def _registered_gateway(name: str, key: str, since_ms: int) -> str:
    return f"""[[gateway]]
id = "{name}"
site = "{SITE}"
unit = "{UNIT}"
[[gateway.key]]
public_key = "{key}"
valid_from = "{utc_text(since_ms)}"
"""


def _served(lab: Laboratory, served: Mapping[str, Any]) -> str:
    name, model = served["id"], served["meter_model"]
    name_zh, name_en = _NAMES[served["class"]]
    meter = (model, lab.serials[name])
    text = _named(
        name, UNIT, f"{name_zh} {name.rpartition('-')[2]}", f"{name_en} {name.rpartition('-')[2]}", served["class"]
    )
    text += f'[[meter]]\nmodel = "{model}"\nserial = "{meter[1]}"\n'
    if lab.history_from_ms is None:
        text += _bound(name, GATEWAY, meter, lab.since_ms)
    else:
        text += _bound(name, IMPORTER, meter, lab.since_ms, lab.ready["start_ms"])
        text += _bound(name, GATEWAY, meter, lab.ready["start_ms"])
    return text + _policy(name, lab.since_ms, rules_of(served["profile"]))


def _recorded(recording: Recording) -> str:
    since_ms = recording.from_ms - _DAY_MS
    meter = (METER.model, recording.serial)
    text = _named(METER.instrument, _LENDER, *recording.names, "recording")
    text += f'[[meter]]\nmodel = "{METER.model}"\nserial = "{recording.serial}"\n'
    return (
        text
        + _bound(METER.instrument, IMPORTER, meter, since_ms)
        + _policy(METER.instrument, since_ms, recording.rules)
    )


def _named(name: str, unit: str, name_zh: str, name_en: str, kind: str) -> str:
    return f"""[[instrument]]
id = "{name}"
unit = "{unit}"
name_zh = "{name_zh}"
name_en = "{name_en}"
class = "{kind}"
"""


def _bound(name: str, gateway: str, meter: tuple[str, str], from_ms: int, to_ms: int | None = None) -> str:
    until = "" if to_ms is None else f'valid_to = "{utc_text(to_ms)}"\n'
    return f"""[[binding]]
instrument = "{name}"
gateway = "{gateway}"
meter_model = "{meter[0]}"
meter_serial = "{meter[1]}"
valid_from = "{utc_text(from_ms)}"
{until}"""


def _policy(name: str, since_ms: int, rules: str) -> str:
    since = utc_text(since_ms)
    return f"""[[policy]]
id = "{name}-hours"
version = 1
instrument = "{name}"
proposed_by = "custodian"
proposed_body = "Demo Laboratory"
approved_by = "equipment officer"
approved_body = "Equipment Office"
approved_at = "{since}"
valid_from = "{since}"
[policy.rules]
{rules}"""


def _sessions(lab: Laboratory, name: str) -> Iterator[str]:
    start, end = lab.ready["start_ms"], lab.ready["end_ms"]
    if lab.history_from_ms is None:
        for number, (begin, finish, party) in enumerate(_SESSIONS, 1):
            length = end - start
            yield _session(
                f"{name}-{number}", name, (start + round(begin * length), start + round(finish * length)), party
            )
        return
    # Local midnights: the institute's zone has had one offset since 1991.
    for day, midnight in enumerate(range(lab.history_from_ms, min(end, start + 14 * _DAY_MS), _DAY_MS)):
        for half, (begin, finish) in enumerate(_BOOKED_MS):
            booked = ("external", "own-group", None, "own-group", "external")[(day + half + len(name)) % 5]
            if booked is not None:
                yield _session(f"{name}-{day}-{half}", name, (midnight + begin, midnight + finish), booked)


def _session(number: str, instrument: str, span: tuple[int, int], party: str) -> str:
    purpose, way = ("social-service", "commissioned") if party == "external" else ("research", "self-operated")
    return f"""[[session]]
id = "{number}"
instrument = "{instrument}"
start = "{utc_text(span[0])}"
end = "{utc_text(span[1])}"
party = "{party}"
purpose = "{purpose}"
way = "{way}"
attribution = 2
entered_at = "{utc_text(span[0])}"
"""
