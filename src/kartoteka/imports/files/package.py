"""The zip of XML that an .xlsx is, looked at before a library unpacks it."""

from __future__ import annotations

from pathlib import Path
from zipfile import BadZipFile, ZipFile, ZipInfo

from kartoteka.imports.files.model import FileUnreadable, Limits

DAMAGED = (
    "The spreadsheet is damaged or incomplete: open it, save it again as .xlsx or CSV, and send "
    "that."
)
PASSWORD = "The file is protected with a password: save it without one."  # noqa: S105
_OTHERS = {
    "xl/workbook.bin": "The file is a binary workbook (.xlsb): save it as .xlsx or CSV.",
    "content.xml": "The file is an OpenDocument (.ods): save it as .xlsx or CSV.",
    "word/document.xml": "The file is a text document: save the table in it as .xlsx or CSV.",
    "index/document.iwa": "The file is of Numbers: export it as .xlsx or CSV.",
}


def check_package(path: Path, limits: Limits) -> None:
    """Raises `FileUnreadable` if it is no .xlsx, or more than the limits when unpacked."""
    try:
        with ZipFile(path) as file:
            parts = {_plain(part.filename): part for part in file.infolist()}
    except (BadZipFile, NotImplementedError):
        raise FileUnreadable(DAMAGED) from None
    if (other := _other(parts)) is not None:
        raise FileUnreadable(other)
    if any(part.flag_bits & 1 for part in parts.values()):
        raise FileUnreadable(PASSWORD)
    if sum(part.file_size for part in parts.values()) > limits.part_bytes or any(
        part.file_size > limits.ratio_from and part.file_size > limits.ratio * part.compress_size
        for part in parts.values()
    ):
        raise FileUnreadable(
            "The spreadsheet is too large when unpacked: save it as CSV, or in several files."
        )


def _other(parts: dict[str, ZipInfo]) -> str | None:
    """Why it is no .xlsx."""
    known = next((message for part, message in _OTHERS.items() if part in parts), None)
    if known is None and "_rels/.rels" not in parts and "xl/workbook.xml" not in parts:
        return "The file is an archive: unpack it and send the table in it."
    return known


def _plain(name: str) -> str:
    """Some programs write backslashes, a leading slash, or letters of another case."""
    return name.replace("\\", "/").lstrip("/").lower()
