"""TOML files into frozen records, every fault at once.

Does not: know any file's meaning; that stands in the record's type.
"""

import tomllib
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from contract.errors import ConfigError

Record = TypeVar("Record")


def read(path: Path, kind: type[Record]) -> Record:
    """Read a file as a record of a pydantic dataclass.

    Raises:
        ConfigError: the file cannot be read, or has faults; each begins with its dotted key (`binding[2].role`).
    """
    try:
        return TypeAdapter(kind).validate_python(tomllib.loads(path.read_text("utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigError(f"{path} cannot be read", [str(error)]) from error
    except ValidationError as error:
        faults = [f"{_key(one['loc'])}: {one['msg']}" for one in error.errors()]
        raise ConfigError(f"{path} has faults", faults) from error


def _key(location: tuple[int | str, ...]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).removeprefix(".")
