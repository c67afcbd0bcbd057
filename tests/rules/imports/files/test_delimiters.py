"""The delimiter of a CSV is the one that makes its records alike."""

from __future__ import annotations

import pytest

from kartoteka.imports.files.delimiters import delimiter_named, detect_delimiter
from kartoteka.imports.files.model import FileUnreadable

TEXTS = {
    "comma": ("a,b,c\n1,2,3\n", ","),
    "semicolon": ("a;b;c\n1;2;3\n", ";"),
    "tab": ("a\tb\n1\t2\n", "\t"),
    "pipe": ("a|b\n1|2\n", "|"),
    "decimal commas": ("name;sum\nAnna;1,5\nBob;2,5\n", ";"),
    "decimal commas everywhere": ("x;y\n1,5;2,5\n3,5;4,5\n", ";"),
    "addresses": ("email;address\na@b.co;Kyiv, Khreshchatyk, 1\nc@d.co;Lviv\n", ";"),
    "quoted": ('"a;x","b;y"\n"1;2","3;4"\n', ","),
    "line ends in quotes": ('"a\nx";b\n"1\n\n2";"3,4"\n', ";"),
    "rows end in one more": ("a,b\n1,2,\n3,4,\n", ","),
    "ragged": ("a,b,c\n1,2\n1\n1,2,3\n", ","),
    "header alone": ("e-mail;phone;name", ";"),
    "named as Excel does": ("sep=|\na;b|c\n", "|"),
    "one column with commas": ("address\nKyiv, Khreshchatyk\nLviv\n", ";"),
}


@pytest.mark.parametrize("case", TEXTS)
def test_the_delimiter_is_found(case: str) -> None:
    text, delimiter = TEXTS[case]

    assert detect_delimiter(text.splitlines(keepends=True)) == delimiter


@pytest.mark.parametrize(
    ("given", "delimiter"),
    [(",", ","), ("Semicolon", ";"), ("tab", "\t"), ("\\t", "\t"), ("|", "|")],
)
def test_a_delimiter_has_a_name(given: str, delimiter: str) -> None:
    assert delimiter_named(given) == delimiter


@pytest.mark.parametrize("given", ["", "a", '"', "\n", ",,", "colon"])
def test_any_other_delimiter_is_refused(given: str) -> None:
    with pytest.raises(FileUnreadable, match="comma, semicolon, tab, pipe"):
        delimiter_named(given)
