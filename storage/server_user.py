"""Whom the embedded PostgreSQL runs as: us, or a stand-in when we are root, whom PostgreSQL refuses to serve.

It does not make users; `nobody` exists on every system.
"""

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from contract.errors import ConfigError

_STAND_IN_FOR_ROOT = "nobody"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerUser:
    """The server's user.

    Attributes:
        stand_in: name of the user who runs the server in root's place; None: we run it ourselves.
        uid: user id of the server's processes.
        gid: their group id.
    """

    stand_in: str | None
    uid: int
    gid: int

    @classmethod
    def here(cls) -> Self:
        """The server's user for this process.

        Raises:
            ConfigError: we are root and there is no stand-in.
        """
        if os.geteuid() != 0:
            return cls(stand_in=None, uid=os.geteuid(), gid=os.getegid())
        try:
            found = pwd.getpwnam(_STAND_IN_FOR_ROOT)
        except KeyError:
            raise refusal(f"user: root needs a user `{_STAND_IN_FOR_ROOT}` to run PostgreSQL as: add one") from None
        return cls(stand_in=found.pw_name, uid=found.pw_uid, gid=found.pw_gid)

    def __str__(self) -> str:
        return self.stand_in or f"user id {self.uid}"

    def run(self, *command: str | Path) -> "subprocess.CompletedProcess[str]":
        """Run a short command as this user.

        Raises:
            PermissionError: the user may not run it.
        """
        other = self.stand_in is not None
        return subprocess.run(  # noqa: S603 - our own commands
            command,
            check=False,
            capture_output=True,
            text=True,
            user=self.uid if other else None,
            group=self.gid if other else None,
            extra_groups=[] if other else None,
        )

    def may_enter(self, folder: Path) -> bool:
        """Whether this user can reach the folder: every folder above it is open to them, too."""
        return self.run("/bin/sh", "-c", 'cd "$1"', "sh", folder).returncode == 0

    def give(self, path: Path) -> None:
        """Make the user the owner of a file or folder that we made."""
        if self.stand_in:
            os.chown(path, self.uid, self.gid)


def refusal(fault: str) -> ConfigError:
    """The embedded server's one way to refuse; the fault is a sentence that begins with what it is about."""
    return ConfigError("the embedded PostgreSQL cannot start:", [fault])
