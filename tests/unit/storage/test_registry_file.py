"""The registry file: every fault of form at once, each by its key."""

from pathlib import Path

import pytest

from contract.errors import ConfigError
from storage import registry_file

SAMPLE = Path(registry_file.__file__).with_name("sample-registry.toml")


def faults(folder: Path, *changes: tuple[str, str]) -> dict[str, str]:
    text = SAMPLE.read_text("utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = folder / "registry.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(ConfigError) as caught:
        registry_file.read(path)
    return {key: message for key, _, message in (fault.partition(": ") for fault in caught.value.faults)}


def test_the_sample_names_every_kind_of_record() -> None:
    found = {record.kind for record in registry_file.records(registry_file.read(SAMPLE))}
    assert found == {"unit", "gateway", "gateway_key", "instrument", "meter", "binding", "policy", "session"}


def test_all_faults_are_listed_at_once(tmp_path: Path) -> None:
    found = faults(
        tmp_path,
        ("simulation = false", 'simulation = "no"'),
        ('id = "lab3-gw1"', 'id = "Lab 3"'),
        ('role = "sole"', 'role = "solo"'),
        ("version = 1", "version = 0"),
        ("attribution = 3", "attribution = 4"),
        ('class = "mass-spectrometer"', 'class = "mass-spectrometer"\ncolour = "grey"'),
    )
    assert set(found) == {
        "simulation", "gateway[0].id", "binding[0].role", "policy[0].version", "session[0].attribution",
        "instrument[0].colour",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "at", "says"),
    [
        ("2025-03-10T09:00:00+08:00", "2025-03-10T09:00:00", "session[0].start", "no offset"),
        ("2025-03-10T09:00:00+08:00", "yesterday", "session[0].start", "Invalid isoformat"),
        ("2025-03-10T09:00:00+08:00", "2025-03-10T11:00:00+08:00", "session[0]", "end is not after start"),
        (
            'entered_at = "2025-03-07T16:20:00+08:00"',
            "entered_at = 5",
            "session[0].entered_at",
            "a time with an offset",
        ),
        ("Asia/Shanghai", "Asia/Atlantis", "unit[0].time_zone", "no such time zone"),
        ("Equipment Office", "Laboratory 3", "policy[0]", "another one must approve"),
        ("2024-12-20T10:00:00", "2025-12-20T10:00:00", "policy[0]", "before it is approved"),
        ("bridge_s = 300", "since = 2025-01-01", "policy[0].rules", "rules hold texts, numbers"),
        ("d75a9801", "d75a98", "gateway[0].key[0].public_key", "32 bytes"),
        ('serial = "23108675"\n\n', 'serial = "2310\\u00008675"\n\n', "meter[0].serial", "match pattern"),
    ],
)
def test_a_fault_says_where_and_what(tmp_path: Path, old: str, new: str, at: str, says: str) -> None:
    found = faults(tmp_path, (old, new))
    assert set(found) == {at}
    assert says in found[at]


def test_a_key_that_could_bind_nobody_is_refused(tmp_path: Path) -> None:
    key = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    assert "small order" in faults(tmp_path, (key, "01" + "00" * 31))["gateway[0].key[0].public_key"]


def test_the_hash_of_a_policy_is_of_its_rules_alone() -> None:
    entry = registry_file.read(SAMPLE).policy[0]
    # The five rules of the sample as canonical CBOR, encoded and hashed by other means.
    assert entry.content_hash().hex() == "45f9a040d392964f267ee2c32de6d5f29c35a947730041b5a450025835acd6e3"
