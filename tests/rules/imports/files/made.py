"""Spreadsheets as their XML, where no program writes what a test needs."""

from __future__ import annotations

import io
import zipfile

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def zipped(parts: dict[str, str | bytes]) -> bytes:
    """A zip of those parts."""
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return body.getvalue()


def workbook(sheet: str, strings: str = "") -> bytes:
    """An .xlsx with that worksheet, and nothing that it does not need."""
    return zipped(
        {
            "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>'
            '<sheet name="a" r:id="r1"/></sheets></workbook>',
            "xl/_rels/workbook.xml.rels": "<Relationships><Relationship Id='r1' "
            f"Type='{OFFICE}/worksheet' Target='worksheets/a.xml'/></Relationships>",
            "xl/worksheets/a.xml": sheet,
            "xl/sharedStrings.xml": f"<sst xmlns='{MAIN}'>{strings}</sst>",
        }
    )


def cells(text: str) -> str:
    """A worksheet whose only row holds that."""
    return f"<worksheet xmlns='{MAIN}'><sheetData><row r='1'>{text}</row></sheetData></worksheet>"
