"""A contact out of JSON: tolerant where clients are sloppy, strict about whom it names.

Clients send one object for a list, numbers for text, blanks and nulls for nothing (wire 1.4). What is
invalid beside a usable identifier is dropped with a notice (decisions D18); an invalid External ID is
an error (D3), because a call that names a person badly may hit another one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from kartoteka.contacts.forms.channels import Channels, never_notice, read_channels, read_identifier
from kartoteka.contacts.model import ContactInput, Profile
from kartoteka.contacts.values.address import clean_address_part
from kartoteka.contacts.values.custom_fields import FieldDefinition, check_value
from kartoteka.contacts.values.errors import InvalidField, InvalidValue
from kartoteka.contacts.values.language import clean_language
from kartoteka.contacts.values.names import clean_first_name, clean_last_name
from kartoteka.contacts.values.text import clean_text
from kartoteka.contacts.values.time_zone import clean_time_zone
from kartoteka.identity.kinds import (
    DEFAULT_REGION,
    DEVICE,
    EXTERNAL_ID,
    WEB_COOKIE,
    IdentifierKind,
    Region,
)
from kartoteka.identity.model import Identifier, Notice
from kartoteka.identity.never import is_never
from kartoteka.identity.rules import Person

MAX_CONTACT_KEY_CHARS = 255


class FormRules(msgspec.Struct, frozen=True):
    """What an account adds to the reading: its region and its custom fields by id."""

    region: Region = DEFAULT_REGION
    fields: Mapping[str, FieldDefinition] = {}


_NO_CHANNELS = Channels(tokens=[])


def read_contact(raw: dict[str, Any], rules: FormRules) -> ContactInput:
    """Whom the object names and what it says. Raises `InvalidIdentifier` for a bad External ID."""
    warnings: list[Notice] = []
    get = raw.get
    external_id = read_external_id(get("externalCustomerId"), rules.region, warnings)
    changeable: list[Identifier] = []
    device = None
    if "deviceId" in raw:
        devices = _several(DEVICE, raw["deviceId"], rules.region, warnings)
        device = devices[0].value if len(devices) == 1 else None
        changeable += devices
    if "webId" in raw:
        changeable += _several(WEB_COOKIE, raw["webId"], rules.region, warnings)
    channels = _NO_CHANNELS
    if sent := get("channels"):
        channels = read_channels(sent, rules.region, device, warnings)
    profile = _read_profile(raw, rules, warnings)
    person = Person(
        external_id,
        channels.email,
        channels.phone,
        (*channels.tokens, *changeable) if changeable else tuple(channels.tokens),
        profile.first_name,
        profile.last_name,
    )
    return ContactInput(person, profile, tuple(warnings))


def read_external_id(raw: object, region: Region, warnings: list[Notice]) -> Identifier | None:
    """The External ID, None if absent or a value that stands for nobody (decisions D3, D6)."""
    if raw is None:
        return None
    value = EXTERNAL_ID.normalise(raw, region)
    if value is None:
        return None
    if is_never(EXTERNAL_ID, value):
        warnings.append(never_notice(EXTERNAL_ID, "externalCustomerId"))
        return None
    return Identifier(EXTERNAL_ID.code, value)


def _several(
    kind: IdentifierKind, raw: object, region: Region, warnings: list[Notice]
) -> list[Identifier]:
    """`deviceId` and `webId`: one text or a list of them (decisions D34), each value once."""
    found: dict[str, Identifier] = {}
    for item in raw if isinstance(raw, list) else (raw,):
        value = read_identifier(kind, item, region, warnings)
        if value is not None:
            found[value] = Identifier(kind.code, value)
    return list(found.values())


def _read_profile(raw: dict[str, Any], rules: FormRules, warnings: list[Notice]) -> Profile:
    """The profile's values. Absent ones cost nothing: this runs for every request."""
    get = raw.get
    first = last = key = language = zone = None
    region = town = address = postcode = None
    if (value := get("firstName")) is not None:
        first = _kept(clean_first_name, value, "invalid_name", warnings)
    if (value := get("lastName")) is not None:
        last = _kept(clean_last_name, value, "invalid_name", warnings)
    if (value := get("contactKey")) is not None:
        key = _kept(_contact_key, value, "invalid_contact_key", warnings)
    if (value := get("languageCode")) is not None:
        language = _kept(clean_language, value, "invalid_language", warnings)
    if (value := get("timeZone")) is not None:
        zone = _kept(clean_time_zone, value, "invalid_time_zone", warnings)
    if value := get("address"):
        region, town, address, postcode = _address(value, warnings)
    fields = _fields(sent, rules.fields, warnings) if (sent := get("fields")) else _NO_FIELDS
    return Profile(first, last, key, language, zone, region, town, address, postcode, fields)


_NO_FIELDS: dict[str, str] = {}


def _kept(
    clean: Callable[[object], str | None], value: object, code: str, warnings: list[Notice]
) -> str | None:
    try:
        return clean(value)
    except InvalidValue as error:
        warnings.append(Notice(code, str(error), error.field))
        return None


def _contact_key(value: object) -> str | None:
    return clean_text(value, "contactKey", max_chars=MAX_CONTACT_KEY_CHARS)


def _address(raw: object, warnings: list[Notice]) -> tuple[str | None, ...]:
    """Region, town, address, postcode: a part that is invalid does not take the others along."""
    if not isinstance(raw, dict):
        warnings.append(_INVALID_ADDRESS)
        return (None, None, None, None)
    get = raw.get
    return (
        _address_part("region", get("region"), warnings),
        _address_part("town", get("town"), warnings),
        _address_part("address", get("address"), warnings),
        _address_part("postcode", get("postcode"), warnings),
    )


def _address_part(part: str, value: object, warnings: list[Notice]) -> str | None:
    if value is None:
        return None
    try:
        return clean_address_part(part, value)
    except InvalidValue as error:
        warnings.append(Notice("invalid_address", str(error), error.field))
        return None


def _fields(
    raw: object, definitions: Mapping[str, FieldDefinition], warnings: list[Notice]
) -> dict[str, str]:
    """Custom fields by id; one that the account does not define is named in a notice."""
    fields: dict[str, str] = {}
    for item in raw if isinstance(raw, list) else (raw,):
        if not isinstance(item, dict):
            warnings.append(_INVALID_FIELD)
            continue
        definition = definitions.get(str(item.get("id")).strip())
        if definition is None:
            warnings.append(UNKNOWN_FIELD)
        elif definition.readonly:
            message = "The field cannot be written by the API."
            warnings.append(Notice("readonly_field", message, definition.path))
        else:
            _set_field(fields, definition, item.get("value"), warnings)
    return fields


def _set_field(
    fields: dict[str, str], definition: FieldDefinition, raw: object, warnings: list[Notice]
) -> None:
    try:
        text = check_value(definition, raw)
    except InvalidField as error:
        warnings.append(Notice("invalid_field", str(error), error.field))
        return
    if text is not None:
        fields[str(definition.id)] = text


_INVALID_ADDRESS = Notice("invalid_address", "The address must be an object.", "address")
_INVALID_FIELD = Notice(
    "invalid_field", "A custom field must be an object with id and value.", "fields"
)
UNKNOWN_FIELD = Notice("unknown_field", "The account has no custom field with this id.", "fields")
