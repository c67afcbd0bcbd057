"""A command that cannot succeed, whatever the reason, harms no neighbour in its batch."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec
import psycopg
import pytest

from kartoteka.contacts.model import Command, Outcome
from kartoteka.errors import DatabaseUnavailable
from kartoteka.identity.kinds import EXTERNAL_ID
from tests.faults.conftest import Shop, open_shop
from tests.rules.stories import add, put

NUL, SURROGATE, HUGE = "a\x00b", "a\ud800b", "poison"

POISON: dict[str, Callable[[], Command]] = {
    "a text that PostgreSQL cannot hold": lambda: add(x="bad", first=NUL),
    "an identifier that PostgreSQL cannot hold": lambda: add(x=f"bad{NUL}"),
    "a text that is no UTF-8": lambda: add(x="bad", first=SURROGATE),
    "a custom field that jsonb cannot hold": lambda: add(x="bad", fields={"1": NUL}),
    "an id beyond bigint": lambda: put(2**70, first="Alice"),
    "a row that a constraint refuses": lambda: add(x="bad", first="poison"),
    "a rule that fails": lambda: msgspec.structs.replace(add(x="bad"), contact=None),
}


@pytest.mark.parametrize("name", POISON)
async def test_neighbours_of_a_poisoned_command_are_unharmed(shop: Shop, name: str):
    with psycopg.connect(shop.url, autocommit=True) as connection:
        connection.execute("alter table contact add check (first_name <> 'poison')")
    await shop.send(add(x="X3", first="Old"))
    commands: list[Command] = [add(x=f"X{n}", token=f"T{n}", first="New") for n in range(11)]
    commands.insert(7, POISON[name]())
    outcomes = await shop.together(*commands)
    poisoned = outcomes.pop(7)
    assert isinstance(poisoned, Exception)
    assert all(isinstance(one, Outcome) for one in outcomes), outcomes
    assert shop.rows("select first_name, count(*) from contact group by 1") == [("New", 11)]
    assert shop.holders(EXTERNAL_ID.code, "bad") == []


async def test_all_of_a_batch_may_be_poison(shop: Shop):
    outcomes = await shop.together(*(add(x=f"X{n}", first=NUL) for n in range(9)))
    assert all(isinstance(one, Exception) for one in outcomes)
    assert shop.rows("select contact_id from contact") == []
    await shop.send(add(x="X", first="Alice"))


async def test_a_lock_that_somebody_keeps_is_no_fault_of_the_command(database_url: str):
    """503 for who waits too long, and whoever needs other cards goes on."""
    async with open_shop(database_url, options="-c lock_timeout=150ms") as shop:
        kept = await shop.id(add(x="kept"))
        async with await psycopg.AsyncConnection.connect(shop.url) as keeper:
            await keeper.execute("select from contact where contact_id = %s for update", [kept])
            waits, goes = await shop.together(add(x="kept", first="Alice"), add(x="other"))
            assert isinstance(waits, DatabaseUnavailable)
            assert isinstance(goes, Outcome)
        assert (await shop.send(add(x="kept", first="Alice"))).resolution.outcome == "updated"
        shop.check()


async def test_an_engine_that_closes_answers_what_it_was_given(database_url: str):
    async with open_shop(database_url) as shop:
        waiting = [asyncio.create_task(shop.send(add(x=f"X{n}"))) for n in range(300)]
        await asyncio.sleep(0)
        await shop.engine.close()
        assert {type(one) for one in await asyncio.gather(*waiting)} == {Outcome}
