"""The collector's own key: Ed25519, PKCS#8 PEM, readable by its owner alone.

Does not: keep gateways' keys; their public halves stand in the registry.
"""

import os
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from contract.errors import ConfigError

_OTHERS = 0o077


def create(path: Path) -> Ed25519PrivateKey:
    """Make a key and write it, mode 0600; durable when it returns. An existing file is never overwritten.

    Raises:
        ConfigError: the file exists or cannot be written.
    """
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise ConfigError("no key was made", [f"key_file: {error}"]) from error
    return key


def load(path: Path) -> Ed25519PrivateKey:
    """Read a key.

    Raises:
        ConfigError: no such file, not an Ed25519 key, or others may read it.
    """
    try:
        mode, pem = path.stat().st_mode, path.read_bytes()
        key = serialization.load_pem_private_key(pem, password=None)
    except (OSError, ValueError, TypeError) as error:
        advice = f"make one with `jishi collector key {path}`"
        raise ConfigError("no usable key", [f"key_file: {error}; {advice}"]) from error
    if mode & _OTHERS:
        raise ConfigError("the key is not secret", [f"key_file: others may read {path}: run chmod 600 {path}"])
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigError("no usable key", [f"key_file: {path} holds no Ed25519 key"])
    return key


def public_hex(key: Ed25519PrivateKey) -> str:
    """The public half, as gateways' configs want it."""
    return key.public_key().public_bytes_raw().hex()
