"""The first worksheet of an .xls (Excel 97–2003) as records."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path

from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from kartoteka.imports.files.cells import float_text, moment_text
from kartoteka.imports.files.model import FileUnreadable
from kartoteka.imports.files.package import DAMAGED, PASSWORD

_ENCRYPTED_XLSX = "EncryptedPackage".encode("utf-16-le")
_PIECE = 1 << 20
Value = int | float | str | bool | time | date | datetime | timedelta


def xls_sheet(path: Path) -> str:
    """The name of the worksheet that would be read."""
    return _first_sheet(path).name


def xls_records(path: Path) -> Iterator[list[str]]:
    """Its rows as texts; the library holds the sheet, which has 65,536 rows at most."""
    for row in _first_sheet(path).iter_rows():
        yield [one if type(one) is str else _text(one) for one in row]


def _first_sheet(path: Path) -> CalamineSheet:
    if _holds_encrypted_xlsx(path):
        raise FileUnreadable(PASSWORD)
    try:
        book = CalamineWorkbook.from_path(path)
        sheets = [
            (sheet.visible != SheetVisibleEnum.Visible, number)
            for number, sheet in enumerate(book.sheets_metadata)
            if sheet.typ == SheetTypeEnum.WorkSheet
        ]
        if not sheets:
            raise FileUnreadable(DAMAGED)
        return book.get_sheet_by_index(min(sheets)[1])
    except PasswordError:
        raise FileUnreadable(PASSWORD) from None
    except CalamineError:
        raise FileUnreadable(DAMAGED) from None


def _holds_encrypted_xlsx(path: Path) -> bool:
    """An .xlsx with a password is a container of the old kind around the encrypted one."""
    with path.open("rb") as file:
        start = file.read(_PIECE)
        file.seek(max(path.stat().st_size - _PIECE, 0))
        return _ENCRYPTED_XLSX in start or _ENCRYPTED_XLSX in file.read()


def _text(one: Value) -> str:
    match one:
        case bool():
            return "true" if one else "false"
        case int() | float():
            return float_text(one)
        case datetime() | date() | time():
            return moment_text(one)
        case timedelta():
            return float_text(one / timedelta(days=1))
        case _:
            return one
