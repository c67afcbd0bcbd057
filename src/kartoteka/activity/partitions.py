"""Partitions of table `event`, a month each: made ahead, and behind as events of the past need them.

A month is made outside the transaction of the batch that needs it, under a lock, so that two processes
never make it twice. What lies outside the sane range of years goes into the default partition.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from weakref import WeakKeyDictionary

from kartoteka.contacts.model import Command
from kartoteka.db.database import Connection, Database
from kartoteka.db.failures import BUSY, RETRYABLE
from kartoteka.db.first_statistics import tell_planner
from kartoteka.db.named import load_queries
from kartoteka.log import logger

QUERIES = load_queries(__package__, "partitions.sql")
FIRST_YEAR, LAST_YEAR = 1990, 2099
"""CDNOW is of 1997; before 1990 no shop sent events."""
MONTHS_AHEAD = 2
_LOCK = 40_004

Month = tuple[int, int]
_known: WeakKeyDictionary[Database, set[Month]] = WeakKeyDictionary()


def month_of(at: datetime) -> Month:
    at = at.astimezone(UTC)
    return (at.year, at.month)


def next_month(month: Month) -> Month:
    year, number = month
    return (year + 1, 1) if number == 12 else (year, number + 1)


def months_ahead(at: datetime) -> list[Month]:
    """This month and those that are made before they come."""
    months = [month_of(at)]
    for _ in range(MONTHS_AHEAD):
        months.append(next_month(months[-1]))
    return months


async def prepare(database: Database, commands: Sequence[Command]) -> None:
    """Make what these commands' events need; nothing to do for most batches."""
    await make_months(database, {month_of(at) for one in commands for at in one.moments()})


async def make_months(database: Database, months: Iterable[Month]) -> None:
    """Make the partitions of these months that are not there yet.

    One that somebody's long reading keeps from being attached is left for the next time: its events go
    into the default partition until then, and move when it is made. On a connection of its own: behind
    an ALTER psycopg deallocates every prepared statement of the connection, those of
    `db/transaction.py` too.
    """
    known = _known.setdefault(database, set())
    missing = {month for month in months if month not in known}
    if not missing:
        return
    own = await Database.open(database.url, max_size=1, name="kartoteka partitions")
    try:
        async with own.connection() as connection:
            for month in sorted(missing):
                try:
                    if FIRST_YEAR <= month[0] <= LAST_YEAR:
                        await _make(connection, month)
                    known.add(month)
                except (*BUSY, *RETRYABLE):
                    logger.info("partition_waits", month=f"{month[0]:04}-{month[1]:02}")
    finally:
        await own.close()


async def drop_empty_months(database: Database, before: datetime) -> None:
    """Drop the partitions of whole months before a moment that hold nothing any more; one that is in
    use at this moment stays until the next night."""
    own = await Database.open(database.url, max_size=1, name="kartoteka partitions")
    try:
        async with own.connection() as connection:
            found = await connection.execute(QUERIES["months"].sql)
            for (name,) in await found.fetchall():
                if name < f"event_{before.year:04}_{before.month:02}":
                    try:
                        await _drop_if_empty(connection, name)
                    except (*BUSY, *RETRYABLE):
                        logger.info("partition_stays", partition=name)
    finally:
        await own.close()


async def _drop_if_empty(connection: Connection, name: str) -> None:
    async with connection.transaction():
        await connection.execute("set local lock_timeout = '5s'")
        await connection.execute(QUERIES["lock_partitions"].sql, {"lock": _LOCK})
        found = await connection.execute(f"select exists (select from {name})".encode())  # noqa: S608  from the catalogue
        row = await found.fetchone()
        if row is None or row[0]:
            return
        # Locked before it is looked at again: nobody writes into what is dropped.
        await connection.execute(f"lock table {name} in access exclusive mode".encode())
        found = await connection.execute(f"select exists (select from {name})".encode())  # noqa: S608
        row = await found.fetchone()
        if row is not None and not row[0]:
            await connection.execute(f"drop table {name}".encode())


async def _make(connection: Connection, month: Month) -> None:
    year, number = month
    after = next_month(month)
    name = f"event_{year:04}_{number:02}"
    async with connection.transaction():
        # Who waits for this lock behind us waits as long.
        await connection.execute("set local lock_timeout = '5s'")
        await connection.execute(QUERIES["lock_partitions"].sql, {"lock": _LOCK})
        row = await (await connection.execute(QUERIES["is_there"].sql, {"name": name})).fetchone()
        if row is not None and row[0]:
            return
        # Names and dates of our own making: a definition takes no parameters.
        start, end = f"'{year:04}-{number:02}-01Z'", f"'{after[0]:04}-{after[1]:02}-01Z'"
        within = f"occurred >= {start} and occurred < {end}"
        for statement in (
            f"create table {name} (like event including defaults including constraints)",
            f"with moved as (delete from event_other where {within} returning *) insert into {name} select * from moved",  # noqa: S608, E501
            f"alter table event attach partition {name} for values from ({start}) to ({end})",
        ):
            await connection.execute(statement.encode())
        await tell_planner(connection)
