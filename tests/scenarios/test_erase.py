"""Erase is for good: no table keeps a value of the person (decisions D29)."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.scenarios.test_guide import contact, get, post, values

SECRETS = (
    "ZARA-SECRET-1",
    "zara.secret@example.com",
    "zara.old.secret@example.com",
    "380991234567",
    "Zarasecret",
    "Secretova",
    "zara-secret-token",
    "Secret Street 7",
)


def rows_with(database: Any, word: str) -> list[str]:
    """Tables in which any row has that text anywhere."""
    tables = database.execute(
        "select table_name from information_schema.tables"
        " where table_schema = 'public' and table_type = 'BASE TABLE'"
    ).fetchall()
    found = []
    for (table,) in tables:
        query = f'select count(*) from "{table}" t where t::text ilike %s'
        if database.execute(query, (f"%{word}%",)).fetchone()[0]:
            found.append(table)
    return found


def test_nothing_of_an_erased_person_is_left(api: httpx.Client, database: Any) -> None:
    anonymous = post(api, mobilepush="zara-secret-token", email="zara.old.secret@example.com")
    number = post(
        api,
        externalCustomerId="ZARA-SECRET-1",
        email="zara.old.secret@example.com",
        sms="380991234567",
        firstName="Zarasecret",
        lastName="Secretova",
        address={"address": "Secret Street 7"},
        mobilepush="zara-secret-token",
    )
    assert number == anonymous
    post(api, externalCustomerId="ZARA-SECRET-1", email="zara.secret@example.com")
    absorbed = post(api, mobilepush="another-phone")
    post(api, externalCustomerId="ZARA-SECRET-1", mobilepush="another-phone")
    body = {"contact": contact(externalCustomerId="ZARA-SECRET-1"), "groups": ["Zara's list"]}
    api.post("/contact/subscribe", json=body, headers={"Idempotency-Key": "zara-key"})
    borrower = post(api, externalCustomerId="BORROWER", email="borrower@example.com")
    post(api, externalCustomerId="BORROWER", mobilepush="zara-secret-token")
    post(api, externalCustomerId="ZARA-SECRET-1", mobilepush="zara-secret-token")
    assert all(rows_with(database, word) for word in SECRETS if "old" not in word)

    erased = api.delete(f"/contact/{number}", params={"erase": "true"})
    assert erased.text == f"Contact with id='{number}' has been deleted"

    assert {word: rows_with(database, word) for word in SECRETS} == {key: [] for key in SECRETS}
    assert api.get(f"/contact/{number}").status_code == 404
    assert api.get(f"/contact/{absorbed}").status_code == 404
    assert get(api, borrower)["externalCustomerId"] == "BORROWER"
    # Decisions D25: the second time it is still done.
    assert api.delete(f"/contact/{number}").status_code == 200
    assert api.delete("/contact", params={"externalCustomerId": "ZARA-SECRET-1"}).status_code == 200


def test_the_erased_person_comes_back_as_somebody_new(api: httpx.Client) -> None:
    """Check 4 of wire 14; D29: their shop named them again, so the suppression is lifted."""
    number = post(api, externalCustomerId="YAN-1", email="yan@example.com")
    api.delete(f"/contact/{number}", params={"erase": "1"})
    refused = api.post(
        "/apps/app-1/tokens", json={"tokens": [{"token": "yan-tg", "email": "yan@example.com"}]}
    )
    assert refused.status_code == 200
    assert api.get("/contact/token/app-1/yan-tg/contactId").status_code == 404
    again = post(api, externalCustomerId="YAN-1", email="yan@example.com")
    assert again != number
    assert values(get(api, again), "email") == ["yan@example.com"]


def test_an_erased_refusal_is_not_forgotten(api: httpx.Client) -> None:
    """D10, D29: an address keeps what it refused, even when all else of it is gone."""
    number = post(api, email="xenia@example.com")
    api.post("/emails/unsubscribed/add", json={"emails": ["xenia@example.com"]})
    api.delete(f"/contact/{number}", params={"erase": "true"})
    post(api, email="xenia@example.com", externalCustomerId="XENIA-2")
    body = {"contact": contact(externalCustomerId="XENIA-2", email="xenia@example.com")}
    answer = api.post("/contact/subscribe", json=body).json()
    assert answer["emailStatus"] == "SUBSCRIBED"  # it had been unsubscribed, and is not any more


@pytest.mark.parametrize("old", ["FORMER-SECRET-1", '77"1\\9.(x)', "9477001", "колишній-1"])
def test_an_erased_former_id_leaves_no_trace_in_events_and_orders(
    api: httpx.Client, database: Any, old: str
) -> None:
    """D11: DELETE by a former ID with `erase` takes that ID and its traces, and nothing else."""
    number = post(api, externalCustomerId=old)
    said = [
        {"name": "externalCustomerId", "value": int(old) if old.isdigit() else old},
        {"name": "deep", "value": {"list": [old, "kept"], "n": f"not {len(old)}"}},
        {"name": "items", "value": json.dumps([{"who": old, "sku": "A-1"}])},
    ]
    event = {"eventTypeKey": "bought", "params": said}
    url = str(api.base_url).replace("/api/v1/", "/api/v2/event")
    assert api.post(url, json=event).status_code == 200
    order = {
        "externalOrderId": f"order of {number}",
        "externalCustomerId": old,
        "totalCost": 1,
        "status": "DELIVERED",
        "date": "2026-01-05T10:11:10Z",
        "currency": "UAH",
    }
    assert api.post("/orders", json={"orders": [order]}).content == b""
    api.put(f"/contact/{number}", json={"externalCustomerId": f"NEW of {number}"})
    erased = api.delete("/contact", params={"externalCustomerId": old, "erase": "true"})
    assert erased.status_code == 200
    assert rows_with(database, old.replace("\\", "\\\\")) == []
    timeline = api.get(f"/contact/{number}/timeline?type=event").json()
    (bought,) = [one for one in timeline if one["key"] == "bought"]
    assert bought["params"]["externalCustomerId"] is None
    assert bought["params"]["deep"] == {"list": [None, "kept"], "n": f"not {len(old)}"}
    assert json.loads(bought["params"]["items"]) == [{"who": "", "sku": "A-1"}]
    assert get(api, number)["externalCustomerId"] == f"NEW of {number}"
