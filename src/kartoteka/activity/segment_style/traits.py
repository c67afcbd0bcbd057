"""Traits of `identify` as values of the card (clients 6): the reserved ones, and custom fields.

A custom field takes the trait that is spelled like its key, `LIST.KEY` or its name, however words are
joined: `favouriteColour`, `favourite_colour` and `Favourite colour` are one. What no field takes is
dropped with a notice: an account decides what it keeps of a person.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from kartoteka.contacts.forms.contact import FormRules, read_contact
from kartoteka.contacts.model import ContactInput
from kartoteka.contacts.values.custom_fields import FieldDefinition
from kartoteka.identity.model import Identifier, Notice

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_NOT_IN_A_KEY = re.compile(r"[^A-Z0-9]+")
_RESERVED: dict[str, tuple[str, ...]] = {
    "firstName": ("firstName", "firstname", "first_name"),
    "lastName": ("lastName", "lastname", "last_name"),
    "email": ("email",),
    "phone": ("phone",),
    "languageCode": ("languageCode", "language", "locale"),
    "timeZone": ("timeZone", "timezone"),
}
_ADDRESS: dict[str, tuple[str, ...]] = {
    "region": ("state", "region"),
    "town": ("city", "town"),
    "address": ("street", "address"),
    "postcode": ("postalCode", "postcode", "postal_code", "zip"),
}
_TAKEN = frozenset(name for names in _RESERVED.values() for name in names) | {"name", "address"}
_FROM_CONTEXT = {"languageCode": "locale", "timeZone": "timezone"}


def read_traits(
    traits: Mapping[str, Any],
    context: Mapping[str, Any],
    user: Identifier | None,
    changeable: tuple[Identifier, ...],
    rules: FormRules,
) -> ContactInput:
    """Whom the traits name beside `user` and what they say of that person."""
    said = {name: _first(traits, names) for name, names in _RESERVED.items()}
    for name, member in _FROM_CONTEXT.items():
        if said[name] is None:
            said[name] = context.get(member)
    _split_name(said, traits.get("name"))
    fields, unknown = _fields(traits, rules.fields)
    contact = read_contact(
        {
            "externalCustomerId": None if user is None else user.value,
            "channels": [
                {"type": "email", "value": said.pop("email")},
                {"type": "sms", "value": said.pop("phone")},
            ],
            **said,
            "address": _address(traits.get("address")),
            "fields": fields,
        },
        rules,
    )
    warnings = [*contact.warnings]
    if unknown:
        text = "The account has no custom field for some of the traits."
        warnings.append(Notice("unknown_field", text, "traits"))
    person = contact.person
    person = type(person)(
        person.external_id,
        person.email,
        person.phone,
        (*person.changeable, *changeable),
        person.first_name,
        person.last_name,
    )
    return ContactInput(person, contact.profile, tuple(warnings))


def _first(traits: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    return next((traits[name] for name in names if traits.get(name) not in (None, "")), None)


def _split_name(said: dict[str, Any], name: Any) -> None:
    """`name` where neither part was given: the first word, and the rest."""
    if not isinstance(name, str) or said["firstName"] or said["lastName"]:
        return
    first, _, last = name.strip().partition(" ")
    said["firstName"], said["lastName"] = first or None, last.strip() or None


def _address(raw: Any) -> Any:
    if not isinstance(raw, dict):
        return {"address": raw} if isinstance(raw, str) else None
    return {name: _first(raw, names) for name, names in _ADDRESS.items()}


def _fields(
    traits: Mapping[str, Any], definitions: Mapping[str, FieldDefinition]
) -> tuple[list[dict[str, Any]], bool]:
    """Custom fields out of traits, and whether any trait was for no field."""
    ids: dict[str, str] = {}
    for number, one in definitions.items():
        for spelled in (one.path, one.name, one.key):
            ids.setdefault(key_of(spelled), number)
    found: list[dict[str, Any]] = []
    unknown = False
    for name, value in traits.items():
        field_id = ids.get(key_of(name))
        if field_id is None:
            unknown = unknown or name not in _TAKEN
        elif value is not None:
            found.append({"id": field_id, "value": _plain(value)})
    return found, unknown


def key_of(name: str) -> str:
    """How names are compared: `FAVOURITE_COLOUR`; in other scripts the name in small letters."""
    key = _NOT_IN_A_KEY.sub("_", _CAMEL.sub("_", name).upper()).strip("_")
    return key if name.isascii() else name.strip().casefold()


def _plain(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return [str(one) for one in value if isinstance(one, str | int)]
    return value
