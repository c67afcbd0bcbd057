"""First and last names: what a name may look like (wire 2.4, decisions D18)."""

from __future__ import annotations

import re
import unicodedata

from kartoteka.contacts.values.errors import InvalidValue
from kartoteka.contacts.values.text import clean_text

MAX_CHARS = 40
MAX_DIGITS = 3
SHORT_WORD_CHARS = 3
MAX_WORDS_OF_A_LENGTH = 3

APOSTROPHES = frozenset(
    "'\u2018\u2019\u02bc`\u00b4\u02b9\u02bb\u02bd\u02be\u02bf\u02c8\u02ca\u02ee\u0384\u055a"
    "\u1fbd\u1fbf\u201b\u2032\u2035\ua78b\ua78c\uff07"
)
HYPHENS = frozenset("-\u2010\u2011")
# Joiners shape letters in Persian and in the scripts of India; they are no letters themselves.
_JOINERS = frozenset("\u200c\u200d")
_INSIDE = APOSTROPHES | HYPHENS | _JOINERS
# Which way to write, not what: Arabic and Hebrew names bring these along from tables and documents.
_DIRECTIONS = dict.fromkeys(
    (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A), 0xFEFF)
)

# One word of Latin or Cyrillic letters: nearly every name.
_PLAIN = re.compile(
    "[A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u0400-\u0481\u048a-\u052f]{1,40}"
)


def clean_first_name(value: object) -> str | None:
    """The name without outer blanks, None if absent. Raises `InvalidValue` (`firstName`).

    At most 3 words longer than 3 characters and at most 3 shorter ones, else as the last name.
    """
    name = clean_last_name(value, "firstName")
    if name is not None and not name.isalpha() and _has_too_many_words(name):
        raise InvalidValue("firstName", "has more than 3 long or more than 3 short words")
    return name


def clean_last_name(value: object, field: str = "lastName") -> str | None:
    """The name without outer blanks and marks of direction, None if absent: up to 40 characters,
    any number of words.

    Raises `InvalidValue`.
    """
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value.lower() != "null":
        return value
    if isinstance(value, str) and not value.isascii():
        value = value.translate(_DIRECTIONS)
    name = clean_text(value, field, max_chars=MAX_CHARS)
    if name is None:
        return None
    if not any(_is_letter(char) for char in name):
        raise InvalidValue(field, "has no letters")
    if sum(char.isdecimal() for char in name) > MAX_DIGITS:
        raise InvalidValue(field, f"has more than {MAX_DIGITS} digits")
    if not all(_is_word(word) for word in name.split()):
        raise InvalidValue(field, "has a sign that is not allowed or not at its place")
    return name


def _has_too_many_words(name: str) -> bool:
    lengths = [len(word.removesuffix(".")) for word in name.split()]
    short = sum(length <= SHORT_WORD_CHARS for length in lengths)
    return max(short, len(lengths) - short) > MAX_WORDS_OF_A_LENGTH


def _is_word(word: str) -> bool:
    """Letters, digits; apostrophes and hyphens inside; a dot after at most 3 characters (`Jr.`)."""
    if word.endswith("."):
        word = word[:-1]
        if not 0 < len(word) <= SHORT_WORD_CHARS:
            return False
    if not (_is_letter_or_digit(word[0]) and _ends_well(word[-1])):
        return False
    return all(_ends_well(char) or char in _INSIDE for char in word)


def _is_letter(char: str) -> bool:
    return char.isalpha() and char not in APOSTROPHES


def _is_letter_or_digit(char: str) -> bool:
    return _is_letter(char) or char.isdecimal()


def _ends_well(char: str) -> bool:
    """A letter, a digit, or a mark that belongs to the letter before it (é as two code points)."""
    return _is_letter_or_digit(char) or unicodedata.category(char) in ("Mn", "Mc")
