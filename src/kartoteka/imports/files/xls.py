"""The first worksheet of an .xls (Excel 97–2003) as records, by python-calamine."""

from __future__ import annotations

from pathlib import Path

from python_calamine import (
    CalamineError,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from kartoteka.imports.files.cells import value_text
from kartoteka.imports.files.model import FileUnreadable, Worksheet
from kartoteka.imports.files.package import DAMAGED, PASSWORD

_ENCRYPTED_XLSX = "EncryptedPackage".encode("utf-16-le")
_PIECE = 1 << 20


def xls_sheet(path: Path) -> Worksheet:
    """The first visible worksheet; the library holds all of it. It reads an .xlsx as well."""
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
            raise FileUnreadable("The spreadsheet has no worksheet.")
        sheet = book.get_sheet_by_index(min(sheets)[1])
    except PasswordError:
        raise FileUnreadable(PASSWORD) from None
    except CalamineError:
        raise FileUnreadable(DAMAGED) from None
    return Worksheet(sheet.name, ([value_text(one) for one in row] for row in sheet.iter_rows()))


def _holds_encrypted_xlsx(path: Path) -> bool:
    """An .xlsx with a password is a container of the old kind around the encrypted one."""
    with path.open("rb") as file:
        start = file.read(_PIECE)
        file.seek(max(path.stat().st_size - _PIECE, 0))
        return _ENCRYPTED_XLSX in start or _ENCRYPTED_XLSX in file.read()
