"""Which column is which field: guessed from headings, corrected by the caller (wire 11.1)."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kartoteka.contacts.values.custom_fields import FieldDefinition, FieldType
from kartoteka.imports.fields import FIELDS as TARGETS
from kartoteka.imports.fields import all_fields, custom_named, field_named, heading_ranks, label_of
from kartoteka.imports.headings import HEADINGS
from kartoteka.imports.mapping import column_index, column_letter, guess_columns, map_columns
from kartoteka.imports.members import InvalidOptions
from tests.rules.imports.given import COLOUR, FIELDS

VENDOR = "First name,Last name,Address,Region,City,Postcode,Email,SMS,Language code,Timezone"


def mapped(asked, first, *, header=True, guess=True):
    return map_columns(asked, first, header=header, guess=guess, definitions=FIELDS).columns


@pytest.mark.parametrize(
    ("header", "fields"),
    [
        (
            f"{VENDOR},Contact ID,Additional info",
            "firstName lastName address region town postcode email sms languageCode timeZone id -",
        ),
        ("External ID;E-mail;Phone", "externalCustomerId email sms"),
        ("externalCustomerId;email;sms", "externalCustomerId email sms"),
        ("user_id;mail;mobile", "externalCustomerId email sms"),
        ("customer id;Email Address;tel", "externalCustomerId email sms"),
        ("CRM ID;E-MAIL;Phone Number", "externalCustomerId email sms"),
        ("Client Code;email_address;cell", "externalCustomerId email sms"),
        ("Ім'я;Прізвище;Пошта;Телефон;Місто", "firstName lastName email sms town"),
        ("Імʼя;прізвище;Електронна пошта;Номер телефону", "firstName lastName email sms"),
        ("Имя;Фамилия;Эл. почта;Мобильный телефон;Город", "firstName lastName email sms town"),
        ("Код клієнта;Область;Індекс;Мова", "externalCustomerId region postcode languageCode"),
        ("ID клиента;Адрес;Часовой пояс", "externalCustomerId address timeZone"),
        ("name;surname", "firstName lastName"),
        ("billing_first_name;billing_phone;user_email", "firstName sms email"),
        ("Default Address Phone;Phone;Default Address City", "- sms town"),
        ("Push token;Device ID;web token;Telegram chat id", "mobilepush deviceId webpush telegram"),
        ("SHOP.COLOUR;Email", "fields.12 email"),
        ("%shop.size%;fields.12", "fields.13 fields.12"),
        ("Colour;Birthday;SIZE", "fields.12 fields.1 fields.13"),
        ("Rank;SHOP.RANK", "- -"),
        ("id;ПІБ;Full name;Telegram;Comment;;  ", "- - - - - - -"),
        ("Customer name;Company name;User ID", "- - externalCustomerId"),
        ("Email;E-mail;Mail", "email - -"),
        ("Mail;Email", "- email"),
    ],
)
def test_headings_are_recognised_each_field_once(header, fields):
    cells = header.split(";") if ";" in header else header.split(",")
    expected = [None if name == "-" else name for name in fields.split()]
    assert guess_columns(cells, FIELDS) == expected


def test_a_name_of_two_custom_fields_is_no_guess():
    twin = FieldDefinition(15, "GIFT", "Gifts", "COLOUR", "Colour", FieldType.TEXTFIELD)
    both = {"12": COLOUR, "15": twin}
    assert guess_columns(["Colour", "gift.colour"], both) == [None, "fields.15"]
    assert custom_named("Colour", both) is None
    assert custom_named("SHOP.COLOUR", both) is COLOUR


def test_a_custom_field_called_like_a_usual_heading_does_not_take_its_column():
    phone = FieldDefinition(16, "SHOP", "Shop", "SECOND", "Phone", FieldType.TEXTFIELD)
    assert guess_columns(["Phone", "SHOP.SECOND"], {"16": phone}) == ["sms", "fields.16"]


def test_every_heading_means_one_field_that_exists():
    assert set(HEADINGS) == set(TARGETS)
    assert {name for _, name in heading_ranks().values()} == set(TARGETS)


@given(st.lists(st.text(max_size=20), max_size=8))
def test_guessing_takes_anything_and_no_field_twice(header):
    columns = guess_columns(header, FIELDS)
    named = [name for name in columns if name is not None]
    assert len(columns) == len(header)
    assert len(named) == len(set(named))


@given(st.integers(0, 18_000))
def test_letters_and_indexes_of_columns_are_inverse(index):
    assert column_index(column_letter(index)) == index


def test_letters_are_those_of_spreadsheets():
    assert [column_letter(i) for i in (0, 25, 26, 701, 702)] == ["A", "Z", "AA", "ZZ", "AAA"]


FIRST = ["Nr", "Mail", "Handy", "Comment"]


@pytest.mark.parametrize(
    ("asked", "columns"),
    [
        (None, [None, "email", None, None]),
        ({"Nr": "externalCustomerId"}, ["externalCustomerId", "email", None, None]),
        ({" nr ": "EXTERNALCUSTOMERID"}, ["externalCustomerId", "email", None, None]),
        ({"A": "External ID"}, ["externalCustomerId", "email", None, None]),
        ({"1": "extid", "3": "phone"}, ["externalCustomerId", "email", "sms", None]),
        ({"handy": "sms", "mail": None}, [None, None, "sms", None]),
        ({"mail": ""}, [None, None, None, None]),
        ({"mail": "Ignore"}, [None, None, None, None]),
        ({"Comment": "email"}, [None, None, None, "email"]),
        ({"comment": "SHOP.COLOUR"}, [None, "email", None, "fields.12"]),
        ({"comment": "fields.13"}, [None, "email", None, "fields.13"]),
        ({"comment": "push"}, [None, "email", None, "mobilepush"]),
        ({"externalCustomerId": "Nr", "sms": "C"}, ["externalCustomerId", "email", "sms", None]),
        (["contactKey", None, "sms"], ["contactKey", None, "sms", None]),
        (["", "email"], [None, "email", None, None]),
        (
            {"nr": "mobilepush", "comment": "mobilepush"},
            ["mobilepush", "email", None, "mobilepush"],
        ),
    ],
)
def test_the_map_corrects_the_guess(asked, columns):
    assert list(mapped(asked, FIRST)) == columns


def test_without_guessing_only_what_is_said_is_mapped():
    assert mapped({"Nr": "contactKey"}, FIRST, guess=False) == ("contactKey", None, None, None)


def test_guessed_columns_are_marked():
    settled = map_columns({"Nr": "contactKey"}, FIRST, header=True, guess=True, definitions=FIELDS)
    assert settled.guessed == (False, True, False, False)


def test_a_file_without_header_is_mapped_by_letter_or_position():
    row = ["email", "alice@example.com"]
    assert mapped({"B": "email"}, row, header=False) == (None, "email")
    assert mapped([None, "email"], row, header=False) == (None, "email")
    assert mapped(None, row, header=False) == (None, None)


def test_a_heading_comes_before_a_letter():
    assert mapped({"B": "sms"}, ["B", "other"], guess=False) == ("sms", None)
    assert mapped({"2": "sms"}, ["2", "other"], guess=False) == ("sms", None)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"Telefon": "sms"}, "no column “Telefon”; the file has A (Nr), B (Mail)"),
        ({"Nr": "shoesize"}, "no field “shoesize”; there are externalCustomerId, email"),
        ({"Nr": "SHOP.NONE"}, "no field “SHOP.NONE”"),
        ({"sms": "Telefon"}, "no column “Telefon”"),
        ({"Client number": "externalCustomerId"}, "no column “Client number”"),
        ({"E": "email"}, "no column “E”"),
        ({"5": "email"}, "no column “5”"),
        ({"0": "email"}, "no column “0”"),
        ({"Nr": "email", "Mail": "email"}, "Columns A and B are both mapped to E-mail."),
        ({"Nr": "fields.12", "Mail": "SHOP.COLOUR"}, "Columns A and B are both mapped to Colour."),
        ({"Nr": "email", "A": "sms"}, "map names the column A (Nr) twice."),
        (["email", "email"], "Columns A and B are both mapped"),
        ([None] * 5, "map lists 5 columns, the file has 4."),
        (["what"], "no field “what”"),
        ({"Nr": "SHOP.RANK"}, "The field SHOP.RANK cannot be written."),
    ],
)
def test_what_cannot_be_mapped_is_refused_with_what_there_is(asked, words):
    with pytest.raises(InvalidOptions) as caught:
        mapped(asked, FIRST)
    assert words in caught.value.message
    assert caught.value.details == {"member": "map"}


def test_two_columns_of_one_heading_are_told_apart_by_letter():
    first = ["Phone", "Phone"]
    with pytest.raises(InvalidOptions, match="Columns A and B have the same heading"):
        mapped({"phone": "sms"}, first)
    assert mapped({"B": "sms"}, first, guess=False) == (None, "sms")


def test_a_row_taken_for_a_header_is_not_quoted():
    with pytest.raises(InvalidOptions) as caught:
        mapped({"Mail": "sms"}, ["alice@example.com", "+380942583691", "Kovalenko"])
    assert "alice" not in caught.value.message
    assert "A, B, C (Kovalenko)" in caught.value.message


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("id", "id"),
        ("Contact ID", "id"),
        ("e-mail", "email"),
        ("viber", "sms"),
        ("webpush", "webpush"),
        ("FIRSTNAME", "firstName"),
        ("first_name", "firstName"),
        ("Прізвище", "lastName"),
        ("city", "town"),
        ("email_or_sms", None),
        ("fieldId", None),
        ("fields.99", None),
        ("", None),
        ("%SHOP.COLOUR%", "fields.12"),
        ("colour", "fields.12"),
    ],
)
def test_fields_are_named_in_any_usual_spelling(word, name):
    assert field_named(word, FIELDS) == name


def test_the_table_of_fields_has_a_label_and_an_example_each_and_can_be_json():
    fields = all_fields(FIELDS)
    assert all(one.label and one.examples for one in fields)
    assert [one.name for one in fields[-3:]] == ["fields.1", "fields.12", "fields.13"]
    assert msgspec.to_builtins(fields[0])["name"] == "externalCustomerId"
    assert label_of("fields.12", FIELDS) == "Colour"
    assert label_of("fields.99", FIELDS) == "fields.99"


MAPS = st.one_of(
    st.dictionaries(
        st.sampled_from([*FIRST, "A", "1", "email", "x"]) | st.text(max_size=5),
        st.none() | st.sampled_from(["email", "sms", "Nr", "B"]) | st.text(max_size=5),
        max_size=4,
    ),
    st.lists(st.none() | st.sampled_from(["email", "sms"]) | st.text(max_size=5), max_size=6),
)


@given(MAPS, st.lists(st.sampled_from(FIRST) | st.text(max_size=6), max_size=5), st.booleans())
def test_mapping_takes_anything_or_says_what_is_wrong(asked, first, header):
    try:
        columns = mapped(asked, first, header=header)
    except InvalidOptions:
        return
    assert len(columns) == len(first)
