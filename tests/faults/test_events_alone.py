"""Events that need no more than who has their External ID come to what the usual way comes to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from kartoteka.activity import actions
from kartoteka.contacts.model import Command, Outcome
from tests.conftest import fresh_database
from tests.faults.conftest import Shop, open_shop
from tests.faults.holding import first_then
from tests.rules.stories import add, erase, event, merge, put, remove, undo

STORED = """
select owner_id, via, kind, source, type_key, key_value, params
from event
order by type_key, owner_id, params
"""
EVERYBODY = ("LIVE", "PRESENT", "FORMER", "GONE", "KEPT", "JOINED", "ONE", "OTHER", "ERASED", "NEW")


async def people(shop: Shop) -> None:
    """Live, with a former ID, removed, merged, merged and undone, erased."""
    await shop.id(add(x="LIVE", email="live@shop.example"))
    await shop.send(put(await shop.id(add(x="FORMER")), x="PRESENT"))
    await shop.send(remove(await shop.id(add(x="GONE"))))
    await shop.send(merge(await shop.id(add(x="KEPT")), await shop.id(add(x="JOINED"))))
    await shop.send(merge(await shop.id(add(x="ONE")), await shop.id(add(x="OTHER"))))
    merges = shop.rows("select max(history_id) from identity_history where action = 'absorbed'")
    await shop.send(undo(merges[0][0]))
    await shop.send(erase(await shop.id(add(x="ERASED"))))


BATCHES: dict[str, Sequence[Command]] = {
    "one": [event("seen", x="LIVE")],
    "one of a former ID": [event("seen", x="FORMER")],
    "one of nobody": [event("seen", x="NEW")],
    "all known": [event("seen", x=one) for one in ("LIVE", "PRESENT", "LIVE", "ONE", "OTHER")],
    "all of them": [event("seen", x=one, params={"n": n}) for n in (1, 2) for one in EVERYBODY],
    "a message twice": [event("paid", x="LIVE", message="m"), event("paid", x="LIVE", message="m")],
    "beside the removal": [remove(x="LIVE"), event("seen", x="LIVE"), event("seen", x="ONE")],
    "beside another card": [add(x="LIVE", cookie="S"), event("seen", x="LIVE"), event(x="NEW")],
    "of the past": [event("seen", x="LIVE", past=True), event("seen", x="ONE")],
}


async def told(shop: Shop, commands: Sequence[Command]) -> tuple[list[Any], list[Any]]:
    """What one batch came to, and what stands then."""
    await people(shop)
    outcomes = await shop.together(*commands)
    shop.check()
    said = [msgspec.to_builtins(one) if isinstance(one, Outcome) else repr(one) for one in outcomes]
    return said, shop.rows(STORED)


@pytest.mark.parametrize("name", BATCHES)
async def test_events_come_to_the_same_in_both_ways(postgres_url, database_url, name, monkeypatch):
    async with open_shop(database_url) as shop:
        found = await told(shop, BATCHES[name])
    with fresh_database(postgres_url) as url:
        async with open_shop(url) as shop:
            monkeypatch.setattr(actions, "enough", lambda _: None)
            usual = msgspec.structs.replace(shop.engine.rules, enough=lambda _: None)
            shop.engine.rules = usual
            assert found == await told(shop, BATCHES[name])
    assert found[1]


async def test_an_event_meets_the_removal_of_its_contact(two_shops):
    """Whoever waited for the card is told: the event came after it, so the contact comes back (D8)."""
    one, _ = two_shops
    who = await one.id(add(x="X"))
    await first_then(two_shops, remove(who), event("late", x="X"))
    assert one.rows("select status from contact") == [(0,)]
    assert one.rows("select owner_id from event") == [(who,)]


async def test_an_event_meets_the_merge_of_its_contact(two_shops):
    one, other = two_shops
    keep, absorbed = await one.id(add(x="K")), await one.id(add(x="A"))
    await first_then(two_shops, merge(keep, absorbed), event("late", x="A"))
    assert (await other.send(event("later", x="A"))).resolution.contact_id == keep
    assert one.rows("select distinct owner_id from event") == [(absorbed,)]


async def test_an_event_meets_the_change_of_its_external_id(two_shops):
    """The one it names is a former one by then, and still finds the contact (D9)."""
    one, _ = two_shops
    who = await one.id(add(x="X"))
    await first_then(two_shops, put(who, x="Y"), event("late", x="X"))
    assert one.rows("select owner_id from event") == [(who,)]
