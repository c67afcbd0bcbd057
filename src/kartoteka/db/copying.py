"""A database read or written in bulk: COPY, as fast as PostgreSQL sends, on a connection of its own.

Synchronous, for work in a thread: a million rows pass as blocks of bytes that nobody looks into.
"""

from __future__ import annotations

import os
import select
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Any, Self

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import ExecStatus

from kartoteka.db.named import Query

BLOCK_BYTES = 262_144
_WAIT_S = 0.5


class Session:
    """One connection and, between `begin` and `commit`, one transaction. Raises psycopg's errors."""

    def __init__(self, connection: psycopg.Connection[tuple[Any, ...]]) -> None:
        self._connection = connection

    @classmethod
    def open(cls, url: str, **parameters: Any) -> Session:
        """A connection to that libpq URL; `parameters` win over what it says."""
        return cls(psycopg.connect(url, autocommit=True, client_encoding="UTF8", **parameters))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Nothing that was not committed stays."""
        self._connection.close()

    def abort(self) -> None:
        """Hang up, from whatever thread: who waits for an answer gets an error instead."""
        if not self._connection.closed:
            with suppress(OSError), socket.socket(fileno=os.dup(self._connection.fileno())) as line:
                line.shutdown(socket.SHUT_RDWR)

    def notice_hang_up(self) -> None:
        """Ask the server to look every second whether we are still there while it works or waits: else it
        goes on after `abort`. PostgreSQL 14 and newer, where the system can tell."""
        with suppress(psycopg.Error):
            self._connection.execute("set client_connection_check_interval = '1s'")

    @property
    def is_encrypted(self) -> bool:
        return self._connection.pgconn.ssl_in_use

    @property
    def is_local(self) -> bool:
        """Whether it is a socket in the file system, which needs no encryption."""
        return self._connection.info.host.startswith(("/", "@"))

    @property
    def is_broken(self) -> bool:
        return self._connection.broken or self._connection.closed

    def rows(self, query: Query | str | sql.Composable, **params: Any) -> list[tuple[Any, ...]]:
        """All rows of one statement; none where it answers with none."""
        text = query.sql if isinstance(query, Query) else query
        cursor = self._connection.execute(text, params or None)  # type: ignore[arg-type]
        return cursor.fetchall() if cursor.description is not None else []

    def run(self, query: Query | str | sql.Composable, **params: Any) -> int:
        """How many rows one statement touched."""
        text = query.sql if isinstance(query, Query) else query
        return self._connection.execute(text, params or None).rowcount  # type: ignore[arg-type]

    def copy_out(self, query: str, params: Mapping[str, Any], form: str) -> Iterator[bytes]:
        """The rows of a select in blocks of whole rows; `form`: options of COPY, such as `format csv`."""
        with psycopg.ClientCursor(self._connection) as cursor:
            select_ = cursor.mogrify(query, params)
        pgconn = self._connection.pgconn
        result = pgconn.exec_(f"copy ({select_}) to stdout ({form})".encode())
        if result.status != ExecStatus.COPY_OUT:
            raise psycopg.errors.error_from_result(result, encoding="utf-8")
        yield from _blocks(pgconn)
        last = pgconn.get_result()
        while last is not None:
            if last.status == ExecStatus.FATAL_ERROR:
                raise psycopg.errors.error_from_result(last, encoding="utf-8")
            last = pgconn.get_result()

    @contextmanager
    def copy_in(self, statement: sql.Composable | str) -> Iterator[Callable[[bytes], None]]:
        """A function that takes blocks, as `copy … from stdin` reads them."""
        with (
            self._connection.cursor() as cursor,
            cursor.copy(statement) as copy,  # type: ignore[arg-type]
        ):
            yield copy.write


def _blocks(pgconn: Any) -> Iterator[bytes]:
    rows: list[bytes] = []
    size = 0
    while True:
        length, row = pgconn.get_copy_data(1)
        if length > 0:
            rows.append(bytes(row))
            size += length
            if size >= BLOCK_BYTES:
                yield b"".join(rows)
                rows.clear()
                size = 0
        elif length == 0:
            select.select([pgconn.socket], [], [], _WAIT_S)
            pgconn.consume_input()
        else:
            break
    if rows:
        yield b"".join(rows)


def read_conninfo(text: str) -> dict[str, str]:
    """What a URI or a text of key=value says. Raises ValueError when it is neither."""
    try:
        return {name: str(value) for name, value in conninfo_to_dict(text).items()}
    except psycopg.ProgrammingError:
        raise ValueError("neither a URI nor a text of key=value") from None


def conninfo(parts: Mapping[str, str]) -> str:
    """The text for `Session.open`."""
    return make_conninfo(**parts)


def names(columns: Sequence[str]) -> sql.Composable:
    """Column names for a statement, quoted."""
    return sql.SQL(", ").join(map(sql.Identifier, columns))


def compose(text: str, **parts: sql.Composable | str | Sequence[str]) -> sql.Composable:
    """A statement with `{name}` filled in: a text is one name, a tuple of texts a qualified one."""
    filled = {
        key: sql.Identifier(*((part,) if isinstance(part, str) else tuple(part)))
        if not isinstance(part, sql.Composable)
        else part
        for key, part in parts.items()
    }
    return sql.SQL(text).format(**filled)


def literal(value: Any) -> sql.Composable:
    """A value inside a statement that takes no parameters."""
    return sql.Literal(value)


def joined(parts: Sequence[sql.Composable]) -> sql.Composable:
    """Parts with commas between them."""
    return sql.SQL(", ").join(parts)


def raw(text: str) -> sql.Composable:
    """A piece of a statement that is ours."""
    return sql.SQL(text)
