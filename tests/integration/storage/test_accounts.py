"""Accounts: only a hash is stored, a key stands under one name, and services can neither make nor close one."""

import hashlib
import re

import psycopg
import pytest

from contract.errors import ConfigError
from contract.ids import UnitId
from storage import accounts
from storage.accounts import KEY_PATTERN, NewAccount, Role
from storage.pool import Connection

NOW_MS = 1_741_564_800_000
AUDITOR = NewAccount(name="auditor", role=Role.AUDITOR)


@pytest.fixture
def unit(connection: Connection) -> UnitId:
    connection.execute("INSERT INTO unit (unit_id, name_zh, name_en, time_zone) VALUES ('u-1', '一', 'One', 'UTC')")
    return UnitId("u-1")


def test_of_a_key_only_its_hash_is_stored(connection: Connection) -> None:
    key = accounts.add(connection, AUDITOR, NOW_MS)
    assert re.fullmatch(KEY_PATTERN, key)
    rows = connection.execute("SELECT account::text, key_sha256 FROM account").fetchall()
    assert [row[1] for row in rows] == [hashlib.sha256(key.encode()).digest()]
    assert key not in rows[0][0]
    assert key.removeprefix("jishi_") not in rows[0][0]


def test_a_key_finds_its_account_and_another_finds_none(connection: Connection, unit: UnitId) -> None:
    key = accounts.add(connection, NewAccount(name="lab", role=Role.LAB, unit=unit), NOW_MS)
    found = accounts.find(connection, key)
    assert found
    assert (found.name, found.role, found.unit, found.opens(NOW_MS)) == ("lab", Role.LAB, unit, True)
    assert accounts.add(connection, AUDITOR, NOW_MS) != key
    for other in (key[:-1] + ("A" if key[-1] != "A" else "B"), key + "x", "", "jishi_", key.upper(), "\x00" * 49):
        assert accounts.find(connection, other) is None


def test_a_key_ends_when_it_expires(connection: Connection) -> None:
    until = NewAccount(name="a", role=Role.AUDITOR, expires_at_ms=NOW_MS + 1_000)
    found = accounts.find(connection, accounts.add(connection, until, NOW_MS))
    assert found
    assert [found.opens(NOW_MS + later) for later in (999, 1_000)] == [True, False]


def test_a_revoked_key_opens_nothing_and_its_row_stays(connection: Connection) -> None:
    key = accounts.add(connection, AUDITOR, NOW_MS)
    accounts.revoke(connection, "auditor", NOW_MS + 5)
    found = accounts.find(connection, key)
    assert found
    assert (found.revoked_at_ms, found.opens(NOW_MS + 5)) == (NOW_MS + 5, False)
    with pytest.raises(ConfigError, match="no key stands under auditor"):
        accounts.revoke(connection, "auditor", NOW_MS + 9)
    accounts.add(connection, AUDITOR, NOW_MS + 10)
    assert [one.revoked_at_ms for one in accounts.listed(connection)] == [NOW_MS + 5, None]


def test_one_key_stands_under_a_name(connection: Connection) -> None:
    accounts.add(connection, AUDITOR, NOW_MS)
    with pytest.raises(ConfigError, match="revoke it first"):
        accounts.add(connection, AUDITOR, NOW_MS)


def test_every_fault_of_a_new_account_is_listed(connection: Connection) -> None:
    with pytest.raises(ConfigError) as raised:
        accounts.add(connection, NewAccount(name=" ", role=Role.LAB, expires_at_ms=NOW_MS), NOW_MS)
    assert [fault.split(":")[0] for fault in raised.value.faults] == ["--name", "--unit", "--expires"]
    with pytest.raises(ConfigError, match="--unit: nowhere is not in the registry"):
        accounts.add(connection, NewAccount(name="a", role=Role.LAB, unit=UnitId("nowhere")), NOW_MS)


def test_the_table_itself_wants_a_unit_for_a_lab(connection: Connection) -> None:
    row = "INSERT INTO account (name, role, key_sha256, created_at_ms) VALUES ('a', 'lab', sha256('x'), 0)"
    with pytest.raises(psycopg.errors.CheckViolation, match="a_lab_names_its_unit"):
        connection.execute(row)


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO account (name, role, key_sha256, created_at_ms) VALUES ('a', 'auditor', sha256('x'), 0)",
        "UPDATE account SET revoked_at_ms = NULL",
        "DELETE FROM account",
        "TRUNCATE account",
    ],
)
def test_services_look_keys_up_and_make_none(connection: Connection, statement: str) -> None:
    key = accounts.add(connection, AUDITOR, NOW_MS)
    connection.execute("SET ROLE jishi_service")
    assert accounts.find(connection, key)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(statement.encode())
