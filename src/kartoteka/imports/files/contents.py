"""What a file is, by its first bytes: a name says what somebody wished."""

from __future__ import annotations

from pathlib import Path

from kartoteka.imports.files.model import FileUnreadable

EMPTY = "The file is empty: there is no row in it."
_HEAD = 1_024
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_OLD_EXCEL = (b"\x09\x00", b"\x09\x02", b"\x09\x04", b"\x09\x08")
"""Before Excel 5 an .xls was no container."""
_BOM = b"\xef\xbb\xbf"
_PAGES = (b"<html", b"<!doctype", b"<table", b"<meta", b"<head", b"<style", b"<body", b"<div")
_NEITHER = "The file is neither a spreadsheet nor a text: save the table as .xlsx or CSV."
_REFUSED = (
    (_PAGES, "The file is a web page, whatever its name: open it and save it as .xlsx or CSV."),
    ((b"<?xml", b"<workbook"), "The file is XML: open it in Excel and save it as .xlsx or CSV."),
    (
        (b'{"', b"[{"),
        "The file is JSON: send contacts by POST /api/v1/contacts, or save it as CSV.",
    ),
    ((b"%pdf",), "The file is a PDF: save the table in it as .xlsx or CSV."),
    (
        (b"rar!", b"7z\xbc\xaf", b"\x1f\x8b", b"bzh", b"\xfd7zxz"),
        "The file is an archive: unpack it and send the table in it.",
    ),
    ((b"\x89png", b"\xff\xd8\xff", b"gif8"), _NEITHER),
)


def format_of(path: Path, name: str) -> str:
    """`xlsx`, `xls` or `csv`. Raises `FileUnreadable` if it is known to be something else.

    Any text is `csv` here; whether it is a text shows when its encoding is looked for.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if not head:
        raise FileUnreadable(EMPTY)
    if head.startswith(_ZIP):
        return "xlsx"
    if head.startswith(_OLE) or (head[:2] in _OLD_EXCEL and name.lower().endswith(".xls")):
        return "xls"
    start = head.removeprefix(_BOM).lstrip().lower()
    for beginnings, message in _REFUSED:
        if start.startswith(beginnings):
            raise FileUnreadable(message)
    return "csv"
