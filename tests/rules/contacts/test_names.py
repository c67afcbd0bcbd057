"""Names: what one may look like (wire 2.4, decisions D18)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kartoteka.contacts.values.errors import InvalidValue
from kartoteka.contacts.values.names import (
    APOSTROPHES,
    clean_first_name,
    clean_last_name,
)

name_texts = st.text(st.sampled_from("aBЇß \u00a0-'.1٣\u0301\u02bc\u200d*\x00\ud800"), max_size=45)


@pytest.mark.parametrize(
    "name",
    [
        *(
            "Alice",
            "Олена",
            "Дем'ян",
            "Лук\u02bcян",
            "Anna-Maria",
            "O\u2019Hara",
            "John Smith Jr.",
            "Mrs. Bob",
        ),
        *(
            "José",
            "Jose\u0301",
            "李小龍",
            "محمد",
            "अनिल",
            "علی\u200cرضا",
            "Bob 2",
            "R2D2",
            "B1 2 3",
            "x",
            "X" * 40,
        ),
        *("Maximilian Alexander Sebastian de la Fu", "de la von Anna Maria Luisa"),
    ],
)
def test_a_name_in_any_alphabet_is_taken_as_it_is(name: str) -> None:
    assert clean_first_name(name) == name
    assert clean_last_name(name) == name
    assert clean_last_name(f"\u00a0 {name} ") == name


@pytest.mark.parametrize("mark", ["\u200f", "\u200e", "\u061c", "\u202b", "\u2068", "\ufeff"])
def test_marks_that_only_say_the_direction_are_no_part_of_a_name(mark: str) -> None:
    """Wire 2.4: letters of any alphabet, as Arabic and Hebrew tables export them."""
    assert clean_first_name(f"{mark}محمد{mark}") == "محمد"
    assert clean_last_name(f"{mark}Alice {mark}Bob") == "Alice Bob"
    assert clean_first_name(mark) is None


@pytest.mark.parametrize(
    "name",
    [
        *(
            "Alice1234",
            "Alice*",
            "a_b",
            "Alice@home",
            "http://x",
            "Alice!",
            "Bob 😀",
            "Alice\tSmith",
        ),
        *(
            "'Alice",
            "Alice'",
            "-Alice",
            "Alice-",
            "Alice - Smith",
            "Alice.",
            "J.R",
            "Jr..",
            ".",
            "a\x00b",
        ),
        *("12", "-", "'", "1-2", "\u02bc", "\ua78c\ua78c", "X" * 41, "\u0301a", "a\ud800"),
    ],
)
def test_a_name_with_anything_else_is_refused(name: str) -> None:
    for clean in (clean_first_name, clean_last_name):
        with pytest.raises(InvalidValue) as refused:
            clean(name)
        assert refused.value.code == "invalid_value"
    assert refused.value.field == "lastName"


@pytest.mark.parametrize("value", [True, 5, 1.5, [], {}, ["Alice"]])
def test_what_is_no_text_or_has_no_letters_is_no_name(value: object) -> None:
    with pytest.raises(InvalidValue):
        clean_first_name(value)


@pytest.mark.parametrize("value", [None, "", " ", "\u00a0", "null", "NULL"])
def test_a_blank_name_is_absent(value: object) -> None:
    """Plug-ins send " " for a name that they do not know (clients 2)."""
    assert clean_first_name(value) is None
    assert clean_last_name(value) is None


@pytest.mark.parametrize("name", ["Anna Maria Luisa Clara", "a b c d", "al bo cy Jr. Anna"])
def test_a_first_name_has_three_long_and_three_short_words_at_most(name: str) -> None:
    assert clean_last_name(name) == name
    with pytest.raises(InvalidValue):
        clean_first_name(name)


def test_every_apostrophe_of_the_list_may_stand_inside_a_word() -> None:
    assert len(APOSTROPHES) == 24
    for sign in APOSTROPHES:
        assert clean_last_name(f"О{sign}Нил") == f"О{sign}Нил"
        with pytest.raises(InvalidValue):
            clean_last_name(f"{sign}Нил")


@given(name_texts)
def test_a_cleaned_name_is_clean(name: str) -> None:
    for clean in (clean_first_name, clean_last_name):
        try:
            cleaned = clean(name)
        except InvalidValue:
            continue
        assert clean(cleaned) == cleaned
        assert cleaned is None or 0 < len(cleaned) <= 40
