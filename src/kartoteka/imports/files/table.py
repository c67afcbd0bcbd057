"""One face of all formats: look at the first records, count them, write them as CSV."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from itertools import islice
from pathlib import Path

from kartoteka.imports.files.contents import EMPTY, format_of
from kartoteka.imports.files.delimiters import delimiter_named, detect_delimiter
from kartoteka.imports.files.encodings import check_encoding, detect_encoding, encoding_named
from kartoteka.imports.files.model import FileUnreadable, Layout, Limits, Worksheet, too_many
from kartoteka.imports.files.text import Lines, open_text, read_records

CSV = Layout("csv", "utf-8", ",")
"""What a spreadsheet is turned into."""
_SAMPLE_LINES, _SAMPLE_CHARS = 400, 200_000
_SAMPLE_CELLS_CHARS = 4_000_000


def look_at(
    path: Path, name: str, most: int, given: tuple[str | None, str | None], limits: Limits
) -> tuple[Layout, list[list[str]]]:
    """How the file is to be read, and its first records, fewer of them if they are very long.

    The encoding and delimiter that are given are taken. Raises `FileUnreadable`, also if there is
    no record.
    """
    kind = format_of(path, name)
    if kind == "csv":
        layout = _text_layout(path, *given, limits)
        found = _first(read_records(path, layout, limits), most)
    else:
        with open_sheet(path, kind, limits) as (sheet, rows):
            layout = Layout(kind, sheet=sheet)
            found = _first(_filled(rows, limits), most)
    if not found:
        raise FileUnreadable(EMPTY if layout.sheet is None else _empty_sheet(layout.sheet))
    return layout, found


def records_of(path: Path, layout: Layout, limits: Limits) -> Iterator[list[str]]:
    """The records of a file of any format, blank ones left out."""
    if layout.format == "csv":
        yield from read_records(path, layout, limits)
    else:
        with open_sheet(path, layout.format, limits) as sheet:
            yield from _filled(sheet.rows, limits)


def open_sheet(path: Path, kind: str, limits: Limits) -> AbstractContextManager[Worksheet]:
    """The first visible worksheet. The libraries take time to import: each where it is needed."""
    if kind == "xlsx":
        from kartoteka.imports.files.xlsx import open_xlsx

        return open_xlsx(path, limits)
    from kartoteka.imports.files.xls import xls_sheet

    return nullcontext(xls_sheet(path))


def count_records(path: Path, layout: Layout, limits: Limits) -> int:
    """How many there are; having read them all, each is within the limits."""
    return sum(1 for _ in records_of(path, layout, limits))


def write_csv(path: Path, layout: Layout, target: Path, limits: Limits) -> int:
    """Write all records as a CSV of layout `CSV`; how many there are.

    The target appears when it is complete.
    """
    growing = unfinished(target)
    records = 0
    try:
        with growing.open("w", encoding="utf-8", newline="") as file:
            write = csv.writer(file).writerow
            for records, record in enumerate(records_of(path, layout, limits), start=1):
                write(record)
                if records % 1_000 == 0 and file.tell() > limits.csv_bytes:
                    raise FileUnreadable("The spreadsheet holds too much text: save it as CSV.")
        growing.replace(target)
    finally:
        growing.unlink(missing_ok=True)
    return records


def unfinished(target: Path) -> Path:
    """Where a CSV grows until it is complete."""
    return target.with_name(f"{target.name}.part")


def _first(records: Iterator[list[str]], most: int) -> list[list[str]]:
    found: list[list[str]] = []
    chars = 0
    for record in islice(records, most):
        chars += sum(map(len, record))
        if found and chars > _SAMPLE_CELLS_CHARS:
            break
        found.append(record)
    return found


def _filled(rows: Iterable[list[str]], limits: Limits) -> Iterator[list[str]]:
    """Spreadsheet rows that are not blank, up to the last cell that is not, within the limits."""
    for number, row in enumerate(rows, start=1):
        if number > limits.rows:
            raise FileUnreadable(too_many(limits.rows, "rows"))
        while row and not row[-1]:
            row.pop()
        if not any(map(str.strip, row)):
            continue
        if len(row) > limits.columns:
            raise FileUnreadable(too_many(limits.columns, "columns"))
        if sum(map(len, row)) > limits.record_chars:
            raise FileUnreadable(f"Row {number} is longer than {limits.record_chars:,} characters.")
        yield row


def _text_layout(path: Path, encoding: str | None, delimiter: str | None, limits: Limits) -> Layout:
    if encoding is None:
        encoding = detect_encoding(path)
    else:
        encoding = encoding_named(encoding)
        check_encoding(path, encoding)
    if delimiter is not None:
        return Layout("csv", encoding, delimiter_named(delimiter))
    with open_text(path, encoding) as file:
        return Layout("csv", encoding, detect_delimiter(_beginning(Lines(file, limits))))


def _beginning(lines: Lines) -> Iterator[str]:
    chars = 0
    for line in islice(lines, _SAMPLE_LINES):
        lines.pending = 0
        yield line
        if (chars := chars + len(line)) > _SAMPLE_CHARS:
            return


def _empty_sheet(name: str) -> str:
    return f"The first worksheet, “{name}”, is empty: only the first one is read."
