"""A contact out of a form: read as the API reads one, but what is wrong is said beside its field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from kartoteka.contacts.forms.contact import FormRules, read_contact
from kartoteka.contacts.model import ContactInput
from kartoteka.contacts.values.custom_fields import FieldDefinition
from kartoteka.identity.kinds import InvalidIdentifier, Region

PROFILE = ("firstName", "lastName", "contactKey", "languageCode", "timeZone")
ADDRESS = ("region", "town", "address", "postcode")
CHANNELS = ("email", "sms")
TEXTS = ("externalCustomerId", *CHANNELS, *PROFILE, *ADDRESS)
"""Names of the form's fields, those of the API; a custom field is `fields.12`."""

_FIELD_OF_NOTICE = {"invalid_email": "email", "invalid_phone": "sms"}


def read_fields(
    values: Mapping[str, str], region: Region, definitions: Mapping[str, FieldDefinition]
) -> tuple[ContactInput, dict[str, str]]:
    """(the contact, problems by field): blank fields say nothing."""
    problems: dict[str, str] = {}
    raw: dict[str, Any] = {name: _text(values, name) for name in PROFILE}
    raw["externalCustomerId"] = _text(values, "externalCustomerId")
    raw["channels"] = [
        {"type": name, "value": text} for name in CHANNELS if (text := _text(values, name))
    ]
    raw["address"] = {name: _text(values, name) for name in ADDRESS}
    raw["fields"] = [
        {"id": one, "value": text}
        for one in definitions
        if (text := _text(values, f"fields.{one}"))
    ]
    writable = {name: _writable(one) for name, one in definitions.items()}
    try:
        contact = read_contact(raw, FormRules(region, writable))
    except InvalidIdentifier as error:
        return ContactInput(), {"externalCustomerId": error.message}
    for notice in contact.warnings:
        field = _FIELD_OF_NOTICE.get(notice.code) or _field(notice.field, definitions)
        problems[field] = notice.message
    return contact, problems


def _text(values: Mapping[str, str], name: str) -> str | None:
    return values.get(name, "").strip() or None


def _writable(one: FieldDefinition) -> FieldDefinition:
    """What the API may not write, people may: they are the ones who keep it."""
    return msgspec.structs.replace(one, readonly=False) if one.readonly else one


def _field(named: str | None, definitions: Mapping[str, FieldDefinition]) -> str:
    """The form's name of the field that a notice speaks of."""
    for number, one in definitions.items():
        if named == one.path:
            return f"fields.{number}"
    name = (named or "").rpartition(".")[2]
    return {"external_id": "externalCustomerId", "phone": "sms"}.get(name, name)
