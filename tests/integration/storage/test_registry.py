"""The registry: loaded once, closed once, never edited; every fault by its key."""

from pathlib import Path

import pytest

from contract.errors import ConfigError
from contract.ids import GatewayId, InstrumentId
from contract.registry import Role
from contract.units import parse_utc_ms
from contract.usage import Attribution, Party
from storage import registry, registry_file
from storage.pool import Connection
from storage.registry_load import Loaded, load

SAMPLE = Path(registry_file.__file__).with_name("sample-registry.toml").read_text("utf-8")
LCMS = InstrumentId("lcms-01")
ALWAYS = (0, 1 << 50)


class Loader:
    def __init__(self, connection: Connection, folder: Path) -> None:
        self.connection, self._path = connection, folder / "registry.toml"

    def __call__(self, text: str) -> Loaded:
        self._path.write_text(text, "utf-8")
        return load(self.connection, registry_file.read(self._path))

    def faults(self, text: str) -> list[str]:
        before = registry.snapshot(self.connection), registry.revision(self.connection)
        with pytest.raises(ConfigError) as caught:
            self(text)
        assert (registry.snapshot(self.connection), registry.revision(self.connection)) == before
        return list(caught.value.faults)


@pytest.fixture
def loader(connection: Connection, tmp_path: Path) -> Loader:
    return Loader(connection, tmp_path)


def closed(text: str, part: str, valid_to: str) -> str:
    """The sample with an end to the validity in one of its parts."""
    head, tail = text.split(part, 1)
    return head + part + tail.replace("valid_from = ", f'valid_to = "{valid_to}"\nvalid_from = ', 1)


def test_without_a_registry_nobody_is_known(connection: Connection) -> None:
    found = registry.snapshot(connection)
    assert (found.keys, found.bindings, found.simulation) == ({}, {}, False)


def test_the_sample_is_loaded_and_read_back(loader: Loader) -> None:
    assert loader(SAMPLE) == Loaded(added=8)
    connection, since_ms = loader.connection, parse_utc_ms("2025-01-01T00:00:00+08:00")
    found = registry.snapshot(connection)
    key = next(iter(found.keys.values()))
    assert (key.site, key.gateway, key.valid_from_ms, key.valid_to_ms) == ("huaian", "lab3-gw1", since_ms, None)
    (binding,) = found.bindings[GatewayId("lab3-gw1"), LCMS]
    assert (binding.meter_serial, binding.role) == ("23108675", Role.SOLE)
    assert registry.bindings(connection, LCMS) == (binding,)
    (instrument,) = registry.instruments(connection)
    assert (instrument.name_zh, instrument.time_zone) == ("液相色谱-质谱联用仪", "Asia/Shanghai")
    (policy,) = registry.policies(connection, LCMS, *ALWAYS)
    assert policy.rules == {
        "profile": "power+runstate",
        "run_floor_w": 250,
        "lines": [{"line": "run", "state": "RUNNING"}],
        "bridge_s": 300,
        "prep_cap_s": 1800,
    }
    (session,) = registry.sessions(connection, LCMS, *ALWAYS)
    assert (session.party, session.attribution) == (Party.EXTERNAL, Attribution.CONFIRMED)


def test_loading_twice_changes_nothing(loader: Loader) -> None:
    loader(SAMPLE)
    revision = registry.revision(loader.connection)
    assert loader(SAMPLE) == Loaded(unchanged=8)
    assert registry.revision(loader.connection) == revision


def test_a_record_is_closed_once(loader: Loader) -> None:
    loader(SAMPLE)
    revision = registry.revision(loader.connection)
    ended = closed(SAMPLE, "[[binding]]", "2025-06-01T00:00:00+08:00")
    assert loader(ended) == Loaded(closed=1, unchanged=7)
    assert registry.revision(loader.connection) > revision
    assert registry.bindings(loader.connection, LCMS)[0].valid_to_ms == parse_utc_ms("2025-06-01T00:00:00+08:00")
    for again in (SAMPLE, closed(SAMPLE, "[[binding]]", "2025-07-01T00:00:00+08:00")):
        assert [fault.partition(":")[0] for fault in loader.faults(again)] == ["binding[0].valid_to_ms"]


@pytest.mark.parametrize(
    ("old", "new", "at"),
    [
        ("淮阴工学院", "别的学校", "unit[0].name_zh"),
        ('site = "huaian"', 'site = "shanghai"', "gateway[0].site"),
        ('class = "mass-spectrometer"', 'class = "nmr"', "instrument[0].instrument_class"),
        ("ct_primary_a = 1", "ct_primary_a = 100", "binding[0].ct_primary_a"),
        ('party = "external"', 'party = "own-group"', "session[0].party"),
        ("simulation = false", "simulation = true", "simulation"),
    ],
)
def test_a_record_that_differs_is_refused_by_name(loader: Loader, old: str, new: str, at: str) -> None:
    loader(SAMPLE)
    assert [fault.partition(":")[0] for fault in loader.faults(SAMPLE.replace(old, new))] == [at]


def test_a_policy_whose_rules_differ_is_refused(loader: Loader) -> None:
    loader(SAMPLE)
    faults = loader.faults(SAMPLE.replace("bridge_s = 300", "bridge_s = 3000"))
    assert {fault.partition(":")[0] for fault in faults} == {"policy[0].rules", "policy[0].content_hash"}


def test_references_to_nothing_are_all_listed(loader: Loader) -> None:
    text = SAMPLE.replace('unit = "huaiyin-institute"', 'unit = "nowhere"').replace(
        'meter_serial = "23108675"', 'meter_serial = "unheard-of"'
    )
    keys = {fault.partition(":")[0] for fault in loader.faults(text)}
    assert {"gateway[0].unit", "instrument[0].unit", "binding[0].meter_model"} <= keys


def test_references_may_lead_to_what_is_stored(loader: Loader) -> None:
    loader(SAMPLE)
    session = SAMPLE[SAMPLE.index("[[session]]") :].replace("s-2025-0001", "s-2025-0002")
    assert loader(f"simulation = false\n{session}") == Loaded(added=1)


SECOND = """
[[meter]]
model = "sdm120"
serial = "second"

[[binding]]
instrument = "lcms-01"
gateway = "lab3-gw1"
meter_model = "sdm120"
meter_serial = "second"
role = "{role}"
valid_from = "2025-05-31T00:00:00+08:00"
"""


def test_two_sole_meters_of_one_instrument_never_overlap(loader: Loader) -> None:
    loader(SAMPLE)
    (fault,) = loader.faults(SAMPLE + SECOND.format(role="sole"))
    assert fault.startswith("binding[1]: the instrument has another sole meter")
    ended = closed(SAMPLE, "[[binding]]", "2025-05-31T00:00:00+08:00")
    assert loader(ended + SECOND.format(role="sole")) == Loaded(added=2, closed=1, unchanged=7)


def test_an_auxiliary_meter_may_stand_beside_the_sole_one(loader: Loader) -> None:
    assert loader(SAMPLE + SECOND.format(role="auxiliary")) == Loaded(added=10)


def test_a_sole_meter_serves_one_instrument(loader: Loader) -> None:
    start, end = SAMPLE.index("[[instrument]]"), SAMPLE.index("[[meter]]")
    instrument = SAMPLE[start:end].replace("lcms-01", "other")
    start, end = SAMPLE.index("[[binding]]"), SAMPLE.index("[[policy]]")
    binding = SAMPLE[start:end].replace("lcms-01", "other")
    (fault,) = loader.faults(SAMPLE + instrument + binding)
    assert fault.startswith("binding[1]: the meter is the sole one of another instrument")


def test_two_policies_are_never_in_force_at_once(loader: Loader) -> None:
    loader(SAMPLE)
    policy = SAMPLE[SAMPLE.index("[[policy]]") : SAMPLE.index("[[session]]")]
    second = policy.replace("version = 1", "version = 2").replace('valid_from = "2025-01', 'valid_from = "2025-06')
    (fault,) = loader.faults(SAMPLE + second)
    assert fault.startswith("policy[1]: another policy is in force")
    ended = closed(SAMPLE, "[[policy]]", "2025-06-01T00:00:00+08:00")
    assert loader(ended + second) == Loaded(added=1, closed=1, unchanged=7)
    first, then = registry.policies(loader.connection, LCMS, *ALWAYS)
    assert (first.version, then.version) == (1, 2)
    assert registry.policies(loader.connection, LCMS, *(first.valid_to_ms or 0,) * 2) == ()
    boundary_ms = first.valid_to_ms or 0
    assert registry.policies(loader.connection, LCMS, boundary_ms, boundary_ms + 1) == (then,)
    assert registry.policies(loader.connection, LCMS, boundary_ms - 1, boundary_ms) == (first,)


def test_sessions_that_only_touch_a_period_are_outside(loader: Loader) -> None:
    loader(SAMPLE)
    (session,) = registry.sessions(loader.connection, LCMS, *ALWAYS)
    assert registry.sessions(loader.connection, LCMS, session.end_ms, session.end_ms + 1) == ()
    assert registry.sessions(loader.connection, LCMS, session.start_ms - 1, session.start_ms) == ()
    assert registry.sessions(loader.connection, LCMS, session.end_ms - 1, session.end_ms) == (session,)
