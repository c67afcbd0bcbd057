"""Events and orders in exports: appended once, with the contact that they belong to (decisions D33)."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import psycopg

from kartoteka.exports.datasets import BY_NAME
from tests.exports.conftest import Exporting, Warehouse, picture, table
from tests.rules.stories import add, delete_order, erase, merge, order, subscribe, undo

ACTIVITY = ("contacts", "events", "orders", "orderItems", "redirects")


async def same(exporting: Exporting, warehouse: Warehouse, one, *names: str):
    run = await exporting.good_run(one)
    for name in names or ACTIVITY:
        assert table(warehouse, name) == picture(exporting, name), (name, run)
    return run


async def test_orders_arrive_change_and_go(exporting, warehouse):
    shop = exporting.shop
    one = await exporting.to(warehouse.url, *ACTIVITY)
    await same(exporting, warehouse, one)
    await shop.send(
        order("O-1", x="X1", email="a@example.com", items=["shoe", "sock"], cost="19.90")
    )
    await shop.send(
        order("O-2", x="X1", email="a@example.com", status="INITIALIZED", items=["hat"])
    )
    run = await same(exporting, warehouse, one)
    assert (run.datasets["orders"].rows, run.datasets["orderItems"].rows) == (2, 3)
    await shop.send(order("O-2", x="X1", email="a@example.com", items=["hat", "scarf"]))
    run = await same(exporting, warehouse, one)
    assert (run.datasets["orders"].rows, run.datasets["orderItems"].rows) == (1, 2)
    assert warehouse.rows('select "Status", "totalCost" from orders order by "orderId"') == [
        ("DELIVERED", Decimal("19.9")),
        ("DELIVERED", 10),
    ]
    await shop.send(delete_order("O-1"))
    await same(exporting, warehouse, one)
    assert len(table(warehouse, "orderItems")) == 2


async def test_events_arrive_once_with_their_first_fifty_parameters(exporting, warehouse):
    shop = exporting.shop
    one = await exporting.to(warehouse.url, *ACTIVITY)
    anna = await shop.id(subscribe(email="anna@example.com"))
    await same(exporting, warehouse, one)
    await shop.send(subscribe(email="anna@example.com"))
    run = await same(exporting, warehouse, one)
    assert run.datasets["events"].rows == 1
    many = {f"p{n:02}": "x" * 400 for n in range(60)}
    insert_event(exporting, anna, many)
    await same(exporting, warehouse, one)
    ((params,),) = warehouse.rows('select "paramsJson" from events where "eventTypeKey" = \'test\'')
    assert len(params) == 50
    assert set(params.values()) == {"x" * 300}


async def test_a_visitor_who_becomes_known_brings_the_history_along(exporting, warehouse):
    """Guide G5.6: nothing of nobody is exported; all of it when the cookie is somebody's."""
    shop = exporting.shop
    one = await exporting.to(warehouse.url, *ACTIVITY)
    span = open_span(exporting, "cookie-1")
    for _ in range(3):
        insert_event(exporting, span, {"page": "/"})
    await same(exporting, warehouse, one)
    assert table(warehouse, "events") == []
    anna = await shop.id(add(x="X1", email="anna@example.com", cookie="cookie-1"))
    await same(exporting, warehouse, one)
    assert {row[0] for row in table(warehouse, "events")} == {str(anna)}
    assert len(table(warehouse, "events")) == 3


async def test_merged_people_keep_their_rows_and_leave_a_redirect(exporting, warehouse):
    shop = exporting.shop
    one = await exporting.to(warehouse.url, *ACTIVITY)
    token = await shop.id(add(token="T" * 12))
    anna = await shop.id(add(x="X1", email="anna@example.com"))
    insert_event(exporting, token, {"n": 1})
    await exporting.good_run(one)
    assert await shop.id(add(x="X1", token="T" * 12)) == anna
    insert_event(exporting, anna, {"n": 2})
    await exporting.good_run(one)
    found = warehouse.rows('select "contactId", count(*) from events group by 1 order by 1')
    assert found == sorted([(token, 1), (anna, 1)])
    assert warehouse.rows("select * from redirects") == [(token, anna)]
    await exporting.good_run(one, full=True)  # anew, everything is the survivor's
    assert warehouse.rows('select distinct "contactId" from events') == [(anna,)]


async def test_who_comes_back_from_a_merge_has_the_events_again(exporting, warehouse):
    """Undo (D28): the redirect goes, and events that were written as the survivor's are their own."""
    shop = exporting.shop
    one = await exporting.to(warehouse.url)
    mine = 'select "contactId" from events where "eventTypeKey" = \'test\''
    other = await shop.id(add(token="T" * 12))
    anna = await shop.id(add(x="X1", email="anna@example.com"))
    insert_event(exporting, other, {"n": 1})
    await shop.send(order("O-1", x="X1", email="anna@example.com", items=["shoe"]))
    await shop.send(add(x="X1", token="T" * 12))
    await exporting.good_run(one)
    assert warehouse.rows(mine) == [(anna,)]
    await everything_is_there(exporting, warehouse)
    ((merge_id,),) = shop.rows("select history_id from identity_history where action = 'absorbed'")
    await shop.send(undo(merge_id))
    await exporting.good_run(one)
    await everything_is_there(exporting, warehouse)
    assert warehouse.rows(mine) == [(other,)]
    assert warehouse.rows("select count(*) from redirects") == [(0,)]


async def test_merges_by_hand_and_their_undo_arrive_through_any_chain(exporting, warehouse):
    """A went into B and B into C: redirects lead to C, then to B, then nowhere; the history tells all."""
    shop = exporting.shop
    one = await exporting.to(warehouse.url)
    a, b, c = [
        await shop.id(add(x=f"X{n}", email=f"x{n}@example.com", first="Anna")) for n in range(3)
    ]
    for person in (a, b, c):
        insert_event(exporting, person, {"of": person})
    await exporting.good_run(one)
    for keep, absorb in ((b, a), (c, b)):
        await shop.send(merge(keep, absorb))
        await exporting.good_run(one)
        await everything_is_there(exporting, warehouse, keeps_contact=True)
    assert warehouse.rows("select * from redirects order by 1") == [(a, c), (b, c)]
    former = warehouse.rows('select "contactId", value from identifiers where former order by 2')
    assert former == [(c, "X0"), (c, "X1")]
    by_hand = "select count(*) from \"identityHistory\" where method = 'mergeContacts'"
    assert warehouse.rows(by_hand)[0][0] >= 2
    for merge_id, left in (
        (last_merge(shop, b), [(a, b)]),
        (last_merge(shop, a), []),
    ):
        await shop.send(undo(merge_id))
        await exporting.good_run(one)
        assert warehouse.rows("select * from redirects") == left
        await everything_is_there(exporting, warehouse, keeps_contact=True)
    found = warehouse.rows('select "contactId" from events order by 1')
    assert found == [(a,), (b,), (c,)]
    await everything_is_there(exporting, warehouse)


def last_merge(shop, absorbed: int) -> int:
    ((merge_id,),) = shop.rows(
        "select max(history_id) from identity_history "
        "where action = 'absorbed' and other_contact_id = %(absorbed)s",
        absorbed=absorbed,
    )
    return merge_id


async def everything_is_there(exporting, warehouse, *, keeps_contact: bool = False) -> None:
    """Every table is the source; events and orders may keep the contact of before, which leads there."""
    leads = dict(table(warehouse, "redirects"))
    for name in BY_NAME:
        found, ours = table(warehouse, name), picture(exporting, name)
        if keeps_contact and name in ("events", "orders"):
            found = sorted([leads.get(row[0], row[0]), *row[1:]] for row in found)
        assert found == ours, name


async def test_an_erased_person_leaves_every_table(exporting, warehouse):
    shop = exporting.shop
    one = await exporting.to(warehouse.url)
    await shop.id(add(token="T" * 12))
    anna = await shop.id(add(x="X1", email="anna@example.com"))
    await shop.send(add(x="X1", token="T" * 12, first="Anna"))
    await shop.send(order("O-1", x="X1", email="anna@example.com", items=["shoe"]))
    insert_event(exporting, anna, {"name": "Anna"})
    bob = await shop.id(add(x="X2", email="bob@example.com"))
    insert_event(exporting, bob, {"name": "Bob"})
    await exporting.good_run(one)
    await shop.send(erase(anna))
    await exporting.good_run(one)
    names = [
        row[0]
        for row in warehouse.rows("select tablename from pg_tables where schemaname = 'public'")
    ]
    assert len(names) == 12
    for name in names:
        assert table(warehouse, name) == picture(exporting, name), name
        assert not any("anna" in "".join(row).lower() for row in table(warehouse, name)), name
    assert len(table(warehouse, "events")) == 1
    assert table(warehouse, "orders") == table(warehouse, "orderItems") == []


async def test_a_former_id_that_is_erased_alone_leaves_every_table(exporting, warehouse):
    """Decisions D11, D29: its traces go out of events, history and identifiers of the merged card."""
    shop = exporting.shop
    one = await exporting.to(warehouse.url)
    other = await shop.id(add(x="Secret-7", email="other@example.com"))
    anna = await shop.id(add(x="X1", email="anna@example.com"))
    insert_event(exporting, other, {"externalCustomerId": "Secret-7", "n": 1})
    await shop.send(order("O-1", x="Secret-7", email="other@example.com", items=["shoe"]))
    await shop.send(merge(anna, other))
    await exporting.good_run(one)
    told = [name for name in BY_NAME if "Secret-7" in str(table(warehouse, name))]
    assert told == ["events", "identifiers", "identityHistory"]
    await shop.send(erase(x="Secret-7"))
    await exporting.good_run(one)
    for name in BY_NAME:
        assert "Secret-7" not in str(table(warehouse, name)), name
    kept = "select count(*) from identity_history h where h::text like '%%Secret-7%%'"
    assert shop.rows(kept) == [(0,)]
    await everything_is_there(exporting, warehouse, keeps_contact=True)


def insert_event(exporting: Exporting, owner_id: int, params: dict) -> None:
    """An event, as whoever writes one does it: noted in the same transaction."""
    at = datetime.now(UTC)
    with psycopg.connect(exporting.shop.url) as connection:
        connection.execute(
            "with written as (insert into event (account_id, owner_id, type_key, occurred, received, "
            "params) values (%s, %s, 'test', %s, %s, %s) returning event_id, occurred) "
            "insert into change (account_id, at, event_ids, event_times) "
            "select %s, %s, array_agg(event_id), array_agg(occurred) from written",
            [
                *(exporting.account_id, owner_id, at, at, psycopg.types.json.Jsonb(params)),
                *(exporting.account_id, at),
            ],
        )


def open_span(exporting: Exporting, cookie: str) -> int:
    """A visitor whom nobody knows; the owner of what the visitor does."""
    at = datetime.now(UTC)
    with psycopg.connect(exporting.shop.url) as connection:
        ((owner_id,),) = connection.execute("select nextval('contact_id_block')").fetchall()
        connection.execute(
            "insert into visitor_span (account_id, kind, value_key, since, owner_id, created_at) "
            "values (%s, 8, %s, '-infinity', %s, %s)",
            [exporting.account_id, cookie, owner_id, at],
        )
        connection.execute(
            "insert into identifier (account_id, kind, value_key, ordinal, contact_id, since, rule) "
            "values (%s, 8, %s, 0, %s, %s, 'waits')",
            [exporting.account_id, cookie, -owner_id, at],
        )
    return owner_id
