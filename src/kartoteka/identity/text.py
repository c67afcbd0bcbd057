"""What no stored text may contain, and what counts as nothing said (decisions D3, wire 1.4)."""

from __future__ import annotations

import re
from typing import Any

import msgspec

# PostgreSQL refuses NUL in a text, and a lone surrogate cannot be written as UTF-8.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
# A JSON integer may have more digits than Python agrees to print (4,300).
_MAX_INT_BITS = 1024


class Unstorable(msgspec.Struct, frozen=True):
    """Stands for an element of a list that has a text which no database can hold: it fails alone."""

    raw: Any
    """The element as it came."""


def is_absent(value: object) -> bool:
    """Whether the value says nothing: JSON null, blank, or the word `null` in any case (D3)."""
    if isinstance(value, str):
        text = value.strip()
        return not text or (len(text) == 4 and text.lower() == "null")
    return value is None


def is_storable(text: str) -> bool:
    """Whether PostgreSQL can hold the text: no NUL, no lone surrogate."""
    return (text.isascii() and "\x00" not in text) or _UNSTORABLE.search(text) is None


def has_control_characters(text: str) -> bool:
    """Whether the text holds a control character (line breaks and tabs too) or a lone surrogate."""
    return not text.isprintable() and _CONTROL.search(text) is not None


def integer_digits(value: int) -> str | None:
    """The digits of a JSON integer, or None when it is longer than any text of ours may be."""
    return str(value) if value.bit_length() <= _MAX_INT_BITS else None
