"""What an .xlsx says about its first worksheet: where it is, how numbers look, which texts it has."""

from __future__ import annotations

import posixpath
from array import array
from typing import IO
from xml.parsers import expat

import msgspec

from kartoteka.imports.files.cells import is_date_format, plain_text, zeros_of
from kartoteka.imports.files.model import FileUnreadable
from kartoteka.imports.files.package import CHUNK, DAMAGED, Package, local


class Style(msgspec.Struct, frozen=True):
    """How the numbers of a cell are shown."""

    is_date: bool = False
    zeros: int = 0
    """Filled up with zeros to that many digits."""


class Workbook(msgspec.Struct, frozen=True):
    """The first visible worksheet of an .xlsx and what is needed to read it."""

    name: str
    part: str
    strings: str | None
    styles: tuple[Style, ...]
    since_1904: bool


def open_workbook(package: Package) -> Workbook:
    """Raises `FileUnreadable` if there is no worksheet."""
    roots = package.related("").values()
    path = next((part for kind, part in roots if kind == "officeDocument"), "xl/workbook.xml")
    related = package.related(path)
    sheets: list[tuple[bool, str, str]] = []
    since_1904 = False
    for tag, attributes in package.elements(path):
        if tag == "workbookPr":
            since_1904 = attributes.get("date1904") in ("1", "true")
        elif tag == "sheet":
            kind, part = related.get(attributes.get("id", ""), ("", ""))
            if kind == "worksheet":
                hidden = attributes.get("state", "visible") != "visible"
                sheets.append((hidden, attributes.get("name", ""), part))
    if not sheets:
        raise FileUnreadable("The spreadsheet has no worksheet.")
    _, name, part = min(sheets, key=lambda sheet: sheet[0])
    # Some programs forget to refer to the texts and styles beside the workbook.
    folder = posixpath.dirname(path)
    usual = {kind: posixpath.join(folder, f"{kind}.xml") for kind in ("sharedStrings", "styles")}
    parts = usual | dict(related.values())
    parts = {kind: part for kind, part in parts.items() if part in package}
    return Workbook(name, part, parts.get("sharedStrings"), _styles(package, parts), since_1904)


def _styles(package: Package, parts: dict[str, str]) -> tuple[Style, ...]:
    """By the number that a cell's attribute `s` has."""
    if "styles" not in parts:
        return ()
    codes: dict[int, str] = {}
    numbers: list[int] = []
    inside = ""
    for tag, attributes in package.elements(parts["styles"]):
        if tag == "numFmt" and not inside:
            codes[int(attributes["numFmtId"])] = attributes.get("formatCode", "")
        elif tag in ("cellStyleXfs", "cellXfs", "cellStyles", "dxfs"):
            inside = tag
        elif tag == "xf" and inside == "cellXfs":
            numbers.append(int(attributes.get("numFmtId", 0)))
    known = {number: _style(number, codes.get(number)) for number in set(numbers)}
    return tuple(known[number] for number in numbers)


def _style(number: int, code: str | None) -> Style:
    return Style(is_date_format(number, code), zeros_of(code))


class Strings:
    """The shared texts of a workbook by number, read as far as they are asked for.

    They stand one after the other as UTF-8, a fifth of what as many `str` would take: a million
    rows have millions of them.
    """

    def __init__(self, part: IO[bytes] | None) -> None:
        self._part = part
        self._text = bytearray()
        self._ends = array("Q", [0])
        self._found: list[str] = []
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._is_phonetic = False

    def __getitem__(self, number: int) -> str:
        ends = self._ends
        while number + 1 >= len(ends):
            self._read_on()
        if number < 0:
            raise FileUnreadable(DAMAGED)
        return self._text[ends[number] : ends[number + 1]].decode()

    def _read_on(self) -> None:
        chunk = self._part.read(CHUNK) if self._part is not None else b""
        if not chunk:
            raise FileUnreadable(DAMAGED)
        self._parser.Parse(chunk, False)

    def _start(self, tag: str, _attributes: dict[str, str]) -> None:
        tag = local(tag)
        if tag == "t" and not self._is_phonetic:
            self._parser.CharacterDataHandler = self._found.append
        elif tag == "rPh":
            self._is_phonetic = True

    def _end(self, tag: str) -> None:
        tag = local(tag)
        if tag == "t":
            self._parser.CharacterDataHandler = None
        elif tag == "si":
            self._text += plain_text("".join(self._found)).encode()
            self._ends.append(len(self._text))
            self._found.clear()
        elif tag == "rPh":
            self._is_phonetic = False
