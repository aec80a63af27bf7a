"""The collector's settings: TOML to a frozen record. `sample.toml` says them all, with their defaults.

Does not: open anything that it names.
"""

import os
from dataclasses import field, replace
from pathlib import Path
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints
from pydantic.dataclasses import dataclass

from contract.errors import ConfigError
from contract.ids import ID_PATTERN
from storage import toml_file
from storage.pool import DSN_VARIABLE

_STRICT = ConfigDict(extra="forbid")


@dataclass(config=_STRICT, frozen=True, slots=True, kw_only=True)
class Broker:
    """Where the broker is, and which MQTT it speaks."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(strict=True, ge=1, le=65_535)] = 1883
    protocol: Literal["5", "3.1.1"] = "5"


@dataclass(config=_STRICT, frozen=True, slots=True, kw_only=True)
class BatchLimits:
    """A batch is stored when it reaches the first of these."""

    frames: Annotated[int, Field(strict=True, ge=1, le=5_000)] = 500
    age_ms: Annotated[int, Field(strict=True, ge=1, le=10_000)] = 250
    size_bytes: Annotated[int, Field(strict=True, ge=65_536)] = 16_777_216


@dataclass(config=_STRICT, frozen=True, slots=True, kw_only=True)
class Config:
    """A collector.

    Attributes:
        name: also its MQTT client id: the broker keeps its messages under it.
        dsn: of the database; the environment's JISHI_DSN where it is not given. A secret.
        key_file: private key that signs receipts; a relative path begins at the file that says it.
    """

    name: Annotated[str, StringConstraints(pattern=f"^{ID_PATTERN}$")] = "collector-1"
    dsn: str | None = field(default=None, repr=False)
    key_file: Path = Path("collector.key")
    broker: Broker = field(default_factory=Broker)
    batch: BatchLimits = field(default_factory=BatchLimits)


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
    return replace(config, key_file=path.parent / config.key_file)
