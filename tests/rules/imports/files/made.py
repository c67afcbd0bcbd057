"""Spreadsheets as their XML, where no program writes what a test needs."""

from __future__ import annotations

import io
import zipfile

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPES = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_PARTS = {
    "xl/workbook.xml": "sheet.main",
    "xl/worksheets/a.xml": "worksheet",
    "xl/sharedStrings.xml": "sharedStrings",
    "xl/styles.xml": "styles",
}
_KINDS = {"worksheets/a.xml": "worksheet", "sharedStrings.xml": "sharedStrings"}


def zipped(parts: dict[str, str | bytes]) -> bytes:
    """A zip of those parts."""
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return body.getvalue()


def workbook(sheet: str, strings: str = "", styles: str = "") -> bytes:
    """An .xlsx with that worksheet, and nothing that it does not need."""
    overrides = "".join(
        f"<Override PartName='/{part}' ContentType='{_TYPES}.{kind}+xml'/>"
        for part, kind in _PARTS.items()
    )
    related = "".join(
        f"<Relationship Id='r{number}' Type='{OFFICE}/{kind}' Target='{part}'/>"
        for number, (part, kind) in enumerate(_KINDS.items(), start=1)
    )
    return zipped(
        {
            "[Content_Types].xml": f"<Types xmlns='{_PACKAGE}/content-types'>{overrides}</Types>",
            "_rels/.rels": f"<Relationships xmlns='{_PACKAGE}/relationships'><Relationship Id='r1' "
            f"Type='{OFFICE}/officeDocument' Target='xl/workbook.xml'/></Relationships>",
            "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>'
            '<sheet name="a" sheetId="1" r:id="r1"/></sheets></workbook>',
            "xl/_rels/workbook.xml.rels": f"<Relationships xmlns='{_PACKAGE}/relationships'>"
            f"{related}</Relationships>",
            "xl/worksheets/a.xml": sheet,
            "xl/sharedStrings.xml": f"<sst xmlns='{MAIN}'>{strings}</sst>",
            **(
                {"xl/styles.xml": f"<styleSheet xmlns='{MAIN}'>{styles}</styleSheet>"}
                if styles
                else {}
            ),
        }
    )


def without(body: bytes, part: str) -> bytes:
    """The same package without that part."""
    return zipped({name: text for name, text in _parts(body).items() if name != part})


def renamed(body: bytes, names: dict[str, str]) -> bytes:
    """The same package with other words in all its parts."""
    parts = {name: text.decode() for name, text in _parts(body).items()}
    for old, new in names.items():
        parts = {name: text.replace(old, new) for name, text in parts.items()}
    return zipped({**parts})


def _parts(body: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def worksheet(rows: str, before: str = "") -> str:
    """A worksheet of those rows."""
    return f"<worksheet xmlns='{MAIN}'>{before}<sheetData>{rows}</sheetData></worksheet>"


def cells(text: str) -> str:
    """A worksheet whose only row holds that."""
    return worksheet(f"<row r='1'>{text}</row>")
