"""What a column of a file may be: one table for reading, the docs and the page of the mapping."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

import msgspec

from kartoteka.contacts.clearing import FIELD_PREFIX
from kartoteka.contacts.uniques import UNIQUES, unique_field
from kartoteka.contacts.values.custom_fields import FieldDefinition, FieldType
from kartoteka.contacts.values.names import APOSTROPHES
from kartoteka.imports.headings import HEADINGS

Definitions = Mapping[str, FieldDefinition]
"""The account's custom fields by id as text."""


class ImportField(msgspec.Struct, frozen=True, rename="camel"):
    """One thing that a column may hold."""

    name: str
    """As options and the API call it; a custom field is `fields.12`."""
    label: str
    examples: tuple[str, ...]
    several: bool = False
    """Several columns may hold it: tokens, devices, cookies (decisions D5)."""


FIELDS: dict[str, ImportField] = {
    one.name: one
    for one in (
        ImportField("externalCustomerId", "External ID", ("TV12790", "4639541")),
        ImportField("email", "E-mail", ("alice@example.com",)),
        ImportField("sms", "Phone", ("+380942583691", "094 258 36 91")),
        ImportField("firstName", "First name", ("Alice",)),
        ImportField("lastName", "Last name", ("Kovalenko",)),
        ImportField("contactKey", "Contact key", ("A-1017",)),
        ImportField("languageCode", "Language", ("uk", "en-US")),
        ImportField("timeZone", "Time zone", ("Europe/Kyiv",)),
        ImportField("region", "Region", ("Lvivska",)),
        ImportField("town", "Town", ("Lviv",)),
        ImportField("address", "Address", ("Svobody Avenue 1",)),
        ImportField("postcode", "Postcode", ("79000",)),
        ImportField("id", "Contact ID", ("1043",)),
        ImportField("mobilepush", "Mobile push token", ("fcm-7dK3:APA91bH",), several=True),
        ImportField("webpush", "Web push token", ("web-dGhpcw",), several=True),
        ImportField("telegram", "Telegram token", ("telegram-5512",), several=True),
        ImportField("deviceId", "Device", ("b6f0c3d2-6f6e-4d9c-9d4f",), several=True),
        ImportField("webId", "Web cookie", ("8f14e45f-ceea-4c2d",), several=True),
    )
}
"""By name; `custom_field` adds those of an account."""

_EXAMPLES = {
    FieldType.NUMBER: "42",
    FieldType.DECIMAL: "9.99",
    FieldType.DATE: "1990-01-31",
    FieldType.DATETIME: "2026-01-31T09:30",
    FieldType.CHECKBOXLIST: "red,green",
    FieldType.TAGS: "vip,wholesale",
}
_OF_UNIQUE = {"push": "mobilepush"}
# Some apostrophes are letters to Unicode: `Імʼя` is `Ім'я`.
_SIGNS = re.compile(rf"[\W_{re.escape(''.join(sorted(APOSTROPHES)))}]+")


def heading_key(text: str) -> str:
    """A heading as it is compared: letters and digits only, in one case."""
    return _SIGNS.sub("", unicodedata.normalize("NFKC", text).casefold())


def custom_name(definition: FieldDefinition) -> str:
    """`fields.12`."""
    return f"{FIELD_PREFIX}{definition.id}"


def definition_of(name: str, definitions: Definitions) -> FieldDefinition | None:
    """The custom field that `fields.12` means."""
    return definitions.get(name[len(FIELD_PREFIX) :]) if name.startswith(FIELD_PREFIX) else None


def custom_field(definition: FieldDefinition) -> ImportField:
    """A custom field as a line of the table."""
    example = (
        definition.possible_values[0]
        if definition.possible_values
        else _EXAMPLES.get(definition.type, "…")
    )
    return ImportField(custom_name(definition), definition.name, (example,))


def all_fields(definitions: Definitions) -> list[ImportField]:
    """What a column may be in this account: custom fields that only we may write are left out."""
    customs = [custom_field(one) for one in definitions.values() if not one.readonly]
    return [*FIELDS.values(), *customs]


def label_of(name: str, definitions: Definitions) -> str:
    """What people call the field."""
    if name in FIELDS:
        return FIELDS[name].label
    definition = definition_of(name, definitions)
    return name if definition is None else definition.name


def field_named(word: str, definitions: Definitions) -> str | None:
    """The name of the field that an option means, in any usual spelling; None if it means none."""
    key = heading_key(word)
    if key in _WORDS:
        return _WORDS[key]
    unique = unique_field(word)
    if unique is not None and _OF_UNIQUE.get(unique.name, unique.name) in FIELDS:
        return _OF_UNIQUE.get(unique.name, unique.name)
    custom = custom_named(word, definitions)
    if custom is not None:
        return custom_name(custom)
    found = [name for name, headings in _HEADING_KEYS.items() if key in headings]
    return found[0] if found else None


def custom_named(word: str, definitions: Definitions) -> FieldDefinition | None:
    """The custom field of `fields.12`, `LIST.FIELD`, `%LIST.FIELD%` or a name that only one has."""
    text = word.strip().strip("%").lower()
    if (definition := definition_of(text, definitions)) is not None:
        return definition
    for definition in definitions.values():
        if definition.path.lower() == text:
            return definition
    named = [one for one in definitions.values() if heading_key(one.name) == heading_key(word)]
    return named[0] if len(named) == 1 and heading_key(word) else None


_WORDS = {
    heading_key(word): field.name for field in FIELDS.values() for word in (field.label, field.name)
}
_HEADING_KEYS = {name: [heading_key(one) for one in HEADINGS.get(name, ())] for name in FIELDS}


def heading_ranks() -> dict[str, tuple[int, str]]:
    """(rank, field) by heading: the smaller the rank, the surer the guess."""
    ranks: dict[str, tuple[int, str]] = {}
    for name, keys in _HEADING_KEYS.items():
        for rank, key in enumerate(keys):
            assert key not in ranks, key
            ranks[key] = (rank, name)
    return ranks


assert {_OF_UNIQUE.get(name, name) for name in UNIQUES} - set(FIELDS) == {"email_or_sms", "fieldId"}
