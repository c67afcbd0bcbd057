"""What somebody types to find a contact: words, and numbers as people write them."""

from __future__ import annotations

import pytest

from kartoteka.contacts.words import meanings, words_of
from kartoteka.identity.kinds import Region

UA = Region("UA")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ann  lee", ("ann", "lee")),
        ("067 111 22 33", ("0671112233",)),
        ("+38 (067) 111-22-33 marta", ("+38(067)111-22-33", "marta")),
        ("marta 067 111 22 33", ("marta", "0671112233")),
        ("id:12 34", ("id:12", "34")),
        ("12 34", ("12", "34")),
        ("crowd-7 olena007", ("crowd-7", "olena007")),
        ("1 " * 20, ("1",) * 8),
        ("", ()),
    ],
)
def test_a_number_with_blanks_is_one_word(text, words):
    assert words_of(text) == words


@pytest.mark.parametrize(
    ("typed", "begins"),
    [
        ("067", "38067"),
        ("0671112", "380671112"),
        ("0671112233", "380671112233"),
        ("+38067", "38067"),
        ("0038067", "38067"),
        ("38067", "38067"),
        ("+38(067)1", "380671"),
        ("\u0660\u0666\u0667", "38067"),
    ],
)
def test_a_number_is_found_from_its_first_digits_on(typed, begins):
    assert meanings(typed, UA)["phone_text"] == begins
