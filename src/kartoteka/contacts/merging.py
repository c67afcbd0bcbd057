"""Two contacts are one person, or they are not: somebody says so (decisions D28)."""

from __future__ import annotations

from typing import Any

from kartoteka.contacts.clearing import PROFILE
from kartoteka.contacts.model import MergeContacts, NotTheSame, Outcome
from kartoteka.errors import ContactMerged, InvalidRequest, NotFound
from kartoteka.identity.absorbing import absorb
from kartoteka.identity.history import Journal, named
from kartoteka.identity.model import Card, Consent, Resolution, Status
from kartoteka.identity.working_set import WorkingSet


class SameContact(InvalidRequest):
    """Name two different contacts."""

    code = "same_contact"


def merge_contacts(ws: WorkingSet, command: MergeContacts) -> Outcome:
    """Absorb one contact into another, whatever they say. Of two External IDs the kept one's stays
    primary and the other becomes a former one; of two e-mails or phones the kept one's stays."""
    keep, other = _two_live(ws, command.keep, command.absorb)
    before = [named(held) for held in ws.identifiers_of(other.contact_id)]
    absorb(ws, keep, other, "merged_by_request", Journal(ws, command.origin))
    after = [named(held) for held in ws.identifiers_of(keep.contact_id)]
    leaves = [one for one in before if one not in after]
    return Outcome(
        Resolution(
            keep.contact_id,
            "updated",
            "contact_id",
            "merged_by_request",
            absorbed=[other.contact_id],
        ),
        answer={"contact": would_be(ws, keep), "leaves": leaves},
    )


def would_be(ws: WorkingSet, card: Card) -> dict[str, Any]:
    """What the contact says and holds after this command: for previews and answers."""
    values = {shown: getattr(card, name) for shown, name in PROFILE.items()}
    if card.fields:
        values["fields"] = card.fields
    held = ws.identifiers_of(card.contact_id)
    return {
        "id": card.contact_id,
        **{name: value for name, value in values.items() if value is not None},
        "identifiers": [
            {**named(one), "former": True} if one.former else named(one) for one in held
        ],
        "consent": {name: Consent(state).name.lower() for name, state in card.consent.items()},
    }


def keep_apart(ws: WorkingSet, command: NotTheSame) -> Outcome:
    """No rule merges them from now on, and they are no duplicates of each other any more.

    Taken back, the rules decide again, and they may be duplicates.
    """
    one, other = _two_live(ws, command.contact_id, command.other_id)
    pair = (one.contact_id, other.contact_id)
    changes = ws.are_apart(*pair) == command.taken_back
    if changes:
        origin = command.origin
        if command.taken_back:
            ws.join(*pair)
        else:
            ws.keep_apart(*pair, origin.at, "not_the_same", origin.request_id, origin.key_id)
        for contact_id in pair:
            ws.touch(contact_id)
    outcome = "updated" if changes else "unchanged"
    return Outcome(Resolution(one.contact_id, outcome, "contact_id", "not_the_same"))


def _two_live(ws: WorkingSet, *ids: int) -> tuple[Card, Card]:
    if len(set(ids)) < 2:
        raise SameContact
    ws.need_cards(contact_id for contact_id in ids if not ws.is_asked(contact_id))
    cards = [_live(ws, contact_id) for contact_id in ids]
    ws.need_whole(ids)
    return cards[0], cards[1]


def _live(ws: WorkingSet, contact_id: int) -> Card:
    card = ws.known_card(contact_id)
    if card is not None and card.status == Status.MERGED:
        last = card
        while last.status == Status.MERGED and last.merged_into:
            last = ws.card(last.merged_into)
        raise ContactMerged(
            f"The contact with id='{contact_id}' was merged into the contact with "
            f"id='{last.contact_id}'.",
            contactId=last.contact_id,
        )
    if card is None or card.status != Status.LIVE:
        raise NotFound(f"No live contact has the id '{contact_id}'.")
    return card
