"""The parts of an .xlsx: a zip of XML, opened only as far as it is what it says."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from pathlib import Path
from typing import IO
from xml.parsers import expat
from zipfile import BadZipFile, ZipFile, ZipInfo

from kartoteka.imports.files.model import FileUnreadable, Limits

DAMAGED = (
    "The spreadsheet is damaged or incomplete: open it, save it again as .xlsx or CSV, and send "
    "that."
)
PASSWORD = "The file is protected with a password: save it without one."  # noqa: S105
CHUNK = 1 << 18
_OTHERS = {
    "xl/workbook.bin": "The file is a binary workbook (.xlsb): save it as .xlsx or CSV.",
    "content.xml": "The file is an OpenDocument (.ods): save it as .xlsx or CSV.",
    "word/document.xml": "The file is a text document: save the table in it as .xlsx or CSV.",
    "index/document.iwa": "The file is of Numbers: export it as .xlsx or CSV.",
}


class Package:
    """An open .xlsx. Raises `FileUnreadable` if it is something else, or more than the limits."""

    def __init__(self, path: Path, limits: Limits) -> None:
        try:
            self._zip = ZipFile(path)
        except (BadZipFile, NotImplementedError):
            raise FileUnreadable(DAMAGED) from None
        self._parts = {_plain(part.filename): part for part in self._zip.infolist()}
        self._check(limits)

    def open(self, name: str) -> IO[bytes]:
        """The part of that name, uncompressed while it is read."""
        try:
            return self._zip.open(self._parts[_plain(name)])
        except (KeyError, BadZipFile, NotImplementedError):
            raise FileUnreadable(DAMAGED) from None

    def __contains__(self, name: str) -> bool:
        return _plain(name) in self._parts

    def close(self) -> None:
        """Let go of the file."""
        self._zip.close()

    def related(self, name: str) -> dict[str, tuple[str, str]]:
        """What a part refers to: id → (last word of the kind, name of the part)."""
        folder, file = posixpath.split(name)
        source = posixpath.join(folder, "_rels", f"{file}.rels")
        if source not in self:
            return {}
        found = {}
        for tag, attributes in self.elements(source):
            if tag == "Relationship" and attributes.get("TargetMode") != "External":
                kind = attributes.get("Type", "").rpartition("/")[2]
                target = attributes.get("Target", "").replace("\\", "/")
                part = posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/")
                found[attributes.get("Id", "")] = kind, part
        return found

    def elements(self, name: str) -> Iterator[tuple[str, dict[str, str]]]:
        """Every element of a part as it begins: (name, attributes), both without prefix."""
        parser = expat.ParserCreate()
        begun: list[tuple[str, dict[str, str]]] = []

        def start(tag: str, attributes: dict[str, str]) -> None:
            begun.append((local(tag), {local(key): text for key, text in attributes.items()}))

        parser.StartElementHandler = start
        with self.open(name) as part:
            while chunk := part.read(CHUNK):
                parser.Parse(chunk, False)
                yield from begun
                begun.clear()
            parser.Parse(b"", True)

    def _check(self, limits: Limits) -> None:
        parts = self._parts
        if "_rels/.rels" not in parts and "xl/workbook.xml" not in parts:
            message = "The file is an archive: unpack it and send the table in it."
            raise FileUnreadable(_first(parts) or message)
        if (other := _first(parts)) is not None:
            raise FileUnreadable(other)
        if any(part.flag_bits & 1 for part in parts.values()):
            raise FileUnreadable(PASSWORD)
        if sum(part.file_size for part in parts.values()) > limits.part_bytes or any(
            part.file_size > limits.ratio_from
            and part.file_size > limits.ratio * part.compress_size
            for part in parts.values()
        ):
            raise FileUnreadable(
                "The spreadsheet is too large when unpacked: save it as CSV, or in several files."
            )


def local(name: str) -> str:
    """The name of an element or attribute without its prefix."""
    return name.rpartition(":")[2]


def _plain(name: str) -> str:
    """Some programs write backslashes, a leading slash, or letters of another case."""
    return name.replace("\\", "/").lstrip("/").lower()


def _first(parts: dict[str, ZipInfo]) -> str | None:
    return next((message for part, message in _OTHERS.items() if part in parts), None)
