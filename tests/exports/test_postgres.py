"""The way of data into a PostgreSQL warehouse (guide G14, wire 10.3 and 10.4, decisions D33)."""

from __future__ import annotations

from tests.rules.stories import add


async def test_contacts_arrive_and_follow(exporting, warehouse):
    shop = exporting.shop
    anna = await shop.id(add(x="X1", email="anna@example.com"))
    one = await exporting.to(warehouse.url, "contacts")
    run = await exporting.good_run(one)
    print(run)
    assert warehouse.rows('select "contactId", "externalCustomerId", email from contacts') == [
        (anna, "X1", "anna@example.com")
    ]
    bob = await shop.id(add(x="X2", email="bob@example.com"))
    await shop.send(add(x="X1", email="anna@new.example"))
    run = await exporting.good_run(one)
    assert run.rows == 2
    assert not run.datasets["contacts"].full
    assert warehouse.rows('select "contactId", email from contacts order by 1') == [
        (anna, "anna@new.example"),
        (bob, "bob@example.com"),
    ]
