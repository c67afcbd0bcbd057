"""Identifiers that a machine made: compared letter by letter (decisions D4)."""

from __future__ import annotations

from collections.abc import Callable

from kartoteka.identity.kinds.base import InvalidIdentifier, Region
from kartoteka.identity.text import is_absent, is_storable

MAX_CHARS = 4096


def verbatim(name: str) -> Callable[[object, Region], str | None]:
    """The rule of a token, device or cookie of that kind: the text as it came, up to 4,096 long."""

    def normalise(value: object, _region: Region) -> str | None:
        if not isinstance(value, str):
            if value is None:
                return None
            raise InvalidIdentifier(name, "must be a text")
        if is_absent(value):
            return None
        if len(value) > MAX_CHARS:
            raise InvalidIdentifier(name, f"is longer than {MAX_CHARS} characters")
        if not is_storable(value):
            raise InvalidIdentifier(name, "contains a character that no text may hold")
        return value

    return normalise
