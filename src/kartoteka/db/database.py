"""Connections to PostgreSQL for one event loop."""

from __future__ import annotations

import asyncio
import select
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

import msgspec
import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import TransactionStatus
from psycopg.types.json import set_json_dumps, set_json_loads

from kartoteka.db.named import Query
from kartoteka.errors import DatabaseUnavailable

Connection: TypeAlias = psycopg.AsyncConnection[tuple[Any, ...]]
Row: TypeAlias = tuple[Any, ...]

SESSION_OPTIONS = "-c plan_cache_mode=force_generic_plan -c timezone=UTC"
"""With thousands of keys in an array, custom plans leave the nested loop (design: 4,900 cards a
second against 13,000)."""

WRITER_OPTIONS = (
    "-c enable_hashjoin=off -c enable_mergejoin=off -c enable_seqscan=off -c enable_bitmapscan=off "
    "-c lock_timeout=10s -c idle_in_transaction_session_timeout=60s"
)
"""The engine only ever looks up keys. In a young table without statistics a generic plan would read
the whole account for one card, and keep doing so while the table grows."""

set_json_loads(msgspec.json.decode)
set_json_dumps(msgspec.json.encode)


class Database:
    """A few connections, opened when needed and replaced when they break.

    After the database went away every call raises `DatabaseUnavailable`, and the first call after
    it came back works: a connection that broke while it was idle is recognised before it is used.
    """

    def __init__(
        self, url: str, *, max_size: int, wait_s: float, options: str = "", name: str = "kartoteka"
    ) -> None:
        self.url = url
        self._name = name
        self._options = options
        self._idle: deque[Connection] = deque()
        self._free = asyncio.Semaphore(max_size)
        self._wait_s = wait_s
        self._closed = False

    @classmethod
    async def open(
        cls,
        url: str,
        *,
        min_size: int = 1,
        max_size: int = 8,
        wait_s: float = 10.0,
        options: str = "",
        name: str = "kartoteka",
    ) -> Database:
        """Connections to that libpq URL; `min_size` are opened now, to learn whether it answers.

        `wait_s`: seconds to wait for a free connection. `options`: settings of each session, as
        `-c name=value`. `name`: what the sessions are called in `pg_stat_activity`. Raises
        `DatabaseUnavailable`.
        """
        database = cls(url, max_size=max_size, wait_s=wait_s, options=options, name=name)
        for _ in range(min_size):
            database._idle.append(await database._connect())
        return database

    async def close(self) -> None:
        """Close what is idle now and what is in use when it is given back."""
        self._closed = True
        while self._idle:
            await self._idle.pop().close()

    @asynccontextmanager
    async def connection(
        self, *, outlives_errors: bool = False, once: bool = False
    ) -> AsyncIterator[Connection]:
        """A connection in autocommit, for the length of the block.

        Statements are prepared on the server at their first use, so pipelines are quick. Errors of
        SQL come through as psycopg's own (see `db.failures`), a lost database as
        `DatabaseUnavailable`. After any error inside the block the connection is thrown away, never
        handed to the next caller: when psycopg rolls back it deallocates all statements, those of
        `db.transaction` too. `outlives_errors`: whoever uses it rolls back without psycopg. `once`:
        never handed on, for definitions of tables, after which psycopg does the same.
        """
        await self._take_turn()
        connection: Connection | None = None
        sound = outlives_errors and not once
        try:
            connection = self._idle_connection() or await self._connect()
            yield connection
            sound = not once
        except psycopg.Error as error:
            if is_lost(error, connection):
                raise DatabaseUnavailable from error
            raise
        finally:
            try:
                if connection is not None:
                    await self._give_back(connection, sound=sound)
            finally:
                self._free.release()

    async def fetch(self, query: Query | str, **params: Any) -> list[Row]:
        """All rows of one statement, each a tuple."""
        async with self.connection() as connection:
            return await (await connection.execute(_sql(query), params)).fetchall()

    async def fetch_one(self, query: Query | str, **params: Any) -> Row | None:
        """The first row of one statement, or None."""
        async with self.connection() as connection:
            return await (await connection.execute(_sql(query), params)).fetchone()

    async def fetch_bytes(self, query: Query | str, **params: Any) -> bytes | None:
        """The only value of the first row, a `bytea`, not spelled as text on its way; or None."""
        async with self.connection() as connection:
            cursor = await connection.execute(_sql(query), params, binary=True)
            row = await cursor.fetchone()
        return None if row is None else row[0]

    async def execute(self, query: Query | str, **params: Any) -> int:
        """Run one statement; the number of rows it touched."""
        async with self.connection() as connection:
            return (await connection.execute(_sql(query), params)).rowcount

    async def is_ready(self) -> bool:
        """True when the database answers within two seconds."""
        try:
            async with asyncio.timeout(2):
                return await self.fetch_one("select 1") is not None
        except (DatabaseUnavailable, TimeoutError, psycopg.Error):
            return False

    async def _take_turn(self) -> None:
        if not self._free.locked():  # `timeout` costs more than the rest, and is seldom needed
            await self._free.acquire()
            return
        try:
            async with asyncio.timeout(self._wait_s):
                await self._free.acquire()
        except TimeoutError:
            raise DatabaseUnavailable("The database is too busy; try again in a moment.") from None

    def _idle_connection(self) -> Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if _is_quiet(connection):
                return connection
            connection.pgconn.finish()
        return None

    async def _connect(self) -> Connection:
        try:
            connection = await psycopg.AsyncConnection.connect(
                self.url,
                autocommit=True,
                prepare_threshold=0,
                application_name=self._name,
                connect_timeout=5,
                options=_session_options(self.url, self._options),
                client_encoding="UTF8",
            )
        except psycopg.Error as error:
            raise DatabaseUnavailable from error
        connection.prepared_max = 500
        return connection

    async def _give_back(self, connection: Connection, *, sound: bool) -> None:
        idle = connection.pgconn.transaction_status == TransactionStatus.IDLE
        if sound and idle and not self._closed and not connection.pgconn.pipeline_status:
            self._idle.append(connection)
        else:
            await connection.close()


def is_lost(error: psycopg.Error, connection: Connection | None) -> bool:
    """True when the error says that the database went away, not that a statement failed."""
    state = error.sqlstate or ""
    if state.startswith(("08", "57P", "53")):
        return True
    return connection is None or connection.broken or connection.closed


def _is_quiet(connection: Connection) -> bool:
    """False when the server hung up: an idle connection has nothing to read."""
    if connection.closed:
        return False
    poller = select.poll()
    poller.register(connection.pgconn.socket, select.POLLIN)
    return not poller.poll(0)


def _sql(query: Query | str) -> str:
    return query.sql if isinstance(query, Query) else query


def _session_options(url: str, more: str) -> str:
    """Ours first, so that options in the URL win."""
    given = conninfo_to_dict(url).get("options") or ""
    return " ".join(part for part in (SESSION_OPTIONS, more, str(given)) if part)
