"""The unsubscribe list: acts on addresses, and on every card that has one of them (wire 3.13)."""

from __future__ import annotations

from kartoteka.contacts.consent import forgive, refuse
from kartoteka.contacts.model import Outcome, RefuseAddresses
from kartoteka.identity.kinds import EMAIL
from kartoteka.identity.model import Card, Consent, Identifier, Resolution, Status
from kartoteka.identity.proof import prove_consent
from kartoteka.identity.sides import EVERY_SIDE, speak_as
from kartoteka.identity.working_set import WorkingSet


def refuse_addresses(ws: WorkingSet, command: RefuseAddresses) -> Outcome:
    """Add addresses to the list or take them off; the answer counts nothing, so nothing is told."""
    keys = [Identifier(EMAIL.code, email).key for email in command.emails]
    cards: list[Card] = []
    for key in keys:
        for held in ws.holders(key):
            if held.contact_id:
                card = ws.card(held.contact_id)
                speak_as(ws, card, EVERY_SIDE)
                cards.append(card)
    ws.need_addresses(keys)
    for key in keys:
        if command.refuse:
            refuse(ws, key, int(Consent.UNSUBSCRIBED))
        else:
            forgive(ws, key)
    changed = False
    for card in cards:
        if card.status in (Status.LIVE, Status.REMOVED):
            changed |= _apply(card, command)
    return Outcome(Resolution(None, "updated" if changed else "unchanged"))


def _apply(card: Card, command: RefuseAddresses) -> bool:
    before = card.consent
    state = before.get("email")
    if command.refuse:
        if state is not None and state >= Consent.UNSUBSCRIBED:
            return False
        card.consent = {**card.consent, "email": int(Consent.UNSUBSCRIBED)}
    else:
        if state != Consent.UNSUBSCRIBED:
            return False
        card.consent = {**card.consent, "email": int(Consent.SUBSCRIBED)}
    card.updated_at = command.origin.at
    prove_consent(card, before, command.origin, "email", "unsubscribe_list")
    return True
