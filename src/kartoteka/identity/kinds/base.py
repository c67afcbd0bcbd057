"""What an identifier kind is, and the error of a value that is not of its kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NewType

import msgspec

from kartoteka.errors import InvalidRequest

Region = NewType("Region", str)
"""ISO 3166-1 alpha-2 code of the country whose phone numbers are written without a prefix (D4)."""

DEFAULT_REGION = Region("UA")


class InvalidIdentifier(InvalidRequest):
    """An identifier is not valid."""

    code = "invalid_identifier"

    def __init__(self, kind: str, reason: str) -> None:
        """`reason` goes into answers and logs, so it never quotes the value."""
        words = "External ID" if kind == "external_id" else kind.replace("_", " ")
        super().__init__(f"The {words} {reason}.", kind=kind)
        self.kind = kind
        self.reason = reason


class IdentifierKind(msgspec.Struct, frozen=True, eq=False):
    """One kind of identifier (decisions D1, D2).

    There is one object per kind, so two kinds are equal when they are the same object.
    """

    code: int
    """What the database stores; never reused."""
    name: str
    label: str
    lasting: bool
    """Conditionally permanent in the words of guide G2; the others are changeable."""
    exclusive: bool
    """Stands on one contact at a time (D2)."""
    normalise: Callable[[object, Region], str | None]
    """The value as stored and compared; None if the JSON value says nothing.

    Raises `InvalidIdentifier` and nothing else, whatever the value.
    """
    examples: tuple[tuple[Any, str | None], ...]
    """(input, stored value) for the region `UA`, shown in the docs and checked by one test."""
