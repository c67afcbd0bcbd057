"""Orders with others at the same moment: one order, one owner, totals that are never wrong (wire 5.1)."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest

from kartoteka.activity.orders.model import OrderRefused
from kartoteka.contacts.model import Command
from tests.faults.conftest import Shop
from tests.faults.holding import first_then as held_back_by
from tests.rules.stories import add, delete_order, erase, order, put, remove

PAST = datetime(2020, 1, 1, tzinfo=UTC)
FUTURE = datetime(2090, 1, 1, tzinfo=UTC)
OWNER = "select owner_id from orders where external_order_id = %(id)s"
EVENTS = "select type_key from event where key_value = %(id)s order by event_id"


async def first_then(shops: tuple[Shop, Shop], first: Command, second: Command) -> None:
    """`first` has read and locked when `second` reads, and commits while `second` waits."""
    await held_back_by(shops, first, second, tables=("identity_history", "orders"))


def present(shop: Shop, contact_id: int) -> int:
    """Where merges of this card end."""
    sql = "select merged_into from contact where contact_id = %(id)s"
    while (found := shop.rows(sql, id=contact_id)[0][0]) is not None:
        contact_id = found
    return contact_id


async def test_one_new_order_of_two_contacts_at_once(two_shops):
    """Both see that nobody knows it; one of them is first, and the other's is a change of that."""
    one, _ = two_shops
    a, b = await one.id(add(x="A")), await one.id(add(x="B"))
    await first_then(
        two_shops, order("O", x="A", cost=1), order("O", x="B", status="CANCELLED", cost=2)
    )
    [(owner,)] = one.rows(OWNER, id="O")
    told = [name for (name,) in one.rows(EVENTS, id="O")]
    assert (owner, told) in (
        (a, ["orderDELIVERED", "orderCANCELLED"]),
        (b, ["orderCANCELLED", "orderDELIVERED"]),
    )
    assert one.rows("select owner_id, delivered from order_totals") == [(owner, int(owner == b))]


async def test_one_new_order_of_nobody_yet_at_once(two_shops):
    one, _ = two_shops
    await first_then(two_shops, order("O", x="A"), order("O", x="A"))
    assert one.rows("select count(*) from contact") == [(1,)]
    assert one.rows(EVENTS, id="O") == [("orderDELIVERED",)]


async def test_two_changes_of_one_order_at_once(two_shops):
    """Totals have both, whoever is first: none is computed from what the other replaced."""
    one, _ = two_shops
    await one.send(order("O", x="A", cost=1))
    await first_then(two_shops, order("O", x="A", cost=10), order("O", x="A", cost=100))
    assert one.rows("select total_cost from orders") == [(Decimal(100),)]
    assert one.rows("select delivered_sum from order_totals") == [(Decimal(100),)]


async def test_an_order_is_changed_while_it_is_deleted(two_shops):
    one, _ = two_shops
    await one.send(order("O", x="A", cost=1))
    await first_then(two_shops, order("O", x="A", cost=10), delete_order("O"))
    assert one.rows("select * from orders") == []
    assert one.rows("select * from order_totals") == []


async def test_an_order_comes_while_its_contact_is_absorbed(two_shops):
    one, _ = two_shops
    b = await one.id(add(token="T"))
    c = await one.id(add(x="C"))
    await first_then(two_shops, order("O", token="T"), add(x="C", token="T"))
    assert one.rows(OWNER, id="O") == [(b,)]
    assert present(one, b) == c


async def test_a_contact_is_absorbed_while_its_order_comes(two_shops):
    one, _ = two_shops
    b = await one.id(add(token="T"))
    c = await one.id(add(x="C"))
    await first_then(two_shops, add(x="C", token="T", first="Ann"), order("O", token="T"))
    assert one.rows(OWNER, id="O") == [(b,)]  # the side whose token carried it (D28)
    assert present(one, b) == c


async def test_a_known_order_changes_while_its_contact_is_absorbed(two_shops):
    one, _ = two_shops
    b = await one.id(add(token="T"))
    c = await one.id(add(x="C"))
    await one.send(order("O", token="T", cost=1))
    await first_then(two_shops, add(x="C", token="T"), order("O", token="T", cost=5))
    assert present(one, b) == c
    assert one.rows("select owner_id, delivered_sum from order_totals") == [(b, Decimal(5))]


async def test_an_order_comes_while_its_contact_is_erased(two_shops):
    """The erase waits for the order, sees it, and its id is known as old from now on."""
    one, _ = two_shops
    b = await one.id(add(x="B"))
    await first_then(two_shops, order("O", x="B", items=["1"]), erase(b))
    for table in ("orders", "order_item", "order_totals", "event"):
        assert one.rows(f"select * from {table}") == []
    with pytest.raises(OrderRefused):
        await one.send(order("O", x="Z", date=FUTURE))


async def test_a_contact_is_erased_while_its_order_comes(two_shops):
    """The order waits for the erase, and is older: refused, nothing of the person is left."""
    one, other = two_shops
    b = await one.id(add(x="B", email="b@x.example"))
    with pytest.raises(OrderRefused):
        await first_then((one, other), erase(b), order("O", x="B", date=PAST))
    assert one.rows("select * from orders") == []


async def test_a_known_order_changes_while_its_contact_is_erased(two_shops):
    one, other = two_shops
    b = await one.id(add(x="B"))
    await one.send(order("O", x="B"))
    with pytest.raises(OrderRefused):
        await first_then((one, other), erase(b), order("O", x="B", cost=5))
    assert one.rows("select * from orders union all select * from orders") == []


async def test_one_that_the_database_refuses_fails_alone(shop: Shop):
    """Poison in the middle of a batch: its neighbours are taken, of the same contact too."""
    poison = order("BAD", x="A")
    poison.order = msgspec.structs.replace(poison.order, delivery_address="\x00")
    answers = await shop.together(order("1", x="A"), poison, order("2", x="A"), order("3", x="B"))
    assert [isinstance(one, Exception) for one in answers] == [False, True, False, False]
    assert shop.rows("select external_order_id from orders order by 1") == [("1",), ("2",), ("3",)]


async def test_orders_of_one_id_keep_their_order_behind_others(shop: Shop):
    """One that must wait for its contact is not overtaken by a later one of the same order."""
    people = [add(x=f"P{n}", email=f"p{n}@x.example") for n in range(40)]
    changes = [order("O", x=f"P{n % 40}", cost=n, date=PAST) for n in range(200)]
    await shop.together(*people, *changes)
    assert shop.rows("select total_cost from orders") == [(Decimal(199),)]


def _any_command(chosen: random.Random, contacts: list[int], wave: int) -> Command:
    """Something that a shop does to a few people and their orders, those of the wave before too."""
    number = f"O{wave - chosen.randrange(2)}-{chosen.randrange(4)}"
    who = {"x": chosen.choice("ABC")}
    if chosen.random() < 0.4:
        who = {"token": chosen.choice(("T1", "T2", "T3"))}
    roll = chosen.random()
    if roll < 0.6:
        return order(
            number,
            **who,
            status=chosen.choice(("DELIVERED", "DELIVERED", "CANCELLED", "INITIALIZED")),
            cost=chosen.randrange(100),
            date=chosen.choice((PAST, PAST + timedelta(days=1), FUTURE)),
            currency=chosen.choice((None, "EUR")),
            items=chosen.choice((None, ["1"], ["1", "2"])),
        )
    if roll < 0.7:
        return delete_order(number)
    if roll < 0.85:
        return add(x=chosen.choice("ABC"), token=chosen.choice(("T1", "T2", "T3")))
    if roll < 0.9:
        return put(chosen.choice(contacts), first=chosen.choice(("Ann", "Bob")))
    return (erase if roll > 0.98 else remove)(chosen.choice(contacts))


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_two_processes_do_at_once_the_totals_are_right(two_shops, seed):
    """The invariants are checked by the fixture too; here after every wave."""
    one, other = two_shops
    chosen = random.Random(seed)
    for wave in range(6):
        contacts = [row[0] for row in one.rows("select contact_id from contact")] or [1]
        waves = [
            shop.together(*(_any_command(chosen, contacts, wave) for _ in range(40)))
            for shop in (one, other)
        ]
        answers = [answer for wave in await asyncio.gather(*waves) for answer in wave]
        unexpected = [
            answer
            for answer in answers
            if isinstance(answer, BaseException) and not hasattr(answer, "code")
        ]
        assert unexpected == []
        one.check()
    assert one.rows("select count(*) > 0 from orders") == [(True,)]
