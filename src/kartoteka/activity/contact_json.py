"""Parameter `contactJson` of an event: a contact in its own spelling, checked whole (wire 6.1)."""

from __future__ import annotations

from typing import Any

import msgspec

from kartoteka.contacts.forms.contact import FormRules
from kartoteka.contacts.model import Profile
from kartoteka.contacts.values.address import clean_address_part
from kartoteka.contacts.values.custom_fields import check_value
from kartoteka.contacts.values.errors import InvalidField, InvalidValue
from kartoteka.contacts.values.language import clean_language
from kartoteka.contacts.values.names import clean_first_name, clean_last_name
from kartoteka.contacts.values.time_zone import clean_time_zone
from kartoteka.errors import InvalidRequest
from kartoteka.identity.kinds import PHONE, InvalidIdentifier

_MEMBERS = {
    "firstname": ("first_name", clean_first_name),
    "lastname": ("last_name", clean_last_name),
    "town": ("town", lambda raw: clean_address_part("town", raw)),
    "timeZone": ("time_zone", clean_time_zone),
    "languageCode": ("language_code", clean_language),
}


class InvalidContactJson(InvalidRequest):
    """The parameter contactJson is not valid; details.fields lists what is wrong with it."""

    code = "invalid_contact_json"


def read_contact_json(raw: Any, rules: FormRules) -> Profile:
    """The profile of a contact that the event creates. Raises `InvalidContactJson`.

    Its `sms` is checked and names nobody: what names the contact are the event's parameters (wire 6.3).
    """
    contact = _parse(raw)
    bad: list[str] = []
    values: dict[str, Any] = {}
    for member, (field, clean) in _MEMBERS.items():
        try:
            values[field] = clean(contact.get(member))
        except InvalidValue:
            bad.append(member)
    try:
        PHONE.normalise(contact.get("sms"), rules.region)
    except InvalidIdentifier:
        bad.append("sms")
    fields, bad_fields = _fields(contact.get("profileInputs"), rules)
    bad += bad_fields
    if not isinstance(contact.get("confirmed", False), (bool, type(None))):
        bad.append("confirmed")
    if bad:
        raise InvalidContactJson(f"contactJson has invalid fields: {', '.join(bad)}.", fields=bad)
    return Profile(**values, fields=fields)


def _parse(raw: Any) -> dict[str, Any]:
    if isinstance(raw, str):
        try:
            raw = msgspec.json.decode(raw)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            raise InvalidContactJson("contactJson is not valid JSON.") from None
    if not isinstance(raw, dict):
        raise InvalidContactJson("contactJson must be a JSON object.")
    return raw


def _fields(raw: Any, rules: FormRules) -> tuple[dict[str, str], list[str]]:
    """Custom fields by id, and the members that are wrong."""
    fields: dict[str, str] = {}
    bad: list[str] = []
    if raw is None:
        return fields, bad
    if not isinstance(raw, list):
        return fields, ["profileInputs"]
    for place, one in enumerate(raw):
        name = f"profileInputs[{place}]"
        definition = None
        if isinstance(one, dict):
            definition = rules.fields.get(str(one.get("profileInputId")).strip())
        if definition is None or not isinstance(one, dict):
            bad.append(name)
            continue
        try:
            text = check_value(definition, one.get("value"))
        except InvalidField:
            bad.append(name)
            continue
        if text is not None:
            fields[str(definition.id)] = text
    return fields, bad
