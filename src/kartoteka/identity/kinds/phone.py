"""Phone number: the digits of E.164 without plus (decisions D4)."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import phonenumbers

from kartoteka.identity.kinds.base import IdentifierKind, InvalidIdentifier, Region
from kartoteka.identity.kinds.phone_patterns import read_quickly
from kartoteka.identity.text import is_absent

NAME = "phone"
MAX_CHARS = 64
# libphonenumber takes about 34 µs a number, and the same people come again and again.
CACHED_READINGS = 16_384

_PLAIN = re.compile(r"\+?[0-9]{5,20}")
# Blanks, dashes, dots and brackets of every script, and invisible marks that copying brings along.
_PUNCTUATION = re.compile(
    r"[\s()\[\].,/~\-\u00ad\u00b7\u2010-\u2015\u2212\u2053\u223c\uff5e"
    r"\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]+"
)
_DIGIT = re.compile(r"\d")


def normalise(value: object, region: Region) -> str | None:
    """The E.164 digits of a number that is valid in the region or internationally (decisions D4).

    Stored digits may read as a number of another region: whoever checks a stored number again puts
    a plus before it.
    """
    text = _as_text(value)
    if text is None:
        return None
    if _PLAIN.fullmatch(text) is None:
        text = _plain(text)
    digits = read_quickly(text.removeprefix("+"), region) or _read(text, region)
    if digits is None:
        raise InvalidIdentifier(
            NAME, "is not a valid number of the region or in international format"
        )
    return digits


def begun(text: str, region: Region) -> str:
    """How the stored digits of a number begin of which only so much is typed yet."""
    digits = "".join(str(unicodedata.decimal(char)) for char in text if char.isdecimal())
    plain = text.lstrip(" (")
    if plain.startswith(("+", "\uff0b")):
        return digits
    if digits.startswith("00"):
        return digits[2:]
    known = phonenumbers.PhoneMetadata.metadata_for_region(region)
    trunk = None if known is None else known.national_prefix
    if trunk and digits.startswith(trunk):
        return f"{phonenumbers.country_code_for_region(region)}{digits.removeprefix(trunk)}"
    return digits


def is_region(text: str) -> bool:
    """Whether phone numbers can be read as numbers of that country (ISO 3166-1 alpha-2)."""
    return text in phonenumbers.SUPPORTED_REGIONS


def _as_text(value: object) -> str | None:
    if isinstance(value, str):
        return None if is_absent(value) else value
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool):
        raise InvalidIdentifier(NAME, "must be a text or an integer")
    return str(value) if 0 <= value < 10**MAX_CHARS else "too long"


def _plain(text: str) -> str:
    """The number without punctuation, in ASCII digits of whatever script it was written in."""
    if len(text) > MAX_CHARS:
        raise InvalidIdentifier(NAME, f"is longer than {MAX_CHARS} characters")
    text = _PUNCTUATION.sub("", text).replace("\uff0b", "+")
    text = _DIGIT.sub(lambda digit: str(unicodedata.decimal(digit[0])), text)
    if _PLAIN.fullmatch(text) is None:
        raise InvalidIdentifier(NAME, "must have 5 to 20 digits and no letters")
    return text


@lru_cache(maxsize=CACHED_READINGS)
def _read(text: str, region: Region) -> str | None:
    """The first valid reading: international if it says so, else as the region's number first."""
    if text.startswith("00"):
        text = "+" + text[2:]
    if text.startswith("+"):
        return _valid(text, None)
    return _valid(text, region) or _valid("+" + text, None)


def _valid(text: str, region: Region | None) -> str | None:
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)[1:]


KIND = IdentifierKind(
    code=3,
    name=NAME,
    label="Phone",
    lasting=True,
    exclusive=False,
    normalise=normalise,
    examples=(
        ("380942583691", "380942583691"),
        ("+380 (94) 258-36-91", "380942583691"),
        ("00380942583691", "380942583691"),
        ("094 258 36 91", "380942583691"),
        (942583691, "380942583691"),
        ("٠٩٤٢٥٨٣٦٩١", "380942583691"),
        ("48512345678", "48512345678"),
        (" ", None),
        ("null", None),
        (None, None),
    ),
)
