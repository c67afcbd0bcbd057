"""The preview: what an import would make of the first rows, cell by cell (wire 11.1)."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from kartoteka.identity.kinds import DEFAULT_REGION
from kartoteka.imports.options import read_options, settle_options
from kartoteka.imports.preview import Preview, preview
from tests.rules.imports.given import FIELDS, codes

HEADER = ["External ID", "E-mail", "First name", "Comment"]


def shown(records: list[list[str]], **raw) -> Preview:
    options = settle_options(read_options(raw), records[0], FIELDS)
    return preview(records, options, DEFAULT_REGION, FIELDS)


def marks(row) -> list[tuple[int, str, str]]:
    return [(one.column, one.level, one.code) for one in row.marks]


def test_a_good_row_has_no_colour():
    (row,) = shown([HEADER, ["X1", "a@b.example", "Alice", "-"]]).rows
    assert (row.row, row.verdict, row.marks) == (1, "ok", ())
    assert row.cells == ("X1", "a@b.example", "Alice", "-")


def test_a_dropped_value_is_orange():
    (row,) = shown([HEADER, ["X1", "no address", "<b>", ""]]).rows
    assert row.verdict == "warning"
    assert marks(row) == [(1, "warning", "invalid_email"), (2, "warning", "invalid_name")]
    assert codes(row.warnings) == ["invalid_email", "invalid_name"]
    assert row.code is None


def test_a_missing_or_wrong_unique_value_is_red():
    first, second, third = shown(
        [HEADER, ["", "a@b.example"], ["a\tb", "no address"], ["guest", ""]]
    ).rows
    assert (first.verdict, first.code) == ("error", "no_externalCustomerId")
    assert marks(first) == [(0, "error", "no_externalCustomerId")]
    assert marks(second) == [(0, "error", "invalid_external_id")]
    assert second.field == "externalCustomerId"
    assert marks(third) == [(0, "error", "no_externalCustomerId")], "it stands for nobody"


def test_of_two_columns_of_the_unique_field_the_wrong_one_is_red():
    said = {"unique": "email_or_sms"}
    first, second, third = shown(
        [["Email", "Phone"], ["", ""], ["wrong", ""], ["wrong", "0942583691"]], **said
    ).rows
    assert marks(first) == [(0, "error", "no_email_or_sms"), (1, "error", "no_email_or_sms")]
    assert marks(second) == [(0, "error", "invalid_email_or_sms")]
    assert marks(third) == [(0, "warning", "invalid_email")]


def test_an_invalid_external_id_is_red_where_another_field_is_unique():
    (row,) = shown([HEADER, ["a\x00b", "a@b.example"]], updateExternalId=True).rows
    assert marks(row) == [(0, "error", "invalid_external_id")]


def test_columns_show_what_they_are_taken_for():
    view = shown(
        [HEADER, ["X1", "", "Alice", "a"], ["X2", "b@b.example", "", "b"]],
        map={"Comment": "SHOP.COLOUR"},
    )
    table = [(one.letter, one.heading, one.field, one.label, one.guessed) for one in view.columns]
    assert table == [
        ("A", "External ID", "externalCustomerId", "External ID", True),
        ("B", "E-mail", "email", "E-mail", True),
        ("C", "First name", "firstName", "First name", True),
        ("D", "Comment", "fields.12", "Colour", False),
    ]
    assert [one.unique for one in view.columns] == [True, False, False, False]
    assert [one.samples for one in view.columns] == [
        ("X1", "X2"),
        ("b@b.example",),
        ("Alice",),
        ("a", "b"),
    ]
    assert (view.unique.name, view.unique.label, view.unique.locked) == (
        "externalCustomerId",
        "External ID",
        True,
    )


def test_a_custom_field_as_the_unique_one_has_its_own_name():
    view = shown([["SHOP.COLOUR"], ["red"]], unique="SHOP.COLOUR")
    assert (view.unique.name, view.unique.field_id, view.unique.label) == ("fieldId", 12, "Colour")


def test_without_a_header_the_first_line_is_a_row():
    view = shown([["a@b.example"], ["b@b.example"]], header=False, map={"A": "email"})
    assert (view.header, view.columns[0].heading, len(view.rows)) == (False, None, 2)


def test_a_hundred_rows_are_shown_and_counted():
    records = [HEADER, *([f"X{i}", "a@b.example"] for i in range(90)), *([["", ""]] * 90)]
    view = shown(records)
    assert len(view.rows) == 100
    assert view.counts == {"ok": 90, "warning": 0, "error": 10}


def test_long_cells_are_cut_and_extra_ones_told():
    (row,) = shown([["Email", "Comment"], ["a@b.example", "x" * 500, "more"]]).rows
    assert len(row.cells[1]) == 201
    assert (row.verdict, codes(row.warnings), row.marks) == ("warning", ["extra_cells"], ())


def test_it_lists_what_a_column_can_be_and_is_json():
    view = msgspec.json.decode(msgspec.json.encode(shown([HEADER, ["X1"]])))
    assert {"externalCustomerId", "fields.12"} <= {one["name"] for one in view["fields"]}
    assert view["rows"][0]["verdict"] == "ok"
    assert view["unique"]["fieldId"] is None
    assert view["notices"][0]["code"] == "columns_left_out"


@given(st.lists(st.lists(st.text(max_size=6), max_size=6), max_size=5))
def test_any_cells_can_be_previewed(records):
    view = shown([HEADER, *records])
    assert sum(view.counts.values()) == len(view.rows) == len(records)
    for row in view.rows:
        assert (row.verdict == "error") == any(mark.level == "error" for mark in row.marks)
        assert all(mark.column < len(view.columns) for mark in row.marks)
