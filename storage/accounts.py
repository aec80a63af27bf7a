"""Who may ask the api: accounts and their keys. Only the SHA-256 of a key is stored.

A key is 256 random bits, so it needs no slow hash: nobody can try them all. It is found by looking its hash up in an
index. That takes no constant time, and need not: what timing could tell is the beginning of a stored *hash*, and no
key can be made from that.
Does not: know what a role may see (`api.auth`).
"""

import hashlib
import re
import secrets
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from psycopg.rows import class_row

from contract.errors import ConfigError
from contract.ids import UnitId, is_id
from storage.pool import Connection, mapped
from storage.queries import SQL

PREFIX: Final = "jishi_"
KEY_PATTERN: Final = PREFIX + r"[A-Za-z0-9_-]{43}"
MAX_NAME: Final = 80
_KEY: Final = re.compile(KEY_PATTERN)
_KEY_BYTES: Final = 32


class Role(StrEnum):
    """What an account is there for. Stored: names are added, never changed."""

    LAB = "lab"
    EVALUATOR = "evaluator"
    AUDITOR = "auditor"
    OPERATOR = "operator"


BOUND: Final = frozenset({Role.LAB})
"""Roles that MUST name a managing unit; the others may, and see every unit where they do not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAccount:
    """An account without its key.

    Attributes:
        unit: the managing unit it is bound to; None: all of them.
        expires_at_ms: from then on the key opens nothing; None: it does not expire.
        revoked_at_ms: from then on the key opens nothing; None: it is not revoked.
    """

    name: str
    role: Role
    unit: UnitId | None
    created_at_ms: int
    expires_at_ms: int | None
    revoked_at_ms: int | None

    def __post_init__(self) -> None:
        """The role as its enumeration: a row brings it as text."""
        object.__setattr__(self, "role", Role(self.role))

    def opens(self, now_ms: int) -> bool:
        """Whether its key opens anything at an instant."""
        ends = [end for end in (self.expires_at_ms, self.revoked_at_ms) if end is not None]
        return all(now_ms < end for end in ends)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAccount:
    """What a person says of an account to be made (see `StoredAccount`)."""

    name: str
    role: Role
    unit: UnitId | None = None
    expires_at_ms: int | None = None


def add(connection: Connection, new: NewAccount, now_ms: int) -> str:
    """Make an account: durable when this returns.

    Returns:
        Its key, which is known to nobody afterwards.

    Raises:
        ConfigError: every fault at once, each with its option.
        StorageError: the server failed.
    """
    if faults := _faults(new, now_ms):
        raise ConfigError("no account was made", faults)
    key = PREFIX + secrets.token_urlsafe(_KEY_BYTES)
    values = [new.name, new.role, new.unit, digest(key), now_ms, new.expires_at_ms]
    with mapped(), connection.transaction():
        if new.unit is not None and not connection.execute(SQL["unit_no"], [new.unit]).fetchone():
            raise ConfigError("no account was made", [f"--unit: {new.unit} is not in the registry"])
        if not connection.execute(SQL["add_account"], values).fetchone():
            raise ConfigError("no account was made", [f"--name: {new.name} has a key already: revoke it first"])
    return key


def digest(key: str) -> bytes:
    """What is stored of a key."""
    return hashlib.sha256(key.encode()).digest()


def find(connection: Connection, key: str) -> StoredAccount | None:
    """The account of a key, whether it still opens anything or not; None: there is none.

    Raises:
        StorageError: the server failed.
    """
    if not _KEY.fullmatch(key):
        return None
    with mapped(), connection.cursor(row_factory=class_row(StoredAccount)) as cursor:
        return cursor.execute(SQL["account_of_key"], [digest(key)]).fetchone()


def listed(connection: Connection) -> tuple[StoredAccount, ...]:
    """All accounts, by the time they were made.

    Raises:
        StorageError: the server failed.
    """
    with mapped(), connection.cursor(row_factory=class_row(StoredAccount)) as cursor:
        return tuple(cursor.execute(SQL["accounts"]).fetchall())


def revoke(connection: Connection, name: str, now_ms: int) -> None:
    """Close the key that stands under a name: durable when this returns. Its row stays.

    Raises:
        ConfigError: no key stands under that name.
        StorageError: the server failed.
    """
    with mapped():
        revoked = connection.execute(SQL["revoke_account"], [now_ms, name]).fetchone()
    if not revoked:
        raise ConfigError("nothing was revoked", [f"name: no key stands under {name}: see `jishi db account list`"])


def _faults(new: NewAccount, now_ms: int) -> list[str]:
    faults = []
    if not new.name.strip() or len(new.name) > MAX_NAME or not new.name.isprintable():
        faults.append(f"--name: 1 to {MAX_NAME} printable characters")
    if new.unit is None and new.role in BOUND:
        faults.append(f"--unit: an account of role {new.role} names its managing unit")
    if new.unit is not None and not is_id(new.unit):
        faults.append(f"--unit: {new.unit!r} cannot be an id")
    if new.expires_at_ms is not None and new.expires_at_ms <= now_ms:
        faults.append("--expires: is not in the future")
    return faults
