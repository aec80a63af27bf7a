"""The door to the database: named statements, one table of errors, a DSN that is asked for."""

import re
from pathlib import Path

import psycopg
import pytest

from contract.errors import ConfigError, EvidenceError, JishiError, Reason, StorageError
from storage import queries
from storage.pool import connect, mapped
from storage.queries import SQL
from storage.registry_load import _KEYS

ROOM = Path(queries.__file__).parent


def used() -> set[str]:
    """Names of statements in the room's own source."""
    text = "\n".join(path.read_text("utf-8") for path in ROOM.glob("*.py"))
    named = set(re.findall(r'SQL\["(\w+)"\]', text)) | set(re.findall(r'_copy\(connection, "(\w+)"', text))
    records = {f"{verb}_{kind}" for verb in ("all", "add") for kind in _KEYS}
    return named | records | {f"close_{kind}" for kind in ("gateway_key", "binding", "policy")}


def test_every_statement_is_used_and_every_use_is_a_statement() -> None:
    assert used() == set(SQL)


def test_no_statement_is_empty_or_ends_in_a_semicolon() -> None:
    assert all(text and not text.endswith(";") for text in SQL.values())


@pytest.mark.parametrize(
    ("sqlstate", "kind", "says"),
    [
        ("22003", EvidenceError, "not-storable"),
        ("23505", EvidenceError, "not-storable"),
        ("08006", StorageError, "tried again"),
        (None, StorageError, "tried again"),
        ("40001", StorageError, "tried again"),
        ("42P01", StorageError, "jishi db migrate"),
        ("53100", StorageError, "disk"),
        ("57P01", StorageError, "restarted"),
        ("58030", StorageError, "log"),
        ("XX000", StorageError, "failed"),
    ],
)
def test_errors_of_the_server_say_who_must_act(sqlstate: str | None, kind: type[JishiError], says: str) -> None:
    error = psycopg.Error("words")
    error.sqlstate = sqlstate
    with pytest.raises(kind, match=says), mapped():
        raise error


def test_bad_data_has_the_code_that_quarantines_it() -> None:
    with pytest.raises(EvidenceError) as caught, mapped():
        raise psycopg.errors.NumericValueOutOfRange
    assert caught.value.reason is Reason.NOT_STORABLE


@pytest.mark.parametrize("dsn", [None, "", "no = such = thing", "mysql://somewhere"])
def test_a_dsn_is_asked_for(monkeypatch: pytest.MonkeyPatch, dsn: str | None) -> None:
    monkeypatch.delenv("JISHI_DSN", raising=False)
    with pytest.raises(ConfigError, match="dsn: ") as caught:
        connect(dsn)
    assert "such" not in str(caught.value)


def test_the_environment_names_the_database(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("JISHI_DSN", f"host={tmp_path}")
    with pytest.raises(StorageError, match=re.escape(str(tmp_path))):
        connect()
