import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

from contract.errors import ConfigError
from gateway import keys


def test_a_key_is_secret_and_never_overwritten(tmp_path: Path) -> None:
    public = keys.create(tmp_path / "data")
    path = keys.path_in(tmp_path / "data")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_bytes().startswith(b"-----BEGIN PRIVATE KEY-----")
    assert keys.load(tmp_path / "data").public_key().public_bytes_raw() == public
    with pytest.raises(ConfigError, match="never overwritten"):
        keys.create(tmp_path / "data")
    assert keys.load(tmp_path / "data").public_key().public_bytes_raw() == public


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    keys.create(tmp_path)
    keys.path_in(tmp_path).chmod(0o640)
    with pytest.raises(ConfigError, match="not secret"):
        keys.load(tmp_path)


def test_what_is_no_key_of_ours_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="make a key"):
        keys.load(tmp_path)
    path = keys.path_in(tmp_path)
    path.touch(0o600)
    path.write_bytes(b"no key")
    with pytest.raises(ConfigError, match="no private key"):
        keys.load(tmp_path)
    other = generate_private_key(SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(other)
    with pytest.raises(ConfigError, match="no Ed25519 key"):
        keys.load(tmp_path)


def test_a_folder_that_cannot_be_made_is_a_config_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="no key was made"):
        keys.create(tmp_path / "file")
