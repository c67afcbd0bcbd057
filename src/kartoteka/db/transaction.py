"""One REPEATABLE READ transaction in as few round trips as it can be: the engine's way to the database.

Statements that are run together travel together (libpq's pipeline mode); BEGIN goes with the first
and COMMIT with the last. It speaks to libpq through psycopg's C wrapper directly, because the layers
above it cost more Python time a batch than the statements cost PostgreSQL (design/engine.md).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, TypeAlias
from weakref import WeakKeyDictionary

from psycopg import OperationalError
from psycopg.adapt import Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus, PipelineStatus, TransactionStatus
from psycopg.rows import tuple_row

from kartoteka.db.arrays import PgArray
from kartoteka.db.database import Connection, Database, Row
from kartoteka.db.named import Query
from kartoteka.errors import DatabaseUnavailable

Call: TypeAlias = tuple[Query, dict[str, Any]]
_Compiled: TypeAlias = tuple[bytes, tuple[str, ...], bool]
"""The statement, the names of its parameters, and whether some may be bytes, which go as they are."""

BEGIN = Query("begin", "begin isolation level repeatable read", "")
COMMIT = Query("commit", "commit", "")
ROLLBACK = Query("rollback", "rollback", "")

_PARAMETER = re.compile(r"%\((\w+)\)s")
_compiled: dict[str, _Compiled] = {}
_prepared: WeakKeyDictionary[Connection, set[str]] = WeakKeyDictionary()


class CommitUnknown(DatabaseUnavailable):
    """The database went away while it was asked to commit: nobody can say whether it did."""


class Transaction:
    """See the module; made by `transaction`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._pgconn = connection.pgconn
        self._begun = False
        self._prepared = _prepared.setdefault(connection, set())

    @property
    def backend(self) -> int:
        """The process that serves the connection: another one has none of its temporary objects."""
        return self._pgconn.backend_pid

    async def run(self, *calls: Call) -> list[list[Row]]:
        """The rows of each statement, all in one round trip. Raises psycopg's errors."""
        if self._begun:
            return await self._exchange(calls)
        self._begun = True
        return (await self._exchange(((BEGIN, {}), *calls)))[1:]

    async def commit(self, *calls: Call) -> list[list[Row]]:
        """Run these last statements and commit, all in one round trip."""
        try:
            return (await self._exchange((*calls, (COMMIT, {}))))[:-1]
        except OperationalError as error:
            if self._pgconn.transaction_status == TransactionStatus.UNKNOWN:
                raise CommitUnknown from error
            raise

    async def rollback(self) -> None:
        """End the transaction and keep nothing; does nothing where there is none."""
        if self._pgconn.transaction_status in (
            TransactionStatus.INTRANS,
            TransactionStatus.INERROR,
        ):
            await self._exchange(((ROLLBACK, {}),))

    async def _exchange(self, calls: Sequence[Call]) -> list[list[Row]]:
        pgconn = self._pgconn
        expected: list[str | None] = []
        underway: set[str] = set()
        for query, params in calls:
            sql, names, has_bytes = _compile(query)
            name = query.name.encode()
            if query.name not in self._prepared and query.name not in underway:
                pgconn.send_prepare(name, sql)
                underway.add(query.name)
                expected.append(query.name)
            values = [_text(params[each]) for each in names]
            formats = [int(type(params[each]) is bytes) for each in names] if has_bytes else None
            pgconn.send_query_prepared(name, values, formats)
            expected.append(None)
        pgconn.pipeline_sync()
        return await self._results(expected)

    async def _results(self, expected: list[str | None]) -> list[list[Row]]:
        """Rows in the order of the statements; the first error is raised when all is read."""
        rows: list[list[Row]] = []
        error: Exception | None = None
        for prepared in expected:
            result = await self._next()
            if result.status in (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK):
                if prepared is not None:
                    self._prepared.add(prepared)
                elif result.status == ExecStatus.TUPLES_OK:
                    transformer = Transformer(self._connection)
                    transformer.set_pgresult(result)
                    rows.append(transformer.load_rows(0, result.ntuples, tuple_row(_NO_CURSOR)))
                else:
                    rows.append([])
            elif result.status == ExecStatus.FATAL_ERROR and error is None:
                error = error_from_result(result, encoding="utf-8")
            await self._next()  # the end of this statement's results
        await self._next()  # the answer to the sync
        if error is not None:
            raise error
        return rows

    async def _next(self) -> Any:
        pgconn = self._pgconn
        while True:
            unsent = pgconn.flush()
            if not pgconn.is_busy():
                return pgconn.get_result()
            await _until_ready(pgconn.socket, writing=bool(unsent))
            pgconn.consume_input()


class _NoCursor:
    """`tuple_row` asks its cursor nothing."""


_NO_CURSOR: Any = _NoCursor()


async def _until_ready(fd: int, *, writing: bool) -> None:
    loop = asyncio.get_running_loop()
    ready = loop.create_future()

    def wake() -> None:
        if not ready.done():
            ready.set_result(None)

    loop.add_reader(fd, wake)
    if writing:
        loop.add_writer(fd, wake)
    try:
        await ready
    finally:
        loop.remove_reader(fd)
        if writing:
            loop.remove_writer(fd)


def _compile(query: Query) -> _Compiled:
    """The statement with $1, $2 … and the names that stand for them."""
    known = _compiled.get(query.name)
    if known is not None:
        return known
    names: list[str] = []

    def number(match: re.Match[str]) -> str:
        if match[1] not in names:
            names.append(match[1])
        return f"${names.index(match[1]) + 1}"

    sql = _PARAMETER.sub(number, query.sql).replace("%%", "%").encode()
    _compiled[query.name] = (sql, tuple(names), b"::bytea" in sql)
    return _compiled[query.name]


def _text(value: Any) -> bytes | None:
    if value is None or type(value) is bytes:
        return value
    if type(value) is PgArray:
        return value.text
    if isinstance(value, datetime):
        return value.isoformat().encode()
    return str(value).encode()


@asynccontextmanager
async def transaction(database: Database) -> AsyncIterator[Transaction]:
    """A transaction; left without `commit` it is rolled back."""
    async with database.connection(outlives_errors=True) as connection:
        connection.pgconn.enter_pipeline_mode()
        work = Transaction(connection)
        try:
            yield work
        finally:
            await _leave(connection, work)


async def _leave(connection: Connection, work: Transaction) -> None:
    """Leave the connection as it came, or closed: never with results or a transaction open."""
    pgconn = connection.pgconn
    try:
        await asyncio.shield(work.rollback())
        if pgconn.pipeline_status != PipelineStatus.OFF:
            pgconn.exit_pipeline_mode()
    except (OperationalError, asyncio.CancelledError):
        await connection.close()
