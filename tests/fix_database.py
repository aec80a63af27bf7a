"""Migrated databases: a template is migrated once for each test worker and cloned for each test."""

from collections.abc import Iterator
from uuid import uuid4

import psycopg
import pytest
from fix_processes import eventually
from psycopg import sql
from psycopg.conninfo import make_conninfo

from storage.migrate import migrate
from storage.pool import Connection, connect


@pytest.fixture(scope="session")
def template(postgres_server: str) -> Iterator[str]:
    """Name of a migrated database that nobody is connected to."""
    name = f"template_{uuid4().hex}"
    with psycopg.connect(postgres_server, autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        migrate(make_conninfo(postgres_server, dbname=name))
        # TimescaleDB's scheduler comes to every database; only one that nobody is in can be cloned.
        admin.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(sql.Identifier(name)))
        leave = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = %s"
        assert eventually(lambda: admin.execute(leave, [name]).fetchone() == (0,))
        yield name
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def migrated(postgres_server: str, template: str) -> Iterator[str]:
    """DSN of a migrated, empty database, dropped afterwards whoever is still connected."""
    name = f"test_{uuid4().hex}"
    with psycopg.connect(postgres_server, autocommit=True) as admin:
        clone = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        admin.execute(clone.format(sql.Identifier(name), sql.Identifier(template)))
        yield make_conninfo(postgres_server, dbname=name)
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def connection(migrated: str) -> Iterator[Connection]:
    """An open connection to `migrated`."""
    with connect(migrated) as opened:
        yield opened
