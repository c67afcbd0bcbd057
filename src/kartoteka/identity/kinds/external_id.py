"""External ID: what the client's own system calls the person (guide G1, decisions D3)."""

from __future__ import annotations

import re

from kartoteka.identity.kinds.base import IdentifierKind, InvalidIdentifier, Region
from kartoteka.identity.text import has_control_characters, integer_digits, is_absent

NAME = "external_id"
MAX_CHARS = 255

_PLAIN = re.compile(r"[A-Za-z0-9_.:-]{1,255}")
# Space, and every no-break space of Unicode: fixed-width, narrow and zero-width ones too.
_BLANKS = " \u00a0\u2007\u202f\ufeff"


def normalise(value: object, _region: Region) -> str | None:
    """The External ID as text, trimmed, case and leading zeros kept (decisions D3)."""
    if isinstance(value, str):
        text = value
        if _PLAIN.fullmatch(text) is None:
            text = text.strip(_BLANKS)
    elif isinstance(value, int) and not isinstance(value, bool):
        text = integer_digits(value) or "too long" * MAX_CHARS
    elif value is None:
        return None
    else:
        raise InvalidIdentifier(NAME, "must be a text or an integer")
    if is_absent(text):
        return None
    if len(text) > MAX_CHARS:
        raise InvalidIdentifier(NAME, f"is longer than {MAX_CHARS} characters")
    if has_control_characters(text):
        raise InvalidIdentifier(NAME, "contains a control character")
    return text


KIND = IdentifierKind(
    code=1,
    name=NAME,
    label="External ID",
    lasting=True,
    exclusive=True,
    normalise=normalise,
    examples=(
        ("TV12790", "TV12790"),
        ("  TV12790\u00a0", "TV12790"),
        ("tv12790", "tv12790"),
        ("007", "007"),
        (4639541, "4639541"),
        (" ", None),
        ("NULL", None),
        (None, None),
    ),
)
