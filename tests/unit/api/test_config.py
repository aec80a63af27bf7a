"""The api's settings, and the sample that says them all."""

from dataclasses import fields
from pathlib import Path

import pytest

from api import config
from api.config import Config, load
from contract.errors import ConfigError
from storage.pool import DSN_VARIABLE

SAMPLE = Path(config.__file__).with_name("sample.toml")


def test_the_sample_says_every_key_with_its_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DSN_VARIABLE, "postgresql://x")
    assert load(SAMPLE) == Config()
    text = SAMPLE.read_text("utf-8")
    assert [one.name for one in fields(Config) if f"{one.name} = " not in text] == []


def test_every_fault_is_listed_with_its_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(DSN_VARIABLE, raising=False)
    path = tmp_path / "api.toml"
    path.write_text('port = 70000\nhttps = "yes"\npoll_s = 0\ncolour = 1\n', "utf-8")
    with pytest.raises(ConfigError) as raised:
        load(path)
    assert [fault.split(":")[0] for fault in raised.value.faults] == ["port", "https", "poll_s", "colour"]
    path.write_text("", "utf-8")
    with pytest.raises(ConfigError, match=r"dsn: name the database"):
        load(path)


def test_the_secret_is_not_shown() -> None:
    assert "s3cret" not in repr(Config(dsn="postgresql://me:s3cret@db/x"))
