"""POST /api/v1/contacts/upload: fixed headings, no External ID (wire 3.11)."""

from __future__ import annotations

import pytest

from kartoteka.contacts.model import RowRules, Unique
from kartoteka.imports.link_options import LINK_COLUMNS, link_options, read_link_options
from kartoteka.imports.options import InvalidOptions
from tests.rules.imports.given import FIELDS


def test_the_headings_of_the_method_are_its_columns():
    options = link_options({"dedupeOn": "email"}, list(LINK_COLUMNS), FIELDS)
    assert options.columns == tuple(LINK_COLUMNS.values())
    assert options.columns[-2:] == ("id", None)


@pytest.mark.parametrize(
    ("heading", "name"),
    [
        ("EMAIL", "email"),
        (" first NAME ", "firstName"),
        ("shop.colour", "fields.12"),
        ("SHOP.RANK", None),
        ("External ID", None),
        ("externalCustomerId", None),
        ("E-mail", None),
        ("Phone", None),
        ("Colour", None),
        ("", None),
    ],
)
def test_only_these_headings_count_in_any_case(heading, name):
    options = link_options({"dedupeOn": "sms"}, ["SMS", heading], FIELDS)
    assert options.columns == ("sms", name)


def test_of_two_columns_with_one_heading_the_first_counts():
    assert link_options({"dedupeOn": "sms"}, ["SMS", "sms"], {}).columns == ("sms", None)


@pytest.mark.parametrize("word", ["email", "sms", "email_or_sms", "id", "EMAIL"])
def test_what_contacts_can_be_found_by(word):
    options = link_options({"dedupeOn": word}, ["Email", "SMS", "Contact ID"], {})
    assert options.rules().unique == Unique(word.lower())


@pytest.mark.parametrize("word", [None, "", "externalCustomerId", "push", "fieldId", 5])
def test_nothing_else_finds_contacts(word):
    with pytest.raises(InvalidOptions) as caught:
        read_link_options({"dedupeOn": word})
    assert caught.value.details == {"member": "dedupeOn"}


def test_a_file_without_the_column_to_find_by_is_refused():
    with pytest.raises(InvalidOptions, match="No column is mapped to the unique field E-mail"):
        link_options({"dedupeOn": "email"}, ["SMS"], {})


def test_the_other_members_are_those_of_a_bulk_call():
    body = {
        "dedupeOn": "email",
        "link": "https://shop.example/x.csv",
        "groupNames": ["A"],
        "groupNamesExclude": ["B"],
        "restoreDeleted": True,
        "eventKeyForNewContacts": "new",
    }
    rules = RowRules(Unique("email"), False, ("A",), ("B",), True, "new")
    options = link_options(body, ["Email"], {})
    assert options.rules() == rules
    assert (options.encoding, options.delimiter, options.empty_values) == ("utf-8", ",", False)


def test_an_at_sign_in_a_heading_is_told_as_no_header():
    options = link_options({"dedupeOn": "email"}, ["Email", "x@y.example"], {})
    assert "first_line_is_no_header" in [one.code for one in options.notices]
