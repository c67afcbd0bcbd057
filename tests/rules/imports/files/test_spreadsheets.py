"""Spreadsheets of real programs become records; only the first worksheet is read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter
import xlwt

from kartoteka.imports.files.contents import format_of
from kartoteka.imports.files.model import FileUnreadable, Layout, Limits
from kartoteka.imports.files.table import look_at, records_of, write_csv
from kartoteka.imports.files.text import read_records
from tests.rules.imports.files.made import (
    MAIN,
    OFFICE,
    cells,
    renamed,
    without,
    workbook,
    worksheet,
)

Rows = Sequence[Sequence[Any]]
DAY, MOMENT = dt.date(1990, 5, 17), dt.datetime(2024, 2, 29, 13, 45, 30)  # noqa: DTZ001
ROWS: Rows = [
    ["Ім'я", "Телефон", "Пошта", "Народження", "Оновлено", "VIP", "Сума"],
    ["Ґалаґан Їжак", 380671234567, "a@example.com", DAY, MOMENT, True, 1.1],
    ["عبد الرحمن", "0671234567", "b@example.com", None, None, False, -0.5],
    [],
    [" пробіли ", None, None, None, None, None, 100],
    ['два\nрядки, "лапки"', 999999999999999],
]
RECORDS = [
    ["Ім'я", "Телефон", "Пошта", "Народження", "Оновлено", "VIP", "Сума"],
    [
        *("Ґалаґан Їжак", "380671234567", "a@example.com"),
        *("1990-05-17", "2024-02-29T13:45:30", "true", "1.1"),
    ],
    ["عبد الرحمن", "0671234567", "b@example.com", "", "", "false", "-0.5"],
    [" пробіли ", "", "", "", "", "", "100"],
    ['два\nрядки, "лапки"', "999999999999999"],
]


def by_openpyxl(path: Path, rows: Rows) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Клієнти"
    for row in rows:
        sheet.append(list(row))
    book.create_sheet("Інше").append(["not read"])
    book.save(path)


def by_openpyxl_streaming(path: Path, rows: Rows) -> None:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("Клієнти")
    for row in rows:
        sheet.append(list(row))
    book.save(path)


def by_xlsxwriter(path: Path, rows: Rows, *, inline: bool = False) -> None:
    options = {"constant_memory": inline, "remove_timezone": True}
    with xlsxwriter.Workbook(str(path), options) as book:
        formats = {
            dt.date: book.add_format({"num_format": "dd.mm.yyyy"}),
            dt.datetime: book.add_format({"num_format": "dd.mm.yyyy hh:mm"}),
        }
        sheet = book.add_worksheet("Клієнти")
        for number, row in enumerate(rows):
            for column, cell in enumerate(row):
                sheet.write(number, column, cell, formats.get(type(cell)))
        book.add_worksheet("Інше").write(0, 0, "not read")


def by_xlsxwriter_inline(path: Path, rows: Rows) -> None:
    by_xlsxwriter(path, rows, inline=True)


def by_xlwt(path: Path, rows: Rows) -> None:
    book = xlwt.Workbook()
    sheet = book.add_sheet("Клієнти")
    formats = {
        dt.date: xlwt.easyxf(num_format_str="dd.mm.yyyy"),
        dt.datetime: xlwt.easyxf(num_format_str="dd.mm.yyyy hh:mm:ss"),
    }
    for number, row in enumerate(rows):
        for column, cell in enumerate(row):
            sheet.write(number, column, cell, formats.get(type(cell), xlwt.Style.default_style))
    book.add_sheet("Інше").write(0, 0, "not read")
    book.save(str(path))


WRITERS: dict[str, tuple[str, Callable[[Path, Rows], None]]] = {
    "openpyxl": ("xlsx", by_openpyxl),
    "openpyxl streaming": ("xlsx", by_openpyxl_streaming),
    "xlsxwriter": ("xlsx", by_xlsxwriter),
    "xlsxwriter inline": ("xlsx", by_xlsxwriter_inline),
    "xlwt": ("xls", by_xlwt),
}


def layout_of(path: Path, limits: Limits | None = None) -> Layout:
    layout, _ = look_at(path, path.name, 9, (None, None), limits or Limits())
    return layout


def records(path: Path, limits: Limits | None = None) -> list[list[str]]:
    limits = limits or Limits()
    return list(records_of(path, layout_of(path, limits), limits))


@pytest.mark.parametrize("writer", WRITERS)
def test_the_cells_are_what_people_see(tmp_path: Path, writer: str) -> None:
    kind, write = WRITERS[writer]
    path = tmp_path / f"file.{kind}"
    write(path, ROWS)

    assert layout_of(path) == Layout(kind, sheet="Клієнти")
    assert records(path) == RECORDS


@pytest.mark.parametrize("writer", WRITERS)
def test_a_spreadsheet_becomes_a_csv_of_the_same_records(tmp_path: Path, writer: str) -> None:
    kind, write = WRITERS[writer]
    path, target = tmp_path / f"file.{kind}", tmp_path / "file.csv"
    write(path, [row for row in ROWS if row and row[0] != " пробіли "])

    assert write_csv(path, layout_of(path), target, Limits()) == 4

    found = read_records(target, Layout("csv", "utf-8", ","))
    assert list(found) == RECORDS[:3] + RECORDS[4:]
    assert {file.name for file in tmp_path.iterdir()} == {path.name, target.name}


@pytest.mark.parametrize("writer", WRITERS)
def test_a_wrong_name_changes_nothing(tmp_path: Path, writer: str) -> None:
    kind, write = WRITERS[writer]
    right = tmp_path / f"file.{kind}"
    write(right, ROWS)
    for name in ("file.csv", "file.txt", "file", f"file.{'xls' if kind == 'xlsx' else 'xlsx'}"):
        assert format_of(right, name) == kind


def test_a_text_with_the_name_of_a_spreadsheet_is_csv(tmp_path: Path) -> None:
    path = tmp_path / "file.xlsx"
    path.write_text("name;phone\nОлена;380671234567\n", encoding="windows-1251")

    assert layout_of(path) == Layout("csv", "windows-1251", ";")


@pytest.mark.parametrize("writer", WRITERS)
def test_an_empty_worksheet_is_said_to_be_empty(tmp_path: Path, writer: str) -> None:
    kind, write = WRITERS[writer]
    path = tmp_path / f"file.{kind}"
    write(path, [[], ["", "  "]])

    with pytest.raises(FileUnreadable, match="worksheet, “Клієнти”, is empty"):
        layout_of(path)


@pytest.mark.parametrize("writer", WRITERS)
def test_a_header_alone_and_one_column_are_read(tmp_path: Path, writer: str) -> None:
    kind, write = WRITERS[writer]
    path = tmp_path / f"file.{kind}"
    write(path, [["email"]])

    assert records(path) == [["email"]]


def test_a_hidden_worksheet_is_not_the_first(tmp_path: Path) -> None:
    for kind in ("xlsx", "xls"):
        path = tmp_path / f"file.{kind}"
        if kind == "xlsx":
            book = openpyxl.Workbook()
            assert book.active is not None
            book.active.sheet_state = "hidden"
            book.create_sheet("Видимий").append(["read"])
            book.save(path)
        else:
            old = xlwt.Workbook()
            old.add_sheet("a").visibility = 1
            old.add_sheet("Видимий").write(0, 0, "read")
            old.save(str(path))
        assert layout_of(path).sheet == "Видимий"
        assert records(path) == [["read"]]


def test_formulas_errors_and_rich_texts_of_xlsx(tmp_path: Path) -> None:
    path = tmp_path / "file.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        bold, zip_code = book.add_format({"bold": True}), book.add_format({"num_format": "00000"})
        sheet = book.add_worksheet()
        sheet.write_formula(0, 0, "=A2*2", None, 380671234567)
        sheet.write_formula(0, 1, '="a"&"b"', None, "ab ")
        sheet.write_formula(0, 2, "=NA()", None, "#N/A")
        sheet.write_formula(0, 3, "=1=1", None, True)
        sheet.write_rich_string(0, 4, "Оле", bold, "на", " М.")
        sheet.write(0, 5, 1001, zip_code)
        sheet.write(0, 6, "00123")
        sheet.write(0, 7, "a\rb")
        sheet.write_blank(0, 5_000, None, bold)

    assert records(path) == [
        ["380671234567", "ab ", "", "true", "Олена М.", "01001", "00123", "a\rb"]
    ]


def test_dates_of_a_mac_count_from_1904(tmp_path: Path) -> None:
    path = tmp_path / "file.xlsx"
    with xlsxwriter.Workbook(str(path), {"date_1904": True}) as book:
        format_ = book.add_format({"num_format": "dd.mm.yyyy"})
        book.add_worksheet().write_datetime(0, 0, MOMENT, format_)

    assert records(path) == [["2024-02-29T13:45:30"]]


def test_times_and_durations(tmp_path: Path) -> None:
    path = tmp_path / "file.xlsx"
    by_openpyxl(path, [[dt.time(10, 30), dt.timedelta(days=1, hours=12)]])

    assert records(path) == [["10:30", "1.5"]]


def test_the_first_rows_are_read_without_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "file.xlsx"
    rows = "<row><c><v>1</v></c></row>" * 30_000
    path.write_bytes(workbook(worksheet(f"{rows}<row><c><v>?</v></c></row>")))

    assert look_at(path, "", 2, (None, None), Limits())[1] == [["1"], ["1"]]
    with pytest.raises(ValueError, match="invalid literal"):
        records(path)


@pytest.mark.parametrize("said", ["A1", "A1:XFD1048576", "B2:B2"])
def test_a_size_that_is_not_true_changes_nothing(tmp_path: Path, said: str) -> None:
    path = tmp_path / "file.xlsx"
    row = "<row><c><v>1</v></c><c><v>2</v></c></row>"
    path.write_bytes(workbook(worksheet(row * 2, before=f"<dimension ref='{said}'/>")))

    assert records(path) == [["1", "2"]] * 2


def test_gaps_are_blank_and_merged_cells_hold_one_value(tmp_path: Path) -> None:
    path = tmp_path / "file.xlsx"
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet["B2"], sheet["D2"], sheet["A5"] = "a", "b", "c"
    sheet.merge_cells("B2:C2")
    book.save(path)

    assert records(path) == [["", "a", "", "b"], ["c"]]


def test_control_characters_are_read_out_of_their_escapes(tmp_path: Path) -> None:
    path = tmp_path / "file.xlsx"
    text = "<c t='inlineStr'><is><t>a_x000D_b_x005F_x000D_ _x_ _xD83D__xDE00_ _xD83D_</t></is></c>"
    path.write_bytes(workbook(cells(text)))

    assert records(path) == [["a\rb_x000D_ _x_ \U0001f600 \ufffd"]]


PLAIN = workbook(
    cells("<c t='s'><v>0</v></c><c s='1'><v>43831</v></c><c><v>3.80671234567E+11</v></c>"),
    "<si><t>Олена</t></si>",
    "<fonts><font/></fonts><fills><fill/></fills><borders><border/></borders><cellStyleXfs><xf/>"
    "</cellStyleXfs><cellXfs><xf/><xf numFmtId='14'/></cellXfs>",
)
STRICT = {
    MAIN: "http://purl.oclc.org/ooxml/spreadsheetml/main",
    OFFICE: "http://purl.oclc.org/ooxml/officeDocument/relationships",
}
BY_THE_OTHER: dict[str, bytes] = {
    "a fill of nothing": PLAIN,
    "texts in another case": PLAIN.replace(b"xl/sharedStrings.xml", b"xl/SharedStrings.xml"),
    "backslashes": PLAIN.replace(b"xl/worksheets/a.xml", b"xl\\Worksheets\\a.xml"),
    "no list of types": without(PLAIN, "[Content_Types].xml"),
    "strict": renamed(PLAIN, STRICT),
}


@pytest.mark.parametrize("kind", BY_THE_OTHER)
def test_what_openpyxl_cannot_open_is_read_all_the_same(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "file.xlsx"
    path.write_bytes(BY_THE_OTHER[kind])

    assert layout_of(path) == Layout("xlsx", sheet="a")
    assert records(path) == [["Олена", "2020-01-01", "380671234567"]]


LIMITS = {
    "rows": (Limits(rows=3), "more than 3 rows"),
    "columns": (Limits(columns=6), "more than 6 columns"),
    "cells": (Limits(cells=20), "more than 20 cells"),
    "text": (Limits(record_chars=50), "longer than 50 characters"),
    "unpacked": (Limits(part_bytes=1_000), "too large when unpacked"),
}


@pytest.mark.parametrize("limit", LIMITS)
def test_each_limit_is_said(tmp_path: Path, limit: str) -> None:
    limits, message = LIMITS[limit]
    path = tmp_path / "file.xlsx"
    by_openpyxl(path, ROWS)

    with pytest.raises(FileUnreadable, match=message):
        records(path, limits)


def test_a_text_that_stands_in_many_cells_does_not_fill_the_disk(tmp_path: Path) -> None:
    path, target = tmp_path / "file.xlsx", tmp_path / "file.csv"
    by_xlsxwriter(path, [["x" * 1_000]] * 3_000)
    limits = Limits(csv_bytes=500_000)

    with pytest.raises(FileUnreadable, match="too much text"):
        write_csv(path, layout_of(path), target, limits)
    assert [file.name for file in tmp_path.iterdir()] == ["file.xlsx"]
