"""CSV becomes the records that were written, whatever stands in them."""

from __future__ import annotations

import csv
import io
import tracemalloc
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kartoteka.imports.files.model import FileUnreadable, Layout, Limits
from kartoteka.imports.files.text import read_records

cells = st.text(st.sampled_from("aБї\u0639 ,;\t|\"'\r\n=\u2028\x0b0"), max_size=12)
records = st.lists(st.lists(cells, min_size=1, max_size=5), max_size=8)


def read(
    path: Path, text: str | bytes, limits: Limits | None = None, **layout: str
) -> list[list[str]]:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return list(read_records(path, Layout("csv", **layout), limits or Limits()))


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("csv") / "file.csv"


@given(
    written=records,
    delimiter=st.sampled_from(",;\t|"),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le"]),
    quote_all=st.booleans(),
)
def test_what_was_written_is_read(
    path: Path, written: list[list[str]], delimiter: str, end: str, encoding: str, quote_all: bool
) -> None:
    quoting = csv.QUOTE_ALL if quote_all else csv.QUOTE_MINIMAL
    text = io.StringIO(newline="")
    # Whichever end a line has, both kinds of line break inside a cell must be quoted.
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\r\n", quoting=quoting)
    writer.writerows(written)
    body = text.getvalue()
    if not any("\n" in cell or "\r" in cell for record in written for cell in record):
        body = body.replace("\r\n", end)

    found = read(
        path,
        body.encode(encoding),
        encoding=encoding.removesuffix("-sig"),
        delimiter=delimiter,
    )

    kept = [record for record in written if any(cell.strip() for cell in record)]
    if not quote_all:
        kept = [[cell if quoted(cell, delimiter) else cell.lstrip(" ") for cell in r] for r in kept]
    assert found == kept


def quoted(cell: str, delimiter: str) -> bool:
    """Whether the writer puts it in quotes; spaces before a bare cell do not count."""
    return any(sign in cell for sign in (delimiter, '"', "\r", "\n"))


TEXTS = {
    "no line end at the end": ("a,b\n1,2", [["a", "b"], ["1", "2"]]),
    "one column": ("a\n\n1\n2\n", [["a"], ["1"], ["2"]]),
    "blank records": ("\n,,\n a , \n   \n\t,\n1,2\n\n", [["a ", ""], ["1", "2"]]),
    "ragged": ("a,b\n1\n1,2,3\n", [["a", "b"], ["1"], ["1", "2", "3"]]),
    "quotes inside": ('a\nТОВ "Ромашка"\n"О""Нил"\n', [["a"], ['ТОВ "Ромашка"'], ['О"Нил']]),
    "text after a quote": ('"a"b,c\n', [["ab", "c"]]),
    "spaces before quotes": ('a, "b, c"\n', [["a", "b, c"]]),
    "delimiter named by Excel": ("sep=,\r\na,b\r\n", [["a", "b"]]),
    "other line separators": ("a\u2028b\x0cc,d\x85e\n", [["a\u2028b\x0cc", "d\x85e"]]),
    "NUL": ("a\0b,c\n", [["a\ufffdb", "c"]]),
    "nothing": ("", []),
}


@pytest.mark.parametrize("case", TEXTS)
def test_odd_texts_are_read(path: Path, case: str) -> None:
    text, expected = TEXTS[case]

    assert read(path, text) == expected


def test_a_byte_that_is_no_letter_costs_one_letter(path: Path) -> None:
    assert read(path, b"name\nAnn\xff\nBob\n") == [["name"], ["Ann\ufffd"], ["Bob"]]


def test_arabic_and_ukrainian_names_are_read(path: Path) -> None:
    rows = [["ім'я", "الاسم"], ["Ґалаґан Їжак", "عبد الرحمن"], ["Дем’ян", "فاطمة"]]
    text = "".join(f"{left};{right}\r\n" for left, right in rows)

    assert read(path, "\ufeff" + text, delimiter=";") == rows


def test_a_quotation_mark_that_is_never_closed_is_named(path: Path) -> None:
    """It would swallow the rest of the file as one cell, without a word."""
    with pytest.raises(FileUnreadable, match="begins on line 3 is never closed"):
        read(path, 'a,b\n1,2\n3,"4\n5,6\n7,8\n')


LIMITS = Limits(columns=3, record_chars=1_000)
TOO_LONG = {
    "line": "a" * 1_000,
    "line of delimiters": "," * 1_000_000,
    "record of many lines": '"' + "a\n" * 1_000 + '"',
}


@pytest.mark.parametrize("case", TOO_LONG)
def test_a_record_has_a_longest_length(path: Path, case: str) -> None:
    with pytest.raises(FileUnreadable, match=r"Line \d+: .*longer than"):
        read(path, "a,b\n" + TOO_LONG[case] + "\n", LIMITS)


def test_a_cell_has_a_longest_length(path: Path) -> None:
    assert len(read(path, "a" * 1_000_000 + "\n")[0][0]) == 1_000_000
    with pytest.raises(FileUnreadable, match="Line 2: a cell is longer than 1,000,000"):
        read(path, "a\n" + "a" * 1_000_001 + "\n")


def test_a_record_has_a_most_columns(path: Path) -> None:
    assert read(path, "a,b,c\n", LIMITS) == [["a", "b", "c"]]
    with pytest.raises(FileUnreadable, match="Line 2 has more than 3 columns"):
        read(path, "a,b,c\n1,2,3,4\n", LIMITS)


def test_reading_takes_the_same_memory_however_long_the_file(path: Path) -> None:
    path.write_text("name,phone\n" * 100_000)
    tracemalloc.start()
    try:
        assert sum(1 for _ in read_records(path, Layout("csv"))) == 100_000
        assert tracemalloc.get_traced_memory()[1] < 500_000
    finally:
        tracemalloc.stop()


def test_the_first_records_are_read_without_the_rest(path: Path) -> None:
    path.write_text('a,b\n1,2\n3,"never closed\n')

    assert list(islice(read_records(path, Layout("csv")), 2)) == [["a", "b"], ["1", "2"]]
