"""Whom a call speaks of that may name a contact id too, and whether it may (decisions D8, D29)."""

from __future__ import annotations

import msgspec

from kartoteka.contacts.consent import addresses
from kartoteka.identity.kinds import EXTERNAL_ID
from kartoteka.identity.model import Card, Key, Notice, Policy, Resolution, Status
from kartoteka.identity.rules import Decision, Found, Person, Restore, find
from kartoteka.identity.sides import speak_as
from kartoteka.identity.working_set import WorkingSet


def addressed(
    ws: WorkingSet, contact_id: int | None, person: Person, policy: Policy, resolution: Resolution
) -> tuple[Decision, Person]:
    """D8: a contactId comes first; unknown it is as if absent, and nobody else's ID joins it.

    The person without an External ID that belongs to another contact.
    """
    card = _followed(ws, contact_id) if contact_id is not None else None
    decision = None if card is not None else find(ws, person, policy)
    if contact_id is not None and card is None:
        resolution.warnings.append(
            Notice("contact_id_unknown", "no contact has this id; the other identifiers decide")
        )
    if card is None:
        assert decision is not None
        return decision, person
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


def is_suppressed(ws: WorkingSet, person: Person, decision: Decision) -> bool:
    """D29: its External ID is; without one, its e-mail or phone is and no live contact holds it."""
    if isinstance(decision, Found) and decision.matched_by == EXTERNAL_ID.name:
        return False
    if person.external_id is None and isinstance(decision, Found):
        return False
    named = addresses(person) if person.external_id is None else [person.external_id.key]
    free = [key for key in named if not _is_held_live(ws, key)]
    ws.need_addresses(free)
    return any(ws.suppressed.get(key) for key in free)


def _is_held_live(ws: WorkingSet, key: Key) -> bool:
    return any(ws.is_live(held.contact_id) for held in ws.holders(key))
