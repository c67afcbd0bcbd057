"""App tokens: added, activated, muted (wire 3.12; decisions D7, D8, D29)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from kartoteka.contacts.consent import addresses
from kartoteka.contacts.model import ActivateToken, AddAppToken, MuteToken, Outcome
from kartoteka.contacts.settle import Settling, settle
from kartoteka.errors import NoIdentifier, NotFound
from kartoteka.identity.history import Journal
from kartoteka.identity.kinds import MOBILE_TOKEN, TELEGRAM_TOKEN, WEB_TOKEN
from kartoteka.identity.model import Card, Held, Identifier, Key, Notice, Resolution, Status
from kartoteka.identity.policies import APP_TOKEN
from kartoteka.identity.rules import Decision, Found, Nobody, Person, Restore, find
from kartoteka.identity.sides import speak_as
from kartoteka.identity.working_set import WorkingSet

TOKEN_KINDS = (MOBILE_TOKEN.code, WEB_TOKEN.code, TELEGRAM_TOKEN.code)


def add_app_token(
    ws: WorkingSet, command: AddAppToken, decision: Decision | None = None
) -> Outcome:
    """Give the token to the contact that contactId, External ID, phone or e-mail names (D7)."""
    item = command.item
    resolution = Resolution(warnings=list(item.contact.warnings))
    token = Identifier(command.kind, item.token, app=command.app)
    person = msgspec.structs.replace(item.contact.person, changeable=(token,))
    if decision is None:
        decision, person = _whose(ws, item.contact_id, person, resolution)
    if isinstance(decision, Nobody):
        raise NoIdentifier("Name the contact: contactId, externalCustomerId, phone or email.")
    if _is_suppressed(ws, person, decision):
        return Outcome(Resolution(None, "suppressed", warnings=resolution.warnings))
    work = Settling(
        ws,
        person,
        item.contact.profile,
        APP_TOKEN,
        Journal(ws, command.origin),
        resolution,
        email_state=None,
    )
    settled = settle(work, decision)
    return Outcome(resolution, new=settled.new)


def _whose(
    ws: WorkingSet, contact_id: int | None, person: Person, resolution: Resolution
) -> tuple[Decision, Person]:
    """D8: a contactId comes first; unknown it is as if absent, and nobody else's ID joins it."""
    card = _followed(ws, contact_id) if contact_id is not None else None
    if contact_id is not None and card is None:
        resolution.warnings.append(
            Notice("contact_id_unknown", "no contact has this id; the other identifiers decide")
        )
    if card is None:
        return find(ws, msgspec.structs.replace(person), APP_TOKEN), person
    if person.external_id is not None:
        owners = [held.contact_id for held in ws.holders(person.external_id.key)]
        if owners and owners != [card.contact_id]:
            resolution.warnings.append(
                Notice("external_id_disagrees", "it belongs to another contact and was ignored")
            )
            person = msgspec.structs.replace(person, external_id=None)
    speak_as(ws, card, contact_id or 0)
    found = Found if card.status == Status.LIVE else Restore
    return found(card, "contact_id", "contact_id"), person


def _followed(ws: WorkingSet, contact_id: int) -> Card | None:
    card = ws.known_card(contact_id)
    while card is not None and card.status == Status.MERGED:
        card = ws.known_card(card.merged_into or 0)
    return None if card is None or card.status == Status.ERASED else card


def _is_suppressed(ws: WorkingSet, person: Person, decision: Decision) -> bool:
    """D29: its External ID is; without one, its e-mail or phone is and no live contact holds it."""
    if person.external_id is None and isinstance(decision, Found):
        return False
    named = addresses(person) if person.external_id is None else [person.external_id.key]
    free = [key for key in named if not _is_held_live(ws, key)]
    ws.need_addresses(free)
    return any(ws.suppressed.get(key) for key in free)


def _is_held_live(ws: WorkingSet, key: Key) -> bool:
    return any(ws.is_live(held.contact_id) for held in ws.holders(key))


def _held_token(ws: WorkingSet, app: str, token: str) -> tuple[Card, Held]:
    """The row of a token of this app, or of one without an app (D2)."""
    for kind in TOKEN_KINDS:
        for held in ws.holders(Identifier(kind, token).key):
            if held.contact_id and held.app in (None, app):
                card = ws.card(held.contact_id)
                if card.status == Status.LIVE:
                    return card, held
    raise NotFound("This application has no such token.")


def _write(card: Card, held: Held, name: str, value: Any, at: datetime) -> None:
    attributes = {**(held.attributes or {})}
    if value is None:
        attributes.pop(name, None)
    else:
        attributes[name] = value
    if attributes != (held.attributes or {}):
        held.attributes = attributes or None
        card.updated_at = at


def activate_token(ws: WorkingSet, command: ActivateToken) -> Outcome:
    """Remember whether messages may go to this token (`active` of the device block)."""
    card, held = _held_token(ws, command.app, command.token)
    _write(card, held, "active", command.active, command.origin.at)
    return Outcome(Resolution(card.contact_id, "updated"), active=command.active)


def mute_token(ws: WorkingSet, command: MuteToken) -> Outcome:
    """Keep a token silent until a moment, or end that."""
    card, held = _held_token(ws, command.app, command.token)
    until = command.until.isoformat() if command.until else None
    _write(card, held, "mutedUntil", until, command.origin.at)
    return Outcome(Resolution(card.contact_id, "updated"))
