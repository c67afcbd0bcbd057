"""Messages of Segment-style libraries in the shapes that clients 6 records."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kartoteka.activity.segment_style.messages import (
    InvalidMessage,
    moment_of,
    read_batch,
    read_message,
    read_time,
    type_key_of,
)
from kartoteka.activity.segment_style.traits import key_of, read_traits
from kartoteka.contacts.forms.contact import FormRules
from kartoteka.contacts.values.custom_fields import FieldDefinition, FieldType
from kartoteka.identity.kinds import EXTERNAL_ID, WEB_COOKIE, Region
from kartoteka.identity.model import Identifier

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
UA = Region("UA")
ALICE = {"userId": "ALICE-1"}


def read(kind: str, **raw):
    return read_message(kind, raw, raw.get("sentAt"), NOW, UA)


def test_a_track_of_the_python_library():
    """The Python clients send the missing identifier as null."""
    said = read(
        "track",
        userId="ALICE-1",
        anonymousId=None,
        event="Order Completed",
        properties={"total": 12.5},
        messageId="8f0c",
        timestamp="2026-11-26T11:59:00.684+00:00",
        context={"library": {"name": "analytics-python"}},
        integrations={},
    )
    assert (said.user and said.user.value, said.anonymous) == ("ALICE-1", None)
    assert (said.name, said.properties, said.message_id) == (
        "Order Completed",
        {"total": 12.5},
        "8f0c",
    )
    assert said.occurred == NOW - timedelta(seconds=59, milliseconds=316)


@pytest.mark.parametrize(
    ("raw", "traits"),
    [
        ({"traits": {"email": "a@b.ua"}}, {"email": "a@b.ua"}),
        ({"context": {"traits": {"email": "a@b.ua"}}}, {"email": "a@b.ua"}),
        ({"context": {"traits": {"a": 1, "b": 1}}, "traits": {"b": 2}}, {"a": 1, "b": 2}),
        ({"context": None, "traits": None}, {}),
        ({"traits": []}, {}),
    ],
)
def test_traits_stand_at_the_top_or_in_the_context(raw, traits):
    assert read("identify", **ALICE, **raw).traits == traits


@pytest.mark.parametrize(
    ("kind", "raw"),
    [
        ("track", {"event": "x"}),
        ("track", {"userId": None, "anonymousId": " ", "event": "x"}),
        ("track", ALICE),
        ("track", {**ALICE, "event": "<>"}),
        ("group", ALICE),
        ("alias", ALICE),
        ("alias", {"anonymousId": "a", "previousId": "b"}),
        ("unknown", ALICE),
        (None, ALICE),
        ({}, ALICE),
        ("identify", {"userId": "null", "anonymousId": "undefined"}),
    ],
)
def test_a_message_that_names_nobody_or_nothing_is_refused(kind, raw):
    with pytest.raises(InvalidMessage):
        read_message(kind, raw, None, NOW, UA)


def test_a_batch_keeps_what_can_be_used():
    body = {
        "batch": [
            {"type": "track", "event": "a", **ALICE},
            {"type": "track", **ALICE},
            {"type": "track", "event": "a", "userId": {"no": "text"}},
            "nonsense",
            {"type": "page", "anonymousId": "visitor", "name": "Home", "category": "Shop"},
        ],
        "sentAt": "2026-11-26T12:00:00Z",
    }
    reading = read_batch(body, NOW, UA)
    assert [one.type for one in reading.messages] == ["track", "page"]
    assert reading.messages[1].name == "Shop Home"
    assert reading.dropped == 3


@pytest.mark.parametrize("body", [{}, {"batch": None}, {"batch": {}}, {"batch": [{}] * 10_001}])
def test_what_is_no_batch_is_refused(body):
    with pytest.raises(InvalidMessage):
        read_batch(body, NOW, UA)


@pytest.mark.parametrize(
    ("stated", "sent", "expected"),
    [
        ("2026-11-26T11:00:00Z", None, NOW - timedelta(hours=1)),
        ("2026-11-26T11:00:00", None, NOW - timedelta(hours=1)),  # without an offset it is UTC
        ("2026-11-26T13:30:00.000+02:00", None, NOW - timedelta(minutes=30)),
        (None, "2026-11-26T12:00:00Z", NOW),
        ("rubbish", None, NOW),
        # The sender's clock is ten years behind, or ahead: what counts is that it was an hour ago.
        ("2016-01-01T00:00:00Z", "2016-01-01T01:00:00Z", NOW - timedelta(hours=1)),
        ("2036-01-01T00:00:00Z", "2036-01-01T01:00:00Z", NOW - timedelta(hours=1)),
        # Given by hand: years ago, sent now.
        ("1997-01-01T00:00:00Z", "2026-11-26T12:00:00Z", datetime(1997, 1, 1, tzinfo=UTC)),
        ("2026-11-26T13:00:00Z", "2026-11-26T12:00:00Z", NOW),  # nothing happens in the future
        ("2099-01-01T00:00:00Z", None, NOW),
        ("0001-01-01T00:00:00Z", "9999-12-31T00:00:00Z", NOW),
        (1795694400000, None, NOW),
    ],
)
def test_the_time_is_set_right_by_the_senders_own_clock(stated, sent, expected):
    assert moment_of({"timestamp": stated}, sent, NOW) == expected


def test_rudder_node_has_an_original_timestamp_only():
    raw = {"originalTimestamp": "2026-11-26T10:00:00Z"}
    assert moment_of(raw, "2026-11-26T11:00:00Z", NOW) == NOW - timedelta(hours=1)


@given(st.one_of(st.text(), st.floats(), st.integers(), st.booleans(), st.none()))
def test_no_time_is_a_fault(value):
    moment = read_time(value)
    assert moment is None or moment.tzinfo is UTC
    assert moment_of({"timestamp": value}, value, NOW) <= NOW


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("Product Viewed", "Product Viewed"),
        ("What's new?", "What s new"),
        ("Кошик", "Кошик"),
        ("a\tb", "a b"),
        ("x" * 200, "x" * 100),
        (5, ""),
    ],
)
def test_an_event_name_is_made_one_that_types_may_have(raw, expected):
    assert type_key_of(raw) == expected


FIELDS = {
    "1": FieldDefinition(1, "PERSONAL", "Personal", "BIRTHDAY", "Birthday", FieldType.DATE),
    "2": FieldDefinition(
        2, "SHOP", "Shop", "FAVOURITE_COLOUR", "Favourite colour", FieldType.TEXTFIELD
    ),
    "3": FieldDefinition(3, "SHOP", "Shop", "SIZE", "Розмір", FieldType.NUMBER),
}


def test_traits_become_profile_and_fields():
    traits = {
        "name": "Alice van Archer",
        "email": "Alice@Example.com",
        "phone": "+380501112233",
        "address": {"city": "Kyiv", "street": "Main 1", "postalCode": "01001", "state": "Kyiv"},
        "birthday": "1990-05-17T00:00:00.000Z",
        "favouriteColour": "red",
        "розмір": 42,
        "plan": "gold",
    }
    visitor = Identifier(WEB_COOKIE.code, "visitor")
    user = Identifier(EXTERNAL_ID.code, "ALICE-1")
    context = {"timezone": "Europe/Kyiv", "locale": "uk-UA"}
    found = read_traits(traits, context, user, (visitor,), FormRules(fields=FIELDS))
    person, profile = found.person, found.profile
    assert (person.external_id, person.changeable) == (user, (visitor,))
    assert (person.email and person.email.value) == "alice@example.com"
    assert (person.phone and person.phone.value) == "380501112233"
    assert (profile.first_name, profile.last_name) == ("Alice", "van Archer")
    assert (profile.region, profile.town, profile.address, profile.postcode) == (
        *("Kyiv", "Kyiv"),
        *("Main 1", "01001"),
    )
    assert (profile.language_code, profile.time_zone) == ("uk-UA", "Europe/Kyiv")
    assert profile.fields == {"1": "1990-05-17", "2": "red", "3": "42"}
    assert [one.code for one in found.warnings] == ["unknown_field"]


def test_null_traits_say_nothing():
    found = read_traits({"email": None, "birthday": None}, {}, None, (), FormRules(fields=FIELDS))
    assert list(found.person.all()) == []
    assert found.profile == type(found.profile)()


@pytest.mark.parametrize(
    "name", ["favouriteColour", "favourite_colour", "Favourite colour", "FAVOURITE-COLOUR"]
)
def test_words_of_a_field_may_be_joined_in_any_way(name):
    assert key_of(name) == "FAVOURITE_COLOUR"
