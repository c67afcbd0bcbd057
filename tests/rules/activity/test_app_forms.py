"""What the mobile SDK sends, in the shapes of both SDKs, and what is read of it (wire 7.4)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from kartoteka.activity.mobile.form import (
    InvalidAppBody,
    nested,
    read_device,
    read_events,
    read_interaction,
    read_user,
)
from kartoteka.contacts.forms.contact import FormRules
from kartoteka.contacts.values.custom_fields import FieldDefinition, FieldType
from kartoteka.identity.kinds import DEVICE, MOBILE_TOKEN, InvalidIdentifier
from tests.rules.activity.recorded import ANDROID, IOS

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
FIELDS = {
    "1": FieldDefinition(1, "PERSONAL", "Personal", "BIRTHDAY", "Birthday", FieldType.DATE),
    "7": FieldDefinition(7, "SHOP", "Shop", "MARKET_ID", "Market", FieldType.TEXTFIELD),
}
RULES = FormRules(fields=FIELDS)


def test_the_android_device_of_a_fresh_install():
    call = read_device(ANDROID["device"], RULES, "app-1")
    assert call.device is not None
    assert (call.device.kind, call.device.value, call.device.app) == (
        DEVICE.code,
        ANDROID["device"]["deviceId"],
        "app-1",
    )
    assert call.device.attributes == {
        "category": "MOBILE",
        "osType": "ANDROID",
        "osVersion": "14",
        "deviceModel": "Pixel 8",
        "appVersion": "5.2.0",
        "advertisingId": "7c0d8e1a-6f5b-4a39-9e8d-1b2c3d4e5f60",
        "pushSubscribed": True,
    }
    assert call.token is not None
    assert (call.token.kind, call.token.app) == (MOBILE_TOKEN.code, "app-1")
    assert call.token.device == call.device.value  # it moves with its device (decisions D12)
    assert call.token.attributes == {
        "deviceModel": "Pixel 8",
        "os": "ANDROID 14",
        "locale": "uk",
        "appVersion": "5.2.0",
        "active": True,
    }
    assert call.contact.person.names_lasting() is False
    assert (call.contact.profile.language_code, call.contact.profile.time_zone) == (
        "uk",
        "Europe/Kyiv",
    )


def test_ios_sends_a_blank_token_before_it_has_one():
    call = read_device(IOS["device"], RULES, "app-1")
    assert call.token is None
    assert [one.kind for one in call.contact.person.changeable] == [DEVICE.code]


def test_the_user_of_a_registration():
    call = read_user(ANDROID["user"], RULES, "app-1")
    person, profile = call.contact.person, call.contact.profile
    assert person.external_id is not None and person.external_id.value == "ALICE-7"  # noqa: PT018
    assert person.email is not None and person.email.value == "alice@example.com"  # noqa: PT018
    assert person.phone is not None and person.phone.value == "380501112233"  # noqa: PT018
    assert (profile.first_name, profile.town, profile.fields) == (
        "Alice",
        "Kyiv",
        {"1": "1990-05-17", "7": "UA-1"},
    )
    assert call.subscriptions == ("news",)
    assert call.groups == ("App users",)
    assert call.groups_exclude == ("Guests",)


def test_absent_null_and_blank_say_nothing():
    """Decisions D16; Android sends the difference to what it sent before, null for the rest."""
    unsaid = {"phone": None, "email": "", "firstName": " ", "address": None, "fields": None}
    body = {
        "deviceId": "d",
        "externalUserId": None,
        "userAttributes": unsaid,
        "subscriptionKeys": None,
        "groupNamesInclude": [],
    }
    call = read_user(body, RULES, None)
    assert call.contact.person.names_lasting() is False
    assert call.contact.profile == type(call.contact.profile)()
    assert (call.subscriptions, call.groups, call.groups_exclude) == ((), (), ())


@pytest.mark.parametrize(
    ("said", "external_id"),
    [
        ({"externalUserId": "A"}, "A"),
        ({"user_id": "A"}, "A"),
        ({"externalUserId": "A", "user_id": "B"}, "A"),
        ({"externalUserId": None, "user_id": 42}, "42"),
        ({"externalUserId": ""}, None),
        ({"externalUserId": "null"}, None),
        ({"externalUserId": "00042"}, "00042"),
    ],
)
def test_the_external_id_has_two_names(said, external_id):
    """Decisions D34, D3."""
    found = read_user({"deviceId": "d", **said}, RULES, None).contact.person.external_id
    assert (None if found is None else found.value) == external_id


@pytest.mark.parametrize(
    "body", [{}, {"deviceId": None}, {"deviceId": ""}, {"deviceId": "d", "userAttributes": []}]
)
def test_without_a_device_the_body_is_refused(body):
    with pytest.raises(InvalidAppBody) as caught:
        read_user(body, RULES, None)
    assert caught.value.params[0]["reason"]


def test_a_device_that_stands_for_nobody_is_absent():
    """Decisions D6: an all-zero id is what an advertising id is without consent."""
    call = read_device({"deviceId": "00000000-0000-0000-0000-000000000000"}, RULES, None)
    assert call.device is None
    assert [one.code for one in call.contact.warnings] == ["never_identifier"]


def test_a_bad_external_id_is_refused():
    with pytest.raises(InvalidIdentifier):
        read_user({"deviceId": "d", "externalUserId": {"a": 1}}, RULES, None)


def test_events_with_json_in_a_value():
    events, dropped = read_events(ANDROID["events"], NOW)
    assert dropped == []
    viewed, session, bad = events
    assert viewed.type_key == "productViewed"
    assert viewed.occurred == datetime(2026, 11, 26, 8, 11, 11, 5000, tzinfo=UTC)
    assert viewed.params == {
        "product": {"productId": "P-1", "price": 123.3, "isInStock": 1, "size": ["M", "L"]},
        "currencyCode": "UAH",
        "currency": "UAH",
    }
    assert session.params == {"note": '{"kept": "as it came"}', "none": None}
    assert bad.occurred == NOW  # in the future: the phone's clock is wrong


def test_one_bad_event_spoils_no_other():
    body = {"events": [{}, 5, {"eventTypeKey": "a<b"}, {"eventTypeKey": "fine"}]}
    events, dropped = read_events(body, NOW)
    assert [one.type_key for one in events] == ["fine"]
    assert len(dropped) == 3


@pytest.mark.parametrize("events", [None, "x", 5, [{}] * 1001])
def test_a_body_without_a_list_of_events_is_refused(events):
    with pytest.raises(InvalidAppBody):
        read_events({"deviceId": "d", "events": events}, NOW)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a":1}', {"a": 1}),
        ('[{"a":[1]}]', [{"a": [1]}]),
        ("{broken", "{broken"),
        ("plain", "plain"),
        (5, 5),
        (None, None),
        ("[" * 5000, "[" * 5000),
        ('{"a":"\\u0000"}', '{"a":"\\u0000"}'),
    ],
)
def test_json_in_a_text(text, value):
    assert nested(text) == value


def test_what_became_of_a_push():
    said = read_interaction(IOS["interaction"], NOW)
    assert said.token is not None and said.token.value == "token-1"  # noqa: PT018
    assert (said.status, said.action) == (
        "CLICKED",
        {"type": "OPEN_URL", "url": "https://a.example"},
    )
    with pytest.raises(InvalidAppBody):
        read_interaction({"token": "t", "status": "READ"}, NOW)
