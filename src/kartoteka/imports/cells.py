"""Cells of a file as values of a card: one reader a field (decisions D18)."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial

from kartoteka.contacts.forms.contact import MAX_CONTACT_KEY_CHARS
from kartoteka.contacts.values.address import ADDRESS_PARTS, clean_address_part
from kartoteka.contacts.values.errors import InvalidValue
from kartoteka.contacts.values.language import clean_language
from kartoteka.contacts.values.names import clean_first_name, clean_last_name
from kartoteka.contacts.values.text import clean_text
from kartoteka.contacts.values.time_zone import clean_time_zone
from kartoteka.identity.kinds import (
    DEVICE,
    EMAIL,
    MOBILE_TOKEN,
    PHONE,
    TELEGRAM_TOKEN,
    WEB_COOKIE,
    WEB_TOKEN,
    IdentifierKind,
    Region,
)
from kartoteka.imports.contact_id import read_contact_id
from kartoteka.imports.spoilt import refuse_cut_short, whole

Clean = Callable[[str], str | None]
"""From the cell to the stored text: None for what says nothing; raises for what is invalid."""

TOKENS: dict[str, IdentifierKind] = {
    "mobilepush": MOBILE_TOKEN,
    "webpush": WEB_TOKEN,
    "telegram": TELEGRAM_TOKEN,
    "deviceId": DEVICE,
    "webId": WEB_COOKIE,
}
CODES = {
    "email": "invalid_email",
    "sms": "invalid_phone",
    "id": "invalid_contact_id",
    "firstName": "invalid_name",
    "lastName": "invalid_name",
    "contactKey": "invalid_contact_key",
    "languageCode": "invalid_language",
    "timeZone": "invalid_time_zone",
    **dict.fromkeys(ADDRESS_PARTS, "invalid_address"),
}
"""What the notice of a dropped value is called, by field."""
REMEMBERED = 2_000
"""Values a column whose reading is remembered, while a file is read."""
_REPEATED = ("firstName", "lastName", "languageCode", "timeZone")
_ESCAPED = "=+-@\t\r"


def cleaner(name: str, region: Region) -> Clean:
    """The reader of a field that is neither External ID, token nor custom field.

    Towns, names and languages come again and again: one that was read is remembered for a while.
    """
    if name in ADDRESS_PARTS:
        return lru_cache(maxsize=REMEMBERED)(lambda cell: clean_address_part(name, cell))
    if name in _REPEATED:
        return lru_cache(maxsize=REMEMBERED)(_CLEANERS[name])
    if name == "email":
        return lambda cell: EMAIL.normalise(cell, region)
    if name == "sms":
        return lambda cell: PHONE.normalise(whole(cell), region)
    return _CLEANERS[name]


def _contact_key(cell: str) -> str | None:
    """It is an id of another system, and may name contacts."""
    key = clean_text(cell, "contactKey", max_chars=MAX_CONTACT_KEY_CHARS)
    if key is not None:
        refuse_cut_short(key, partial(InvalidValue, "contactKey"))
    return key


_CLEANERS: dict[str, Clean] = {
    "id": lambda cell: _digits(read_contact_id(whole(cell))),
    "firstName": clean_first_name,
    "lastName": clean_last_name,
    "contactKey": _contact_key,
    "languageCode": clean_language,
    "timeZone": clean_time_zone,
}


def _digits(contact_id: int | None) -> str | None:
    return None if contact_id is None else str(contact_id)


def unescaped(cell: str) -> str:
    """The cell without the apostrophe that keeps spreadsheets from taking it for a formula: our own
    downloads have it (`'-12`), and their values must come back as they were."""
    return cell[1:] if cell[0] == "'" and cell[1:2] and cell[1] in _ESCAPED else cell


def is_blank(cell: str) -> bool:
    """Whether the cell says nothing (decisions D3)."""
    if not cell:
        return True
    text = cell.strip()
    return not text or text.lower() == "null"
