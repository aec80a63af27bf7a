"""Settings: the sample is the defaults, faults come all at once, the DSN is a secret."""

from pathlib import Path

import pytest

from collector import config
from collector.config import Config
from contract.errors import ConfigError

SAMPLE = Path(config.__file__).with_name("sample.toml")


@pytest.fixture(autouse=True)
def database_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JISHI_DSN", "postgresql://somewhere")


def written(folder: Path, text: str) -> Path:
    path = folder / "collector.toml"
    path.write_text(text, "utf-8")
    return path


def test_the_sample_says_the_defaults() -> None:
    loaded = config.load(SAMPLE)
    default = Config(key_file=SAMPLE.parent / "collector.key")
    assert loaded == default


def test_the_sample_names_every_key() -> None:
    text = SAMPLE.read_text("utf-8")
    for record in (Config, config.Broker, config.BatchLimits):
        assert all(f"{name} =" in text or f"[{name}]" in text for name in record.__dataclass_fields__)


def test_all_faults_are_listed_by_their_keys(tmp_path: Path) -> None:
    path = written(tmp_path, 'name = "No"\nspeed = 1\n[broker]\nport = "x"\nprotocol = "4"\n[batch]\nframes = 0\n')
    with pytest.raises(ConfigError) as caught:
        config.load(path)
    keys = {fault.partition(":")[0] for fault in caught.value.faults}
    assert keys == {"name", "speed", "broker.port", "broker.protocol", "batch.frames"}


def test_no_database_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JISHI_DSN")
    with pytest.raises(ConfigError, match="JISHI_DSN"):
        config.load(written(tmp_path, ""))


def test_a_dsn_is_never_shown(tmp_path: Path) -> None:
    loaded = config.load(written(tmp_path, 'dsn = "postgresql://me:secret@db/jishi"\n'))
    assert loaded.dsn == "postgresql://me:secret@db/jishi"
    assert "secret" not in repr(loaded)


@pytest.mark.parametrize("text", ["name = ", "\udcff"])
def test_a_file_that_is_no_toml_is_a_fault(tmp_path: Path, text: str) -> None:
    path = tmp_path / "collector.toml"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ConfigError, match="cannot be read"):
        config.load(path)
