"""Rows of a file: cells in, a command or a failure out (wire 11.1, decisions D3, D6, D12, D18)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kartoteka.contacts.clearing import is_clearable
from kartoteka.contacts.model import ImportRow
from kartoteka.identity.kinds import BY_CODE, DEFAULT_REGION
from kartoteka.imports.model import RowFailed
from kartoteka.imports.options import read_options, settle_options
from kartoteka.imports.rows import RowReader
from tests.rules.imports.given import FIELDS, ORIGIN, codes, short


def reader(columns: str, **raw) -> RowReader:
    """`columns`: fields by position, - for none."""
    names = [None if name == "-" else name for name in columns.split()]
    options = settle_options(read_options({"map": names, **raw}), [""] * len(names), FIELDS)
    return RowReader(options, DEFAULT_REGION, FIELDS, ORIGIN)


def read(columns: str, *cells: str, **raw) -> ImportRow | RowFailed:
    return reader(columns, **raw).read(5, cells)


def row(columns: str, *cells: str, **raw) -> ImportRow:
    found = read(columns, *cells, **raw)
    assert isinstance(found, ImportRow)
    return found


def person(found: ImportRow) -> dict[str, str]:
    """Identifiers by kind."""
    return {BY_CODE[one.kind].name: one.value for one in found.contact.person.all()}


ALL = (
    "externalCustomerId email sms firstName lastName contactKey languageCode timeZone region town "
    "address postcode fields.12 fields.1"
)


def test_every_column_reaches_its_place():
    found = row(
        ALL,
        *(" TV12790\u00a0", "Alice@Example.COM", "094 258 36 91", " Alice ", "Kovalenko", "A-1"),
        *("en_us", "europe/kyiv", "Lvivska", "Lviv", "Svobody\n1", "79000", "red", "31.01.1990"),
        groupNames=["A"],
    )
    assert person(found) == {
        "external_id": "TV12790",
        "email": "alice@example.com",
        "phone": "380942583691",
    }
    profile = found.contact.profile
    assert (profile.first_name, profile.last_name, profile.contact_key) == (
        "Alice",
        "Kovalenko",
        "A-1",
    )
    assert (profile.language_code, profile.time_zone) == ("en-US", "Europe/Kyiv")
    assert (profile.region, profile.town, profile.address, profile.postcode) == (
        "Lvivska",
        "Lviv",
        "Svobody\n1",
        "79000",
    )
    assert profile.fields == {"12": "red", "1": "1990-01-31"}
    assert (found.contact.person.first_name, found.contact.person.last_name) == (
        "Alice",
        "Kovalenko",
    )
    assert (found.number, found.value, found.origin) == (5, "TV12790", ORIGIN)
    assert (found.contact.warnings, found.clear) == ((), frozenset())
    assert found.rules.groups == ("A",)


@pytest.mark.parametrize(
    ("unique", "columns", "cells", "value"),
    [
        ("email", "email", ["A@B.example"], "a@b.example"),
        ("sms", "sms", ["+380 (94) 258-36-91"], "380942583691"),
        ("email_or_sms", "email sms", ["a@b.example", "0942583691"], "380942583691"),
        ("email_or_sms", "email sms", ["a@b.example", ""], "a@b.example"),
        ("email_or_sms", "email", ["a@b.example"], "a@b.example"),
        ("push", "mobilepush", ["tok:1"], "tok:1"),
        ("webpush", "webpush", ["w1"], "w1"),
        ("telegram", "telegram", ["t1"], "t1"),
        ("deviceId", "deviceId", ["d1"], "d1"),
        ("webId", "webId", ["c1"], "c1"),
        ("id", "id", [" 0012 "], "12"),
        ("contactKey", "contactKey", [" A-1 "], "A-1"),
        ("fields.13", "fields.13", ["0042"], "42"),
        ("fields.1", "fields.1", ["31/01/1990"], "1990-01-31"),
        ("externalCustomerId", "externalCustomerId", ["007"], "007"),
    ],
)
def test_the_unique_value_is_canonical(unique, columns, cells, value):
    found = row(columns, *cells, unique=unique)
    assert found.value == value
    assert found.contact_id == (12 if unique == "id" else None)


BLANKS = ["", " ", "\u00a0", "null", "NULL", " Null "]


@pytest.mark.parametrize(
    ("unique", "column", "invalid"),
    [
        ("email", "email", "no address"),
        ("sms", "sms", "12"),
        ("email_or_sms", "sms", "dial me"),
        ("push", "mobilepush", "x" * 4097),
        ("webpush", "webpush", "a\x00b"),
        ("telegram", "telegram", "a\x00b"),
        ("deviceId", "deviceId", "x" * 4097),
        ("webId", "webId", "a\x00b"),
        ("id", "id", "A-12"),
        ("contactKey", "contactKey", "x" * 256),
        ("fields.13", "fields.13", "large"),
    ],
    ids=short,
)
def test_a_row_without_its_unique_value_fails_and_says_how(unique, column, invalid):
    """D18: `no_` and the word for a blank, `invalid_` and the word for what is none."""
    word = "fieldId" if unique.startswith("fields.") else unique
    columns = f"{column} firstName"
    field = "SHOP.SIZE" if word == "fieldId" else column
    for blank in BLANKS:
        failed = read(columns, blank, "Alice", unique=unique)
        assert isinstance(failed, RowFailed)
        assert (failed.number, failed.code, failed.field) == (5, f"no_{word}", field)
    failed = read(columns, invalid, "Alice", unique=unique)
    assert isinstance(failed, RowFailed)
    assert (failed.code, failed.field) == (f"invalid_{word}", field)
    assert invalid not in failed.message
    assert failed.value is None


@pytest.mark.parametrize("blank", [*BLANKS, "guest", "0", "undefined", "[object Object]"])
def test_a_row_without_external_id_fails_where_it_is_the_unique_field(blank):
    """Wire 11.1, decisions D6: the e-mail beside it names nobody."""
    failed = read("externalCustomerId email", blank, "alice@example.com")
    assert isinstance(failed, RowFailed)
    assert (failed.code, failed.field) == ("no_externalCustomerId", "externalCustomerId")


@pytest.mark.parametrize(
    "bad", ["a\tb", "a\x00b", "x" * 256, "a\nb", "1.23457E+11", "1,2E+5", "5e10"], ids=short
)
def test_an_invalid_external_id_fails_whatever_else_there_is(bad):
    """D3; a number that a spreadsheet cut short is the beginning of many people's."""
    for options in ({}, {"updateExternalId": True}):
        failed = read("externalCustomerId email", bad, "alice@example.com", **options)
        assert isinstance(failed, RowFailed)
        assert (failed.code, failed.field) == ("invalid_external_id", "externalCustomerId")


@pytest.mark.parametrize(
    ("unique", "cell", "code", "field"),
    [
        ("contactKey", "9.1E+12", "invalid_contactKey", "contactKey"),
        ("fields.12", "9.1E+12", "invalid_fieldId", "SHOP.COLOUR"),
        ("telegram", "9.1E+12", "invalid_telegram", "telegram"),
        ("contactKey", "K\ufffd1", "invalid_contactKey", "contactKey"),
        ("fields.12", "K\ufffd1", "invalid_fieldId", "SHOP.COLOUR"),
        ("fields.13", "1\ufffd1", "invalid_fieldId", "SHOP.SIZE"),
        ("telegram", "K\ufffd1", "invalid_telegram", "telegram"),
        ("email", "k\ufffd1@example.com", "invalid_email", "email"),
        ("sms", "\ufffd380942583691", "invalid_sms", "sms"),
        ("email_or_sms", "\ufffd380942583691", "invalid_email_or_sms", "sms"),
        ("id", "\ufffd17", "invalid_id", "id"),
    ],
)
def test_a_value_that_lost_something_names_nobody(unique, cell, code, field):
    """D3, D18: what a spreadsheet cut short, or another encoding spoilt, could be another person's.

    Cards with 9.123E+12 and 9.145E+12 are both saved as 9.1E+12."""
    column = "sms" if unique == "email_or_sms" else unique
    failed = read(f"{column} firstName", cell, "Anna", unique=unique)
    assert isinstance(failed, RowFailed)
    assert (failed.code, failed.field) == (code, field)
    assert cell not in failed.message


@pytest.mark.parametrize(
    ("cell", "phone"),
    [
        ("49301234567.0", "49301234567"),
        (" +49301234567.0 ", "49301234567"),
        ("380942583691.0", "380942583691"),
        ("094.258.36.91", "380942583691"),
    ],
)
def test_a_phone_that_was_kept_as_a_fraction_is_the_phone_without_it(cell, phone):
    """D4: pandas writes a column with blanks so; +49 30 1234567 and +49 30 12345670 are two people's."""
    assert person(row("sms", cell)) == {"phone": phone}
    assert row("id", "17.0", unique="id").contact_id == 17


def test_an_external_id_with_an_unreadable_character_fails_the_row():
    """D3: `K\\xe8` and `K\\xe9` read in the wrong encoding are both K\ufffd."""
    for options in ({}, {"unique": "email", "updateExternalId": True}):
        failed = read("externalCustomerId email", "K\ufffd", "alice@example.com", **options)
        assert isinstance(failed, RowFailed)
        assert (failed.code, failed.field) == ("invalid_external_id", "externalCustomerId")


def test_unreadable_values_beside_an_identifier_are_dropped_and_empty_nothing():
    """D18; a town that was stored well is not replaced by half of it."""
    found = row(
        "email sms town fields.12 webpush -",
        *("a@b.example", "\ufffd380942583691", "L\ufffdviv", "r\ufffdd", "w\ufffd", "\ufffd"),
        emptyValues=True,
    )
    assert [(one.code, one.field) for one in found.contact.warnings] == [
        ("invalid_phone", "sms"),
        ("invalid_address", "town"),
        ("invalid_field", "SHOP.COLOUR"),
        ("invalid_web_token", "webpush"),
    ]
    assert person(found) == {"email": "a@b.example"}
    assert found.contact.profile == row("email", "a@b.example").contact.profile
    assert found.clear == frozenset()


@pytest.mark.parametrize("good", ["E10", "1E", "12E5", "1.5", "1.23457E+", "e5"])
def test_external_ids_that_only_look_alike_are_kept(good):
    assert row("externalCustomerId", good).value == good


def test_with_an_external_id_the_other_unique_value_may_be_missing_or_wrong():
    columns = "externalCustomerId email"
    found = row(columns, "X1", "", updateExternalId=True)
    assert (found.value, person(found)) == (None, {"external_id": "X1"})
    assert found.rules.updates_external_id
    found = row(columns, "X1", "no address", updateExternalId=True)
    assert (found.value, codes(found.contact.warnings)) == (None, ["invalid_email"])


@pytest.mark.parametrize(
    ("column", "cell", "code", "field"),
    [
        ("email", "no address", "invalid_email", "email"),
        ("email", "a@b.example; c@d.example", "invalid_email", "email"),
        ("sms", "3.80942E+11", "invalid_phone", "sms"),
        ("sms", "731", "invalid_phone", "sms"),
        ("firstName", "x" * 41, "invalid_name", "firstName"),
        ("lastName", "<b>", "invalid_name", "lastName"),
        ("firstName", "A\x00nna", "invalid_name", "firstName"),
        ("contactKey", "a\x07b", "invalid_contact_key", "contactKey"),
        ("languageCode", "English", "invalid_language", "languageCode"),
        ("timeZone", "Kyiv time", "invalid_time_zone", "timeZone"),
        ("region", "x" * 256, "invalid_address", "region"),
        ("town", "a\x00b", "invalid_address", "town"),
        ("address", "x" * 256, "invalid_address", "address"),
        ("postcode", "\x01", "invalid_address", "postcode"),
        ("mobilepush", "BLACKLISTED", "never_identifier", "mobilepush"),
        ("webpush", "undefined", "never_identifier", "webpush"),
        ("deviceId", "00000000-0000-0000-0000-000000000000", "never_identifier", "deviceId"),
        ("webId", "x" * 4097, "invalid_web_cookie", "webId"),
        ("fields.13", "large", "invalid_field", "SHOP.SIZE"),
        ("fields.1", "30.02.1990", "invalid_field", "PERSONAL.BIRTHDAY"),
        ("fields.12", "a\x00b", "invalid_field", "SHOP.COLOUR"),
    ],
    ids=short,
)
def test_an_invalid_value_is_dropped_with_a_notice(column, cell, code, field):
    """D18: the row goes on without it."""
    found = row(f"externalCustomerId {column}", "X1", cell, emptyValues=True)
    assert person(found) == {"external_id": "X1"}
    assert found.contact.profile == row("externalCustomerId", "X1").contact.profile
    assert [(one.code, one.field) for one in found.contact.warnings] == [(code, field)]
    assert cell not in found.contact.warnings[0].message
    assert found.clear == frozenset(), "a typing error empties nothing"


@pytest.mark.parametrize("blank", BLANKS)
def test_blank_cells_say_nothing(blank):
    found = row(ALL, "X1", *[blank] * 13)
    assert person(found) == {"external_id": "X1"}
    assert (found.contact.warnings, found.clear) == ((), frozenset())


@pytest.mark.parametrize("blank", BLANKS)
def test_blank_cells_empty_fields_only_where_asked_to(blank):
    """Wire 11.1: "import empty values". Never what finds the contact."""
    found = row(ALL, "X1", *[blank] * 13, emptyValues=True)
    names = {*ALL.split()} - {"externalCustomerId"}
    assert found.clear == names
    assert all(is_clearable(name) for name in names)


@pytest.mark.parametrize(
    ("unique", "columns", "cells", "cleared"),
    [
        ("email", "email sms", ["a@b.example", ""], {"sms"}),
        ("sms", "email sms", ["", "0942583691"], {"email"}),
        ("email_or_sms", "email sms town", ["", "0942583691", ""], {"town"}),
        ("fields.12", "fields.12 fields.13", ["red", ""], {"fields.13"}),
        ("contactKey", "contactKey lastName", ["A", ""], {"lastName"}),
        ("id", "id email", ["5", ""], {"email"}),
        ("email", "email mobilepush mobilepush", ["a@b.example", "", "t"], set()),
        ("email", "email mobilepush mobilepush", ["a@b.example", "", ""], {"mobilepush"}),
        ("email", "email telegram deviceId webId", ["a@b.example", "", "", ""], set()),
        ("email", "email - town", ["a@b.example", "", "Lviv"], set()),
    ],
)
def test_what_blanks_empty(unique, columns, cells, cleared):
    assert row(columns, *cells, unique=unique, emptyValues=True).clear == cleared


def test_tokens_have_a_column_each_and_belong_to_the_device_of_the_row():
    found = row(
        "email mobilepush mobilepush webpush telegram webId deviceId",
        *("a@b.example", " t1 ", "t2", "w1", "g1", "c1", "d1"),
    )
    tokens = [(BY_CODE[one.kind].name, one.value, one.device) for one in _changeable(found)]
    assert tokens == [
        ("mobile_token", "t1", "d1"),
        ("mobile_token", "t2", "d1"),
        ("web_token", "w1", "d1"),
        ("telegram_token", "g1", None),
        ("web_cookie", "c1", None),
        ("device", "d1", None),
    ]


def test_a_token_given_twice_counts_once_and_two_devices_own_nothing():
    found = row("mobilepush mobilepush deviceId deviceId", "t1", "t1", "d1", "d2", unique="push")
    assert [one.device for one in _changeable(found)] == [None, None, None]
    assert [one.value for one in _changeable(found)] == ["t1", "d1", "d2"]


def _changeable(found: ImportRow):
    return found.contact.person.changeable


def test_missing_cells_are_blank_and_extra_ones_are_told():
    assert person(row("email sms town", "a@b.example")) == {"email": "a@b.example"}
    assert row("email sms", "a@b.example", emptyValues=True).clear == {"sms"}
    assert row("email", "a@b.example", "", " ").contact.warnings == ()
    found = row("email", "a@b.example", "", "Lviv")
    assert codes(found.contact.warnings) == ["extra_cells"]
    assert isinstance(read("email town"), RowFailed)


def test_a_contact_id_that_is_not_the_unique_field_is_not_read():
    found = row("email id", "a@b.example", "no number")
    assert (found.contact_id, found.contact.warnings) == (None, ())


def test_what_our_downloads_escape_comes_back_as_it_was():
    """CSV downloads put an apostrophe before what a spreadsheet would take for a formula."""
    found = row(
        "externalCustomerId sms firstName fields.12 mobilepush",
        *("'-12", "'+380942583691", "'Adam", "'=1+1", "'@t"),
    )
    assert person(found) == {"external_id": "-12", "phone": "380942583691", "mobile_token": "@t"}
    assert found.contact.profile.fields == {"12": "=1+1"}
    assert found.contact.profile.first_name is None, (
        "an apostrophe before a name stays and is wrong"
    )
    assert row("externalCustomerId", "'12").value == "'12"
    assert row("externalCustomerId", "'").value == "'"


def test_a_custom_field_that_is_gone_meanwhile_is_told():
    names = {"map": ["email", "fields.12"]}
    options = settle_options(read_options(names), ["", ""], FIELDS)
    gone = RowReader(options, DEFAULT_REGION, {}, ORIGIN)
    found = gone.read(1, ["a@b.example", "red"])
    assert isinstance(found, ImportRow)
    assert codes(found.contact.warnings) == ["unknown_field"]
    found = gone.read(1, ["a@b.example", ""])
    assert isinstance(found, ImportRow)
    assert found.contact.warnings == ()


def test_rows_share_nothing_that_one_could_change():
    one = reader("email fields.12")
    first, second = one.read(1, ["a@b.example", "red"]), one.read(2, ["b@b.example", ""])
    assert isinstance(first, ImportRow)
    assert isinstance(second, ImportRow)
    assert (first.contact.profile.fields, second.contact.profile.fields) == ({"12": "red"}, {})


CELLS = st.lists(
    st.text(max_size=12)
    | st.sampled_from(["alice@example.com", "0942583691", "'", "'=", "null", "1E5", "12", "\x00"]),
    max_size=18,
)


@pytest.mark.parametrize(
    "raw",
    [{}, {"emptyValues": True}, {"updateExternalId": True}, {"map": ["id"]}],
    ids=["plain", "overwriting", "updating", "by id"],
)
@given(cells=CELLS)
def test_any_cells_give_a_command_or_a_failure(raw, cells):
    columns = f"{ALL} mobilepush telegram deviceId webId id"
    found = read(columns, *cells, **raw)
    if isinstance(found, ImportRow):
        assert found.value is not None or found.contact.person.external_id is not None
        assert found.clear.isdisjoint({"externalCustomerId"})
    else:
        assert found.code.startswith(("no_", "invalid_"))
        assert found.message
