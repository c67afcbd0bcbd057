"""Guide G6: afterwards everything goes by External ID, at an order too; and what erasing leaves of it."""

from __future__ import annotations

from typing import Any

import httpx

from tests.scenarios.test_guide import contact, get, post, values

PAST = "2025-01-01T00:00:00Z"


def send(api: httpx.Client, number: str, **said: Any) -> httpx.Response:
    order = {"externalOrderId": number, "status": "DELIVERED", "totalCost": "100.00", "date": PAST}
    answer = api.post("/orders", json={"orders": [{**order, **said}]})
    assert answer.status_code == 200, answer.text
    return answer


def orders(api: httpx.Client, contact_id: int) -> list[str]:
    listed = api.get(f"/contact/{contact_id}/orders")
    assert listed.headers["TotalCount"] == str(len(listed.json()))
    return [one["externalOrderId"] for one in listed.json()]


def test_a_customer_logs_in_orders_and_changes_everything_but_the_id(
    api: httpx.Client, database: Any
) -> None:
    """Guide G6: at login Add/update, at an order Add orders; other identifiers change meanwhile."""
    # She registers, as in G5.
    anna = post(api, externalCustomerId="G6-ANNA", email="anna@old.example", firstName="Anna")
    # An order by her External ID, with the e-mail of that day: found, nothing of hers is replaced.
    assert send(api, "G6-1", externalCustomerId="G6-ANNA", email="anna@old.example").content == b""
    # At a login the shop tells us her new e-mail.
    assert post(api, externalCustomerId="G6-ANNA", email="anna@new.example") == anna
    # The next order still says the old one, and a phone that was missing.
    send(api, "G6-2", externalCustomerId="G6-ANNA", email="anna@old.example", phone="+380501116677")
    card = get(api, anna)
    assert values(card, "email") == ["anna@new.example"]
    assert values(card, "sms") == ["380501116677"]
    assert card["firstName"] == "Anna"
    # Both are hers, with one event for each, and count once though the shop sends them again.
    send(api, "G6-2", externalCustomerId="G6-ANNA", email="anna@old.example")
    assert orders(api, anna) == ["G6-2", "G6-1"]
    totals = api.get(f"/contact/{anna}/orders/totals").json()
    assert (totals["delivered"], totals["currencies"][0]["sum"]) == (2, 200)
    told = database.execute(
        "select type_key, key_value from event where owner_id = %s order by event_id", (anna,)
    ).fetchall()
    assert told == [("orderDELIVERED", "G6-1"), ("orderDELIVERED", "G6-2")]


def test_a_guest_orders_and_registers_afterwards(api: httpx.Client, database: Any) -> None:
    """The order makes the contact (source ORDER); registration gives it the External ID (G4.7)."""
    send(api, "G6-GUEST", externalCustomerId="", email="guest@orders.example", firstName="Bob")
    (guest,) = api.get("/contacts", params={"email": "guest@orders.example"}).json()
    source = "select source from contact where contact_id = %s"
    assert database.execute(source, (guest["id"],)).fetchone() == ("ORDER",)
    registered = post(api, externalCustomerId="G6-BOB", email="guest@orders.example")
    assert registered == guest["id"]
    assert orders(api, registered) == ["G6-GUEST"]


def test_what_a_visitor_of_the_app_ordered_is_the_customers(api: httpx.Client) -> None:
    """Guide G4: ordered by device before anybody knew who it was; hers when she registers."""
    send(api, "G6-APP", deviceId="g6-device")
    anna = post(api, externalCustomerId="G6-APP-ANNA", email="app@orders.example")
    assert orders(api, anna) == []
    body = contact(externalCustomerId="G6-APP-ANNA", deviceId="g6-device")
    assert api.post("/contact", json=body).json()["id"] == anna
    assert orders(api, anna) == ["G6-APP"]
    totals = api.get(f"/contact/{anna}/orders/totals").json()
    assert totals["currencies"][0]["sum"] == 100


def test_nothing_of_an_erased_customer_comes_back_by_old_orders(
    api: httpx.Client, database: Any
) -> None:
    """D29: the shop sends its whole history again; only an order after the erase is taken."""
    send(
        api,
        "G6-OLD",
        externalCustomerId="G6-GONE",
        email="gone@orders.example",
        phone="+380501118899",
    )
    (gone,) = api.get("/contacts", params={"externalCustomerId": "G6-GONE"}).json()
    assert api.delete(f"/contact/{gone['id']}", params={"erase": "true"}).status_code == 200
    for table in ("orders", "order_item", "event", "contact", "identifier", "identity_history"):
        rows = database.execute(f"select t::text from {table} t").fetchall()
        text = "\n".join(row for (row,) in rows)
        assert "gone@orders.example" not in text
        assert "G6-OLD" not in text
        assert "380501118899" not in text
    again = send(api, "G6-OLD", externalCustomerId="G6-GONE", email="gone@orders.example")
    assert [one["code"] for one in again.json()["failedOrders"]] == ["suppressed"]
    assert api.get("/contacts", params={"externalCustomerId": "G6-GONE"}).json() == []
    new = send(api, "G6-NEW", externalCustomerId="G6-GONE", date="2090-01-01T00:00:00Z")
    assert new.content == b""
    (back,) = api.get("/contacts", params={"externalCustomerId": "G6-GONE"}).json()
    assert back["id"] != gone["id"]
    assert orders(api, back["id"]) == ["G6-NEW"]
