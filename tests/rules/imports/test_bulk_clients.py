"""What public clients send to POST /api/v1/contacts, and what becomes of the cards (clients 2)."""

from __future__ import annotations

from typing import Any

import pytest

from kartoteka.imports.bulk_form import BulkCall, read_bulk
from tests.rules.imports.given import FORM, ORIGIN, codes
from tests.rules.world import Answer, World


def read(body: dict[str, Any]) -> BulkCall:
    return read_bulk(body, FORM, ORIGIN)


def send(world: World, body: dict[str, Any]) -> list[Answer]:
    """The call, carried out row by row."""
    called = read(body)
    assert called.failed == []
    return [world.send(one) for one in called.rows]


def test_woocommerce_takes_a_phone_away(world):
    """A listed field that is not given is cleared; nothing else changes (wire 3.9)."""
    anna = world.post(email="anna@example.com", phone="380942583691", first="Anna")
    body = {
        "dedupeOn": "email",
        "contactFields": ["sms"],
        "contacts": [{"channels": [{"type": "email", "value": "anna@example.com"}]}],
    }
    (answer,) = send(world, body)
    card = world.card(anna.id)
    assert (answer.id, answer.came_to) == (anna.id, "updated")
    assert (card.phone, card.email, card.first_name) == (None, "anna@example.com", "Anna")


def test_the_first_bulk_of_shopify(world):
    """By External ID, no contactFields, an address that is undefined, removed contacts restored."""
    anna = world.post(x="7001", town="Lviv")
    removed = world.post(x="7002", email="bob@example.com")
    world.remove(x="7002")
    body = {
        "dedupeOn": "externalCustomerId",
        "restoreDeleted": True,
        "contacts": [
            {
                "externalCustomerId": "7001",
                "firstName": "Anna",
                "lastName": "Kovalenko",
                "languageCode": "en-US",
                "channels": [
                    {"type": "email", "value": "anna@example.com"},
                    {"type": "sms", "value": "+380942583691"},
                ],
            },
            {"externalCustomerId": "7002", "firstName": "Bob", "channels": []},
            {"externalCustomerId": "7003", "channels": [], "address": None},
        ],
    }
    answers = send(world, body)
    assert [one.came_to for one in answers] == ["updated", "restored", "created"]
    assert [one.id for one in answers[:2]] == [anna.id, removed.id]
    card = world.card(anna.id)
    assert (card.phone, card.town, card.language_code) == ("380942583691", "Lviv", "en-US")
    assert world.card(removed.id).email == "bob@example.com"


@pytest.mark.parametrize("blank", ["", " ", None])
def test_two_users_with_an_empty_phone_are_two_people(world, blank):
    """WooCommerce sends the channel with a blank value, names as a blank, IDs as numbers."""
    contacts = [
        {
            "externalCustomerId": number,
            "firstName": " ",
            "lastName": " ",
            "channels": [
                {"type": "email", "value": f"user{number}@example.com"},
                {"type": "sms", "value": blank},
            ],
            "address": {"region": "", "town": "", "address": "", "postcode": ""},
        }
        for number in (4639541, 4639542)
    ]
    first, second = send(world, {"dedupeOn": "externalCustomerId", "contacts": contacts})
    assert first.id != second.id
    card = world.card(first.id)
    assert (card.external_id, card.phone, card.first_name) == ("4639541", None, None)
    assert first.warnings == []


def test_woocommerce_and_a_contact_with_only_a_phone(world):
    contact = {"externalCustomerId": 5, "channels": [{"type": "sms", "value": "380942583691"}]}
    (answer,) = send(world, {"dedupeOn": "externalCustomerId", "contacts": [contact]})
    assert world.has(answer.id) == {"5", "380942583691"}


def test_names_only_and_yet_a_new_contact_gets_its_address(world):
    """brownie: `dedupeOn: email`, `contactFields: [firstName, lastName]`."""
    body = {
        "dedupeOn": "email",
        "contactFields": ["firstName", "lastName"],
        "customFieldsIDs": [],
        "groupNames": None,
        "contacts": [
            {
                "firstName": "Anna",
                "lastName": "Kovalenko",
                "channels": [{"type": "email", "value": "anna@example.com"}],
            }
        ],
    }
    (answer,) = send(world, body)
    card = world.card(answer.id)
    assert (answer.came_to, card.email, card.first_name) == ("created", "anna@example.com", "Anna")
    (again,) = send(world, body)
    assert (again.id, again.came_to) == (answer.id, "unchanged")


def test_opencart_puts_email_and_phone_beside_the_channels(world):
    contact = {
        "externalCustomerId": 12,
        "email": "anna@example.com",
        "phone": "0942583691",
        "channels": [{"type": "email", "value": "anna@example.com"}],
    }
    (answer,) = send(world, {"dedupeOn": "externalCustomerId", "contacts": [contact]})
    assert world.has(answer.id) == {"12", "anna@example.com"}


@pytest.mark.parametrize(
    "contacts",
    [
        {"channels": {"type": "email", "value": "anna@example.com"}},
        [{"channels": {"type": "email", "value": "anna@example.com"}}],
        [{"channels": [{"type": "EMAIL", "value": " Anna@Example.com "}], "groups": None}],
        [
            {
                "id": None,
                "address": None,
                "fields": [],
                "groups": [],
                "subscriptions": [],
                "formType": None,
                "fieldId": None,
                "unheard": {"of": []},
                "channels": [{"type": "email", "value": "anna@example.com"}],
            }
        ],
    ],
    ids=["one contact", "one channel", "sloppy", "nulls"],
)
def test_sloppy_bodies_are_one_clean_row(contacts):
    """busfor, dkulyk, brownie, jetforms, Multitest."""
    body = {"dedupeOn": "email", "contacts": contacts, "fieldId": None, "errorMessage": None}
    (one,) = read(body).rows
    assert (one.value, one.contact.warnings) == ("anna@example.com", ())


def test_a_mobile_token_without_a_device_as_the_only_channel(world):
    """brownie, kirillbdev; wire: dedupeOn push by token."""
    contact = {"channels": [{"type": "mobilepush", "value": "tok-1"}]}
    first, second = send(world, {"dedupeOn": "push", "contacts": [contact, contact]})
    assert (first.came_to, second.came_to, second.id) == ("created", "unchanged", first.id)


@pytest.mark.parametrize(
    "dedupe",
    ["email", "sms", "email_or_sms", "id", "fieldId", "push", "webpush", "externalCustomerId"],
)
def test_every_dedupe_value_in_use_is_taken(dedupe):
    contact = {
        "id": 5,
        "externalCustomerId": "X1",
        "fields": [{"id": 12, "value": "red"}],
        "channels": [
            {"type": kind, "value": value}
            for kind, value in (
                ("email", "anna@example.com"),
                ("sms", "380942583691"),
                ("mobilepush", "t"),
                ("webpush", "w"),
            )
        ],
    }
    for word in (dedupe, dedupe.upper(), dedupe.title()):
        called = read({"dedupeOn": word, "fieldId": 12, "contacts": [contact]})
        assert called.rules.unique.name == dedupe
        assert called.rows[0].value


def test_custom_fields_listed_written_and_emptied(world):
    contact = {"externalCustomerId": "X1", "fields": [{"id": 12, "value": "red"}]}
    listed = {"dedupeOn": "externalCustomerId", "customFieldsIDs": [12, 13], "contacts": [contact]}
    (answer,) = send(world, listed)
    assert world.card(answer.id).fields == {"12": "red"}
    fields = [{"id": 12, "value": ""}, {"id": 13, "value": "7"}]
    send(world, {**listed, "contacts": [{**contact, "fields": fields}]})
    assert world.card(answer.id).fields == {"13": "7"}
    (silent,) = send(world, {**listed, "customFieldsIDs": None})
    assert silent.warnings == ["field_not_listed"]
    assert world.card(answer.id).fields == {"13": "7"}


def test_external_ids_change_on_the_way(world):
    """Guide G13: unique by e-mail, adding and changing External IDs."""
    old = world.post(x="OLD", email="anna@example.com")
    bare = world.post(email="bob@example.com")
    body = {
        "dedupeOn": "email",
        "contactFields": ["externalCustomerId"],
        "contacts": [
            {
                "externalCustomerId": f"NEW-{name}",
                "channels": [{"type": "email", "value": f"{name}@example.com"}],
            }
            for name in ("anna", "bob")
        ],
    }
    answers = send(world, body)
    assert [one.id for one in answers] == [old.id, bare.id]
    assert [world.card(one.id).external_id for one in answers] == ["NEW-anna", "NEW-bob"]


def test_one_bad_contact_is_told_and_the_others_go_on():
    """The client reads `failedContacts`, one object or a list (clients 1)."""
    called = read(
        {
            "dedupeOn": "email",
            "contacts": [
                {"channels": [{"type": "email", "value": "anna@example.com"}]},
                {"firstName": "Bob", "channels": [{"type": "sms", "value": "380942583691"}]},
            ],
        }
    )
    assert [one.value for one in called.rows] == ["anna@example.com"]
    assert codes([called.failed[0][0]]) == ["no_email"]
    assert called.failed[0][1]["firstName"] == "Bob"
