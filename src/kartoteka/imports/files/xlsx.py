"""The first worksheet of an .xlsx as records, by openpyxl."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import IO, Protocol

from openpyxl import load_workbook  # type: ignore[import-untyped]
from openpyxl.utils.escape import unescape  # type: ignore[import-untyped]

from kartoteka.imports.files.cells import Value, value_text, zeros_of
from kartoteka.imports.files.model import FileUnreadable, Limits, Worksheet, too_many
from kartoteka.imports.files.package import check_package


class Cell(Protocol):
    """A cell as the library gives it."""

    value: Value
    data_type: str
    number_format: str | None


@contextmanager
def open_xlsx(path: Path, limits: Limits) -> Iterator[Worksheet]:
    """The first visible worksheet, its rows read as they are asked for.

    What the library cannot open is left to the other one, which knows fewer formats of numbers.
    """
    check_package(path, limits)
    with path.open("rb") as file:
        try:
            name, rows = _first_sheet(file)
        except MemoryError:
            raise
        except Exception:  # noqa: BLE001  styles or names that break the rules make it raise anything
            from kartoteka.imports.files.xls import xls_sheet

            yield xls_sheet(path)
        else:
            yield Worksheet(name, _records(rows, limits))


def _first_sheet(file: IO[bytes]) -> tuple[str, Iterator[tuple[Cell, ...]]]:
    """With the first row read: what stands before the rows can be more than the library knows."""
    book = load_workbook(file, read_only=True, data_only=True, keep_links=False)
    sheet = min(book.worksheets, key=lambda one: one.sheet_state != "visible")
    sheet.reset_dimensions()  # Some programs write what is not true.
    rows = sheet.iter_rows()
    return sheet.title, chain([next(rows, ())], rows)


def _records(rows: Iterable[tuple[Cell, ...]], limits: Limits) -> Iterator[list[str]]:
    cells = 0
    for row in rows:
        cells += len(row)
        if cells > limits.cells:
            raise FileUnreadable(too_many(limits.cells, "cells"))
        yield [_text(cell) for cell in row]


def _text(cell: Cell) -> str:
    value = cell.value
    if type(value) is str:
        return "" if cell.data_type == "e" else _without_escapes(value)
    text = value_text(value)
    if (type(value) is int or type(value) is float) and "E" not in text:
        return text.zfill(zeros_of(cell.number_format))
    return text


def _without_escapes(text: str) -> str:
    """Control characters stand in a text as `_x000D_`; half a character is none."""
    if "_x" not in text:
        return text
    plain: str = unescape(text)
    return plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
