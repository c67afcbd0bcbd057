"""Our own contact id in a row (guide G7, decisions D9)."""

from __future__ import annotations

import re

from kartoteka.identity.kinds import InvalidIdentifier
from kartoteka.identity.text import is_absent

_DIGITS = re.compile(r"[0-9]{1,19}")
_MAX = 2**63 - 1


def read_contact_id(raw: object) -> int | None:
    """The id of a JSON number or text, None if absent; 0 is what some clients send for none.

    Raises `InvalidIdentifier`.
    """
    if isinstance(raw, str) and not is_absent(raw):
        text = raw.strip()
        number = int(text) if _DIGITS.fullmatch(text) else -1
    elif is_absent(raw):
        return None
    else:
        number = raw if isinstance(raw, int) and not isinstance(raw, bool) else -1
    if not 0 <= number <= _MAX:
        raise InvalidIdentifier("contact_id", "is not a positive integer")
    return number or None
