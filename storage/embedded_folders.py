"""The folders of the embedded PostgreSQL, and the lock on its data.

The *data folder* holds `cluster/` and `postgres.log`. The log doubles as the lock: server and guard hold it open, so
it is free exactly when nothing of them runs any more. The *run folder*, fresh and short-named below the temporary
folder, holds the socket and is closed to everyone but the server's user and root.
"""

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from contract.clock import elapsed_s
from contract.errors import StorageError

from .server_user import ServerUser, refusal

_SOCKET_PATH_BYTES = 107  # sun_path of unix(7), less its closing zero
_SOCKET = "jishi-12345678/.s.PGSQL.5432"
_LAST_RESORT = Path("/tmp")  # noqa: S108 - only as parent of a fresh private folder
_RELEASE_S = 3.0  # a server whose starter has just been killed is gone by then


@contextmanager
def run_folder(user: ServerUser) -> Iterator[Path]:
    """A fresh run folder, removed again if the start fails; /tmp takes it where TMPDIR is too long or closed.

    Raises:
        StorageError: no folder will do.
    """
    for base in (Path(tempfile.gettempdir()), _LAST_RESORT):
        if len(os.fsencode(base / _SOCKET)) <= _SOCKET_PATH_BYTES and user.may_enter(base):
            break
    else:
        raise StorageError(f"no folder for PostgreSQL's socket: set TMPDIR to a short name that {user} may enter")
    folder = Path(tempfile.mkdtemp(prefix="jishi-", dir=base))
    try:
        user.give(folder)
        yield folder
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def claim_data_folder(folder: Path, user: ServerUser) -> None:
    """Make the data folder if need be; it belongs to the server's user and is within their reach.

    Raises:
        ConfigError: it cannot be so.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not user.may_enter(folder.parent):
        raise refusal(
            f"data_dir: the server runs as {user}, who cannot reach {folder}: choose a folder below ones that are "
            f"open to all, such as /var/lib/jishi, or start as an ordinary user"
        )
    owner = folder.stat().st_uid
    if owner == user.uid:
        return
    if not user.stand_in or any(folder.iterdir()):
        raise refusal(f"data_dir: {folder} belongs to user id {owner}, not to {user}: choose another folder")
    user.give(folder)


def check_major(folder: Path, version: str) -> None:
    """Refuse data of another major version of PostgreSQL.

    Raises:
        ConfigError: it is of another one.
    """
    stamp = folder / "cluster" / "PG_VERSION"
    ours = version.partition(".")[0]
    if stamp.exists() and (theirs := stamp.read_text("ascii").strip()) != ours:
        raise refusal(
            f"data_dir: {folder} holds data of PostgreSQL {theirs}, and this is {ours}: dump it with {theirs} and "
            f"load the dump here, or choose another folder"
        )


@contextmanager
def locked_log(folder: Path) -> Iterator[int]:
    """Descriptor of the log; its lock passes to whoever inherits it, and ends with the last of them.

    Raises:
        ConfigError: another server holds it.
    """
    # O_NOFOLLOW: root writes here, in a folder that belongs to someone else.
    log = os.open(folder / "postgres.log", os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, mode=0o600)
    try:
        deadline_s = elapsed_s() + _RELEASE_S
        while not _lock(log):
            if elapsed_s() > deadline_s:
                raise refusal(
                    f"data_dir: {folder} is in use: stop the server that runs there, or choose another folder"
                )
            time.sleep(0.02)
        yield log
    finally:
        os.close(log)


def _lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
