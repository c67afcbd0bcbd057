"""Locks that end with the process that holds them, however it ends (PostgreSQL's advisory locks)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg

from kartoteka.db.database import Connection, Database
from kartoteka.errors import DatabaseUnavailable


class Lock:
    """A lock that is held on a connection of its own."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def check(self) -> None:
        """Raises `DatabaseUnavailable` when the connection broke: somebody else may have it now."""
        try:
            await self._connection.execute("select 1")
        except psycopg.OperationalError as error:
            raise DatabaseUnavailable from error


@asynccontextmanager
async def try_lock(database: Database, family: int, number: int) -> AsyncIterator[Lock | None]:
    """The lock of this number for the length of the block, or None when another holds it."""
    async with database.connection() as connection:
        cursor = await connection.execute(
            "select pg_try_advisory_lock(%(family)s::integer, %(number)s::integer)",
            {"family": family, "number": number},
        )
        row = await cursor.fetchone()
        if row is None or not row[0]:
            yield None
            return
        try:
            yield Lock(connection)
        finally:
            await connection.close()  # frees the lock, also in the middle of an error
