"""Two writers, step by step: what hammering does not show (design/engine.md, "Safe").

A third connection locks two tables, so that the first writer stops after it has read and locked its
cards and before it commits. The second reads meanwhile and waits for a card. Then all go on.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

import psycopg
import pytest

from kartoteka.identity.kinds import EXTERNAL_ID, MOBILE_TOKEN
from tests.faults.conftest import Shop
from tests.faults.holding import COMMITS, first_then, held_back
from tests.rules.stories import add, erase, put, remove, subscribe


@pytest.mark.parametrize("same_moment", [False, True])
async def test_a_token_is_added_while_its_card_is_absorbed(two_shops, same_moment):
    """Anomaly 1: C waits for B's lock with a snapshot in which the new token is not on B.

    `same_moment`: nothing in B's row would change by itself, not even when it was updated.
    """
    one, _ = two_shops
    at = one.clock.now()
    await one.send(add(token="T"), at)
    c = await one.id(add(x="C"))
    await first_then(
        two_shops,
        add(token=("T", "T-new")),
        add(x="C", token="T"),
        at if same_moment else at + timedelta(seconds=1),
    )
    assert one.holders(MOBILE_TOKEN.code, "T-new") == [c]


async def test_a_list_is_joined_while_its_card_is_absorbed(two_shops):
    """The same for what belongs to B without standing in its row: lists and events."""
    one, _ = two_shops
    await one.send(add(token="T"))
    c = await one.id(add(x="C"))
    await first_then(two_shops, subscribe(token="T", groups=("News",)), add(x="C", token="T"))
    [(owner,)] = one.rows("select owner_id from event")
    assert one.rows("select merged_into from contact where contact_id = %(id)s", id=owner) == [(c,)]


async def test_a_list_is_joined_while_its_card_is_erased(two_shops):
    one, _ = two_shops
    b = await one.id(add(token="T"))
    await first_then(two_shops, subscribe(token="T", groups=("News",)), erase(b))
    assert one.rows("select owner_id from event union select contact_id from segment_member") == []


async def test_a_token_is_added_while_its_card_is_erased(two_shops):
    one, _ = two_shops
    b = await one.id(add(token="T"))
    await first_then(two_shops, add(token=("T", "T-new")), erase(b))
    assert one.holders(MOBILE_TOKEN.code, "T-new") == []


async def test_a_token_moves_while_somebody_waits_for_its_former_card(two_shops):
    """Anomaly 2 in our isolation: the card that held the token is locked, the token had moved."""
    one, _ = two_shops
    await one.send(add(x="B", token="T"))
    d = await one.id(add(x="D"))
    await first_then(two_shops, add(x="D", token="T"), add(token="T", first="Alice"))
    assert one.holders(MOBILE_TOKEN.code, "T") == [d]
    assert one.rows("select contact_id from contact where first_name = 'Alice'") == [(d,)]


async def test_the_external_id_is_taken_while_put_waits(two_shops):
    """G9.1 holds when the ID came to another contact after PUT had read."""
    one, other = two_shops
    b = await one.id(add(x="B", token="TB"))
    m = await one.id(add(email="m@x.example"))
    async with held_back(one.url, *COMMITS) as until:
        slow = asyncio.create_task(one.send(put(b, x="N")))
        await until(1)
        late = asyncio.create_task(other.send(put(m, x="N", token="TB")))
        await until(2)
    refused = (await asyncio.gather(slow, late, return_exceptions=True))[1]
    assert getattr(refused, "code", None) == "external_id_taken"
    assert one.holders(EXTERNAL_ID.code, "N") == [b]
    assert one.holders(MOBILE_TOKEN.code, "TB") == [b]


async def test_removed_while_somebody_updates(two_shops):
    """The update that came later restores the card: nothing is lost, no second card."""
    one, _ = two_shops
    b = await one.id(add(x="B"))
    await first_then(two_shops, remove(b), add(x="B", first="Alice"))
    assert one.rows("select contact_id, status, first_name from contact") == [(b, 0, "Alice")]


@pytest.mark.parametrize("level", ["read committed", "repeatable read"])
async def test_why_the_isolation_is_repeatable_read(shop: Shop, level: str):
    """Anomaly 2, bare: after the wait READ COMMITTED holds the wrong card and says nothing."""
    b, d = await shop.id(add(x="B", token="T")), await shop.id(add(x="D"))
    move = "update identifier set contact_id = %s where value_key = 'T'"
    touch = "update contact set version = version + 1 where contact_id = any(%s)"
    lock = "select 1 from contact where contact_id = %s for update"
    async with await psycopg.AsyncConnection.connect(shop.url) as mover:
        async with await psycopg.AsyncConnection.connect(shop.url, autocommit=True) as waiter:
            await mover.execute(move, [d])
            await mover.execute(touch, [[b, d]])
            await waiter.execute(f"begin isolation level {level}")
            found = await waiter.execute("select contact_id from identifier where value_key = 'T'")
            assert await found.fetchall() == [(b,)]
            waiting = asyncio.create_task(waiter.execute(lock, [b]))
            await asyncio.sleep(0.1)
            assert not waiting.done()
            await mover.commit()
            if level == "repeatable read":
                with pytest.raises(psycopg.errors.SerializationFailure):
                    await waiting
            else:
                await waiting
                now = await waiter.execute(
                    "select contact_id from identifier where value_key = 'T'"
                )
                assert await now.fetchall() == [(d,)]
            await waiter.execute("rollback")
        await mover.execute(move, [b])  # as the history says, for the check that ends the test
        await mover.commit()
