"""App tokens: added, activated, muted (wire 3.12; decisions D7, D8, D29)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from kartoteka.contacts.addressed import addressed, is_suppressed
from kartoteka.contacts.model import ActivateToken, AddAppToken, MuteToken, Outcome
from kartoteka.contacts.settle import Settling, settle
from kartoteka.errors import NoIdentifier, NotFound
from kartoteka.identity.history import Journal
from kartoteka.identity.kinds import MOBILE_TOKEN, TELEGRAM_TOKEN, WEB_TOKEN
from kartoteka.identity.model import Card, Held, Identifier, Resolution, Status
from kartoteka.identity.policies import APP_TOKEN
from kartoteka.identity.rules import Decision, Nobody
from kartoteka.identity.sides import home_of, speak_as
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
        decision, person = addressed(ws, item.contact_id, person, APP_TOKEN, resolution)
    if isinstance(decision, Nobody):
        raise NoIdentifier("Name the contact: contactId, externalCustomerId, phone or email.")
    if is_suppressed(ws, person, decision):
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


def _held_token(ws: WorkingSet, app: str, token: str) -> tuple[Card, Held]:
    """The row of a token of this app, or of one without an app (D2)."""
    for kind in TOKEN_KINDS:
        for held in ws.holders(Identifier(kind, token).key):
            if held.contact_id and held.app in (None, app):
                card = ws.card(held.contact_id)
                if card.status == Status.LIVE:
                    speak_as(ws, card, home_of(held))
                    return card, held
    raise NotFound("This application has no such token.")


def _write(card: Card, held: Held, name: str, value: Any, at: datetime) -> Resolution:
    attributes = {**(held.attributes or {})}
    if value is None:
        attributes.pop(name, None)
    else:
        attributes[name] = value
    if attributes == (held.attributes or {}):
        return Resolution(card.contact_id, "unchanged")
    held.attributes = attributes or None
    card.updated_at = at
    return Resolution(card.contact_id, "updated")


def activate_token(ws: WorkingSet, command: ActivateToken) -> Outcome:
    """Remember whether messages may go to this token (`active` of the device block)."""
    card, held = _held_token(ws, command.app, command.token)
    resolution = _write(card, held, "active", command.active, command.origin.at)
    return Outcome(resolution, active=command.active)


def mute_token(ws: WorkingSet, command: MuteToken) -> Outcome:
    """Keep a token silent until a moment, or end that."""
    card, held = _held_token(ws, command.app, command.token)
    until = command.until.isoformat() if command.until else None
    return Outcome(_write(card, held, "mutedUntil", until, command.origin.at))
