"""The first worksheet of an .xlsx as records, streamed: memory does not grow with the rows.

Ready-made readers either hold a whole sheet (a gigabyte for a million rows) or take minutes; and
numbers stay exact here, because they are taken as the text they are stored as.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from xml.parsers import expat

from kartoteka.imports.files.cells import date_text, iso_date_text, number_text, plain_text
from kartoteka.imports.files.model import FileUnreadable, Limits
from kartoteka.imports.files.package import CHUNK, DAMAGED, Package
from kartoteka.imports.files.workbook import Strings, Style, Workbook, open_workbook

_BOOLEANS = {"1": "true", "true": "true", "0": "false", "false": "false"}
_NUMBER = Style()


def xlsx_sheet(path: Path, limits: Limits) -> str:
    """The name of the worksheet that would be read."""
    with closing(Package(path, limits)) as package:
        return open_workbook(package).name


def xlsx_records(path: Path, limits: Limits) -> Iterator[list[str]]:
    """Its rows as texts; a row ends with its last cell that is not blank."""
    with closing(Package(path, limits)) as package:
        book = open_workbook(package)
        with package.open(book.part) as part:
            strings = Strings(package.open(book.strings) if book.strings else None)
            sheet = _Sheet(book, strings, limits)
            while not sheet.is_over and (chunk := part.read(CHUNK)):
                yield from sheet.feed(chunk)
            if not sheet.is_over:
                raise FileUnreadable(DAMAGED)


class _Sheet:
    """Takes the XML of a worksheet in pieces and gives the rows that are complete."""

    def __init__(self, book: Workbook, strings: Strings, limits: Limits) -> None:
        self.is_over = False
        self._styles = {str(number): style for number, style in enumerate(book.styles)}
        self._since_1904 = book.since_1904
        self._strings = strings
        self._limits = limits
        self._cells = 0
        self._columns: dict[str, int] = {}
        self._rows: list[list[str]] = []
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._before_rows

    def feed(self, chunk: bytes) -> list[list[str]]:
        """The rows that end in this piece."""
        self._rows = []
        self._parser.Parse(chunk, False)
        return self._rows

    def _before_rows(self, tag: str, _attributes: dict[str, str]) -> None:
        if tag == "sheetData" or tag.endswith(":sheetData"):
            self._listen(tag.removesuffix("sheetData"))

    def _listen(self, prefix: str) -> None:
        """The handlers of rows and cells: five calls a cell, ten million cells, all in here."""
        parser, strings, columns = self._parser, self._strings, self._columns
        c, r, texts = f"{prefix}c", f"{prefix}row", {f"{prefix}v", f"{prefix}t"}
        phonetic, over = f"{prefix}rPh", f"{prefix}sheetData"
        found: list[str] = []
        add = found.append
        row: list[str] = []
        cell: dict[str, str] = {}
        column = -1
        is_phonetic = False

        def start(tag: str, attributes: dict[str, str]) -> None:
            nonlocal cell, row, column, is_phonetic
            if tag == c:
                cell = attributes
                found.clear()
            elif tag in texts:
                if not is_phonetic:
                    parser.CharacterDataHandler = add
            elif tag == r:
                row = []
                column = -1
            elif tag == phonetic:
                is_phonetic = True

        def end(tag: str) -> None:
            nonlocal column, is_phonetic
            if tag == c:
                column += 1
                if "r" in cell:
                    letters = cell["r"].rstrip("0123456789")
                    column = columns[letters] if letters in columns else self._column(letters)
                if found:
                    raw = found[0] if len(found) == 1 else "".join(found)
                    kind = cell.get("t")
                    text = strings[int(raw)] if kind == "s" else self._text(kind, cell, raw)
                    if text:
                        if column != len(row):
                            self._skip(row, column)
                        row.append(text)
            elif tag in texts:
                parser.CharacterDataHandler = None
            elif tag == r:
                self._end_of_row(row, column)
            elif tag == phonetic:
                is_phonetic = False
            elif tag == over:
                self.is_over = True
                parser.StartElementHandler = parser.EndElementHandler = None

        parser.StartElementHandler, parser.EndElementHandler = start, end

    def _end_of_row(self, row: list[str], last: int) -> None:
        self._cells += last + 1
        if self._cells > self._limits.cells:
            raise FileUnreadable(_too_many(self._limits.cells, "cells"))
        if len(row) > self._limits.columns:
            raise FileUnreadable(_too_many(self._limits.columns, "columns"))
        self._rows.append(row)

    def _skip(self, row: list[str], column: int) -> None:
        """Blank cells are not stored. Cells that go back would overwrite one another."""
        if column < len(row):
            raise FileUnreadable(DAMAGED)
        if column >= self._limits.columns:
            raise FileUnreadable(_too_many(self._limits.columns, "columns"))
        row.extend([""] * (column - len(row)))

    def _column(self, letters: str) -> int:
        """0 for `A`, 27 for `AB`."""
        number = 0
        for letter in letters:
            number = number * 26 + ord(letter.upper()) - 64
        self._columns[letters] = number - 1
        return number - 1

    def _text(self, kind: str | None, cell: dict[str, str], raw: str) -> str:
        match kind:
            case None | "n":
                style = self._styles.get(cell["s"], _NUMBER) if "s" in cell else _NUMBER
                if style.is_date:
                    return date_text(float(raw), since_1904=self._since_1904)
                return number_text(raw).zfill(style.zeros)
            case "str" | "inlineStr":
                return plain_text(raw)
            case "b":
                return _BOOLEANS.get(raw.strip(), "")
            case "e":
                return ""
            case "d":
                return iso_date_text(raw)
            case _:
                raise FileUnreadable(DAMAGED)


def _too_many(most: int, what: str) -> str:
    return f"The worksheet has more than {most:,} {what}: save it as CSV, or in several files."
