"""What the database keeps of an absorbed contact is the contact as it was (decisions D15, D26)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec

from kartoteka.identity.history import rebuild
from kartoteka.identity.model import Card, Held
from tests.faults.conftest import Shop
from tests.rules.stories import activate, add, app_token, mute, put, subscribe


def as_stored(shop: Shop, contact_id: int) -> tuple[Card, list[Held], set[int]]:
    """The card, its identifiers and its lists, out of their own tables."""
    [(card,)] = shop.rows(
        "select to_jsonb(c) - 'version' - 'account_id' from contact c where contact_id = %(who)s",
        who=contact_id,
    )
    held = shop.rows(
        "select to_jsonb(i) - 'account_id' from identifier i where contact_id = %(who)s",
        who=contact_id,
    )
    lists = shop.rows(
        "select segment_id from segment_member where contact_id = %(who)s", who=contact_id
    )
    return (
        msgspec.convert(card, Card),
        ordered(msgspec.convert(row, Held) for (row,) in held),
        {one for (one,) in lists},
    )


def ordered(rows: Any) -> list[Held]:
    return sorted(rows, key=lambda held: held.row_key)


def from_history(shop: Shop, absorbed: int) -> tuple[Card, list[Held], set[int]]:
    """The same, out of nothing but the row of the history that tells of the merge."""
    [(snapshot,)] = shop.rows(
        "select snapshot from identity_history"
        " where action = 'absorbed' and other_contact_id = %(who)s",
        who=absorbed,
    )
    card, held, lists = rebuild(snapshot)
    return card, ordered(held), lists


async def rich_visitor(shop: Shop) -> int:
    """Somebody without External ID of whom everything else is known."""
    said: dict[str, Any] = {
        "first": "Anna",
        "last": "Kovalenko",
        "contact_key": "K-1",
        "language_code": "uk",
        "time_zone": "Europe/Kyiv",
        "region": "Lvivska",
        "town": "Lviv",
        "address": "Rynok 1",
        "postcode": "79000",
        "fields": {"1": "2001-02-03"},
    }
    visitor = await shop.id(
        subscribe(
            email="anna@x.example",
            phone="380501112233",
            token=("T", "U" * 3000),
            web="W",
            device="D",
            cookie="C",
            groups=("News", "Sale"),
            subscriptions=("weekly", "daily"),
            form="footer",
            **said,
        )
    )
    await shop.send(app_token("G", contact_id=visitor))
    await shop.send(activate("G", active=False))
    await shop.send(mute("G", shop.clock.now() + timedelta(days=1)))
    return visitor


async def test_an_absorbed_contact_is_rebuilt_from_history_alone(shop: Shop):
    visitor = await rich_visitor(shop)
    was = as_stored(shop, visitor)
    assert [len(part) for part in was[1:]] == [8, 2]
    survivor = await shop.id(add(x="A", email="other@x.example", phone="380501119999", town="Kyiv"))
    taken = await shop.send(add(x="A", email="anna@x.example", phone="380501112233", token="T"))
    assert taken.resolution.absorbed == [visitor]
    assert from_history(shop, visitor) == was
    left, identifiers, _ = as_stored(shop, visitor)
    assert (left.first_name, left.merged_into, identifiers) == (None, survivor, [])
    assert shop.rows("select owner_id from event") == [
        (visitor,)
    ]  # what happened to it stays its own
    assert shop.rows("select merged_into from contact where contact_id = %(id)s", id=visitor) == [
        (survivor,)
    ]


async def test_of_a_chain_of_merges_each_is_rebuilt(shop: Shop):
    """What happens to the survivor afterwards changes nothing of what was absorbed before."""
    both = {"email": "anna@x.example", "phone": "380501112233"}
    visitor = await rich_visitor(shop)
    middle = await shop.id(add(token="M", town="Kyiv"))
    was_visitor = as_stored(shop, visitor)
    merged = await shop.send(put(middle, token=("M", "T"), **both))
    assert merged.resolution.absorbed == [visitor]
    was_middle = as_stored(shop, middle)
    last = await shop.id(add(x="Z", email="other@x.example"))
    assert (await shop.send(add(x="Z", token="M", **both))).resolution.absorbed == [middle]
    await shop.send(put(last, first="Hanna", email="hanna@x.example", token="T"))
    assert from_history(shop, visitor) == was_visitor
    assert from_history(shop, middle) == was_middle
