"""The collector's key: made once, secret, and shown by its public half."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from collector import keys
from collector.__main__ import main
from contract.errors import ConfigError


def test_a_key_is_made_secret_and_read_again(tmp_path: Path) -> None:
    path = tmp_path / "k"
    made = keys.create(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert keys.public_hex(keys.load(path)) == keys.public_hex(made)


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "k"
    keys.create(path)
    before = path.read_bytes()
    with pytest.raises(ConfigError, match="key_file"):
        keys.create(path)
    assert path.read_bytes() == before


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "k"
    keys.create(path)
    path.chmod(0o640)
    with pytest.raises(ConfigError, match="chmod 600"):
        keys.load(path)


def test_what_is_no_key_of_ours_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "k"
    with pytest.raises(ConfigError, match="jishi collector key"):
        keys.load(path)
    other = X25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(other)
    path.chmod(0o600)
    with pytest.raises(ConfigError, match="no Ed25519 key"):
        keys.load(path)


def test_the_command_makes_a_key_once_and_shows_its_public_half(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "k"
    shown = []
    for _ in range(2):
        assert main(["key", str(path)]) == 0
        shown.append(capsys.readouterr().out)
    assert shown == [f"{keys.public_hex(keys.load(path))}\n"] * 2
