"""Imports that are paused, cancelled, cut off or overtaken at the worst moment."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest

from kartoteka.imports.model import Import
from kartoteka.imports.pacing import ROWS_IN_A_BATCH
from kartoteka.imports.run import MOST_IN_FLIGHT
from kartoteka.imports.store import ImportIsOver
from tests.faults.imports import assert_whole, done_rows
from tests.faults.invariants import check
from tests.faults.runners import Works, open_works, until

TOTAL = 6 * ROWS_IN_A_BATCH


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


def is_kept(one: Import) -> bool:
    assert one.file is not None
    return Path(one.file.path).exists()


async def paused_after_a_batch(works: Works, number: int) -> int:
    """Pause it when some rows are done; how many are when it has stopped."""
    await until(lambda: done_rows(works.url, number) > 0)
    assert (await works.imports.pause(works.account.account_id, number)).state == "paused"
    return await stopped(works, number)


async def stopped(works: Works, number: int) -> int:
    """How many rows are done when nobody is at the import any more."""
    lanes = "select count(*) from pg_locks where locktype = 'advisory' and granted"
    await until(lambda: works.rows(lanes) == [(0,)])
    return done_rows(works.url, number)


async def test_what_a_paused_import_wrote_stays_and_the_rest_comes_when_it_goes_on(works: Works):
    number = await works.file(people(TOTAL))
    async with works.running():
        done = await paused_after_a_batch(works, number)
        assert 0 < done < TOTAL
        one = await works.find(number)
        assert (one.state, one.done, one.counts["created"]) == ("paused", done, done)
        lines, listed = await works.imports.rows(one.account_id, number, None, 0, TOTAL)
        assert (len(lines), listed) == (done, done)
        assert works.rows("select count(*) from contact") == [(done,)]
        assert is_kept(one)
        await works.imports.resume(one.account_id, number)
        one = await works.over(number)
    assert (one.state, one.counts["created"]) == ("finished", TOTAL)
    assert_whole(works.url, one.account_id, number, TOTAL)
    assert not is_kept(one)


async def test_pausing_and_resuming_all_the_time_loses_nothing(works: Works):
    account, chance = works.account.account_id, random.Random(7)
    number = await works.file(people(TOTAL))
    async with works.running():
        for _ in range(12):
            await asyncio.sleep(chance.random() * 0.15)
            for change in (works.imports.pause, works.imports.resume):
                with suppress(ImportIsOver):
                    await change(account, number)
                await asyncio.sleep(chance.random() * 0.02)
        one = await works.over(number)
    assert (one.state, one.error, one.counts["created"]) == ("finished", None, TOTAL)
    assert_whole(works.url, account, number, TOTAL)


async def test_a_paused_import_that_waits_lets_others_pass(works: Works):
    waits, passes = await works.file(people(3)), await works.file(people(5))
    await works.imports.pause(works.account.account_id, waits)
    async with works.running():
        assert (await works.over(passes)).counts["created"] == 5
        assert ((await works.find(waits)).state, done_rows(works.url, waits)) == ("paused", 0)
        await works.imports.resume(works.account.account_id, waits)
        assert (await works.over(waits)).counts["unchanged"] == 3


async def test_a_cancelled_import_stops_with_the_batches_under_way_and_drops_its_file(works: Works):
    number = await works.file(people(TOTAL))
    async with works.running():
        async with held_up(works, "lock table identity_history in exclusive mode"):
            await until(lambda: waits_for_lock(works))
            await asyncio.sleep(0.3)
            one = await works.imports.cancel(works.account.account_id, number)
            assert not is_kept(one)
        done = await stopped(works, number)
        assert 0 < done <= MOST_IN_FLIGHT * ROWS_IN_A_BATCH
        after = await works.file(people(5))
        assert (await works.over(after)).counts["unchanged"] == 5
    one = await works.find(number)
    assert (one.state, one.done, one.counts["created"]) == ("cancelled", done, done)
    assert_whole(works.url, one.account_id, number, done)
    for change in (works.imports.pause, works.imports.resume):
        with pytest.raises(ImportIsOver):
            await change(one.account_id, number)


async def test_two_runners_do_each_import_once(works: Works):
    """Files and calls of one account; each row would create somebody again."""
    numbers = []
    for one in range(6):
        contacts = [channels(email=f"c{one}.{row}@x.example") for row in range(50)]
        numbers += [await works.call(contacts), await works.file(tokens(one, 300))]
    async with works.running(2):
        for number in numbers:
            assert (await works.over(number)).counts["created"] in (50, 300)
    assert works.rows("select count(*) from contact") == [(6 * 350,)]


def tokens(one: int, number: int) -> str:
    lines = (f"token{one}.{row},Ann\n" for row in range(number))
    return "Mobile push token,First name\n" + "".join(lines)
