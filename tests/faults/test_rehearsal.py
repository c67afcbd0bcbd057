"""A dry run of a whole file is what then happens, and leaves nothing (decisions D27)."""

from __future__ import annotations

import asyncio

import psycopg
import pytest

from kartoteka.contacts.model import Outcome
from kartoteka.errors import DatabaseUnavailable
from tests.faults.conftest import Shop
from tests.faults.holding import held_back
from tests.faults.test_poison import NUL
from tests.rules import stories
from tests.rules.stories import add, put, remove

BY_EMAIL = stories.rules("email")


async def test_a_dry_run_whose_connection_broke_begins_anew(shop: Shop):
    """Another connection has nothing of what the rows before would have left."""
    async with shop.engine.rehearsal() as rehearsal:
        row = stories.row(BY_EMAIL, email="a@x.example", first="Ann")
        (created,) = await rehearsal.carry_out(shop.account, [row])
        assert isinstance(created, Outcome)
        with psycopg.connect(shop.url, autocommit=True) as connection:
            connection.execute(
                "select pg_terminate_backend(pid, 60000) from pg_locks"
                " where relation in (select oid from pg_class where relname = 'contact_rehearsed')"
            )
            connection.execute(
                "select pg_terminate_backend(pid, 60000) from pg_stat_activity"
                " where datname = current_database() and pid <> pg_backend_pid()"
            )
        with pytest.raises(DatabaseUnavailable):
            await rehearsal.carry_out(shop.account, [row])


async def test_a_dry_run_blocks_no_live_write(shop: Shop):
    """It has read the contact and waits in the middle of its transaction; the contact is changed."""
    card = await shop.id(add(x="A", email="a@x.example", token="T"))
    loose = await shop.id(add(token="U"))
    rows = [stories.row(BY_EMAIL, x="A", email="b@x.example", token=("T", "U"), first="Ann")]
    async with (
        shop.engine.rehearsal() as rehearsal,
        held_back(shop.url, "segment_member", mode="access exclusive") as until,
    ):
        # Whom the row absorbs is read with its lists, and nobody can read that table for now.
        task = asyncio.create_task(rehearsal.carry_out(shop.account, rows))
        await until(1)
        async with asyncio.timeout(60):
            changed = await shop.send(put(card, first="Bob"))
            removed = await shop.send(remove(loose))
        assert (changed.resolution.outcome, removed.resolution.outcome) == ("updated", "updated")
        assert not task.done()
    (answer,) = await task
    assert isinstance(answer, Outcome)
    assert answer.resolution.absorbed == [loose]  # as it stood when the batch began
    assert shop.rows("select first_name, email from contact where contact_id = %(card)s", card=card)


async def test_a_live_write_blocks_no_dry_run(shop: Shop):
    """Somebody has the contact locked; the dry run reads what stands."""
    card = await shop.id(add(x="A", email="a@x.example"))
    async with (
        await psycopg.AsyncConnection.connect(shop.url) as somebody,
        shop.engine.rehearsal() as rehearsal,
    ):
        await somebody.execute("select from contact for update")
        await somebody.execute("update identifier set rule = 'other'")
        row = stories.row(BY_EMAIL, email="a@x.example", first="Ann")
        async with asyncio.timeout(60):
            (answer,) = await rehearsal.carry_out(shop.account, [row])
        assert isinstance(answer, Outcome)
        assert (answer.resolution.contact_id, answer.resolution.outcome) == (card, "updated")


async def test_a_dry_run_uses_nothing_up(shop: Shop):
    """D27: not even ids."""
    first = await shop.id(add(x="A"))
    async with shop.engine.rehearsal() as rehearsal:
        rows = [stories.row(BY_EMAIL, email=f"{number}@x.example") for number in range(50)]
        answers = await rehearsal.carry_out(shop.account, rows)
    assert {one.resolution.outcome for one in answers if isinstance(one, Outcome)} == {"created"}
    assert await shop.id(add(x="B")) == first + 1


async def test_a_dry_run_of_a_call_sees_the_rows_before_even_beside_poison(shop: Shop):
    """D27; contacts that would be created have no id, in what is told of others neither."""
    known = await shop.id(add(x="K"))
    rows = [
        stories.row(BY_EMAIL, number=1, email="a@x.example"),
        stories.row(BY_EMAIL, number=2, x="bad", first=NUL),
        stories.row(BY_EMAIL, number=3, email="a@x.example", first="Ann"),
        stories.row(BY_EMAIL, number=4, x="K", email="a@x.example", first="Ann"),
        stories.row(BY_EMAIL, number=5, email="b@x.example", token="T"),
        stories.row(BY_EMAIL, number=6, x="K", token="T"),
    ]
    async with await psycopg.AsyncConnection.connect(shop.url) as somebody:
        await somebody.execute("select from contact for update")
        async with asyncio.timeout(60):
            answers = await shop.engine.rehearse_all(shop.account, rows)
    assert isinstance(answers.pop(1), Exception)
    told = [one.resolution for one in answers if isinstance(one, Outcome)]
    assert [(one.outcome, one.contact_id) for one in told] == [
        ("created", None),
        ("updated", None),
        ("updated", known),
        ("created", None),
        ("updated", known),
    ]
    assert [(one.absorbed, one.moved) for one in told] == [([], [])] * 5
