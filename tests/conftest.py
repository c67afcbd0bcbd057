"""Fixtures that every test may use.

- `postgres_url`: one embedded PostgreSQL for the whole run (also under xdist);
- `database_url`: a fresh, migrated database of it for one test;
- `database`: a `Database` open on `database_url`;
- `server`: the real `kartoteka serve` as a child process, shared by the tests of one module;
- `start_server`: starts more of them, each as told, and stops them after the test.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from kartoteka.db.database import Database
from kartoteka.db.embedded import EmbeddedPostgres
from kartoteka.db.migrate import migrate

TEMPLATE = "kartoteka_template"


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of an embedded PostgreSQL with a migrated template database; one per xdist worker."""
    with EmbeddedPostgres(tmp_path_factory.mktemp("postgres")) as postgres:
        make_database(postgres.url, TEMPLATE)
        asyncio.run(migrate(url_of(postgres.url, TEMPLATE)))
        yield postgres.url


@pytest.fixture
def database_url(postgres_url: str) -> Iterator[str]:
    """The URL of a fresh database with the schema of this version, dropped after the test."""
    with fresh_database(postgres_url) as url:
        yield url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """Connections to a fresh, migrated database."""
    opened = await Database.open(database_url)
    yield opened
    await opened.close()


@contextmanager
def fresh_database(postgres_url: str, template: str = TEMPLATE) -> Iterator[str]:
    """The URL of a copy of the template, for fixtures of other lengths of life."""
    name = f"test_{secrets.token_hex(6)}"
    make_database(postgres_url, name, template)
    try:
        yield url_of(postgres_url, name)
    finally:
        with psycopg.connect(postgres_url, autocommit=True) as connection:
            drop = sql.SQL("drop database {} with (force)").format(sql.Identifier(name))
            connection.execute(drop)


def make_database(postgres_url: str, name: str, template: str = "template0") -> None:
    """Create that database on the server of that URL."""
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(
            sql.SQL("create database {} template {}").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )


def url_of(postgres_url: str, name: str) -> str:
    """The conninfo of another database on the same server."""
    return make_conninfo(postgres_url, dbname=name)
