"""The encoding of a text is found by its bytes, or taken as given."""

from __future__ import annotations

from pathlib import Path

import pytest

from kartoteka.imports.files.encodings import (
    ENCODINGS,
    check_encoding,
    detect_encoding,
    encoding_named,
)
from kartoteka.imports.files.model import FileUnreadable

TEXTS = {
    "ukrainian": "Прізвище;Ім'я;Місто\nШевченко;Олександр;Київ\nЇжакевич;Ґаля;Черкаси\n",
    "ukrainian capitals": "ПРІЗВИЩЕ;МІСТО\nШЕВЧЕНКО;КИЇВ\nКОВАЛЕНКО;ЛЬВІВ\n",
    "ukrainian lower": "прізвище;місто\nшевченко;київ\nковаленко;львів\n",
    "russian": "Фамилия;Имя\nИванов;Дмитрий\nСидорова;Анна\n",
    "one name": "email;name\nanna@example.com;Олена\n",
    "few names": "email;name\n"
    + "anna@example.com;Anna\n" * 9_000
    + "b@example.com;Юлія Мельник\n",
    "signs": "Назва\n«Ромашка» – ТОВ № 5\nДем’ян\n",
}
CYRILLIC = [
    *((text, "windows-1251") for text in TEXTS),
    *((text, "koi8-u") for text in TEXTS if text != "signs"),  # KOI8 has none of them
    ("russian", "cp866"),
    ("russian", "iso-8859-5"),
    ("ukrainian", "mac-cyrillic"),
    ("ukrainian", "cp1125"),
]
OTHERS = [
    ("Vorname;Ort\nJürgen Müller;Köln\nBjörn Schröder;Düsseldorf\n", "windows-1252"),
    ("prénom;nom\nFrançois;Lefèvre\nHélène;Bérangère\n", "windows-1252"),
    ("nombre\nJosé Muñoz\nBegoña Peña\nRamón Ibáñez\n", "windows-1252"),
    ("imię;nazwisko\nŁukasz;Żółć\nMałgorzata;Wiśniewska\nGrażyna;Dąbrowska\n", "windows-1250"),
    ("ad;şehir\nGülşen;İstanbul\nYıldız;Eskişehir\nÇağlar;Iğdır\n", "windows-1254"),
    ("الاسم;المدينة\nمحمد;القاهرة\nفاطمة;الإسكندرية\nعبد الرحمن;الرياض\n", "windows-1256"),
    ("שם;עיר\nמשה;תל אביב\nרחל;ירושלים\nיעקב;חיפה\n", "windows-1255"),
    ("όνομα;πόλη\nΓιώργος;Αθήνα\nΕλένη;Θεσσαλονίκη\n", "windows-1253"),
]
UNICODE = [
    ("utf-8", "utf-8"),
    ("utf-8-sig", "utf-8"),
    ("utf-16", "utf-16"),
    ("utf-16-le", "utf-16-le"),
    ("utf-16-be", "utf-16-be"),
    ("utf-32", "utf-32"),
]


def written(folder: Path, text: str, encoding: str) -> Path:
    path = folder / "file"
    path.write_bytes(text.encode(encoding, "replace"))
    return path


@pytest.mark.parametrize(("text", "encoding"), CYRILLIC)
def test_cyrillic_texts_come_out_as_they_were_written(
    tmp_path: Path, text: str, encoding: str
) -> None:
    path = written(tmp_path, TEXTS[text], encoding)

    found = detect_encoding(path)

    assert path.read_bytes().decode(found) == TEXTS[text]


@pytest.mark.parametrize(
    ("text", "encoding"), OTHERS, ids=[case[1] + case[0][:4] for case in OTHERS]
)
def test_other_alphabets_come_out_as_they_were_written(
    tmp_path: Path, text: str, encoding: str
) -> None:
    path = written(tmp_path, text * 3, encoding)

    assert path.read_bytes().decode(detect_encoding(path)) == text * 3


@pytest.mark.parametrize(("encoding", "name"), UNICODE)
@pytest.mark.parametrize("text", ["ukrainian", "few names"])
def test_unicode_is_found_with_a_mark_and_without(
    tmp_path: Path, text: str, encoding: str, name: str
) -> None:
    assert detect_encoding(written(tmp_path, TEXTS[text], encoding)) == name


def test_utf8_stays_utf8_with_a_few_broken_letters(tmp_path: Path) -> None:
    path = written(tmp_path, TEXTS["ukrainian"] * 10, "utf-8")
    path.write_bytes(path.read_bytes() + b"\xd0;x\n")

    assert detect_encoding(path) == "utf-8"


def test_a_small_file_with_a_zero_in_it_is_the_text_it_was(tmp_path: Path) -> None:
    """Not UTF-16, of which each line end has a zero: one column of one long heading would be left."""
    path = tmp_path / "file"
    path.write_bytes(b"email;name\na@example.com;An\0na\nb\0@example.com;Petro\n")
    assert detect_encoding(path) == "utf-8"


def test_letters_far_behind_an_ascii_head_count(tmp_path: Path) -> None:
    text = "anna@example.com;Anna\n" * 200_000 + "b@example.com;Олена Шевчук\n"

    assert detect_encoding(written(tmp_path, text, "windows-1251")) == "windows-1251"


def test_what_is_no_text_has_no_encoding(tmp_path: Path) -> None:
    path = tmp_path / "picture.csv"
    path.write_bytes(bytes(range(256)) * 40)

    with pytest.raises(FileUnreadable, match="neither a spreadsheet nor a text"):
        detect_encoding(path)


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("cp1251", "windows-1251"),
        ("WINDOWS-1251", "windows-1251"),
        (" UTF8 ", "utf-8"),
        ("latin-1", "iso-8859-1"),
        ("KOI8_U", "koi8-u"),
    ],
)
def test_encodings_have_aliases(given: str, name: str) -> None:
    assert encoding_named(given) == name


@pytest.mark.parametrize(
    "given", ["", "base64", "rot13", "idna", "unicode_escape", "x\0y", "utf-9"]
)
def test_what_is_no_encoding_is_refused_with_the_list(given: str) -> None:
    with pytest.raises(FileUnreadable, match="windows-1251"):
        encoding_named(given)


@pytest.mark.parametrize("name", ENCODINGS)
def test_each_encoding_is_its_own_name(name: str) -> None:
    assert encoding_named(name) == name


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_the_line_that_is_not_in_the_given_encoding_is_named(tmp_path: Path, end: str) -> None:
    path = tmp_path / "file.csv"
    path.write_bytes(f"name{end}Anna{end}".encode() + b"\xce\xeb\xe5\xed\xe0" + end.encode())

    with pytest.raises(FileUnreadable, match="Line 3 is not text in the encoding utf-8"):
        check_encoding(path, "utf-8")
    check_encoding(path, "windows-1251")


def test_a_letter_across_two_pieces_of_a_large_file_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    path.write_bytes(b"a" * ((1 << 20) - 1) + "ї".encode() * 1_000)

    check_encoding(path, "utf-8")
    assert detect_encoding(path) == "utf-8"
