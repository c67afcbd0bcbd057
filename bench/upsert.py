"""The floor of rows by the thousand: `floors/upsert_rows.sql` on the database beside the server's."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, TypeAlias

import msgspec
import psycopg

from kartoteka.db.database import SESSION_OPTIONS
from kartoteka.db.named import load_queries

BATCH_ROWS = 3_000
CONNECTIONS = 1
QUERIES = load_queries("bench", "floors/upsert_rows.sql")
Form: TypeAlias = Callable[[psycopg.Cursor[Any], bytes, dict[str, Any]], None]
"""Carries out the lines of one transaction; parameters `account_id` and `at`."""


def by_copy(cursor: psycopg.Cursor[Any], block: bytes, params: dict[str, Any]) -> None:
    """The quickest form that was found."""
    with cursor.copy(QUERIES["stage"].sql) as copy:
        copy.write(block)
    cursor.execute(QUERIES["upsert"].sql, params, prepare=True)


class Stretch(msgspec.Struct):
    """Rows that were carried out, how long it took, each transaction in microseconds."""

    rows: int
    seconds: float
    latencies: list[int]

    @property
    def rate(self) -> float:
        return self.rows / self.seconds

    def __add__(self, other: Stretch) -> Stretch:
        return Stretch(
            self.rows + other.rows,
            self.seconds + other.seconds,
            self.latencies + other.latencies,
        )


def upsert(
    database_url: str,
    blocks: Iterator[bytes],
    account_id: int,
    *,
    connections: int = CONNECTIONS,
    form: Form = by_copy,
) -> Stretch:
    """Carry out lines of a CSV file, each block in one transaction, on so many connections."""
    lines = [_Line(database_url, account_id, form) for _ in range(connections)]
    share = _Share(blocks)
    started = time.perf_counter()
    threads = [threading.Thread(target=line.work, args=(share,)) for line in lines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - started
    return _sum(lines, seconds)


class _Share:
    """One supply of blocks for all connections."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks
        self._lock = threading.Lock()

    def take(self) -> bytes | None:
        with self._lock:
            return next(self._blocks, None)


class _Line:
    """One connection."""

    def __init__(self, database_url: str, account_id: int, form: Form) -> None:
        self.connection = psycopg.connect(database_url, options=SESSION_OPTIONS)
        self.connection.execute(QUERIES["make_stage"].sql)
        self.connection.commit()
        self.account_id = account_id
        self.form = form
        self.rows = 0
        self.latencies: list[int] = []
        self.error: psycopg.Error | None = None

    def work(self, share: _Share) -> None:
        with self.connection:
            while (block := share.take()) is not None:
                try:
                    self._carry_out(block)
                except psycopg.Error as error:
                    self.error = error
                    return

    def _carry_out(self, block: bytes) -> None:
        since = time.perf_counter()
        with self.connection.cursor() as cursor:
            self.form(cursor, block, {"account_id": self.account_id, "at": datetime.now(UTC)})
        self.connection.commit()
        self.latencies.append(int((time.perf_counter() - since) * 1e6))
        self.rows += block.count(b"\n")


def _sum(lines: Sequence[_Line], seconds: float) -> Stretch:
    for line in lines:
        if line.error is not None:
            raise SystemExit(f"the floor of rows failed: {line.error}")
    latencies = [latency for line in lines for latency in line.latencies]
    return Stretch(sum(line.rows for line in lines), seconds, latencies)
