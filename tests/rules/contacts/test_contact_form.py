"""A contact out of JSON: what sloppy clients send (wire 1.4, clients 2) and what comes of it."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kartoteka.contacts.forms.contact import FormRules, read_contact
from kartoteka.contacts.model import ContactInput
from kartoteka.contacts.values.custom_fields import FieldDefinition, FieldType
from kartoteka.errors import InvalidRequest
from kartoteka.identity.kinds import DEVICE, MOBILE_TOKEN, WEB_COOKIE, WEB_TOKEN

COLOUR = FieldDefinition(12, "SHOP", "Shop", "COLOUR", "Colour", FieldType.TEXTFIELD)
SIZE = FieldDefinition(13, "SHOP", "Shop", "SIZE", "Size", FieldType.NUMBER)
LOCKED = FieldDefinition(14, "SHOP", "Shop", "RANK", "Rank", FieldType.TEXTFIELD, readonly=True)
RULES = FormRules(fields={"12": COLOUR, "13": SIZE, "14": LOCKED})


def read(**raw) -> ContactInput:
    return read_contact(raw, RULES)


def codes(contact: ContactInput) -> list[str]:
    return [notice.code for notice in contact.warnings]


def email(value) -> dict:
    return {"type": "email", "value": value}


def sms(value) -> dict:
    return {"type": "sms", "value": value}


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("TV12790", "TV12790"),
        (4639541, "4639541"),
        (42, "42"),
        ("00001", "00001"),
        ("", None),
        (" ", None),
        ("\u00a0", None),
        (None, None),
        ("null", None),
    ],
)
def test_external_id_as_clients_send_it(raw, value):
    contact = read(externalCustomerId=raw)
    assert (contact.person.external_id.value if contact.person.external_id else None) == value
    assert contact.warnings == ()


@pytest.mark.parametrize("raw", [1.5, True, [], {}, ["X"], "a\tb", "a\x00b", "x" * 256])
def test_a_bad_external_id_is_an_error(raw):
    with pytest.raises(InvalidRequest):
        read(externalCustomerId=raw, channels=[email("anna@example.com")])


@pytest.mark.parametrize("raw", ["undefined", "guest", "0", "000", "--", "[object Object]"])
def test_an_external_id_that_stands_for_nobody_is_absent_with_a_warning(raw):
    contact = read(externalCustomerId=raw)
    assert contact.person.external_id is None
    assert codes(contact) == ["never_identifier"]


@pytest.mark.parametrize(
    "channels",
    [
        [email("Anna@Example.com")],
        email("anna@example.com"),
        [{"type": "EMAIL", "value": " anna@example.com "}],
        [email(""), email(None), {"type": "email"}, email("anna@example.com")],
        [None, email("anna@example.com")],
    ],
)
def test_one_email_however_it_is_sent(channels):
    contact = read(channels=channels)
    assert contact.person.email.value == "anna@example.com"
    assert contact.warnings == ()


def test_the_first_valid_email_and_phone_count():
    contact = read(
        channels=[
            email("not an address"),
            email("first@example.com"),
            email("second@example.com"),
            {"type": "viber", "value": "+380942583691"},
            sms("+48512345678"),
        ]
    )
    assert contact.person.email.value == "first@example.com"
    assert contact.person.phone.value == "380942583691"
    assert codes(contact) == ["invalid_email", "second_email", "second_phone"]


def test_sms_and_viber_with_one_number_are_one_phone():
    contact = read(channels=[sms("0942583691"), {"type": "viber", "value": 380942583691}])
    assert contact.person.phone.value == "380942583691"
    assert contact.warnings == ()


@pytest.mark.parametrize("channels", [None, [], "", [sms("")], [sms(" ")], [{"type": "sms"}], {}])
def test_empty_channels_name_nobody(channels):
    contact = read(externalCustomerId="X", channels=channels)
    assert contact.person.phone is None
    assert contact.person.changeable == ()


def test_a_mobile_token_with_its_device_block():
    device = {
        "appId": "app-1",
        "deviceModel": "Pixel",
        "os": "ANDROID",
        "active": False,
        "unheard": "of",
        "locale": None,
    }
    contact = read(channels=[{"type": "mobilepush", "value": "T", "device": device}], deviceId="D")
    token, device_id = contact.person.changeable
    assert (token.kind, token.value, token.app, token.device) == (
        MOBILE_TOKEN.code,
        "T",
        "app-1",
        "D",
    )
    assert token.attributes == {"deviceModel": "Pixel", "os": "ANDROID", "active": False}
    assert (device_id.kind, device_id.value) == (DEVICE.code, "D")


def test_a_mobile_token_without_device_block():
    (token,) = read(channels=[{"type": "mobilepush", "value": "T"}]).person.changeable
    assert (token.value, token.app, token.device, token.attributes) == ("T", None, None, None)


def test_a_web_token_and_its_subscription():
    block = {"appId": 7, "userAgent": "Firefox", "ip": "192.0.2.1"}
    channel = {"type": "webPush", "value": "W", "webPushSubscription": block}
    (token,) = read(channels=[channel]).person.changeable
    assert (token.kind, token.app) == (WEB_TOKEN.code, "7")
    assert token.attributes == {"userAgent": "Firefox", "ip": "192.0.2.1"}


def test_the_same_token_twice_is_one():
    contact = read(channels=[{"type": "mobilepush", "value": "T"}] * 2)
    assert len(contact.person.changeable) == 1


def test_device_and_cookie_may_be_lists():
    contact = read(
        deviceId=["D1", "D2", "D1"], webId="C", channels=[{"type": "mobilepush", "value": "T"}]
    )
    assert [(one.kind, one.value) for one in contact.person.changeable] == [
        (MOBILE_TOKEN.code, "T"),
        (DEVICE.code, "D1"),
        (DEVICE.code, "D2"),
        (WEB_COOKIE.code, "C"),
    ]
    assert contact.person.changeable[0].device is None


def test_tokens_that_stand_for_nobody_are_absent_with_a_warning():
    contact = read(
        externalCustomerId="X",
        channels=[{"type": "mobilepush", "value": "BLACKLISTED"}],
        deviceId="00000000-0000-0000-0000-000000000000",
    )
    assert contact.person.changeable == ()
    assert codes(contact) == ["never_identifier", "never_identifier"]


@pytest.mark.parametrize(
    ("channel", "code"),
    [
        ({"type": "pigeon", "value": "x"}, "unknown_channel"),
        ({"type": 5, "value": "x"}, "unknown_channel"),
        ({"value": "anna@example.com"}, "unknown_channel"),
        ("anna@example.com", "invalid_channel"),
        (5, "invalid_channel"),
        (sms("12"), "invalid_phone"),
        (sms(["+380942583691"]), "invalid_phone"),
        (email(5), "invalid_email"),
        ({"type": "mobilepush", "value": "x" * 4097}, "invalid_mobile_token"),
        ({"type": "mobilepush", "value": 5}, "invalid_mobile_token"),
    ],
)
def test_a_bad_channel_is_dropped_with_a_warning(channel, code):
    contact = read(externalCustomerId="X", channels=[channel])
    assert codes(contact) == [code]
    assert contact.warnings[0].field  # D18: the warning names what was dropped
    assert len(contact.person.all()) == 1


@pytest.mark.parametrize("kind", ["appinbox", "widget", "inapp", "telegrambot"])
def test_channels_that_name_nobody_are_ignored(kind):
    assert read(externalCustomerId="X", channels=[{"type": kind, "value": "x"}]).warnings == ()


def test_the_whole_profile():
    contact = read(
        firstName=" Anna ",
        lastName="Kovalenko",
        contactKey=5,
        languageCode="en-us",
        timeZone="Europe/Kyiv",
        address={"region": "R", "town": "Kyiv", "address": "Street 1", "postcode": 1001},
        fields=[{"id": 12, "value": "red"}, {"id": "13", "value": " 42 "}],
    )
    profile = contact.profile
    assert (profile.first_name, profile.last_name, profile.contact_key) == (
        "Anna",
        "Kovalenko",
        "5",
    )
    assert (profile.language_code, profile.time_zone) == ("en-US", "Europe/Kyiv")
    assert (profile.region, profile.town, profile.postcode) == ("R", "Kyiv", "1001")
    assert profile.fields == {"12": "red", "13": "42"}
    assert (contact.person.first_name, contact.person.last_name) == ("Anna", "Kovalenko")
    assert contact.warnings == ()


@pytest.mark.parametrize("blank", [None, "", " ", "null"])
def test_blanks_say_nothing(blank):
    contact = read(
        firstName=blank,
        lastName=blank,
        languageCode=blank,
        timeZone=blank,
        contactKey=blank,
        address={"town": blank, "region": blank},
        fields=[{"id": 12, "value": blank}],
        groups=None,
        formType=None,
    )
    assert contact == ContactInput()


@pytest.mark.parametrize(
    ("raw", "code", "field"),
    [
        ({"firstName": "x" * 41}, "invalid_name", "firstName"),
        ({"lastName": {}}, "invalid_name", "lastName"),
        ({"languageCode": "!"}, "invalid_language", "languageCode"),
        ({"timeZone": "Mars/Olympus"}, "invalid_time_zone", "timeZone"),
        ({"contactKey": []}, "invalid_contact_key", "contactKey"),
        ({"contactKey": "a\x07"}, "invalid_contact_key", "contactKey"),
        ({"address": "Kyiv"}, "invalid_address", "address"),
        ({"address": {"town": [], "region": "R"}}, "invalid_address", "address.town"),
        ({"fields": [{"id": 99, "value": "x"}]}, "unknown_field", "fields"),
        ({"fields": {"id": 13, "value": "many"}}, "invalid_field", "SHOP.SIZE"),
        ({"fields": [{"id": 14, "value": "x"}]}, "readonly_field", "SHOP.RANK"),
        ({"fields": ["x"]}, "invalid_field", "fields"),
        ({"fields": 5}, "invalid_field", "fields"),
    ],
)
def test_what_is_invalid_is_dropped_and_named(raw, code, field):
    contact = read(externalCustomerId="X", **raw)
    assert [(notice.code, notice.field) for notice in contact.warnings] == [(code, field)]


def test_one_field_as_an_object():
    assert read(fields={"id": 12, "value": "red"}).profile.fields == {"12": "red"}


def test_members_beside_channels_are_ignored():
    """OpenCart sends e-mail and phone at the top; a wrapped contact is not unwrapped (D19)."""
    assert read(email="a@example.com", phone="+380942583691", contact={}) == ContactInput()


def test_warnings_quote_no_value():
    contact = read(firstName="Secret\x07", channels=[email("secret"), sms("secret")])
    assert "secret" not in msgspec.json.encode(contact.warnings).decode().lower()


_MEMBERS = st.sampled_from(
    [
        *("externalCustomerId", "channels", "firstName", "lastName", "address", "fields", "webId"),
        *("deviceId", "languageCode", "timeZone", "contactKey", "type", "value", "device", "id"),
        *("appId", "town", "webPushSubscription"),
    ]
)
_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.sampled_from(["email", "sms", "mobilepush", "anna@example.com", "+380942583691"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_MEMBERS, inner, max_size=5),
    max_leaves=20,
)


@given(st.dictionaries(_MEMBERS, _JSON, max_size=8))
def test_any_object_is_read_or_refused_in_words(raw):
    """Never anything but a contact or one of our errors, and the same contact each time."""
    try:
        contact = read_contact(raw, RULES)
    except InvalidRequest:
        return
    assert read_contact(raw, RULES) == contact
