"""Options of a file: what is asked for, and what it comes to (wire 11.1, guide G13, decisions D9)."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kartoteka.contacts.model import RowRules, Unique
from kartoteka.contacts.uniques import UNIQUES
from kartoteka.errors import InvalidRequest
from kartoteka.imports.options import (
    FileOptions,
    InvalidOptions,
    read_options,
    settle_options,
)
from kartoteka.imports.unique import fields_of
from tests.rules.imports.given import FIELDS, codes, short

HEADER = ["Email", "Phone", "First name", "SHOP.COLOUR"]
WITH_ID = ["External ID", *HEADER]


def settled(first=HEADER, **raw) -> FileOptions:
    return settle_options(read_options(raw), first, FIELDS)


def refused(first=HEADER, **raw) -> InvalidOptions:
    with pytest.raises(InvalidOptions) as caught:
        settled(first, **raw)
    return caught.value


@pytest.mark.parametrize(
    ("header", "unique"),
    [
        ("External ID;Email", "externalCustomerId"),
        ("Email;Phone", "email"),
        ("Phone;First name", "sms"),
        ("Contact ID;First name", "id"),
        ("Contact ID;Email", "email"),
        ("push token;First name", "push"),
        ("web token", "webpush"),
        ("telegram token", "telegram"),
        ("device id", "deviceId"),
        ("web cookie", "webId"),
        ("contact key", "contactKey"),
    ],
)
def test_the_unique_field_by_what_is_mapped(header, unique):
    options = settled(header.split(";"))
    assert options.unique == Unique(unique)
    assert options.locked is (unique == "externalCustomerId")


@pytest.mark.parametrize(
    ("said", "unique"),
    [
        ({"unique": "sms"}, Unique("sms")),
        ({"unique": "Phone"}, Unique("sms")),
        ({"unique": "EMAIL"}, Unique("email")),
        ({"unique": "email_or_sms"}, Unique("email_or_sms")),
        ({"unique": "fields.12"}, Unique("fieldId", 12)),
        ({"unique": "shop.colour"}, Unique("fieldId", 12)),
        ({"unique": "fieldId", "fieldId": 12}, Unique("fieldId", 12)),
        ({"unique": "fieldId", "fieldId": "12"}, Unique("fieldId", 12)),
        ({"fieldId": 12}, Unique("fieldId", 12)),
        ({"unique": None}, Unique("email")),
        ({"unique": " "}, Unique("email")),
    ],
)
def test_the_unique_field_that_is_asked_for(said, unique):
    options = settled(**said)
    assert (options.unique, options.locked, options.rules().unique) == (unique, False, unique)


@pytest.mark.parametrize("name", [name for name in UNIQUES if name != "fieldId"])
def test_every_unique_field_can_be_asked_for(name):
    column = {"email_or_sms": "sms", "push": "mobilepush"}.get(name, name)
    assert settled(["x"], map={"x": column}, unique=name.upper()).unique == Unique(name)


@pytest.mark.parametrize(
    ("said", "member", "words"),
    [
        ({"unique": "shoe size"}, "unique", "unique must be one of externalCustomerId, email"),
        ({"unique": "fieldId"}, "fieldId", "needs fieldId"),
        ({"unique": "fieldId", "fieldId": 99}, "fieldId", "no custom field"),
        ({"unique": "SHOP.RANK"}, "unique", "SHOP.RANK cannot be written"),
        ({"unique": "externalCustomerId"}, "unique", "unique field External ID"),
        ({"unique": "SHOP.SIZE"}, "unique", "unique field Size"),
        ({"unique": "push"}, "unique", "unique field Mobile push token"),
        ({"map": ["", "", "firstName"]}, "map", "No column can name a contact (1 of 4 columns"),
    ],
)
def test_a_unique_field_that_cannot_be_is_refused(said, member, words):
    error = refused(**said)
    assert error.details == {"member": member}
    assert words in error.message


@pytest.mark.parametrize("first", [[], [""], ["Comment"]])
def test_a_file_that_names_nobody_is_refused(first):
    assert refused(first).details == {"member": "map"}


def test_a_column_of_external_ids_locks_the_unique_field():
    """Wire 11.1; a caller who asked for another one is told."""
    options = settled(WITH_ID, unique="email")
    assert (options.unique, options.locked) == (Unique("externalCustomerId"), True)
    assert codes(options.notices) == ["unique_is_external_id"]
    assert settled(WITH_ID, unique="externalCustomerId").notices == ()
    assert settled(WITH_ID, unique="webpush").locked


def test_without_that_column_the_unique_field_is_free():
    options = settled(WITH_ID, unique="email", map={"External ID": "ignore"})
    assert (options.unique, options.locked) == (Unique("email"), False)
    assert options.rules().updates_external_id is False


def test_update_external_id_unlocks_it():
    """Decisions D9: the exception of guide G13, for files."""
    options = settled(WITH_ID, updateExternalId=True)
    assert (options.unique, options.locked) == (Unique("email"), False)
    assert options.rules() == RowRules(Unique("email"), updates_external_id=True)
    assert settled(WITH_ID, updateExternalId=True, unique="sms").unique == Unique("sms")


def test_update_external_id_needs_another_unique_field():
    assert refused(WITH_ID, updateExternalId=True, unique="extid").details == {"member": "unique"}
    assert refused(["External ID"], updateExternalId=True).details == {"member": "map"}
    assert "No column is mapped" in refused(WITH_ID, updateExternalId=True, unique="id").message


def test_update_external_id_without_its_column_does_nothing_and_says_so():
    options = settled(updateExternalId=True)
    assert options.rules().updates_external_id is False
    assert "no_external_id_column" in codes(options.notices)


def test_all_options_reach_the_rows():
    options = settled(
        restoreDeleted=True,
        groupNames=["A", " B ", "A", None, ""],
        groupNamesExclude="C",
        eventKeyForNewContacts="newFromFile",
        emptyValues="overwrite",
        dryRun="true",
        encoding="cp1251",
        delimiter="tab",
        header=None,
    )
    assert options.rules() == RowRules(
        Unique("email"),
        groups=("A", "B"),
        groups_exclude=("C",),
        restores=True,
        event_key="newFromFile",
    )
    assert (options.empty_values, options.dry_run, options.header) == (True, True, True)
    assert (options.encoding, options.delimiter) == ("cp1251", "\t")


@pytest.mark.parametrize(
    ("said", "header"),
    [
        ({}, True),
        ({"header": True}, True),
        ({"ignoreFirstLine": True}, True),
        ({"header": False}, False),
        ({"ignoreFirstLine": False}, False),
        ({"ignoreFirstLine": "false", "header": None}, False),
    ],
)
def test_the_first_line_is_a_header_unless_said_otherwise(said, header):
    assert settled(map={"A": "email"}, **said).header is header


@pytest.mark.parametrize(
    ("value", "overwrites"),
    [(None, False), (False, False), ("keep", False), (True, True), ("Overwrite", True), (1, True)],
)
def test_empty_values_overwrite_only_when_asked_to(value, overwrites):
    assert settled(emptyValues=value).empty_values is overwrites


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("unique", 5),
        ("unique", ["email"]),
        ("fieldId", "x"),
        ("fieldId", 0),
        ("fieldId", True),
        ("fieldId", "9" * 5000),
        ("fieldId", 2**63),
        ("map", "email"),
        ("map", 7),
        ("map", {"Email": 5}),
        ("map", [["email"]]),
        ("map", [None] * 2_001),
        ("guess", "maybe"),
        ("header", "first"),
        ("ignoreFirstLine", 2),
        ("emptyValues", "clear"),
        ("emptyValues", []),
        ("restoreDeleted", {}),
        ("dryRun", 1.5),
        ("updateExternalId", "often"),
        ("groupNames", 5),
        ("groupNames", [5]),
        ("groupNames", ["x" * 256]),
        ("groupNames", ["a\x00b"]),
        ("groupNames", [str(i) for i in range(501)]),
        ("groupNamesExclude", {"name": "A"}),
        ("eventKeyForNewContacts", 5),
        ("eventKeyForNewContacts", "x" * 101),
        ("eventKeyForNewContacts", "a?b"),
        ("eventKeyForNewContacts", "a;b"),
        ("encoding", 8),
        ("delimiter", "ab"),
        ("delimiter", "a"),
        ("delimiter", '"'),
    ],
    ids=short,
)
def test_a_wrong_member_is_named(member, value):
    error = refused(**{member: value})
    assert error.details == {"member": member}
    assert error.code == "invalid_options"


def test_what_empty_values_can_be_is_said():
    assert "keep or overwrite" in str(refused(emptyValues="clear"))


def test_header_and_ignore_first_line_may_not_contradict():
    assert refused(header=True, ignoreFirstLine=False).details == {"member": "header"}
    assert refused(header=False, ignoreFirstLine=True).details == {"member": "header"}


@pytest.mark.parametrize("raw", [[], "x", 5, True])
def test_options_are_an_object(raw):
    with pytest.raises(InvalidOptions):
        read_options(raw)


def test_unknown_members_are_told_not_refused():
    notices = settled(empties=True, colour="red").notices
    assert [(one.code, one.field) for one in notices] == [
        ("unknown_option", "empties"),
        ("unknown_option", "colour"),
    ]


@pytest.mark.parametrize("nearly", ["dryrun", "DryRun", "dry_run", "dry-run"])
def test_a_member_that_is_nearly_known_is_refused(nearly):
    """Ignored it would write what the caller wants to try."""
    with pytest.raises(InvalidOptions, match=rf"no option {nearly}; it is spelled dryRun"):
        read_options({nearly: True})


def test_a_first_line_that_is_a_row_is_told():
    first = ["alice@example.com", "Alice"]
    assert "first_line_is_no_header" in codes(settled(first, map={"A": "email"}).notices)
    said = settled(first, map={"A": "email"}, header=False)
    assert "first_line_is_no_header" not in codes(said.notices)
    assert "first_line_is_no_header" in codes(settled(["1", "2"], map={"A": "sms"}).notices)


@pytest.mark.parametrize(
    ("first", "header", "hint"),
    [
        (["alice@example.com", "Alice"], True, "The first line looks like a row"),
        (["alice@example.com", "Alice"], False, "map each by its letter"),
        (["Colour", "Size"], True, "say which field is unique."),
    ],
)
def test_a_file_in_which_nothing_is_recognised_says_what_to_do(first, header, hint):
    with pytest.raises(InvalidOptions, match="No column can name a contact") as error:
        settled(first, header=header)
    assert hint in str(error.value)


def test_what_is_not_used_is_told_by_letter():
    options = settled(["Email", "Comment", "Contact ID"])
    assert codes(options.notices) == ["columns_left_out", "contact_id_not_used"]
    assert "left out: B." in options.notices[0].message


def test_settled_options_come_back_from_json_as_they_were():
    options = settled(WITH_ID, unique="email", groupNames=["A"], emptyValues=True, delimiter=";")
    stored = msgspec.json.decode(msgspec.json.encode(msgspec.to_builtins(options)))
    assert msgspec.convert(stored, FileOptions) == options


def test_settled_options_hold_nothing_of_the_file():
    """Its first line may be somebody's after all, and the options stay when the file is gone."""
    first = ["alice@example.com", "Kovalenko", "+380942583691"]
    stored = msgspec.json.encode(settled(first, map={"A": "email"}, dryRun=True)).decode()
    assert not any(cell in stored for cell in first)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)
MEMBERS = st.sampled_from(
    (
        *("unique", "fieldId", "map", "guess", "emptyValues", "header", "ignoreFirstLine"),
        *("delimiter", "encoding", "restoreDeleted", "groupNames", "groupNamesExclude"),
        *("eventKeyForNewContacts", "dryRun", "updateExternalId", "other"),
    )
)


@given(st.dictionaries(MEMBERS, JSON, max_size=5) | JSON, st.lists(st.text(max_size=8), max_size=4))
def test_options_take_anything_or_say_what_is_wrong(raw, first):
    try:
        options = settle_options(read_options(raw), first, FIELDS)
    except InvalidRequest:
        return
    assert len(options.columns) == len(first)
    assert any(name in options.columns for name in fields_of(options.unique))
