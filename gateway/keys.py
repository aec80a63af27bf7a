"""The gateway's own Ed25519 key: PKCS#8 PEM, mode 0600, in its data folder. It never leaves it."""

import os
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from contract.errors import ConfigError


def path_in(data_dir: Path) -> Path:
    """Where the key of a data folder is."""
    return data_dir / "key.pem"


def create(data_dir: Path) -> bytes:
    """Make a key; returns its raw public half, to be enrolled with the collector. It is on the disk when this returns.

    Raises:
        ConfigError: there is a key already (it is never overwritten), or the folder cannot be used.
    """
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    try:
        data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(os.open(path_in(data_dir), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        raise ConfigError(
            "no key was made", [f"data_dir: {path_in(data_dir)} exists and is never overwritten"]
        ) from None
    except OSError as error:
        raise ConfigError("no key was made", [f"data_dir: {error}"]) from error
    return key.public_key().public_bytes_raw()


def load(data_dir: Path) -> Ed25519PrivateKey:
    """Read the key.

    Raises:
        ConfigError: there is none, others may read it, or it is no Ed25519 key.
    """
    path = path_in(data_dir)
    try:
        pem = path.read_bytes()
        mode = path.stat().st_mode
    except OSError as error:
        raise ConfigError("no key", [f"data_dir: {error}: make a key with `jishi gateway key`"]) from error
    if mode & 0o077:
        raise ConfigError("the key is not secret", [f"data_dir: others may read {path}: chmod 600, better a new key"])
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError) as error:
        raise ConfigError("no key", [f"data_dir: {path} is no private key in PEM: {error}"]) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigError("no key", [f"data_dir: {path} is no Ed25519 key"])
    return key
