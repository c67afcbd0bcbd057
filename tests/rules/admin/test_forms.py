"""Forms of the pages: what a browser sends comes to what the API would read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kartoteka.admin.bodies import Fields, parse_fields
from kartoteka.admin.contact_form import read_fields
from kartoteka.admin.import_form import read_fixes, read_import_form
from kartoteka.admin.replies import redirect
from kartoteka.contacts.values.custom_fields import FieldDefinition, FieldType
from kartoteka.errors import InvalidRequest
from kartoteka.identity.kinds import Region

UA = Region("UA")
BIRTHDAY = FieldDefinition(
    7, "PERSONAL", "Personal", "BIRTHDAY", "Birthday", FieldType.DATE, readonly=True
)


def test_a_form_names_whom_the_api_would():
    contact, problems = read_fields(
        {
            "externalCustomerId": " 42 ",
            "email": "Ann@Example.com",
            "sms": "067 123 45 67",
            "town": "Lviv",
        },
        UA,
        {},
    )
    assert not problems
    assert contact.person.external_id.value == "42"
    assert contact.person.email.value == "ann@example.com"
    assert contact.person.phone.value == "380671234567"
    assert contact.profile.town == "Lviv"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "not an address"),
        ("sms", "12"),
        ("externalCustomerId", "x" * 256),
        ("firstName", "N" * 41),
        ("timeZone", "Mars/Olympus"),
        ("languageCode", "not a language"),
        ("fields.7", "31.02.1990"),
    ],
)
def test_a_wrong_value_is_a_problem_of_its_field(field, value):
    _, problems = read_fields({field: value}, UA, {"7": BIRTHDAY})
    assert list(problems) == [field]


def test_people_may_write_fields_that_the_api_may_not():
    contact, problems = read_fields({"fields.7": "1990-01-31"}, UA, {"7": BIRTHDAY})
    assert not problems
    assert contact.profile.fields == {"7": "1990-01-31"}


def test_an_untouched_import_form_guesses():
    assert read_import_form(Fields([])).guess


def test_a_filled_import_form_says_all_columns():
    form = Fields(
        [
            ("filled", "1"),
            ("columns", "3"),
            ("map.0", "email"),
            ("map.2", "firstName"),
            ("groupNames", "A, B,"),
        ]
    )
    asked = read_import_form(form)
    assert asked.map == ["email", None, "firstName"]
    assert asked.header is False
    assert asked.group_names == ("A", "B")


def test_a_custom_field_can_be_the_unique_one():
    asked = read_import_form(Fields([("filled", "1"), ("unique", "fields.12")]))
    assert (asked.unique, asked.field_id) == ("fieldId", 12)


def test_only_cells_that_were_changed_are_fixes():
    form = Fields(
        [
            ("fix.1.0", "a"),
            ("was.1.0", "a"),
            ("fix.2.3", "new"),
            ("was.2.3", "old"),
            ("fix.x.1", "no"),
        ]
    )
    assert read_fixes(form) == {(2, 3): "new"}


@given(st.binary(max_size=300))
def test_any_body_is_fields_or_a_sentence(raw):
    try:
        fields = parse_fields(raw)
    except InvalidRequest:
        return
    for name, value in fields.pairs():
        assert "\x00" not in name + value
        (name + value).encode("utf-8")


def test_a_redirect_stays_here_and_on_one_line():
    (header,) = redirect("/admin/x?q=a\r\nSet-Cookie: b").headers
    assert b"\r" not in header[1]
    with pytest.raises(AssertionError):
        redirect("//evil.example")
