"""What JSON value may stand for a text (wire 1.4: clients send numbers, blanks and nulls)."""

from __future__ import annotations

import re
from decimal import Decimal
from math import isfinite

from kartoteka.contacts.values.errors import InvalidValue
from kartoteka.identity.text import has_control_characters, integer_digits, is_absent

_LINE_SIGNS = re.compile(r"[\t\r\n]")


def clean_text(value: object, field: str, *, max_chars: int, multiline: bool = False) -> str | None:
    """The trimmed text, a number as its digits, None for null, `null` and blanks (decisions D16).

    Only a multiline text keeps tabs and line breaks; other control characters are refused anywhere.
    Raises `InvalidValue`.
    """
    if type(value) is str and value.isprintable():  # by far the most: nothing more to look for
        text = value.strip()
        if not text or (len(text) == 4 and is_absent(text)):
            return None
        if len(text) > max_chars:
            raise InvalidValue(field, f"is longer than {max_chars} characters")
        return text
    return _clean_rare(value, field, max_chars=max_chars, multiline=multiline)


def _clean_rare(value: object, field: str, *, max_chars: int, multiline: bool) -> str | None:
    text = _as_text(value, field)
    if text is None:
        return None
    if len(text) > max_chars:
        raise InvalidValue(field, f"is longer than {max_chars} characters")
    if has_control_characters(_LINE_SIGNS.sub(" ", text) if multiline else text):
        raise InvalidValue(field, "contains a control character")
    return text


def number_text(value: float) -> str | None:
    """The number's digits without exponent, `5` for 5.0; None if no text of ours holds it."""
    if isinstance(value, int):
        return integer_digits(value)
    if not isfinite(value):
        return None
    return integer_digits(int(value)) if value.is_integer() else f"{Decimal(repr(value)):f}"


def _as_text(value: object, field: str) -> str | None:
    if isinstance(value, str):
        return None if is_absent(value) else value.strip()
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidValue(field, "must be a text or a number")
    text = number_text(value)
    if text is None:
        raise InvalidValue(field, "is too large a number")
    return text
