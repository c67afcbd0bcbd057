"""POST /api/v1/contacts as rows (wire 3.9, guide G13, decisions D3, D9, D16, D18)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kartoteka.contacts.clearing import is_clearable
from kartoteka.contacts.model import ImportRow, RowRules, Unique
from kartoteka.contacts.uniques import UNIQUES
from kartoteka.errors import InvalidRequest
from kartoteka.identity.kinds import BY_CODE, EMAIL
from kartoteka.imports.bulk_form import BulkCall, read_bulk
from kartoteka.imports.members import InvalidOptions
from kartoteka.imports.model import RowFailed
from tests.rules.imports.given import FORM, ORIGIN, codes

MAIL = {"type": "email", "value": "Alice@Example.com"}
PHONE = {"type": "sms", "value": "+380942583691"}
TOKEN = {"type": "mobilepush", "value": "tok-1", "device": {"appId": "app-1"}}
FULL: dict[str, Any] = {
    "externalCustomerId": "X1",
    "firstName": "Alice",
    "lastName": "Kovalenko",
    "contactKey": "K1",
    "languageCode": "uk",
    "timeZone": "Europe/Kyiv",
    "channels": [MAIL, PHONE, TOKEN, {"type": "webpush", "value": "web-1"}],
    "address": {"region": "Lvivska", "town": "Lviv", "address": "Svobody 1", "postcode": "79000"},
    "fields": [{"id": 12, "value": "red"}, {"id": 13, "value": 42}],
    "deviceId": "dev-1",
    "id": 1043,
}


def call(contacts: object, dedupe: str = "externalCustomerId", **more) -> BulkCall:
    return read_bulk({"contacts": contacts, "dedupeOn": dedupe, **more}, FORM, ORIGIN)


def row(contact: dict[str, Any], dedupe: str = "externalCustomerId", **more) -> ImportRow:
    (found,) = call([contact], dedupe, **more).rows
    return found


def failure(contact: object, dedupe: str = "externalCustomerId", **more) -> RowFailed:
    ((failed, echo),) = call([contact], dedupe, **more).failed
    assert echo == contact
    return failed


def said(found: ImportRow) -> dict[str, Any]:
    """Everything that the row would write, by API name."""
    names = {"external_id": "externalCustomerId", "phone": "sms", "mobile_token": "mobilepush"}
    names |= {"web_token": "webpush", "device": "deviceId", "web_cookie": "webId"}
    values: dict[str, Any] = {}
    for one in found.contact.person.all():
        name = BY_CODE[one.kind].name
        values[names.get(name, name)] = one.value
    for name in found.contact.profile.__struct_fields__:
        value = getattr(found.contact.profile, name)
        if value and name != "fields":
            values[name] = value
    return values | {f"fields.{key}": text for key, text in found.contact.profile.fields.items()}


PROFILE = {
    "first_name": "Alice",
    "last_name": "Kovalenko",
    "contact_key": "K1",
    "language_code": "uk",
    "time_zone": "Europe/Kyiv",
    "region": "Lvivska",
    "town": "Lviv",
    "address": "Svobody 1",
    "postcode": "79000",
}
IDENTIFIERS = {
    "externalCustomerId": "X1",
    "email": "alice@example.com",
    "sms": "380942583691",
    "mobilepush": "tok-1",
    "webpush": "web-1",
    "deviceId": "dev-1",
}


@pytest.mark.parametrize("listed", [{}, {"contactFields": None}, {"contactFields": []}])
def test_without_contact_fields_every_given_field_is_written_and_nothing_cleared(listed):
    found = row(FULL, **listed)
    assert said(found) == PROFILE | IDENTIFIERS
    assert found.clear == frozenset()
    assert row({"externalCustomerId": "X1", "firstName": ""}, **listed).clear == frozenset()


def test_the_token_keeps_its_app_and_belongs_to_the_device():
    (token,) = [one for one in row(FULL).contact.person.changeable if one.value == "tok-1"]
    assert (token.app, token.device) == ("app-1", "dev-1")


@pytest.mark.parametrize(
    ("listed", "kept"),
    [
        (["firstName"], {"first_name"}),
        (["FIRSTNAME", " lastName "], {"first_name", "last_name"}),
        (["contactKey", "languageCode", "timeZone"], {"contact_key", "language_code", "time_zone"}),
        (["email"], {"email"}),
        (["sms"], {"sms"}),
        (["viber"], {"sms"}),
        (["mobilepush"], {"mobilepush"}),
        (["webpush"], {"webpush"}),
        (["address"], {"address"}),
        (["town", "region"], {"town", "region"}),
        (["postcode"], {"postcode"}),
        (["deviceId"], {"deviceId"}),
        (["ordersInfo"], set()),
        (["externalCustomerId"], set()),
        (["nonsense", "firstName"], {"first_name"}),
    ],
)
def test_with_contact_fields_only_the_listed_ones_are_written(listed, kept):
    """The External ID stays to find the contact."""
    everything = PROFILE | IDENTIFIERS
    expected = {name: everything[name] for name in kept | {"externalCustomerId"}}
    found = row(FULL, contactFields=listed)
    assert said(found) == expected
    assert found.clear == frozenset(), "nothing listed is missing"


@pytest.mark.parametrize(
    ("dedupe", "stays"),
    [
        ("email", {"email"}),
        ("sms", {"sms"}),
        ("email_or_sms", {"email", "sms"}),
        ("push", {"mobilepush"}),
        ("webpush", {"webpush"}),
        ("deviceId", {"deviceId"}),
        ("contactKey", {"contact_key"}),
        ("id", set()),
    ],
)
def test_what_finds_the_contact_stays_whatever_is_listed(dedupe, stays):
    found = row(FULL, dedupe, contactFields=["town"])
    everything = PROFILE | IDENTIFIERS
    assert said(found) == {
        name: everything[name] for name in stays | {"town", "externalCustomerId"}
    }


def test_names_that_are_not_written_still_tell_people_apart():
    """D10a, D13 compare names: whoever is called otherwise is somebody else."""
    found = row(FULL, contactFields=["town"])
    assert (found.contact.person.first_name, found.contact.person.last_name) == (
        "Alice",
        "Kovalenko",
    )
    assert (found.contact.profile.first_name, found.contact.profile.last_name) == (None, None)
    unlisted = row({"externalCustomerId": "X1", "firstName": "<b>"}, contactFields=["town"])
    assert unlisted.contact.warnings == ()


EVERY = [
    *("firstName", "lastName", "contactKey", "languageCode", "timeZone", "email", "sms"),
    *("mobilepush", "webpush", "address", "town", "region", "externalCustomerId", "postcode"),
]


@pytest.mark.parametrize(
    "contact",
    [
        {},
        {"firstName": "", "lastName": " ", "contactKey": None, "languageCode": "null"},
        {"channels": [], "address": {}, "fields": []},
        {"channels": None, "address": None, "timeZone": ""},
        {"channels": "", "address": ""},
        {"channels": [{"type": "sms", "value": ""}, {"type": "email"}, None]},
        {"channels": {"type": "mobilepush", "value": None}},
        {"channels": [{"type": "appinbox", "value": "x"}]},
        {"address": {"region": "", "town": None, "address": " ", "postcode": "null"}},
    ],
    ids=["absent", "blank", "empty", "null", "text", "valueless", "object", "other", "parts"],
)
def test_a_listed_field_without_data_is_cleared(contact):
    """Wire 3.9. Never the External ID, which only `?clear=` takes away (decisions D16)."""
    found = row({"externalCustomerId": "X1", **contact}, contactFields=EVERY)
    assert found.clear == set(EVERY) - {"externalCustomerId"}
    assert all(is_clearable(name) for name in found.clear)


@pytest.mark.parametrize(
    ("contact", "listed", "cleared"),
    [
        ({"firstName": "Alice"}, ["firstName", "lastName"], {"lastName"}),
        ({"channels": [MAIL]}, ["email", "sms"], {"sms"}),
        ({"channels": [{"type": "viber", "value": "0942583691"}]}, ["email", "sms"], {"email"}),
        ({"channels": TOKEN}, ["mobilepush", "webpush"], {"webpush"}),
        ({"channels": [{"type": "MobilePush", "value": "t"}]}, ["mobilepush"], set()),
        ({"address": {"town": "Lviv"}}, ["town", "region"], {"region"}),
        ({"address": {"town": "Lviv"}}, ["address"], {"address"}),
        ({"firstName": 5}, ["firstName"], set()),
        ({}, ["deviceId", "webId", "ordersInfo", "x"], set()),
    ],
)
def test_only_listed_fields_are_cleared_and_only_if_missing(contact, listed, cleared):
    assert row({"externalCustomerId": "X1", **contact}, contactFields=listed).clear == cleared


@pytest.mark.parametrize(
    ("contact", "code"),
    [
        ({"firstName": "<b>"}, "invalid_name"),
        ({"languageCode": []}, "invalid_language"),
        ({"address": "Svobody 1"}, "invalid_address"),
        ({"address": {"town": "x" * 256}}, "invalid_address"),
        ({"channels": [{"type": "email", "value": "no address"}]}, "invalid_email"),
        ({"channels": [{"type": "sms", "value": "1"}]}, "invalid_phone"),
        ({"channels": [{"type": "mobilepush", "value": "BLACKLISTED"}]}, "never_identifier"),
        ({"channels": ["alice@example.com"]}, "invalid_channel"),
        ({"channels": [{"value": "alice@example.com"}]}, "unknown_channel"),
    ],
)
def test_a_value_that_is_not_valid_clears_nothing(contact, code):
    """D18: it is dropped, the stored one stays."""
    listed = {
        "firstName": ["firstName"],
        "languageCode": ["languageCode"],
        "address": ["town"],
        "channels": ["email", "sms", "mobilepush"],
    }
    (member,) = contact
    found = row({"externalCustomerId": "X1", **contact}, contactFields=listed[member])
    assert codes(found.contact.warnings) == [code]
    if member != "channels":
        assert found.clear == frozenset()
    elif code in ("invalid_channel", "unknown_channel"):
        assert found.clear == frozenset(), "it may have been any of them"
    else:
        assert len(found.clear) == 2


@pytest.mark.parametrize(
    ("dedupe", "contact"),
    [
        ("email", {"channels": [MAIL]}),
        ("sms", {"channels": [PHONE]}),
        ("email_or_sms", {"channels": [PHONE]}),
        ("push", {"channels": [TOKEN]}),
        ("contactKey", {"contactKey": "K1"}),
        ("id", {"id": 5}),
        ("email", {"externalCustomerId": "X1"}),
    ],
)
def test_the_unique_field_is_never_cleared(dedupe, contact):
    unique = {"email_or_sms": {"email", "sms"}, "push": {"mobilepush"}}.get(dedupe, {dedupe})
    cleared = row(contact, dedupe, contactFields=EVERY).clear
    assert cleared.isdisjoint(unique | {"externalCustomerId"})
    assert "lastName" in cleared


# Custom fields.

RED = {"fields": [{"id": 12, "value": "red"}]}


@pytest.mark.parametrize("listed", [{}, {"customFieldsIDs": None}, {"customFieldsIDs": []}])
def test_custom_fields_that_no_list_names_are_not_written_and_this_is_told(listed):
    """Wire 2.10: in bulk only fields listed in customFieldsIDs are updated."""
    found = row({"externalCustomerId": "X1", **RED}, **listed)
    assert said(found) == {"externalCustomerId": "X1"}
    assert codes(found.contact.warnings) == ["field_not_listed"]
    assert found.clear == frozenset()


@pytest.mark.parametrize("ids", [[12], ["12"], 12, "12", [12, 12, None, ""], [12, 1]])
def test_listed_custom_fields_are_written(ids):
    found = row({"externalCustomerId": "X1", **RED}, customFieldsIDs=ids)
    assert said(found)["fields.12"] == "red"
    assert (found.contact.warnings, found.clear) == ((), frozenset())


def test_contact_fields_do_not_hide_custom_ones_nor_the_other_way_round():
    found = row(FULL, customFieldsIDs=[13], contactFields=["town"])
    assert said(found) == {"externalCustomerId": "X1", "town": "Lviv", "fields.13": "42"}
    assert codes(found.contact.warnings) == ["field_not_listed"]


@pytest.mark.parametrize(
    ("fields", "cleared"),
    [
        ([{"id": 12, "value": ""}], {"fields.12"}),
        ([{"id": "12", "value": None}], {"fields.12"}),
        ([{"id": 12}], {"fields.12"}),
        ({"id": 12, "value": " "}, {"fields.12"}),
        ([{"id": 12, "value": []}], {"fields.12"}),
        ([{"id": 12, "value": ""}, {"id": 12, "value": "red"}], set()),
        ([{"id": 13, "value": "large"}], set()),
        ([{"id": 1, "value": ""}], set()),
        ([{"id": 14, "value": ""}], set()),
        ([], set()),
        (None, set()),
        (["x"], set()),
    ],
)
def test_a_listed_custom_field_is_cleared_where_the_row_gives_it_as_blank(fields, cleared):
    found = row({"externalCustomerId": "X1", "fields": fields}, customFieldsIDs=[12, 13, 14])
    assert found.clear == cleared


def test_a_custom_field_can_be_the_unique_one():
    """It stays without being listed, and is never cleared."""
    contact = {"fields": [{"id": 12, "value": "red"}, {"id": 13, "value": 1}]}
    found = row(contact, "fieldId", fieldId=12)
    assert (found.value, said(found)) == ("red", {"fields.12": "red"})
    assert found.rules.unique == Unique("fieldId", 12)
    blank = {"externalCustomerId": "X1", "fields": [{"id": 12, "value": ""}]}
    assert row(blank, "fieldId", fieldId="12", customFieldsIDs=[12]).clear == frozenset()
    assert row(contact, "shop.colour").value == "red"


# Whom a row names.


@pytest.mark.parametrize(
    ("dedupe", "value"),
    [
        ("externalCustomerId", "X1"),
        ("EXTERNALCUSTOMERID", "X1"),
        ("email", "alice@example.com"),
        ("Email", "alice@example.com"),
        ("sms", "380942583691"),
        ("SMS", "380942583691"),
        ("email_or_sms", "380942583691"),
        ("EMAIL_OR_SMS", "380942583691"),
        ("push", "tok-1"),
        ("webPush", "web-1"),
        ("id", "1043"),
        ("deviceId", "dev-1"),
        ("contactKey", "K1"),
    ],
)
def test_the_unique_value_of_each_kind(dedupe, value):
    found = row(FULL, dedupe)
    assert found.value == value
    assert found.contact_id == (1043 if dedupe == "id" else None)


@pytest.mark.parametrize("name", [name for name in UNIQUES if name != "fieldId"])
def test_a_row_without_its_unique_value_and_external_id_fails(name):
    """D18: code `no_` and the word of dedupeOn."""
    for blank in ({}, {"firstName": "Alice", "channels": []}, {"externalCustomerId": " "}):
        assert failure(blank, name).code == f"no_{name}"


@pytest.mark.parametrize("nobody", ["guest", "0", "undefined", None, "", "\u00a0", "NULL"])
def test_an_external_id_that_stands_for_nobody_is_none(nobody):
    contact = {"externalCustomerId": nobody, "channels": [MAIL]}
    assert failure(contact).code == "no_externalCustomerId"
    assert said(row(contact, "email")) == {"email": "alice@example.com"}


@pytest.mark.parametrize(
    ("dedupe", "contact", "field"),
    [
        ("email", {"channels": [{"type": "email", "value": "no address"}, PHONE]}, "email"),
        ("sms", {"channels": [MAIL, {"type": "viber", "value": "12"}]}, "viber"),
        ("email_or_sms", {"channels": [{"type": "sms", "value": "12"}]}, "sms"),
        ("push", {"channels": [{"type": "mobilepush", "value": 5}]}, "mobile_token"),
        ("id", {"id": "x"}, "id"),
        ("id", {"id": -1}, "id"),
        ("id", {"id": 1.5}, "id"),
        ("id", {"id": 2**63}, "id"),
        ("id", {"id": "9" * 5000}, "id"),
        ("contactKey", {"contactKey": "x" * 256}, "contactKey"),
    ],
)
def test_an_invalid_unique_value_fails_and_names_the_field(dedupe, contact, field):
    failed = failure(contact, dedupe)
    assert (failed.number, failed.code, failed.field) == (1, f"invalid_{dedupe}", field)
    assert failed.value is None


def test_an_invalid_custom_value_fails_where_it_is_the_unique_one():
    failed = failure({"fields": [{"id": 13, "value": "large"}]}, "fieldId", fieldId=13)
    assert (failed.code, failed.field) == ("invalid_fieldId", "SHOP.SIZE")
    failed = failure({"fields": [{"id": 12, "value": "red"}]}, "fieldId", fieldId=13)
    assert failed.code == "no_fieldId"
    assert "SHOP.SIZE" in failed.message


def test_id_zero_is_none_and_an_external_id_helps_out():
    assert failure({"id": 0}, "id").code == "no_id"
    found = row({"id": 0, "externalCustomerId": "X1"}, "id")
    assert (found.contact_id, found.value, said(found)) == (
        None,
        None,
        {"externalCustomerId": "X1"},
    )
    found = row({"id": "x", "externalCustomerId": "X1"}, "id")
    assert codes(found.contact.warnings) == ["invalid_contact_id"]


def test_an_external_id_names_the_contact_without_the_unique_value():
    found = row({"externalCustomerId": "X1", "channels": [PHONE]}, "email")
    assert (found.value, said(found)) == (
        None,
        {"externalCustomerId": "X1", "sms": "380942583691"},
    )


@pytest.mark.parametrize("bad", [1.5, True, [], {}, "a\tb", "x" * 256])
def test_an_invalid_external_id_fails_whatever_else_there_is(bad):
    """D3: 400 in single calls."""
    failed = failure({"externalCustomerId": bad, "channels": [MAIL]}, "email")
    assert (failed.code, failed.field) == ("invalid_external_id", "externalCustomerId")


def test_what_is_no_contact_fails_and_is_echoed_as_it_came():
    read = call(["x", 5, None, [], FULL, {}])
    assert [(failed.number, failed.code, echo) for failed, echo in read.failed] == [
        (1, "invalid_contact", "x"),
        (2, "invalid_contact", 5),
        (3, "invalid_contact", None),
        (4, "invalid_contact", []),
        (6, "no_externalCustomerId", {}),
    ]
    assert [one.number for one in read.rows] == [5]
    assert read.total == 6


def test_failures_quote_nothing_of_the_contact():
    for failed, _ in call([{"channels": [{"type": "email", "value": "secret"}]}], "email").failed:
        assert "secret" not in f"{failed}"


# The call.


def test_the_rules_of_the_call():
    read = call(
        FULL,
        "email",
        groupNames=["A", " B ", "A", ""],
        groupNamesExclude="C",
        restoreDeleted=True,
        eventKeyForNewContacts="newContact",
        contactFields=["externalCustomerId"],
    )
    rules = RowRules(
        Unique("email"), True, ("A", "B"), ("C",), True, "newContact", frozenset({EMAIL.code})
    )
    assert read.rules == rules
    assert read.rows[0].rules == rules
    assert (read.rows[0].number, read.rows[0].origin) == (1, ORIGIN)


@pytest.mark.parametrize(
    ("dedupe", "listed", "updates"),
    [
        ("email", ["externalCustomerId", "email"], True),
        ("id", ["EXTERNALCUSTOMERID"], True),
        ("email", ["email"], False),
        ("email", None, False),
        ("externalCustomerId", ["externalCustomerId"], False),
    ],
)
def test_when_a_row_may_replace_an_external_id(dedupe, listed, updates):
    """The exception of decisions D9."""
    assert call([FULL], dedupe, contactFields=listed).rules.updates_external_id is updates


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("contacts", None),
        ("contacts", []),
        ("contacts", ""),
        ("contacts", "x"),
        ("contacts", 5),
        ("contacts", [{}] * 3_001),
        ("dedupeOn", None),
        ("dedupeOn", ""),
        ("dedupeOn", 5),
        ("dedupeOn", "shoe size"),
        ("dedupeOn", "SHOP.RANK"),
        ("contactFields", [5]),
        ("contactFields", {"a": 1}),
        ("contactFields", ["firstName"] * 1_001),
        ("customFieldsIDs", ["x"]),
        ("customFieldsIDs", [True]),
        ("customFieldsIDs", [1.5]),
        ("customFieldsIDs", {}),
        ("groupNames", [5]),
        ("groupNames", {}),
        ("groupNamesExclude", 5),
        ("restoreDeleted", "perhaps"),
        ("restoreDeleted", [True]),
        ("eventKeyForNewContacts", "a b?"),
        ("eventKeyForNewContacts", "x" * 101),
        ("eventKeyForNewContacts", ["a"]),
        ("fieldId", "x"),
    ],
)
def test_a_wrong_member_is_named(member, value):
    body = {"contacts": [FULL], "dedupeOn": "email", member: value}
    with pytest.raises(InvalidOptions) as caught:
        read_bulk(body, FORM, ORIGIN)
    assert caught.value.details == {"member": member}


@pytest.mark.parametrize("more", [{}, {"fieldId": 99}, {"fieldId": None}, {"fieldId": 14}])
def test_a_custom_field_must_be_one_that_the_account_has_and_may_write(more):
    with pytest.raises(InvalidOptions):
        call([FULL], "fieldId", **more)


def test_three_thousand_contacts_are_taken():
    assert len(call([{"externalCustomerId": i} for i in range(1, 3_001)]).rows) == 3_000


@pytest.mark.parametrize("unset", ["groupNames", "groupNamesExclude", "restoreDeleted", "fieldId"])
def test_null_is_unset(unset):
    assert call([FULL], **{unset: None}).rules == RowRules(Unique("externalCustomerId"))


def test_what_the_call_lists_in_vain_is_told():
    read = call([FULL], contactFields=["shoeSize", "ordersInfo"], customFieldsIDs=[99])
    assert codes(read.notices) == ["unknown_contact_field", "unknown_field"]
    assert call([FULL], contactFields=["ordersInfo"]).notices == ()


# Whatever comes.

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6)
NAMES = st.sampled_from(
    [*FULL, "type", "value", "email", "sms", "mobilepush", "region", "town", "webId", "device"]
)
JSON = st.recursive(
    SCALARS | NAMES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=5),
    max_leaves=10,
)
CALLS = st.fixed_dictionaries(
    {
        "contacts": JSON | st.lists(st.dictionaries(NAMES, JSON, max_size=6), max_size=3),
        "dedupeOn": st.sampled_from([*UNIQUES, "SHOP.SIZE"]) | SCALARS,
    },
    optional={
        "fieldId": st.sampled_from([12, "13"]) | SCALARS,
        "contactFields": st.lists(st.sampled_from(EVERY)) | JSON,
        "customFieldsIDs": st.lists(st.sampled_from([12, 13, 14])) | JSON,
        "groupNames": JSON,
        "restoreDeleted": SCALARS,
        "eventKeyForNewContacts": SCALARS,
    },
)


@given(CALLS)
def test_any_json_is_rows_and_failures_or_a_refusal(body):
    try:
        read = read_bulk(body, FORM, ORIGIN)
    except InvalidRequest:
        return
    sent = body["contacts"] if isinstance(body["contacts"], list) else [body["contacts"]]
    numbers = [one.number for one in read.rows] + [failed.number for failed, _ in read.failed]
    assert sorted(numbers) == list(range(1, len(sent) + 1))
    assert all(echo is sent[failed.number - 1] for failed, echo in read.failed)
    for one in read.rows:
        assert one.value is not None or one.contact.person.external_id is not None
        assert all(is_clearable(name) for name in one.clear)
        assert "externalCustomerId" not in one.clear
