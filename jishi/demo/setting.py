"""What the demo writes down before it starts: configs of the rooms, and the registry of a simulated laboratory."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from contract.units import utc_text
from jishi.demo.broker import HOST

SITE: Final = "demo"
GATEWAY: Final = "demo-gw1"
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


def gateway_config(folder: Path, ready: Mapping[str, Any], broker: tuple[int, str], collector_key: str) -> str:
    """TOML of the gateway: one instrument entry for each that the simulator serves."""
    clock = ready["clock"]
    text = f"""site = "{SITE}"
gateway = "{GATEWAY}"
data_dir = {json.dumps(str(folder / "gateway"))}
clock = "simulated"
[simulated_clock]
host = "{clock["host"]}"
port = {clock["port"]}
unit = {clock["unit"]}
{_broker(broker)}[collector]
public_key = "{collector_key}"
"""
    return text + "".join(_instrument(served) for served in ready["instruments"])


def collector_config(folder: Path, broker: tuple[int, str]) -> str:
    """TOML of the collector; its DSN comes by the environment."""
    return f"key_file = {json.dumps(str(folder / 'collector.key'))}\n{_broker(broker)}"


def registry(ready: Mapping[str, Any], serials: Mapping[str, str], gateway_key: str) -> str:
    """TOML of the registry, marked as a simulation: one unit, one gateway, and all that the simulator serves."""
    start, end = ready["start_ms"], ready["end_ms"]
    before = utc_text(start - 86_400_000)
    head = f"""simulation = true
[[unit]]
id = "demo-institute"
name_zh = "演示研究所"
name_en = "Demo Institute"
time_zone = "Asia/Shanghai"
[[gateway]]
id = "{GATEWAY}"
site = "{SITE}"
unit = "demo-institute"
[[gateway.key]]
public_key = "{gateway_key}"
valid_from = "{before}"
"""
    return head + "".join(
        _registered(served, serials[served["id"]], before) + "".join(_sessions(served["id"], start, end))
        for served in ready["instruments"]
    )


def _broker(broker: tuple[int, str]) -> str:
    port, protocol = broker
    return f'[broker]\nhost = "{HOST}"\nport = {port}\nprotocol = "{protocol}"\n'


def _instrument(served: Mapping[str, Any]) -> str:
    address = f'host = "{served["host"]}"\nport = {served["port"]}\n'
    text = f'[[instrument]]\nid = "{served["id"]}"\n[instrument.meter]\nmodel = "sdm630"\n{address}'
    text += f"unit = {served['meter_unit']}\n"
    if served["io_unit"] is None:
        return text
    return f"{text}[instrument.run_state]\n{address}unit = {served['io_unit']}\nlines = {json.dumps(served['lines'])}\n"


def _registered(served: Mapping[str, Any], serial: str, before: str) -> str:
    name_zh, name_en = _NAMES[served["class"]]
    return f"""[[instrument]]
id = "{served["id"]}"
unit = "demo-institute"
name_zh = "{name_zh}"
name_en = "{name_en} ({served["id"]})"
class = "{served["class"]}"
[[meter]]
model = "sdm630"
serial = "{serial}"
[[binding]]
instrument = "{served["id"]}"
gateway = "{GATEWAY}"
meter_model = "sdm630"
meter_serial = "{serial}"
valid_from = "{before}"
[[policy]]
id = "{served["id"]}-hours"
version = 1
instrument = "{served["id"]}"
proposed_by = "custodian"
proposed_body = "Demo Laboratory"
approved_by = "equipment officer"
approved_body = "Equipment Office"
approved_at = "{before}"
valid_from = "{before}"
[policy.rules]
{rules_of(served["profile"])}"""


def rules_of(profile: str) -> str:
    """TOML of the policy rules for a profile of the simulator's instruments."""
    return f'profile = "{profile}"\n{_COMMON}{_RULES[profile]}'


def _sessions(instrument: str, start: int, end: int) -> Iterable[str]:
    for number, (begin, finish, party) in enumerate(_SESSIONS, 1):
        length = end - start
        purpose, way = ("social-service", "commissioned") if party == "external" else ("research", "self-operated")
        yield f"""[[session]]
id = "{instrument}-{number}"
instrument = "{instrument}"
start = "{utc_text(start + round(begin * length))}"
end = "{utc_text(start + round(finish * length))}"
party = "{party}"
purpose = "{purpose}"
way = "{way}"
attribution = 2
entered_at = "{utc_text(start + round(begin * length))}"
"""
