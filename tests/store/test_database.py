"""Connections replace themselves, and a lost database is told from a failed statement."""

from __future__ import annotations

import asyncio

import psycopg
import pytest

from kartoteka.db.database import Database
from kartoteka.db.failures import StatementFailed
from kartoteka.errors import DatabaseUnavailable

HANG_UP = "select pg_terminate_backend(%(pid)s, 60000)"
"""Answers when that session is gone."""


async def test_rows_come_back_as_tuples(database):
    assert await database.fetch("select n, n * 2 from generate_series(1, 2) n") == [(1, 2), (2, 4)]
    assert await database.fetch_one("select %(text)s::text", text="Їжак") == ("Їжак",)
    assert await database.fetch_one("select 1 where false") is None


async def test_execute_counts_the_rows_it_touched(database):
    await database.execute("create table t (n int)")
    assert await database.execute("insert into t select generate_series(1, 3)") == 3


async def test_times_are_in_utc_and_json_is_plain_values(database):
    at, body = await database.fetch_one(
        """select '2026-01-02 03:04:05.000006+02'::timestamptz, '{"a": [1, null]}'::jsonb"""
    )
    assert at.isoformat() == "2026-01-02T01:04:05.000006+00:00"
    assert body == {"a": [1, None]}


async def test_a_connection_that_the_server_closed_while_idle_is_not_used(database):
    (pid,) = await database.fetch_one("select pg_backend_pid()")
    async with await psycopg.AsyncConnection.connect(database.url, autocommit=True) as other:
        await other.execute(HANG_UP, {"pid": pid})
    assert await database.fetch_one("select 1") == (1,)


async def test_a_connection_lost_inside_a_block_is_a_lost_database_and_the_next_call_works(
    database,
):
    with pytest.raises(DatabaseUnavailable):
        await database.execute("select pg_terminate_backend(pg_backend_pid())")
    assert await database.is_ready()


async def test_a_failed_statement_is_not_a_lost_database(database):
    with pytest.raises(StatementFailed) as caught:
        await database.fetch("select 1 / 0")
    assert caught.value.sqlstate == "22012"


async def test_a_transaction_left_open_by_an_error_does_not_reach_the_next_caller(database_url):
    database = await Database.open(database_url, max_size=1)
    await database.execute("create table t (n int)")

    async def begin_and_fail() -> None:
        async with database.connection() as connection:
            await connection.execute("begin")
            await connection.execute("insert into t values (1)")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await begin_and_fail()
    assert await database.fetch("select n from t") == []
    await database.close()


async def test_a_cancelled_caller_leaves_no_statement_and_no_hole_in_the_pool(database_url):
    database = await Database.open(database_url, max_size=1)
    slow = asyncio.create_task(database.fetch("select pg_sleep(30)"))
    await asyncio.sleep(0.2)
    slow.cancel()
    with pytest.raises(asyncio.CancelledError):
        await slow
    running = "select count(*) from pg_stat_activity where query like '%%pg_sleep(30)%%'"
    assert await database.fetch_one(f"{running} and pid <> pg_backend_pid()") == (0,)
    await database.close()


async def test_more_callers_than_connections_wait_their_turn(database_url):
    database = await Database.open(database_url, max_size=2)
    answers = await asyncio.gather(
        *(database.fetch_one("select %(n)s::int from pg_sleep(0.01)", n=n) for n in range(20))
    )
    assert answers == [(n,) for n in range(20)]
    used = "select count(*) from pg_stat_activity where application_name = 'kartoteka'"
    mine = f"{used} and datname = current_database()"
    assert (await database.fetch_one(mine))[0] <= 2
    await database.close()


async def test_who_waits_too_long_hears_that_the_database_is_busy(database_url):
    database = await Database.open(database_url, max_size=1, wait_s=0.05)
    async with database.connection():
        with pytest.raises(DatabaseUnavailable, match="busy"):
            await database.fetch("select 1")
    assert await database.is_ready()
    await database.close()


async def test_a_database_that_is_not_there_is_unavailable_and_not_ready(tmp_path):
    database = await Database.open(f"postgresql:///x?host={tmp_path}", min_size=0)
    assert not await database.is_ready()
    with pytest.raises(DatabaseUnavailable):
        await database.fetch("select 1")
    await database.close()
