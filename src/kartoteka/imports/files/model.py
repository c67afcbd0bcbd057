"""What is known of a file before its rows are read, and how much of it is read at most."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from kartoteka.errors import InvalidRequest

MAX_FILE_BYTES = 300_000_000
"""The largest file that may be uploaded (wire 11.1: up to 300 MB)."""


class FileUnreadable(InvalidRequest):
    """The file cannot be read as a table."""

    code = "file_unreadable"


class Layout(msgspec.Struct, frozen=True, rename="camel"):
    """How a file is read. Found by `look`; shown to the user, who may change it."""

    format: str
    """`csv` (also .txt), `xlsx` or `xls`: by what the file holds, not by its name."""
    encoding: str | None = None
    """Of CSV: an IANA name out of `encodings.ENCODINGS`."""
    delimiter: str | None = None
    """Of CSV: one character."""
    sheet: str | None = None
    """Of spreadsheets: the name of the first visible worksheet, the only one that is read."""


class Worksheet(NamedTuple):
    """A worksheet that is open."""

    name: str
    rows: Iterator[list[str]]
    """All of them, as wide as each is stored."""


class Prepared(msgspec.Struct, frozen=True):
    """A CSV whose records are counted. `layout` is this CSV's, whatever was uploaded."""

    path: Path
    layout: Layout
    records: int
    """As `read_records` yields them: the header counts, blank records do not."""


class Limits(msgspec.Struct, frozen=True):
    """How much of a file is read at most. The file of an honest user is far below each."""

    part_bytes: int = 2_000_000_000
    """All parts of an .xlsx together, uncompressed."""
    ratio: int = 200
    """How many times a part of more than `ratio_from` bytes may be larger than its compressed
    form. Excel's own sheets come to 10–40; a zip bomb has up to 1,030."""
    ratio_from: int = 50_000_000
    csv_bytes: int = 2_000_000_000
    """The CSV that a spreadsheet becomes: one long text can stand in millions of cells."""
    cells: int = 50_000_000
    rows: int = 2_000_000
    """Of a spreadsheet. A CSV may have as many as fit into the file."""
    columns: int = 1_000
    cell_chars: int = 1_000_000
    record_chars: int = 8_000_000
    memory_bytes: int = 2_000_000_000
    """Address space of the child process. An .xlsx takes 0.1 GB and 200 bytes for each text."""
    seconds: float = 3_600
    """Of reading a whole file; a look at it gets `look_seconds`."""
    look_seconds: int = 600


LIMITS = Limits()


def too_many(most: int, what: str) -> str:
    """Why a worksheet is not read."""
    return f"The worksheet has more than {most:,} {what}: save it as CSV, or in several files."
