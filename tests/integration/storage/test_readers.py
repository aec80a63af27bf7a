"""Shared connections: they refuse to write, are used again, and none is believed after an error."""

import threading

import psycopg
import pytest

from contract.errors import StorageError
from storage import readers as module
from storage import registry
from storage.pool import mapped
from storage.readers import Readers


def pid(readers: Readers) -> int:
    with readers.reading() as connection:
        return connection.info.backend_pid


def test_what_reads_cannot_write(migrated: str) -> None:
    readers = Readers(migrated, 1)
    with pytest.raises(StorageError, match="25006"), readers.reading() as connection, mapped():
        connection.execute("CREATE TABLE anything ()")
    readers.close()


def test_a_connection_is_used_again_also_after_an_error_that_is_not_the_servers(migrated: str) -> None:
    readers = Readers(migrated, 2)
    first = pid(readers)
    with pytest.raises(ValueError, match="mine"), readers.reading():
        raise ValueError("mine")
    assert pid(readers) == first
    readers.close()


def test_a_transaction_left_open_is_not_the_next_ones(migrated: str) -> None:
    readers = Readers(migrated, 1)
    with readers.reading() as connection:
        first = connection.info.backend_pid
        connection.execute("BEGIN")
    assert pid(readers) != first
    readers.close()


def test_a_restarted_server_costs_one_request(migrated: str) -> None:
    readers = Readers(migrated, 2)
    with readers.reading() as one, readers.reading() as other:
        gone = [one.info.backend_pid, other.info.backend_pid]
    with psycopg.connect(migrated, autocommit=True) as admin:
        for each in gone:
            admin.execute("SELECT pg_terminate_backend(%s, 5000)", [each])
    with pytest.raises(StorageError), readers.reading() as connection:
        registry.revision(connection)
    with readers.reading() as connection:
        assert registry.revision(connection) == 0
    readers.close()


def test_too_many_at_once_are_told_so(migrated: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_WAIT_S", 0.05)
    readers = Readers(migrated, 1)
    with readers.reading(), pytest.raises(StorageError, match="busy"), readers.reading():
        pass
    held = [pid(readers)]
    several = [threading.Thread(target=lambda: held.append(pid(readers))) for _ in range(5)]
    for one in several:
        one.start()
        one.join()
    assert len(set(held)) == 1
    readers.close()
