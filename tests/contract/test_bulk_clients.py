"""What real clients send to POST contacts and need of its answer (clients 1, 2; wire 3.9, 3.10)."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest


def channel(kind: str, value: str | None) -> dict[str, str | None]:
    return {"type": kind, "value": value}


def send(raw: Any, **body: Any) -> dict[str, Any]:
    answer = raw("POST /api/v1/contacts", json.dumps(body).encode())
    assert answer.status == 200, answer.body
    said: dict[str, Any] = answer.json
    return said


def finished(raw: Any, said: dict[str, Any]) -> dict[str, Any]:
    """The status when the call is over, asked for as WooCommerce did."""
    deadline = time.monotonic() + 60
    while True:
        status: dict[str, Any] = raw(f"GET /api/v1/importstatus/{said['asyncSessionId']}").json
        assert status["status"] in ("STARTED", "IMPORTING", "FINISHED"), status
        if status["status"] == "FINISHED":
            return status
        assert time.monotonic() < deadline
        time.sleep(0.1)


def found(raw: Any, condition: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = raw(f"GET /api/v1/contacts?{condition}").json
    return rows


def test_the_id_is_zero_and_there(raw, name):
    """brownie wants `id === 0`; WooCommerce and OpenCart take a missing `id` as a failure."""
    contact = {"channels": [channel("email", f"{name}@example.com")]}
    said = send(raw, dedupeOn="email", contacts=[contact])
    assert said["id"] == 0
    assert type(said["id"]) is int
    assert "failedContacts" not in said


def test_the_mapping_is_a_list_of_one_contact_too(raw, name):
    """An earlier WooCommerce plug-in required an array."""
    contact = {"channels": [channel("email", f"{name}@example.com")]}
    status = finished(raw, send(raw, dedupeOn="email", contacts=[contact]))
    (pair,) = status["mapping"]
    assert pair["dedupeValue"] == f"{name}@example.com"
    assert type(pair["contactId"]) is int


def test_woocommerce_sends_numbers_blanks_and_an_address_of_blanks(raw, name):
    number = 4_639_541
    contact = {
        "externalCustomerId": number,
        "firstName": " ",
        "lastName": " ",
        "channels": [channel("email", f"{name}@example.com"), channel("sms", " ")],
        "address": {"region": "", "town": "", "address": "", "postcode": ""},
        "languageCode": "en-US",
    }
    said = send(raw, dedupeOn="externalCustomerId", contacts=[contact], restoreDeleted=True)
    finished(raw, said)
    (one,) = found(raw, f"externalCustomerId={number}")
    assert one["externalCustomerId"] == "4639541"
    assert not {"firstName", "lastName", "address"} & set(one)
    assert [each["type"] for each in one["channels"]] == ["email"]


def test_shopify_sends_a_customer_with_a_phone_only_or_with_nothing_but_an_id(raw, name):
    contacts = [
        {"externalCustomerId": f"{name}-1", "channels": [channel("sms", "+380931112201")]},
        {"externalCustomerId": f"{name}-2", "channels": []},
    ]
    said = send(raw, dedupeOn="externalCustomerId", contacts=contacts)
    assert "failedContacts" not in said
    assert len(finished(raw, said)["mapping"]) == 2


def test_opencart_sends_members_that_nobody_knows(raw, name):
    contact = {
        "email": f"{name}@example.com",
        "phone": "",
        "channels": [channel("email", f"{name}@example.com")],
        "firstName": "Alice",
    }
    finished(raw, send(raw, dedupeOn="email", contacts=[contact], groupNames=[]))
    assert found(raw, f"email={name}@example.com")[0]["firstName"] == "Alice"


def test_null_is_nothing_said(raw, name):
    """busfor, dkulyk and brownie send null for everything unset."""
    said = send(
        raw,
        dedupeOn="email",
        fieldId=None,
        contactFields=None,
        customFieldsIDs=None,
        groupNames=None,
        groupNamesExclude=None,
        restoreDeleted=None,
        eventKeyForNewContacts=None,
        contacts=[
            {
                "id": None,
                "firstName": None,
                "address": None,
                "fields": None,
                "channels": [channel("email", f"{name}@example.com"), {"type": "sms"}],
            }
        ],
    )
    assert "failedContacts" not in said
    assert len(finished(raw, said)["mapping"]) == 1


def test_a_new_contact_gets_the_channel_it_was_deduped_on(raw, name):
    """brownie: `contactFields: [firstName, lastName]`, `dedupeOn: email`."""
    contact = {
        "firstName": "Alice",
        "channels": [channel("email", f"{name}@example.com"), channel("sms", "+380931112202")],
    }
    fields = ["firstName", "lastName"]
    finished(raw, send(raw, dedupeOn="email", contactFields=fields, contacts=[contact]))
    (one,) = found(raw, f"email={name}@example.com")
    assert one["firstName"] == "Alice"
    assert [each["type"] for each in one["channels"]] == ["email"]


def test_woocommerce_removes_a_phone_by_listing_it(raw, name):
    email = channel("email", f"{name}@example.com")
    both = {"firstName": "Alice", "channels": [email, channel("sms", "+380931112203")]}
    finished(raw, send(raw, dedupeOn="email", contacts=[both]))
    alone = {"channels": [email]}
    finished(raw, send(raw, dedupeOn="email", contactFields=["sms"], contacts=[alone]))
    (one,) = found(raw, f"email={name}@example.com")
    assert [each["type"] for each in one["channels"]] == ["email"]
    assert one["firstName"] == "Alice"


def test_shopify_restores_by_a_bulk_call(raw, name):
    contact = {"externalCustomerId": name, "channels": []}
    finished(raw, send(raw, dedupeOn="externalCustomerId", contacts=[contact]))
    assert raw(f"DELETE /api/v1/contact?externalCustomerId={name}").status == 200
    left = finished(raw, send(raw, dedupeOn="externalCustomerId", contacts=[contact]))
    assert left["mapping"] == []
    said = send(raw, dedupeOn="externalCustomerId", contacts=[contact], restoreDeleted=True)
    assert len(finished(raw, said)["mapping"]) == 1
    assert len(found(raw, f"externalCustomerId={name}")) == 1


@pytest.mark.parametrize(
    "word", ["email", "sms", "email_or_sms", "id", "push", "webpush", "externalCustomerId"]
)
def test_every_word_of_dedupe_on_is_taken(raw, name, word):
    contact = {
        "externalCustomerId": f"{name}-{word}",
        "channels": [channel("email", f"{name}-{word}@example.com")],
    }
    said = send(raw, dedupeOn=word, contacts=[contact])
    assert "failedContacts" not in said
    assert len(finished(raw, said)["mapping"]) == 1
