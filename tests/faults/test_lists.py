"""Lists while their members are merged, erased and emptied by others: nothing lost, nobody left over."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from kartoteka.contacts.model import Command, EmptyList, ImportRow, RowRules, Unique
from kartoteka.segments.store import Segments
from tests.faults.conftest import Shop
from tests.faults.holding import held_back
from tests.rules.stories import add, attach, contact, detach, erase, origin, remove, subscribe


async def news(shop: Shop) -> int:
    """The id of the list News, which nobody is on."""
    first = await shop.id(subscribe(x="first", groups=("News",)))
    [(segment_id,)] = shop.rows("select segment_id from segment")
    await shop.send(detach(segment_id, first))
    return int(segment_id)


def members(shop: Shop) -> list[int]:
    return [one for (one,) in shop.rows("select contact_id from segment_member order by 1")]


def live_members(shop: Shop) -> list[int]:
    sql = "select contact_id from segment_member join contact using (contact_id) where status = 0"
    return sorted(one for (one,) in shop.rows(sql))


def emptying(segment_id: int) -> EmptyList:
    return EmptyList(origin=origin(), segment_id=segment_id, first=1, last=2**62)


async def in_turn(shops: tuple[Shop, Shop], first: Command, second: Command) -> None:
    """`first` has locked its cards when `second` reads; it commits while `second` waits."""
    async with held_back(shops[0].url, "identity_history", "event", "segment_member") as until:
        slow = asyncio.create_task(shops[0].send(first))
        await until(1)
        late = asyncio.create_task(shops[1].send(second))
        await until(2)
    await asyncio.gather(slow, late)
    shops[0].check()


@pytest.mark.parametrize("attach_first", [True, False])
async def test_a_card_joins_while_it_is_absorbed(two_shops, attach_first):
    """Whoever is first: the survivor is on the list."""
    one, _ = two_shops
    segment_id = await news(one)
    b = await one.id(add(token="T"))
    c = await one.id(add(x="C"))
    commands = [attach(segment_id, b), add(x="C", token="T")]
    await in_turn(two_shops, *(commands if attach_first else commands[::-1]))
    assert live_members(one) == [c]


@pytest.mark.parametrize("detach_first", [True, False])
async def test_a_card_leaves_while_it_is_absorbed(two_shops, detach_first):
    """Whoever is first: nobody is on the list, the retired card neither."""
    one, _ = two_shops
    segment_id = await news(one)
    b = await one.id(add(token="T"))
    await one.send(attach(segment_id, b))
    await one.id(add(x="C"))
    commands = [detach(segment_id, b), add(x="C", token="T")]
    await in_turn(two_shops, *(commands if detach_first else commands[::-1]))
    assert members(one) == []


@pytest.mark.parametrize("attach_first", [True, False])
@pytest.mark.parametrize("end", [erase, remove], ids=["erase", "remove"])
async def test_a_card_joins_while_it_goes(two_shops, end, attach_first):
    one, _ = two_shops
    segment_id = await news(one)
    b = await one.id(add(x="B"))
    commands = [attach(segment_id, x=("B",)), end(b)]
    await in_turn(two_shops, *(commands if attach_first else commands[::-1]))
    assert live_members(one) == []
    assert members(one) == ([b] if end is remove and attach_first else [])


async def test_a_list_is_emptied_while_a_member_is_absorbed(two_shops):
    """The absorbing has read the member, who is gone when it wants to inherit: it runs again."""
    one, other = two_shops
    segment_id = await news(one)
    b = await one.id(add(token="T"))
    await one.send(attach(segment_id, b))
    await one.id(add(x="C"))
    async with held_back(one.url, "identity_history") as until:
        slow = asyncio.create_task(one.send(add(x="C", token="T")))
        await until(1)
        await other.send(emptying(segment_id))
    await slow
    assert members(one) == []


async def test_who_inherits_a_list_behind_the_back_of_an_emptying_is_found_by_its_next_look(
    two_shops, database
):
    """The absorbing was first, the emptying waits for it with an older snapshot, and looks again."""
    one, other = two_shops
    segment_id = await news(one)
    b = await one.id(add(token="T"))
    await one.send(attach(segment_id, b))
    c = await one.id(add(x="C"))
    async with held_back(one.url, "subscription_category") as until:
        # It has inherited the list when it waits to write the category.
        slow = asyncio.create_task(one.send(subscribe(x="C", token="T", subscriptions=("New",))))
        await until(1)
        late = asyncio.create_task(other.send(emptying(segment_id)))
        await until(2)
    await asyncio.gather(slow, late)
    assert members(one) == [c]
    assert await Segments(database).part(one.account.account_id, segment_id, 0) == c
    await other.send(emptying(segment_id))
    assert members(one) == []


async def test_two_processes_attach_and_merge_the_same_people(two_shops):
    """Hammered: every token's list arrives at whoever the token belongs to in the end."""
    one, other = two_shops
    segment_id = await news(one)
    people = range(40)
    tokens = [await one.id(add(token=f"T{n}")) for n in people]
    for n in people:
        await one.send(add(x=f"X{n}"))
    attaching = [
        other.send(attach(segment_id, *tokens[start : start + 5])) for start in range(0, 40, 5)
    ]
    merging = [one.send(add(x=f"X{n}", token=f"T{n}")) for n in people]
    await asyncio.gather(*attaching, *merging)
    owners = one.rows("select contact_id from identifier where kind = 1 and value_key like 'X%%'")
    assert live_members(one) == sorted(contact_id for (contact_id,) in owners)


async def test_left_and_absorbed_in_one_batch(shop: Shop):
    """By id and by name: leaving wins, whatever comes first in the batch."""
    segment_id = await news(shop)
    for turn, order in enumerate((1, -1)):
        b = await shop.id(add(token=f"T{turn}"))
        await shop.send(attach(segment_id, b))
        await shop.id(add(x=f"C{turn}"))
        commands: Sequence[Command] = [detach(segment_id, b), add(x=f"C{turn}", token=f"T{turn}")]
        await shop.together(*commands[::order])
        assert members(shop) == []


def row(email: str, *, groups: tuple[str, ...] = (), exclude: tuple[str, ...] = ()) -> ImportRow:
    rules = RowRules(Unique("email"), groups=groups, groups_exclude=exclude)
    said = contact(email=email)
    return ImportRow(origin=origin(), number=1, rules=rules, contact=said, value=email)


def names_of(shop: Shop, contact_id: int) -> set[str]:
    sql = (
        "select name from segment_member join segment using (segment_id) where contact_id = %(id)s"
    )
    return {name for (name,) in shop.rows(sql, id=contact_id)}


async def test_a_row_joins_some_lists_and_leaves_others_and_leaving_wins(shop: Shop):
    """`groupNames` and `groupNamesExclude` of bulk; a list that is not there is not made to leave it."""
    contact_id = await shop.id(subscribe(email="a@x.example", groups=("News", "Sale")))
    both = row("a@x.example", groups=("New", "Both"), exclude=("Sale", "Both", "Never"))
    await shop.send(both)
    assert names_of(shop, contact_id) == {"News", "New"}
    assert shop.rows("select name from segment order by name") == [
        ("Both",),
        ("New",),
        ("News",),
        ("Sale",),
    ]


async def test_a_row_leaves_a_list_of_the_one_it_absorbs(shop: Shop):
    """Also the retired card leaves it, so that nothing brings the person back."""
    await shop.send(subscribe(token="T", groups=("News",)))
    survivor = await shop.id(add(email="a@x.example"))
    await shop.together(add(email="a@x.example", token="T"), row("a@x.example", exclude=("News",)))
    assert names_of(shop, survivor) == set()
    assert members(shop) == []


async def test_five_hundred_at_once(shop: Shop):
    segment_id = await news(shop)
    made = await shop.together(*(add(x=f"X{n}") for n in range(500)))
    ids = [one.resolution.contact_id for one in made]  # type: ignore[union-attr]
    done = await shop.send(attach(segment_id, *ids))  # type: ignore[arg-type]
    assert done.answer == {"nobody": 0}
    assert len(members(shop)) == 500
    done = await shop.send(detach(segment_id, x=tuple(f"X{n}" for n in range(500))))
    assert done.answer == {"nobody": 0}
    assert members(shop) == []


async def test_an_unknown_list_takes_nobody(shop: Shop):
    """It was there when the edge looked; a list of another account never was."""
    contact_id = await shop.id(add(x="X"))
    await shop.send(attach(999_999, contact_id))
    assert members(shop) == []
