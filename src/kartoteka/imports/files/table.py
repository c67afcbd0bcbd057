"""One face of all formats: find the layout, look at the first records, write them as CSV."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from kartoteka.imports.files.contents import EMPTY, format_of
from kartoteka.imports.files.delimiters import delimiter_named, detect_delimiter
from kartoteka.imports.files.encodings import check_encoding, detect_encoding, encoding_named
from kartoteka.imports.files.model import FileUnreadable, Layout, Limits
from kartoteka.imports.files.text import Lines, open_text, read_records

CSV = Layout("csv", "utf-8", ",")
"""What a spreadsheet is turned into."""
_SAMPLE_LINES, _SAMPLE_CHARS = 400, 200_000
_SAMPLE_CELLS_CHARS = 4_000_000


def find_layout(
    path: Path, name: str, encoding: str | None, delimiter: str | None, limits: Limits
) -> Layout:
    """How the file is to be read; what is given is taken. Raises `FileUnreadable`."""
    layout = Layout(format_of(path, name))
    if layout.format == "csv":
        layout = _text_layout(path, encoding, delimiter, limits)
    elif layout.format == "xlsx":
        from kartoteka.imports.files.xlsx import xlsx_sheet

        layout = Layout("xlsx", sheet=xlsx_sheet(path, limits))
    else:
        from kartoteka.imports.files.xls import xls_sheet

        layout = Layout("xls", sheet=xls_sheet(path))
    if next(records_of(path, layout, limits), None) is None:
        raise FileUnreadable(EMPTY if layout.sheet is None else _empty_sheet(layout.sheet))
    return layout


def records_of(path: Path, layout: Layout, limits: Limits) -> Iterator[list[str]]:
    """The records of a file of any format, blank ones left out."""
    match layout.format:
        case "csv":
            return read_records(path, layout, limits)
        case "xlsx":
            from kartoteka.imports.files.xlsx import xlsx_records

            return _filled(xlsx_records(path, limits), limits)
        case "xls":
            from kartoteka.imports.files.xls import xls_records

            return _filled(xls_records(path), limits)
        case _:
            raise ValueError(layout.format)


def first_records(path: Path, layout: Layout, most: int, limits: Limits) -> list[list[str]]:
    """The first records, fewer of them if they are very long."""
    found: list[list[str]] = []
    chars = 0
    for record in islice(records_of(path, layout, limits), most):
        chars += sum(map(len, record))
        if found and chars > _SAMPLE_CELLS_CHARS:
            break
        found.append(record)
    return found


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


def _filled(records: Iterable[list[str]], limits: Limits) -> Iterator[list[str]]:
    """Spreadsheet rows that are not blank, each and all of them within the limits."""
    number = 0
    for record in records:
        if not any(record) or not any(map(str.strip, record)):
            continue
        number += 1
        if number > limits.rows:
            raise FileUnreadable(
                f"The worksheet has more than {limits.rows:,} rows: save it as CSV, or in several "
                "files."
            )
        if sum(map(len, record)) > limits.record_chars:
            raise FileUnreadable(f"Row {number} is longer than {limits.record_chars:,} characters.")
        yield record


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
