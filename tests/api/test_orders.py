"""POST, DELETE and GET of orders over HTTP (wire 5.1, 14 check 17; clients 1, 2; D21, D22, D27, D30)."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import httpx
import pytest

from tests.api.conftest import make_key

ORDER = {"status": "DELIVERED", "totalCost": "258.00", "date": "2026-01-05T10:11:10+02:00"}


def order(number: str, **said: Any) -> dict[str, Any]:
    return {"externalOrderId": number, **ORDER, **said}


def post(api: httpx.Client, *orders: Any, query: str = "", **more: Any) -> httpx.Response:
    return api.post(f"/api/v1/orders{query}", json={"orders": list(orders)}, **more)


def taken(api: httpx.Client, *orders: Any) -> None:
    answer = post(api, *orders)
    assert (answer.status_code, answer.content) == (200, b""), answer.text


def find(api: httpx.Client, external_id: str) -> dict[str, Any]:
    (found,) = api.get(f"/api/v1/contacts?externalCustomerId={external_id}").json()
    return found


def orders_of(api: httpx.Client, contact_id: int, query: str = "") -> list[dict[str, Any]]:
    answer = api.get(f"/api/v1/contact/{contact_id}/orders{query}")
    assert answer.status_code == 200, answer.text
    return json.loads(answer.text, parse_float=Decimal)


def totals_of(api: httpx.Client, contact_id: int) -> dict[str, Any]:
    answer = api.get(f"/api/v1/contact/{contact_id}/orders/totals")
    assert answer.status_code == 200, answer.text
    return json.loads(answer.text, parse_float=Decimal)


def test_all_accepted_is_200_with_an_empty_body(api, name):
    """D21, client brownie: exactly 200, and nothing in the body."""
    answer = post(api, order(f"{name}-1", email=f"{name}@example.com"))
    assert (answer.status_code, answer.content) == (200, b"")
    assert "content-type" not in answer.headers
    assert post(api, order(f"{name}-1", email=f"{name}@example.com")).content == b""


def test_those_that_fail_come_back_with_reason_and_field(api, name):
    """Wire 5.1, 14 check 17: failures inside a 200, always a list, and never of a neighbour."""
    bad = order(f"{name}-2")
    answer = post(
        api,
        order(f"{name}-1", externalCustomerId=name),
        bad,
        "no order",
        order(f"{name}-3", externalCustomerId=name, totalCost="a lot"),
        order(f"{name}-4", externalCustomerId=name, items=[{"externalItemId": "1"}]),
        order(f"{name}-5", externalCustomerId=name),
        order(f"{name}-6", externalCustomerId=name, firstName="\x00"),
    )
    assert answer.status_code == 200
    failed = answer.json()["failedOrders"]
    assert [(one["code"], one.get("field")) for one in failed] == [
        ("no_identifier", None),
        ("invalid_order", None),
        ("invalid_member", "totalCost"),
        ("missing_member", "items[0].quantity"),
        ("not_storable", None),
    ]
    assert failed[0]["order"] == bad
    assert failed[-1]["order"]["firstName"] == "\x00"
    assert failed[1]["order"] == "no order"
    assert all(one["error"].endswith(".") for one in failed)
    stored = orders_of(api, find(api, name)["id"])
    assert [one["externalOrderId"] for one in stored] == [f"{name}-5", f"{name}-1"]
    assert isinstance(post(api, bad).json()["failedOrders"], list)


def test_a_contact_is_made_with_source_order_and_a_known_one_keeps_its_names(api, name):
    """Wire 14, check 17."""
    taken(api, order(f"{name}-1", externalCustomerId=name, firstName="Anna", lastName="Lee"))
    card = find(api, name)
    assert (card["firstName"], card["lastName"]) == ("Anna", "Lee")
    taken(api, order(f"{name}-2", externalCustomerId=name, firstName="Bob"))
    assert find(api, name)["firstName"] == "Anna"


def test_what_an_order_said_is_what_is_read(api, name):
    said = order(
        f"{name}-1",
        externalCustomerId=name,
        email=f"{name}@example.com",
        phone="+380501112233",
        firstName="Олена",
        lastName="علي",
        currency="eur",
        shipping="10.50",
        discount=0,
        taxes="",
        restoreUrl="https://shop.example/cart",
        statusDescription="Доставлено",
        storeId="kyiv",
        source="offline",
        deliveryMethod="Courier",
        paymentMethod="Card",
        deliveryAddress="Khreshchatyk 1,\nKyiv",
        additionalInfo={"comment": "ring 🔔 twice"},
        items=[
            {"externalItemId": 7, "name": "Чай", "quantity": "1.5", "cost": 0.1, "url": ""},
            {"externalItemId": "b", "quantity": 2, "category": "x", "description": "y\tz"},
        ],
    )
    taken(api, said)
    contact_id = find(api, name)["id"]
    (read,) = orders_of(api, contact_id)
    known = {name: read.pop(name) for name in ("orderId", "created", "updated")}
    assert known["created"] == known["updated"]
    assert read == {
        "externalOrderId": f"{name}-1",
        "status": "DELIVERED",
        "totalCost": Decimal("258.00"),
        "currency": "EUR",
        "date": "2026-01-05T08:11:10.000Z",
        "externalCustomerId": name,
        "email": f"{name}@example.com",
        "phone": "380501112233",
        "firstName": "Олена",
        "lastName": "علي",
        "shipping": Decimal("10.50"),
        "discount": 0,
        "restoreUrl": "https://shop.example/cart",
        "statusDescription": "Доставлено",
        "storeId": "kyiv",
        "source": "offline",
        "deliveryMethod": "Courier",
        "paymentMethod": "Card",
        "deliveryAddress": "Khreshchatyk 1,\nKyiv",
        "additionalInfo": {"comment": "ring 🔔 twice"},
        "items": [
            {
                "externalItemId": "7",
                "name": "Чай",
                "quantity": Decimal("1.5"),
                "cost": Decimal("0.1"),
            },
            {"externalItemId": "b", "quantity": 2, "category": "x", "description": "y\tz"},
        ],
    }


def test_totals_count_delivered_orders_only(api, name):
    """Wire 5.1: count, sum, average, first and last date; currencies are never added up."""
    days = ("2026-03-01", "2026-01-01", "2026-02-01")
    taken(
        api,
        *(
            order(f"{name}-{n}", externalCustomerId=name, date=f"{day}T00:00:00Z", totalCost=cost)
            for n, (day, cost) in enumerate(zip(days, ("10.10", 20, "0.05"), strict=True))
        ),
        order(f"{name}-e", externalCustomerId=name, currency="EUR", date="2026-04-01T00:00:00Z"),
        order(f"{name}-c", externalCustomerId=name, status="CANCELLED", totalCost="999"),
        order(f"{name}-i", externalCustomerId=name, status="INITIALIZED", totalCost="999"),
    )
    contact_id = find(api, name)["id"]
    totals = totals_of(api, contact_id)
    uah = {
        "currency": "UAH",
        "orders": 5,
        "delivered": 3,
        "sum": Decimal("30.15"),
        "average": Decimal("10.05"),
    }
    eur = {
        "currency": "EUR",
        "orders": 1,
        "delivered": 1,
        "sum": Decimal("258.00"),
        "average": Decimal("258.00"),
    }
    assert totals == {
        "id": contact_id,
        "orders": 6,
        "delivered": 4,
        "firstDate": "2026-01-01T00:00:00.000Z",
        "lastDate": "2026-04-01T00:00:00.000Z",
        "currencies": [uah, eur],
    }
    # The first delivered one is cancelled: the first date is another one.
    taken(api, order(f"{name}-1", externalCustomerId=name, status="CANCELLED"))
    totals = totals_of(api, contact_id)
    assert totals["firstDate"] == "2026-02-01T00:00:00.000Z"
    assert totals["currencies"][0] == uah | {
        "delivered": 2,
        "sum": Decimal("10.15"),
        "average": Decimal("5.08"),
    }


def test_a_contact_without_orders_has_empty_answers(api, name):
    contact_id = api.post("/api/v1/contact", json={"externalCustomerId": name}).json()["id"]
    answer = api.get(f"/api/v1/contact/{contact_id}/orders")
    assert (answer.json(), answer.headers["TotalCount"]) == ([], "0")
    assert totals_of(api, contact_id) == {
        "id": contact_id,
        "orders": 0,
        "delivered": 0,
        "currencies": [],
    }
    for path in ("orders", "orders/totals"):
        assert api.get(f"/api/v1/contact/999999999/{path}").status_code == 404
        assert api.get(f"/api/v1/contact/x/{path}").status_code == 400


def test_orders_come_in_pages_newest_first(api, name):
    taken(
        api,
        *(
            order(f"{name}-{n}", externalCustomerId=name, date=f"2026-01-{n:02}T00:00:00Z")
            for n in range(1, 8)
        ),
    )
    contact_id = find(api, name)["id"]
    answer = api.get(f"/api/v1/contact/{contact_id}/orders?startindex=3&maxrows=2")
    assert [one["externalOrderId"] for one in answer.json()] == [f"{name}-5", f"{name}-4"]
    assert answer.headers["TotalCount"] == "7"
    assert len(orders_of(api, contact_id)) == 7
    assert orders_of(api, contact_id, "?startindex=8") == []
    assert orders_of(api, contact_id, "?maxrows=0") == []


def test_after_a_merge_the_survivor_has_all_orders(api, name):
    """Totals too, without anything being moved; the retired id leads to the survivor."""
    taken(api, order(f"{name}-1", deviceId=f"{name}-d", totalCost=1))
    visitor = api.post("/api/v1/contact", json={"deviceId": f"{name}-d", "channels": []}).json()[
        "id"
    ]
    taken(
        api, order(f"{name}-2", externalCustomerId=name, email=f"{name}@example.com", totalCost=2)
    )
    survivor = find(api, name)["id"]
    assert survivor != visitor
    api.post("/api/v1/contact", json={"externalCustomerId": name, "deviceId": f"{name}-d"})
    for path in (f"/api/v1/contact/{visitor}", f"/api/v1/contact/{survivor}"):
        listed = api.get(f"{path}/orders")
        assert {one["externalOrderId"] for one in listed.json()} == {f"{name}-1", f"{name}-2"}
        assert listed.headers["TotalCount"] == "2"
        totals = api.get(f"{path}/orders/totals")
        assert totals.json()["currencies"][0]["sum"] == 3
        followed = str(survivor) if str(visitor) in path else None
        assert totals.headers.get("Kartoteka-Contact") == followed
        assert listed.headers.get("Kartoteka-Contact") == followed
    # A change of the retired card's order counts for the survivor too.
    taken(api, order(f"{name}-1", externalCustomerId=name, totalCost=10))
    assert totals_of(api, survivor)["currencies"][0]["sum"] == 12


def test_of_one_order_several_times_in_a_call_the_last_counts(api, name):
    statuses = ("INITIALIZED", "IN_PROGRESS", "DELIVERED")
    taken(
        api,
        *(
            order(f"{name}-1", externalCustomerId=name, status=status, totalCost=cost)
            for cost, status in enumerate(statuses, start=1)
        ),
    )
    contact_id = find(api, name)["id"]
    (stored,) = orders_of(api, contact_id)
    assert (stored["status"], stored["totalCost"]) == ("DELIVERED", 3)
    assert totals_of(api, contact_id)["currencies"][0]["sum"] == 3


def test_a_thousand_orders_go_and_one_more_does_not(api, name):
    many = [
        order(f"{name}-{n}", email=f"{name}-{n % 100}@example.com", totalCost=1)
        for n in range(1_000)
    ]
    taken(api, *many)
    (one,) = api.get(f"/api/v1/contacts?email={name}-7@example.com").json()
    assert totals_of(api, one["id"])["currencies"][0]["sum"] == 10
    refused = post(api, *many, order(f"{name}-more", email=f"{name}@example.com"))
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid_body")
    assert api.get(f"/api/v1/contacts?email={name}@example.com").json() == []


@pytest.mark.parametrize("body", [{}, {"orders": []}, {"orders": None}, [], "x", {"order": {}}])
def test_a_body_without_orders_is_refused(api, body):
    assert api.post("/api/v1/orders", json=body).status_code == 400


def test_one_order_may_come_without_its_list(api, name):
    """Wire 1.4: one object where a list is expected."""
    one = order(f"{name}-1", externalCustomerId=name)
    assert api.post("/api/v1/orders", json={"orders": one}).content == b""
    assert len(orders_of(api, find(api, name)["id"])) == 1


def test_explain_says_what_became_of_contact_and_order(api, name):
    """D30: `resolutions` in the order of the call, beside `failedOrders`."""
    body = post(
        api,
        order(f"{name}-1", externalCustomerId=name, shipping="free"),
        order(f"{name}-2"),
        order(f"{name}-1", externalCustomerId=name),
        query="?explain=true",
    ).json()
    first, second, third = body["resolutions"]
    contact_id = find(api, name)["id"]
    assert (first["outcome"], first["order"], first["contactId"]) == (
        "created",
        "created",
        contact_id,
    )
    assert first["externalOrderId"] == f"{name}-1"
    assert first["rule"] == "new_external_id"
    assert [(one["code"], one["field"]) for one in first["warnings"]] == [
        ("invalid_member", "shipping")
    ]
    assert (second["outcome"], second["order"], second["contactId"]) == ("failed", "failed", None)
    assert second["warnings"][0]["code"] == "no_identifier"
    assert (third["outcome"], third["order"]) == ("unchanged", "unchanged")
    assert len(body["failedOrders"]) == 1
    again = post(api, order(f"{name}-1", externalCustomerId=name), query="?explain=1").json()
    assert set(again) == {"resolutions"}


def test_a_dry_run_stores_nothing_and_sees_what_came_before(api, name):
    """D27: synchronously, in the order of the call, new contacts without an id."""
    orders = [
        order(f"{name}-1", externalCustomerId=name),
        order(f"{name}-2", externalCustomerId=name),
        order(f"{name}-1", externalCustomerId=name, totalCost=1),
        order(f"{name}-3"),
    ]
    dry = post(api, *orders, query="?dryRun=true").json()
    assert (dry["id"], dry["dryRun"]) == (0, True)
    assert [(one["outcome"], one["order"], one["contactId"]) for one in dry["resolutions"]] == [
        ("created", "created", None),
        ("unchanged", "created", None),
        ("unchanged", "updated", None),
        ("failed", "failed", None),
    ]
    assert api.get(f"/api/v1/contacts?externalCustomerId={name}").json() == []
    real = post(api, *orders, query="?explain=true").json()
    assert [one["order"] for one in real["resolutions"]] == [
        "created",
        "created",
        "updated",
        "failed",
    ]


def test_an_idempotency_key_is_of_one_body(api, name):
    """D22: the same key with another body is 422; with the same one nothing happens again."""
    headers = {"Idempotency-Key": f"key-{name}"}
    one = [order(f"{name}-{n}", externalCustomerId=name) for n in range(3)]
    assert post(api, *one, headers=headers).content == b""
    contact_id = find(api, name)["id"]
    taken(api, order(f"{name}-0", externalCustomerId=name, totalCost=1))
    assert post(api, *one, headers=headers).content == b""
    assert {item["totalCost"] for item in orders_of(api, contact_id)} == {1, 258}
    other = post(api, order(f"{name}-9", externalCustomerId=name), headers=headers)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert len(orders_of(api, contact_id)) == 3


def test_orders_are_deleted_by_their_ids(api, name):
    item = {"externalItemId": "1", "quantity": 1}
    taken(api, *(order(f"{name}-{n}", externalCustomerId=name, items=[item]) for n in range(3)))
    contact_id = find(api, name)["id"]
    body = {"externalOrderIds": [f"{name}-0", f"{name}-1", f"{name}-1", "unknown"]}
    answer = api.request("DELETE", "/api/v1/orders", json=body)
    assert (answer.status_code, answer.json()) == (200, {"deleted": 2, "notFound": ["unknown"]})
    assert [one["externalOrderId"] for one in orders_of(api, contact_id)] == [f"{name}-2"]
    assert totals_of(api, contact_id)["currencies"][0]["sum"] == 258
    taken(api, order(f"{name}-0", externalCustomerId=name))
    assert len(orders_of(api, contact_id)) == 2


@pytest.mark.parametrize(
    "body",
    [
        [],
        {},
        {"externalOrderIds": []},
        {"externalOrderIds": [""]},
        {"externalOrderIds": [None]},
        {"externalOrderIds": [["1"]]},
        {"externalOrderIds": [str(n) for n in range(1_001)]},
    ],
)
def test_a_delete_that_names_no_order_deletes_none(api, name, body):
    """A DELETE may carry the body `[]` (brownie): that is no order at all."""
    taken(api, order(f"{name}-1", externalCustomerId=name))
    assert api.request("DELETE", "/api/v1/orders", json=body).status_code == 400
    assert len(orders_of(api, find(api, name)["id"])) == 1


def test_who_may_only_add_may_not_look(server, stranger, keys, name):
    """D21: adding contacts and orders needs no right to read; explain, dry run and reading do."""
    one = {"orders": [order(f"{name}-1", externalCustomerId=name)]}
    adder = ("", keys["contacts_write"])
    assert stranger.post("/api/v1/orders", json=one, auth=adder).status_code == 200
    for query in ("?explain=true", "?dryRun=true"):
        assert stranger.post(f"/api/v1/orders{query}", json=one, auth=adder).status_code == 403
    reader = ("", make_key(server, "--rights", "contacts"))
    body = {"externalOrderIds": [f"{name}-1"]}
    assert stranger.request("DELETE", "/api/v1/orders", json=body, auth=reader).status_code == 403


def test_dates_without_an_offset_are_of_the_accounts_zone(api, name):
    """Wire X12, setting `time_zone`."""
    changed = api.patch("/api/v1/account/settings", json={"time_zone": "Mars/Olympus"})
    assert (changed.status_code, changed.json()["code"]) == (400, "invalid_setting")
    api.patch("/api/v1/account/settings", json={"time_zone": "Europe/Kyiv"})
    try:
        taken(api, order(f"{name}-1", externalCustomerId=name, date="2026-01-05T10:00"))
        api.post("/api/v1/contact", json={"externalCustomerId": name, "timeZone": "Asia/Tokyo"})
        taken(api, order(f"{name}-2", externalCustomerId=name, date="2026-01-05T10:00"))
    finally:
        api.patch("/api/v1/account/settings", json={"time_zone": None})
    dates = [one["date"] for one in orders_of(api, find(api, name)["id"])]
    assert dates == ["2026-01-05T08:00:00.000Z", "2026-01-05T01:00:00.000Z"]


def test_an_erased_persons_orders_do_not_come_back(api, name):
    """D29: only a new order that is dated after the erase."""
    taken(api, order(f"{name}-1", externalCustomerId=name, email=f"{name}@example.com"))
    contact_id = find(api, name)["id"]
    assert api.delete(f"/api/v1/contact/{contact_id}?erase=true").status_code == 200
    answer = post(
        api,
        order(f"{name}-1", externalCustomerId=name, date="2030-01-01T00:00:00Z"),
        order(f"{name}-2", externalCustomerId=name),
        order(f"{name}-3", email=f"{name}@example.com"),
        query="?explain=true",
    ).json()
    assert [one["code"] for one in answer["failedOrders"]] == ["suppressed"] * 3
    assert [one["outcome"] for one in answer["resolutions"]] == ["suppressed"] * 3
    taken(api, order(f"{name}-4", externalCustomerId=name, date="2030-01-01T00:00:00Z"))
    again = find(api, name)["id"]
    assert again != contact_id
    assert [one["externalOrderId"] for one in orders_of(api, again)] == [f"{name}-4"]


def test_an_order_event_that_saves_no_order_says_why_to_explain(api, name):
    """Wire 5.2: segmentation on, the contact known, the order complete or known."""

    def warned(key: str, **params: Any) -> list[str]:
        path = "/api/v3/event?explain=true"
        answer = api.post(path, json={"eventTypeKey": key, "keyValue": name, "params": params})
        warnings = answer.json()["resolution"]["warnings"]
        return [one["message"] for one in warnings if one["code"] == "order_not_saved"]

    whom = {"externalCustomerId": name, "externalOrderId": f"{name}-1"}
    order = ORDER | whom | {"status": "INITIALIZED"}
    api.post("/api/v1/contact", json={"externalCustomerId": name})
    switch = "/api/v1/event-types/orderUpdated"
    api.put(switch, json={"segmentation": False})
    (off,) = warned("orderUpdated", **order)
    assert "segmentation is off" in off
    api.put(switch, json={"segmentation": True})
    (incomplete,) = warned("orderUpdated", **whom)
    assert "not complete" in incomplete
    (nobody,) = warned("orderUpdated", **ORDER | {"externalOrderId": f"{name}-1"})
    assert "no contact" in nobody
    assert warned("orderUpdated", **order) == []
    assert len(orders_of(api, find(api, name)["id"])) == 1


def test_orders_by_event(api, name):
    """Wire 5.2: where segmentation is on; the event itself is stored, whatever its order comes to."""
    for key in ("orderCreated", "orderUpdated", "orderDelivered", "orderCancelled"):
        settings = {"segmentation": True}
        assert api.put(f"/api/v1/event-types/{key}", json=settings).status_code == 200

    def happen(key: str, **params: Any) -> None:
        listed = [{"name": name, "value": value} for name, value in params.items()]
        body = {"eventTypeKey": key, "keyValue": f"{name}-1", "params": listed}
        answer = api.post("/api/v2/event", json=body)
        assert (answer.status_code, answer.content) == (200, b""), answer.text

    api.post("/api/v1/contact", json={"externalCustomerId": name})
    whom = {"externalCustomerId": name, "externalOrderId": f"{name}-1"}
    happen("orderDelivered", **whom)
    happen("orderCreated", **whom, status="INITIALIZED")
    contact_id = find(api, name)["id"]
    assert orders_of(api, contact_id) == []
    items = json.dumps([{"externalItemId": "sku", "quantity": 2}])
    happen("orderCreated", **whom, **ORDER | {"status": "INITIALIZED", "items": items})
    happen("orderUpdated", **whom, totalCost=300)
    assert totals_of(api, contact_id)["delivered"] == 0
    happen("orderDelivered", **whom)
    (stored,) = orders_of(api, contact_id)
    assert (stored["status"], stored["totalCost"]) == ("DELIVERED", 300)
    assert stored["items"] == [{"externalItemId": "sku", "quantity": 2}]
    assert totals_of(api, contact_id)["currencies"][0]["sum"] == 300
    timeline = api.get(f"/api/v1/contact/{contact_id}/timeline").json()
    told = [one["key"] for one in timeline if one["type"] == "event"]
    assert told.count("orderCreated") == 2
    assert told.count("orderDelivered") == 2
    assert {"orderUpdated", "orderINITIALIZED", "orderDELIVERED"} <= set(told)
