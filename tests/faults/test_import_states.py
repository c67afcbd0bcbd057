"""Imports that are paused, cancelled, cut off or overtaken at the worst moment."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from kartoteka.imports.pacing import ROWS_IN_A_BATCH
from tests.faults.imports import assert_whole
from tests.faults.invariants import check
from tests.faults.runners import Works, open_works, until


@pytest.fixture
async def works(database_url: str, tmp_path: Path) -> AsyncIterator[Works]:
    """Nobody carries anything out yet; the invariants are checked when the test has ended."""
    async with open_works(database_url, tmp_path) as opened:
        yield opened
        check(database_url)


def channels(**values: str) -> dict[str, Any]:
    return {"channels": [{"type": kind, "value": value} for kind, value in values.items()]}


def strangers(number: int) -> list[dict[str, Any]]:
    return [channels(email=f"stranger{one}@x.example") for one in range(number)]


def people(number: int) -> str:
    return "External ID\n" + "".join(f"P{one}\n" for one in range(number))


@asynccontextmanager
async def held_up(works: Works, what: str) -> AsyncIterator[None]:
    """Nobody gets past that statement's lock while the block lasts."""
    async with await psycopg.AsyncConnection.connect(works.url) as keeper:
        await keeper.execute(what)  # type: ignore[call-overload]
        yield


def waits_for_lock(works: Works) -> bool:
    sql = (
        "select count(*) from pg_stat_activity"
        " where datname = current_database() and wait_event_type = 'Lock'"
    )
    return bool(works.rows(sql)[0][0])


async def test_of_two_rows_about_one_contact_the_later_wins_whatever_it_is_named_by(works: Works):
    """The rows stand in two batches that name nothing in common; the first one is held up."""
    async with works.running():
        both = channels(email="both@x.example") | {"externalCustomerId": "both"}
        await works.over(await works.call([channels(email="other@x.example"), both]))
        first = {"externalCustomerId": "both", "firstName": "One"}
        second = channels(email="both@x.example") | {"firstName": "Two"}
        filling = strangers(ROWS_IN_A_BATCH - 2)
        rows = [channels(email="other@x.example"), first, *filling, second]
        async with held_up(works, "select from contact where email = 'other@x.example' for update"):
            number = await works.call(rows)
            await until(lambda: waits_for_lock(works))
            await asyncio.sleep(0.5)
        one = await works.over(number)
    assert one.counts["updated"] == 2
    assert works.rows("select first_name from contact where email = 'both@x.example'") == [("Two",)]


async def test_a_lane_whose_lock_was_lost_goes_on(works: Works):
    """Its connection breaks while the others hold, as behind a firewall that forgets idle ones."""
    total = 5 * ROWS_IN_A_BATCH
    async with works.running():
        async with held_up(works, "lock table identity_history in exclusive mode"):
            number = await works.file(people(total))
            await until(lambda: waits_for_lock(works))
            works.rows(
                "select pg_terminate_backend(l.pid) from pg_locks l join pg_database d"
                " on d.oid = l.database and datname = current_database() where locktype = 'advisory'"
            )
        one = await works.over(number)
    assert (one.state, one.error) == ("finished", None)
    assert_whole(works.url, works.account.account_id, number, total)


@pytest.mark.parametrize("kind", ["file", "call"])
async def test_an_import_paused_while_its_last_rows_are_written_ends_when_resumed(
    works: Works, kind: str
):
    number = await (works.file(people(5)) if kind == "file" else works.call(strangers(5)))
    account = works.account.account_id
    async with works.running():
        async with held_up(works, "lock table identity_history in exclusive mode"):
            await until(lambda: waits_for_lock(works))
            await works.imports.pause(account, number)
        await until(lambda: works.rows("select count(*) from import_batch") == [(1,)])
        await asyncio.sleep(0.2)
        assert (await works.find(number)).state == "paused"
        await works.imports.resume(account, number)
        one = await works.over(number)
    assert (one.state, one.error, one.counts["created"]) == ("finished", None, 5)
