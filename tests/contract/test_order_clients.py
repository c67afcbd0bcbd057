"""Orders as the vendor's plug-ins and brownie send them, and what they need of the answer (clients 1, 2).

The shapes are those of the plug-ins' own code: strings, blanks, nulls and dates as they come from there.
"""

from __future__ import annotations

import json
from typing import Any

import pytest


def send(raw: Any, *orders: dict[str, Any], line: str = "POST /api/v1/orders", **how: Any) -> Any:
    return raw(line, json.dumps({"orders": list(orders)}).encode(), **how)


def contact(api: Any, **condition: str) -> dict[str, Any]:
    found = api.get("/api/v1/contacts", params=condition).json()
    assert len(found) == 1, found
    return found[0]


def orders(api: Any, contact_id: int) -> list[dict[str, Any]]:
    return api.get(f"/api/v1/contact/{contact_id}/orders").json()


def test_woocommerce(raw, api, name):
    """Empty user name, an integer customer, amounts as strings and `""`, a comment, a local date with
    microseconds; the plug-in looks at the code only."""
    number = abs(hash(name)) % 10**9 + 1000
    order = {
        "status": "IN_PROGRESS",
        "externalOrderId": str(number),
        "externalCustomerId": number,
        "totalCost": "41.00",
        "currency": "USD",
        "email": f"{name}@example.com",
        "phone": "380501112233",
        "date": "2026-01-05T10:11:10.123456+02:00",
        "firstName": "Anna",
        "lastName": "",
        "shipping": "",
        "discount": "",
        "taxes": "",
        "deliveryMethod": "Flat rate",
        "paymentMethod": "Cash on delivery",
        "deliveryAddress": "Main 1, Kyiv, 01001, UA",
        "additionalInfo": {"comment": ""},
        "source": "online",
        "items": [
            {
                "externalItemId": 55,
                "name": "Tea",
                "category": "Food",
                "quantity": 2,
                "cost": "20.5",
                "url": "https://shop.example/tea",
                "imageUrl": False,
                "description": "",
            }
        ],
    }
    answer = send(raw, order, user="")
    assert (answer.status, answer.body) == (200, b"")
    card = contact(api, externalCustomerId=str(number))
    assert card["firstName"] == "Anna"
    (stored,) = orders(api, card["id"])
    assert (stored["totalCost"], stored["status"]) == (41, "IN_PROGRESS")
    assert stored["items"][0]["cost"] == 20.5
    assert not {"shipping", "discount", "taxes", "additionalInfo"} & set(stored)
    again = send(raw, {**order, "status": "DELIVERED"}, user="")
    assert (again.status, again.body) == (200, b"")
    (stored,) = orders(api, card["id"])
    assert stored["status"] == "DELIVERED"


def test_shopify_guests_are_not_one_person(raw, api, name):
    """`externalCustomerId: ""` on the orders of guests; the app reads `failedOrders` if it is there."""

    def guest(number: int, email: str) -> dict[str, Any]:
        return {
            "externalOrderId": f"{name}-{number}",
            "externalCustomerId": "",
            "email": email,
            "phone": "",
            "firstName": "",
            "lastName": "",
            "status": "INITIALIZED",
            "date": "2026-01-05T08:11:10Z",
            "totalCost": "10.00",
            "currency": "PLN",
            "shipping": "0.00",
            "discount": "0.00",
            "taxes": "1.87",
            "items": [
                {
                    "externalItemId": "gid-1",
                    "name": "Mug",
                    "quantity": 1,
                    "cost": "10.00",
                    "url": "",
                    "imageUrl": "",
                }
            ],
        }

    answer = send(
        raw,
        guest(1, f"{name}-a@example.com"),
        guest(2, f"{name}-b@example.com"),
        guest(3, ""),
        user="user",
    )
    assert answer.status == 200
    (failed,) = answer.json["failedOrders"]
    assert failed["order"]["externalOrderId"] == f"{name}-3"
    assert "names nobody" in failed["error"]
    ids = {contact(api, email=f"{name}-{one}@example.com")["id"] for one in "ab"}
    assert len(ids) == 2


def test_opencart(raw, api, name):
    """Integers for order, customer and items; trailing slash of an older client."""
    number = abs(hash(name)) % 10**9 + 2000
    order = {
        "externalOrderId": number,
        "externalCustomerId": number,
        "totalCost": 99.5,
        "status": "DELIVERED",
        "date": "2026-01-05T10:11:10+02:00",
        "currency": "UAH",
        "email": f"{name}@example.com",
        "phone": "",
        "firstName": " ",
        "lastName": " ",
        "items": [{"externalItemId": 1, "name": "A", "quantity": "3", "cost": 33.16}],
    }
    answer = send(raw, order, user="anyvalue", line="POST /api/v1/orders/")
    assert (answer.status, answer.body) == (200, b"")
    card = contact(api, externalCustomerId=str(number))
    assert "firstName" not in card
    (stored,) = orders(api, card["id"])
    assert (stored["externalOrderId"], stored["totalCost"]) == (str(number), 99.5)


def test_brownie_sends_null_for_everything_unset(raw, api, name):
    """brownie says false unless the answer is 200 with an empty body."""
    unset = (
        *(
            "externalCustomerId",
            "phone",
            "firstName",
            "lastName",
            "storeId",
            "shipping",
            "discount",
        ),
        *("taxes", "restoreUrl", "statusDescription", "source", "deliveryMethod", "paymentMethod"),
        *("deliveryAddress", "additionalInfo", "items", "currency"),
    )
    order = dict.fromkeys(unset) | {
        "externalOrderId": name,
        "email": f"{name}@example.com",
        "status": "INITIALIZED",
        "totalCost": 5,
        "date": "2026-01-05T10:11:10.702+02:00",
    }
    answer = send(raw, order)
    assert (answer.status, answer.body) == (200, b"")
    names = {header.lower() for header in answer.headers}
    assert "content-type" not in names
    assert answer.headers.get("content-length", answer.headers.get("Content-Length")) == "0"
    (stored,) = orders(api, contact(api, email=f"{name}@example.com")["id"])
    assert stored["items"] == []


@pytest.mark.parametrize(
    "date",
    [
        "2026-01-05T10:11:10+02:00",
        "2026-01-05T10:11:10.123456+02:00",
        "2026-01-05T10:11:10.1234567+03:00",
        "2026-01-05T10:11:10.702+02:00",
        "2026-01-05T08:11:10Z",
        "2026-01-05T10:11:10",
        "2026-01-05T10:11",
        "2026-01-05",
    ],
)
def test_dates_of_all_clients_are_read(raw, name, date):
    order = {
        "externalOrderId": f"{name}{date}",
        "email": f"{name}@example.com",
        "status": "DELIVERED",
        "totalCost": 1,
        "date": date,
    }
    assert send(raw, order).body == b""


def test_an_abandoned_cart_and_its_order(raw, api, name):
    """Wire 5.1: `restoreUrl` of the cart; the same id becomes the order."""
    cart = {
        "externalOrderId": name,
        "externalCustomerId": name,
        "status": "ABANDONED_SHOPPING_CART",
        "restoreUrl": "https://shop.example/cart/restore/1",
        "totalCost": 10,
        "date": "2026-01-05T08:11:10Z",
    }
    assert send(raw, cart).body == b""
    card = contact(api, externalCustomerId=name)
    totals = api.get(f"/api/v1/contact/{card['id']}/orders/totals").json()
    assert (totals["orders"], totals["delivered"]) == (1, 0)
    assert send(raw, {**cart, "restoreUrl": None, "status": "DELIVERED"}).body == b""
    totals = api.get(f"/api/v1/contact/{card['id']}/orders/totals").json()
    assert (totals["orders"], totals["delivered"]) == (1, 1)
