"""The api's settings: TOML to a frozen record. `sample.toml` says them all, with their defaults.

Does not: open anything that it names.
"""

import os
from dataclasses import field
from pathlib import Path
from typing import Annotated, Final

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass

from contract.errors import ConfigError
from storage import toml_file
from storage.pool import DSN_VARIABLE

RESERVED: Final = 2
"""Connections for keys, the board and health: no long question holds those."""


@dataclass(config=ConfigDict(extra="forbid"), frozen=True, slots=True, kw_only=True)
class Config:
    """An api server.

    Attributes:
        dsn: of the database; the environment's JISHI_DSN where it is not given. A secret.
        https: people reach it by https, through a proxy that forwards to it: cookies are then sent by https only.
        poll_s: how often the board of live states is read, for all who watch it.
        connections: to the database, at most, and `RESERVED` more.
    """

    dsn: str | None = field(default=None, repr=False)
    host: str = "127.0.0.1"
    port: Annotated[int, Field(strict=True, ge=0, le=65_535)] = 8080
    https: Annotated[bool, Field(strict=True)] = False
    poll_s: Annotated[float, Field(ge=0.1, le=60)] = 1.0
    connections: Annotated[int, Field(strict=True, ge=1, le=100)] = 8


def load(path: Path) -> Config:
    """Read a config file.

    Raises:
        ConfigError: all its faults at once, each beginning with its dotted key.
    """
    config = toml_file.read(path, Config)
    if not (config.dsn or os.environ.get(DSN_VARIABLE)):
        raise ConfigError(
            f"{path} has faults", [f"dsn: name the database, here or in the environment's {DSN_VARIABLE}"]
        )
    return config
