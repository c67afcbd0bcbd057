"""A card as the wire shows it (wire 2.1, 3.3): what is unset is left out, never null (clients 1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kartoteka.activity.visitors.model import VISITOR
from kartoteka.contacts.reads import ReadCard, Token
from kartoteka.contacts.values.custom_fields import FieldDefinition
from kartoteka.identity.kinds import MOBILE_TOKEN, WEB_TOKEN

ADDRESS_BOOK_ID = 1
"""The number of an account's one catalogue of custom fields; an account has no other."""

_BLOCKS = {
    MOBILE_TOKEN.code: ("mobilepush", "device"),
    WEB_TOKEN.code: ("webpush", "webPushSubscription"),
}
_OURS = frozenset(("mutedUntil", VISITOR))
"""Attributes of a token that the original's blocks do not have."""


def contact_json(card: ReadCard, fields: Mapping[str, FieldDefinition]) -> dict[str, Any]:
    """The contact as GET answers it; `fields` are the account's definitions by id."""
    body: dict[str, Any] = {}
    if card.first_name is not None:
        body["firstName"] = card.first_name
    if card.last_name is not None:
        body["lastName"] = card.last_name
    body["channels"] = channels(card)
    if card.address or card.town or card.region or card.postcode:
        body["address"] = {
            "region": card.region or "",
            "town": card.town or "",
            "address": card.address or "",
            "postcode": card.postcode or "",
        }
    if card.fields:
        values = [
            {"id": one.id, "value": card.fields[field_id]}
            for field_id, one in fields.items()
            if field_id in card.fields
        ]
        if values:
            body["fields"] = values
    if fields:
        body["addressBookId"] = ADDRESS_BOOK_ID
    body["id"] = card.contact_id
    if card.external_id is not None:
        body["externalCustomerId"] = card.external_id
    if card.contact_key is not None:
        body["contactKey"] = card.contact_key
    if card.lists:
        body["groups"] = [
            {"id": list_id, "name": name, "type": kind} for list_id, name, kind in card.lists
        ]
    if card.language_code is not None:
        body["languageCode"] = card.language_code
    if card.time_zone is not None:
        body["timeZone"] = card.time_zone
    return body


def channels(card: ReadCard) -> list[dict[str, Any]]:
    """E-mail, phone, then push tokens, oldest first; always a list (the one required member)."""
    found: list[dict[str, Any]] = []
    if card.email is not None:
        found.append({"type": "email", "value": card.email})
    if card.phone is not None:
        found.append({"type": "sms", "value": card.phone})
    if card.tokens:
        found += map(_token, card.tokens)
    return found


def _token(token: Token) -> dict[str, Any]:
    kind, value, app, attributes = token
    name, block_name = _BLOCKS[kind]
    channel: dict[str, Any] = {"type": name, "value": value}
    block = {key: text for key, text in (attributes or {}).items() if key not in _OURS}
    if app is not None:
        # The original's schema has a number in one block and a UUID in the other.
        is_number = kind == WEB_TOKEN.code and app.isascii() and app.isdigit() and len(app) < 19
        block = {"appId": int(app) if is_number else app, **block}
    if block:
        channel[block_name] = block
    return channel
