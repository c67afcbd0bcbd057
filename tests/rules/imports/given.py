"""What the tests of this folder read with: two custom fields more than a new account has."""

from __future__ import annotations

from datetime import UTC, datetime

from kartoteka.contacts.forms.contact import FormRules
from kartoteka.contacts.values.custom_fields import FieldDefinition, FieldType
from kartoteka.identity.model import Origin

ORIGIN = Origin(datetime(2026, 5, 1, tzinfo=UTC), "request-1", 7, "importContacts")
BIRTHDAY = FieldDefinition(1, "PERSONAL", "Personal", "BIRTHDAY", "Birthday", FieldType.DATE)
COLOUR = FieldDefinition(12, "SHOP", "Shop", "COLOUR", "Colour", FieldType.TEXTFIELD)
SIZE = FieldDefinition(13, "SHOP", "Shop", "SIZE", "Size", FieldType.NUMBER)
LOCKED = FieldDefinition(14, "SHOP", "Shop", "RANK", "Rank", FieldType.TEXTFIELD, readonly=True)
FIELDS = {"1": BIRTHDAY, "12": COLOUR, "13": SIZE, "14": LOCKED}
FORM = FormRules(fields=FIELDS)


def codes(notices) -> list[str]:
    return [one.code for one in notices]


def short(value: object) -> str | None:
    """The id of a parameter: long texts are cut."""
    return value[:20] if isinstance(value, str) and len(value) > 20 else None
