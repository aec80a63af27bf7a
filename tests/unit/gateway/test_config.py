import tomllib
from pathlib import Path

import pytest

import gateway
from contract.errors import ConfigError
from gateway import app, config, keys

SAMPLE = Path(gateway.__file__).parent / "sample.toml"
PUBLIC_KEY = tomllib.loads(SAMPLE.read_text("utf-8"))["collector"]["public_key"]

LEAST = f"""
site = "huaian"
gateway = "gw-1"
data_dir = "gateway-data"
[broker]
host = "127.0.0.1"
[collector]
public_key = "{PUBLIC_KEY}"
[[instrument]]
id = "nmr-400"
meter = {{ model = "sdm630", host = "192.168.1.20" }}
run_state = {{ host = "192.168.1.21", lines = ["run", "ready"] }}
"""


def load(tmp_path: Path, text: str) -> config.Config:
    path = tmp_path / "gateway.toml"
    path.write_text(text, "utf-8")
    return config.load(path)


def faults(tmp_path: Path, text: str) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    return caught.value.faults


def test_the_sample_says_every_default(tmp_path: Path) -> None:
    assert load(tmp_path, SAMPLE.read_text("utf-8")) == load(tmp_path, LEAST)


def test_the_sample_names_every_key() -> None:
    named = tomllib.loads(SAMPLE.read_text("utf-8"))
    assert set(named) == set(config.Config.__dataclass_fields__) - {"simulated_clock"}
    assert set(named["broker"]) == set(config.BrokerConfig.__dataclass_fields__)
    assert set(named["instrument"][0]["meter"]) == set(config.MeterConfig.__dataclass_fields__)
    assert set(named["instrument"][0]["run_state"]) == set(config.RunStateConfig.__dataclass_fields__)


def test_the_data_folder_is_relative_to_the_file(tmp_path: Path) -> None:
    assert load(tmp_path, LEAST).data_dir == tmp_path / "gateway-data"
    absolute = LEAST.replace('"gateway-data"', '"/var/lib/jishi"')
    assert load(tmp_path, absolute).data_dir == Path("/var/lib/jishi")


def test_every_fault_is_listed_at_once_by_its_key(tmp_path: Path) -> None:
    found = faults(
        tmp_path,
        """
        site = "Huai'an"
        period_ms = 100
        frame_s = 601
        clock = "simulated"
        colour = "red"
        [broker]
        hots = "x"
        port = 0
        protocol = "3.1"
        [collector]
        public_key = "0000000000000000000000000000000000000000000000000000000000000000"
        [[instrument]]
        id = "a"
        meter = { model = "sdm999", host = "", unit = 256, ct_primary_a = 0 }
        run_state = { host = "h", lines = ["run", "run"] }
        [[instrument]]
        id = "b"
        meter = { host = "h" }
        run_state = { host = "h", lines = [] }
        """,
    )
    assert sorted(fault.partition(":")[0] for fault in found) == sorted(
        [
            "site",
            "gateway",
            "data_dir",
            "period_ms",
            "frame_s",
            "colour",
            "simulated_clock",
            "broker.host",
            "broker.hots",
            "broker.port",
            "broker.protocol",
            "collector.public_key",
            "instrument[0].meter.model",
            "instrument[0].meter.host",
            "instrument[0].meter.unit",
            "instrument[0].meter.ct_primary_a",
            "instrument[0].run_state.lines",
            "instrument[1].meter.model",
            "instrument[1].run_state.lines",
        ]
    )
    assert "colour: is not a known key" in found
    assert "gateway: is required" in found
    assert any("small order" in fault for fault in found)


def test_an_unknown_register_model_names_the_known(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path, LEAST.replace("sdm630", "sdm999"))
    assert fault == "instrument[0].meter.model: no such register model; known are: sdm120, sdm630"


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("[broker]", "period_ms = 60000\nframe_s = 59\n[broker]", "period_ms: is longer than a frame"),
        ("[broker]", 'simulated_clock = { host = "h" }\n[broker]', "simulated_clock: is required with"),
        ("[broker]", 'clock = "simulated"\n[broker]', "simulated_clock: is required with"),
        (PUBLIC_KEY, "abc", "collector.public_key: must be the collector's public key, 64 hex digits"),
    ],
)
def test_faults_between_keys(tmp_path: Path, old: str, new: str, fault: str) -> None:
    (found,) = faults(tmp_path, LEAST.replace(old, new))
    assert found.startswith(fault)


def test_two_instruments_need_two_names(tmp_path: Path) -> None:
    twice = LEAST + LEAST[LEAST.index("[[instrument]]") :]
    assert faults(tmp_path, twice) == ("instrument: two instruments have one name",)


def test_what_is_no_toml_is_a_config_error(tmp_path: Path) -> None:
    assert len(faults(tmp_path, "site = ")) == 1
    with pytest.raises(ConfigError, match="cannot read"):
        config.load(tmp_path / "none.toml")


def test_check_lists_faults_and_touches_nothing(tmp_path: Path) -> None:
    path = tmp_path / "gateway.toml"
    path.write_text(LEAST, "utf-8")
    (fault,) = app.check(path)
    assert "make a key with" in fault
    assert list(tmp_path.iterdir()) == [path]
    keys.create(tmp_path / "gateway-data")
    assert app.check(path) == ()
    path.write_text(LEAST.replace("sdm630", "sdm999"), "utf-8")
    assert len(app.check(path)) == 1
