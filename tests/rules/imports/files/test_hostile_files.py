"""Damaged, protected and malicious files end in a sentence for whoever sent them, never a crash."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
import xlwt
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kartoteka.imports.files.model import Limits
from kartoteka.imports.files.tasks import Answer, Task, answer
from tests.rules.imports.files.made import MAIN, cells, workbook, worksheet, zipped

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
LIMITS = Limits(ratio_from=100_000, cells=1_000_000)


def look(folder: Path, body: bytes, name: str = "file.xlsx") -> Answer:
    path = folder / "upload"
    path.write_bytes(body)
    found = answer(Task(what="look", path=str(path), name=name, records=9, limits=LIMITS))
    if found.layout is not None:
        return answer(Task(what="count", path=str(path), layout=found.layout, limits=LIMITS))
    return found


def xlsx() -> bytes:
    body = io.BytesIO()
    book = openpyxl.Workbook()
    assert book.active is not None
    for number in range(200):
        book.active.append([f"name {number}", number])
    book.save(body)
    return body.getvalue()


def xls() -> bytes:
    body = io.BytesIO()
    book = xlwt.Workbook()
    sheet = book.add_sheet("a")
    for number in range(200):
        sheet.write(number, 0, f"name {number}")
    book.save(body)
    return body.getvalue()


def page(text: str) -> Callable[[], bytes]:
    return text.encode


def second(text: str) -> str:
    """A worksheet whose second row holds that: damage in the first makes the other library try."""
    return worksheet(f"<row><c><v>1</v></c></row><row>{text}</row>")


DAMAGED = "damaged or incomplete"
FILES: dict[str, tuple[Callable[[], bytes], str]] = {
    "nothing": (lambda: b"", "empty"),
    "only blank lines": (lambda: b"\xef\xbb\xbf\r\n  \r\n;;\r\n", "empty"),
    "truncated xlsx": (lambda: xlsx()[:-500], DAMAGED),
    "half an xlsx": (lambda: xlsx()[:2_000], DAMAGED),
    "truncated xls": (lambda: xls()[:-9_000], DAMAGED),
    "container of nothing": (lambda: OLE + bytes(3_000), DAMAGED),
    "xlsx with a password": (
        lambda: OLE + bytes(2_000) + "EncryptedPackage".encode("utf-16-le") + bytes(2_000),
        "protected with a password",
    ),
    "page named xls": (page("<html><table><tr><td>a</td></tr></table></html>"), "web page"),
    "page with a comment": (page("\ufeff \n<!DOCTYPE html><table>"), "web page"),
    "xml named xls": (page('<?xml version="1.0"?><Workbook/>'), "is XML"),
    "json": (page('[{"email": "a@example.com"}]'), "POST /api/v1/contacts"),
    "pdf": (page("%PDF-1.7\n"), "PDF"),
    "gzip": (lambda: b"\x1f\x8b\x08" + bytes(100), "archive"),
    "picture": (lambda: b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 9, "neither a spreadsheet"),
    "empty zip": (lambda: zipped({}), "archive"),
    "zip of a csv": (lambda: zipped({"a.csv": "a,b"}), "archive"),
    "ods": (lambda: zipped({"mimetype": "a", "content.xml": "<a/>"}), ".ods"),
    "xlsb": (lambda: zipped({"_rels/.rels": "<a/>", "xl/workbook.bin": "a"}), ".xlsb"),
    "docx": (lambda: zipped({"_rels/.rels": "<a/>", "word/document.xml": "<a/>"}), "text document"),
    "no workbook": (lambda: zipped({"xl/workbook.xml": "<workbook/>"}), DAMAGED),
    "no worksheet": (
        lambda: workbook("").replace(b"worksheets/a.xml", b"worksheets/b.xml"),
        DAMAGED,
    ),
    "no xml": (lambda: zipped({"xl/workbook.xml": "what?"}), DAMAGED),
    "sheet without end": (lambda: workbook(f"<worksheet xmlns='{MAIN}'><sheetData>"), DAMAGED),
    "sheet without rows": (lambda: workbook(f"<worksheet xmlns='{MAIN}'/>"), "is empty"),
    "text that is not there": (lambda: workbook(cells("<c r='A1' t='s'><v>7</v></c>")), DAMAGED),
    "number that is none": (lambda: workbook(second("<c><v>1,5</v></c>")), DAMAGED),
    "format that is not there": (lambda: workbook(second("<c s='7'><v>1</v></c>")), DAMAGED),
    "cell far out": (lambda: workbook(cells("<c r='XFD1'><v>1</v></c>")), "1,000 columns"),
    "column beyond Excel": (lambda: workbook(second("<c r='ZZZZZZZZ2'><v>1</v></c>")), DAMAGED),
    "row far out": (
        lambda: workbook(worksheet("<row r='9999999999'><c><v>1</v></c></row>")),
        "2,000,000 rows",
    ),
    "cells far out": (
        lambda: workbook(worksheet("<row><c r='XFD1'/></row>" * 70)),
        "1,000,000 cells",
    ),
    "zip bomb": (lambda: workbook(cells(" " * 5_000_000)), "too large when unpacked"),
    "entities": (
        lambda: workbook(
            '<!DOCTYPE a [<!ENTITY b "bbbbbbbbbb">'
            + "".join(
                f'<!ENTITY c{n} "{f"&c{n - 1};" * 10 if n else "&b;" * 10}">' for n in range(9)
            )
            + "]>"
            + cells("<c r='A1' t='str'><v>&c8;</v></c>")
        ),
        DAMAGED,
    ),
}


@pytest.mark.parametrize("kind", FILES)
def test_a_file_that_cannot_be_read_says_why(tmp_path: Path, kind: str) -> None:
    body, message = FILES[kind]

    found = look(tmp_path, body(), "file.xls")

    said = found.unreadable or (DAMAGED if found.error else "")
    assert message in said, found


def test_an_encrypted_zip_asks_for_a_file_without_password(tmp_path: Path) -> None:
    body = bytearray(workbook(cells("<c r='A1'><v>1</v></c>")))
    entry = body.index(b"PK\x01\x02")
    body[entry + 8] |= 1

    assert "password" in str(look(tmp_path, bytes(body)).unreadable)


def test_the_smallest_workbook_is_read(tmp_path: Path) -> None:
    """So that the damaged ones above are refused for their damage."""
    body = workbook(cells("<c t='s'><v>0</v></c><c><v>2</v></c>"), "<si><t>a</t></si>")

    assert look(tmp_path, body).records == 1


def test_names_with_prefixes_are_read(tmp_path: Path) -> None:
    sheet = (
        f"<x:worksheet xmlns:x='{MAIN}'><x:sheetData><x:row><x:c t='inlineStr'><x:is><x:t>a</x:t>"
        "<x:rPh><x:t>not read</x:t></x:rPh></x:is></x:c></x:row></x:sheetData></x:worksheet>"
    )
    path = tmp_path / "file"
    path.write_bytes(workbook(sheet))

    assert answer(Task(what="look", path=str(path), records=9, limits=LIMITS)).sample == [["a"]]


def test_a_file_that_is_gone_is_no_fault_of_the_file(tmp_path: Path) -> None:
    found = answer(Task(what="look", path=str(tmp_path / "gone"), limits=LIMITS))

    assert found.fault == 2


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hostile")


@given(data=st.data(), kind=st.sampled_from(["xlsx", "xls"]))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_damage_makes_anything_but_records_or_a_reason(
    folder: Path, data: st.DataObject, kind: str
) -> None:
    body = bytearray(SOUND[kind])
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(body) - 1))
        body[at] = data.draw(st.integers(0, 255))
    del body[data.draw(st.integers(len(body) // 2, len(body))) :]

    found = look(folder, bytes(body), f"file.{kind}")

    assert (found.records is not None) + bool(found.unreadable) + bool(found.error) == 1


@given(st.binary(max_size=300))
@settings(deadline=None)
def test_any_bytes_are_records_or_have_a_reason(folder: Path, body: bytes) -> None:
    found = look(folder, body, "file.csv")

    assert found.records is not None or found.unreadable
    assert found.error is None


SOUND = {"xlsx": xlsx(), "xls": xls()}
