"""Two databases with the same people: the server's own and the one of the floors."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from kartoteka.activity.partitions import make_months, month_of
from kartoteka.app import prepare_database
from kartoteka.db.database import Database
from kartoteka.db.named import load_queries

FLOOR_DATABASE = "kartoteka_floor"
_QUERIES = load_queries("bench", "seed.sql")
_ACTIVITY = load_queries("bench", "activity.sql")
_TABLES = ("contact", "identifier", "identity_history")
_ACTIVITY_TABLES = ("orders", "order_totals", "event")
_HALF_A_YEAR = timedelta(days=184)


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
        _settle(connection, _TABLES)


def seed_activity(database_url: str, contacts: int, account_id: int) -> None:
    """What they bought and did in the last half year: 1.5 orders, three events, two visits each."""
    at = datetime.now(UTC)
    params = {"contacts": contacts, "account_id": account_id, "at": at}
    asyncio.run(_make_months(database_url, at))
    with psycopg.connect(database_url) as connection:
        for query in _ACTIVITY.values():
            connection.execute(query.sql, params)
        connection.commit()
        _settle(connection, _ACTIVITY_TABLES)


async def _make_months(database_url: str, at: datetime) -> None:
    database = await Database.open(database_url, max_size=1)
    try:
        days = range(0, _HALF_A_YEAR.days, 20)
        await make_months(database, {month_of(at - timedelta(days=day)) for day in days})
    finally:
        await database.close()


def _settle(connection: psycopg.Connection, tables: Sequence[str]) -> None:
    connection.autocommit = True
    for table in tables:
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
