"""The postal address: region, town, address, postcode (wire 2.3)."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from kartoteka.contacts.values.errors import InvalidValue
from kartoteka.contacts.values.text import clean_text

ADDRESS_PARTS = ("region", "town", "address", "postcode")
MAX_CHARS = 255


class Address(msgspec.Struct, frozen=True):
    """The parts that were given; None is absent."""

    region: str | None = None
    town: str | None = None
    address: str | None = None
    postcode: str | None = None


def clean_address_part(part: str, value: object) -> str | None:
    """One part as text, which may have several lines. Raises `InvalidValue` (`address.town`)."""
    return clean_text(value, f"address.{part}", max_chars=MAX_CHARS, multiline=True)


def clean_address(raw: object) -> Address | None:
    """The address of a contact, None if no part says anything; other members are ignored.

    Raises `InvalidValue` for the first invalid part. Who wants to drop single parts cleans each.
    """
    if raw is None:
        return None
    if not isinstance(raw, Mapping):
        raise InvalidValue("address", "must be an object")
    parts = {part: clean_address_part(part, raw.get(part)) for part in ADDRESS_PARTS}
    return Address(**parts) if any(parts.values()) else None
