"""Two databases with the same people: the server's own and the one of the floors."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from kartoteka.app import prepare_database
from kartoteka.db.named import load_queries

FLOOR_DATABASE = "kartoteka_floor"
_QUERIES = load_queries("bench", "seed.sql")
_TABLES = ("contact", "identifier", "identity_history")


def make_floor_database(database_url: str) -> str:
    """An empty database beside the server's, migrated the same way; its URL."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        name = sql.Identifier(FLOOR_DATABASE)
        connection.execute(sql.SQL("create database {}").format(name))
    url = _url(database_url, FLOOR_DATABASE)
    asyncio.run(prepare_database(url))
    return url


def seed(database_url: str, contacts: int, account_id: int) -> None:
    """That many people, set by set, then statistics and a visibility map as an old table has."""
    params = {"contacts": contacts, "account_id": account_id, "at": datetime.now(UTC)}
    with psycopg.connect(database_url) as connection:
        for name in ("seed_contacts", "seed_identifiers", "seed_history", "advance_ids"):
            connection.execute(_QUERIES[name].sql, params)
        connection.commit()
        connection.autocommit = True
        for table in _TABLES:
            connection.execute(sql.SQL("vacuum (analyze) {}").format(sql.Identifier(table)))


def main_account(database_url: str) -> int:
    """The account that the server's first start made."""
    with psycopg.connect(database_url) as connection:
        row = connection.execute("select min(account_id) from account").fetchone()
    assert row is not None
    return int(row[0])


def _url(database_url: str, database: str) -> str:
    """The same server, another database; as a URL, since that is what migrations are given."""
    return database_url.replace(f"/{conninfo_to_dict(database_url)['dbname']}?", f"/{database}?")
