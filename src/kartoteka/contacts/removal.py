"""Remove (restorable) and erase (for good): decisions D11, D14, D25, D29; wire 2.12, 3.4, 3.5."""

from __future__ import annotations

from datetime import datetime

from kartoteka.contacts.consent import CHANNEL
from kartoteka.contacts.model import Outcome, RemoveContact
from kartoteka.errors import ContactMerged, InvalidRequest, NotFound
from kartoteka.identity.changes import drop
from kartoteka.identity.history import Journal
from kartoteka.identity.kinds import BY_CODE, EXTERNAL_ID
from kartoteka.identity.model import TEXTS, Card, Held, Identifier, Key, Resolution, Status
from kartoteka.identity.policies import LASTING
from kartoteka.identity.rules import is_refusal
from kartoteka.identity.sides import home_of, speak_as
from kartoteka.identity.working_set import WorkingSet


def remove_contact(ws: WorkingSet, command: RemoveContact) -> Outcome:
    """DELETE: by contact id, or by External ID, which may be a former one."""
    if command.contact_id is not None:
        card = ws.known_card(command.contact_id)
        if card is None:
            raise NotFound("Contact not found.")
        return _remove(ws, command, card, "contact_id")
    if command.external_id is None:
        raise InvalidRequest("Say which contact: externalCustomerId is empty.")
    return _remove_by_external_id(ws, command, Identifier(EXTERNAL_ID.code, command.external_id))


def _remove_by_external_id(ws: WorkingSet, command: RemoveContact, one: Identifier) -> Outcome:
    for held in ws.holders(one.key):
        card = ws.card(held.contact_id)
        speak_as(ws, card, home_of(held))
        if held.former:
            return _remove_former(ws, command, card, held)
        return _remove(ws, command, card, EXTERNAL_ID.name)
    ws.need_addresses([one.key])
    for contact_id, _ in ws.suppressed.get(one.key, []):
        return Outcome(Resolution(contact_id, "unchanged", EXTERNAL_ID.name, "erased_by_request"))
    raise NotFound("Contact not found.")


def _remove_former(ws: WorkingSet, command: RemoveContact, card: Card, held: Held) -> Outcome:
    """D11: a former ID only leaves the card; with erase its traces go too."""
    ws.need_addresses([held.key])
    journal = Journal(ws, command.origin)
    drop(ws, card, held, journal, "removed_by_request")
    if command.erase:
        _suppress(ws, card, held.key, command.origin.at)
        ws.effect("forget_value", card.contact_id, held.kind, held.value)
    return Outcome(Resolution(card.contact_id, "updated", EXTERNAL_ID.name, "former_external_id"))


def _remove(ws: WorkingSet, command: RemoveContact, card: Card, matched_by: str) -> Outcome:
    survivor = _survivor(ws, card)
    if card.status == Status.MERGED and survivor.status != Status.ERASED:
        raise _merged(survivor)
    if card.contact_id not in ws.speaking:
        speak_as(ws, card, card.contact_id)
    journal = Journal(ws, command.origin)
    outcome = "unchanged"
    # A card that was merged into an erased one is erased too, if not before the end of this batch.
    if command.erase and survivor.status != Status.ERASED:
        erase(ws, card, journal)
        outcome = "updated"
    elif card.status == Status.LIVE:
        card.status = Status.REMOVED
        card.removed_at = card.updated_at = command.origin.at
        journal.note("removed", "removed_by_request", card.contact_id)
        outcome = "updated"
    rule = "erased_by_request" if command.erase else "removed_by_request"
    return Outcome(Resolution(card.contact_id, outcome, matched_by, rule))


def _survivor(ws: WorkingSet, card: Card) -> Card:
    """The card that this one was merged into, through any chain; itself if it was not."""
    while card.status == Status.MERGED and card.merged_into:
        card = ws.card(card.merged_into)
    return card


def _merged(survivor: Card) -> ContactMerged:
    """D14: DELETE does not follow a retired id; it names the survivor."""
    return ContactMerged(
        f"This contact was merged into the contact with id='{survivor.contact_id}'.",
        contactId=survivor.contact_id,
    )


def erase(ws: WorkingSet, card: Card, journal: Journal) -> None:
    """D29: the person's values go; keyed hashes and an empty row, which keeps the id used, stay."""
    at = journal.origin.at
    identifiers = ws.identifiers_of(card.contact_id)
    lasting = [held.key for held in identifiers if held.kind in LASTING]
    ws.need_addresses(lasting)
    for key in lasting:
        ws.holders(key)
    for held in identifiers:
        ws.effect("erase_value", held.kind, BY_CODE[held.kind].name, held.value, held.value_key)
        ws.release(held)
        if held.kind in LASTING:
            _suppress(ws, card, held.key, at)
    card.status = Status.ERASED
    card.external_id = card.email = card.phone = None
    card.former_ids = 0
    for name in TEXTS:
        setattr(card, name, None)
    card.fields, card.consent, card.proof = {}, {}, []
    card.merges, card.last_word = 0, None
    card.updated_at = at
    journal.note("erased", "erased_by_request", card.contact_id)
    ws.effect("erase", card.contact_id)


def _suppress(ws: WorkingSet, card: Card, key: Key, at: datetime) -> None:
    """The hash remembers what the person and the address refused; the plain address is forgotten."""
    states = (card.consent.get(CHANNEL.get(key[0], ""), 0), ws.refusals.get(key, 0))
    refusal = max(states) if is_refusal(max(states)) else None
    ws.effect("suppress", key, card.contact_id, refusal, at)
    ws.suppress(key, card.contact_id, refusal, at)
    if not ws.holders(key):
        ws.take_back("refuse", *key)
        ws.effect("forget_refusal", *key)
        ws.refusals[key] = 0
