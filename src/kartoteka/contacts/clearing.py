"""`PUT …?clear=`: the one way to empty a value of a single contact (decisions D16, D11)."""

from __future__ import annotations

from kartoteka.contacts.model import ContactInput
from kartoteka.identity.changes import drop
from kartoteka.identity.history import Journal
from kartoteka.identity.kinds import EMAIL, EXTERNAL_ID, MOBILE_TOKEN, PHONE, WEB_TOKEN
from kartoteka.identity.model import Card, Held
from kartoteka.identity.working_set import WorkingSet

PROFILE = {
    "firstName": "first_name",
    "lastName": "last_name",
    "contactKey": "contact_key",
    "languageCode": "language_code",
    "timeZone": "time_zone",
    "region": "region",
    "town": "town",
    "address": "address",
    "postcode": "postcode",
}
IDENTIFIERS = {
    "externalCustomerId": EXTERNAL_ID.code,
    "formerExternalIds": EXTERNAL_ID.code,
    "email": EMAIL.code,
    "sms": PHONE.code,
    "mobilepush": MOBILE_TOKEN.code,
    "webpush": WEB_TOKEN.code,
}
FIELD_PREFIX = "fields."
"""`fields.12` clears custom field 12."""


def is_clearable(name: str) -> bool:
    """Whether `?clear=` may name it."""
    if name.startswith(FIELD_PREFIX):
        return name[len(FIELD_PREFIX) :].isdecimal()
    return name in PROFILE or name in IDENTIFIERS


def clear_fields(
    ws: WorkingSet, card: Card, names: frozenset[str], contact: ContactInput, journal: Journal
) -> bool:
    """Empty what is named, except what the same request gives a value; whether anything changed."""
    changed = False
    for name in sorted(names):
        if name in PROFILE:
            changed |= _clear_profile(card, PROFILE[name], contact)
        elif name.startswith(FIELD_PREFIX):
            changed |= _clear_custom(card, name[len(FIELD_PREFIX) :], contact)
        else:
            changed |= _clear_identifiers(ws, card, name, contact, journal)
    if changed:
        card.updated_at = journal.origin.at
    return changed


def _clear_profile(card: Card, attribute: str, contact: ContactInput) -> bool:
    if getattr(contact.profile, attribute) is not None or getattr(card, attribute) is None:
        return False
    setattr(card, attribute, None)
    return True


def _clear_custom(card: Card, field_id: str, contact: ContactInput) -> bool:
    if field_id in contact.profile.fields or field_id not in card.fields:
        return False
    card.fields = {key: value for key, value in card.fields.items() if key != field_id}
    return True


def _clear_identifiers(
    ws: WorkingSet, card: Card, name: str, contact: ContactInput, journal: Journal
) -> bool:
    kind = IDENTIFIERS[name]
    given = {one.key for one in contact.person.all()}
    doomed = [
        held
        for held in ws.identifiers_of(card.contact_id)
        if held.kind == kind and held.key not in given and _is_named(held, name)
    ]
    for held in doomed:
        drop(ws, card, held, journal, "cleared")
        _drop_consent(card, name)
    return bool(doomed)


def _is_named(held: Held, name: str) -> bool:
    return held.kind != EXTERNAL_ID.code or held.former == (name == "formerExternalIds")


def _drop_consent(card: Card, channel: str) -> None:
    """Without an address there is nothing to have consented to; refusals stay with the person."""
    state = card.consent.get(channel)
    if channel in ("email", "sms") and state is not None and state < 3:
        card.consent = {key: value for key, value in card.consent.items() if key != channel}
