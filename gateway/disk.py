"""The data folder: who may use it, and what its failures mean. The one table of foreign storage errors of this room."""

import errno
import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from contract.errors import ConfigError, StorageError

_FULL: Final = {errno.ENOSPC, errno.EDQUOT}


class DiskFullError(StorageError):
    """No space left, on the disk or in the spool's quota: free space or raise `spool_quota_mb`."""


@contextmanager
def storing(what: str) -> Iterator[None]:
    """Map errors of files and sqlite within the block.

    Raises:
        DiskFullError: no space left on the disk, or the spool's quota is reached.
        StorageError: anything else that storage failed of.
    """
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        full = getattr(error, "errno", None) in _FULL or getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
        kind = DiskFullError if full else StorageError
        raise kind(f"{what}: {error}") from error


@contextmanager
def locked(data_dir: Path) -> Iterator[None]:
    """Hold the data folder (made where it is missing) for this process alone.

    Raises:
        ConfigError: another gateway holds it, or it cannot be used.
    """
    try:
        data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(data_dir / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise ConfigError("cannot start", [f"data_dir: {data_dir} cannot be used: {error}"]) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise ConfigError(
            "cannot start", [f"data_dir: another gateway already runs on {data_dir}: stop it, then start this again"]
        ) from error
    finally:
        os.close(descriptor)
