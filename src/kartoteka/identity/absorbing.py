"""One person on two cards: which is absorbed, and what the survivor inherits (decisions D13, D14)."""

from __future__ import annotations

from datetime import datetime

from kartoteka.identity.changes import GAPS, Change
from kartoteka.identity.history import Journal, named, snapshot_of
from kartoteka.identity.kinds import EMAIL
from kartoteka.identity.model import Card, Held, Notice, Policy, Status
from kartoteka.identity.policies import EXCLUSIVE
from kartoteka.identity.rules import Names, Person, finders, may_absorb, stricter
from kartoteka.identity.working_set import WorkingSet


def absorb_contained(
    change: Change, card: Card, before: Names, person: Person, policy: Policy
) -> None:
    """D13: absorb, by contact id, every card that shares an identifier and contradicts nothing."""
    if not policy.absorbs:
        return
    ws, resolution = change.ws, change.resolution
    found = {held.contact_id for one in person.all() for held in finders(ws, one)}
    found.discard(card.contact_id)
    others = {contact_id: ws.card(contact_id) for contact_id in found if ws.is_live(contact_id)}
    for contact_id in sorted(others):
        allowed, why = may_absorb(ws, card, before, person, others[contact_id])
        if allowed and (policy.absorbs_lasting or why == "absorbed_anonymous"):
            absorb(ws, card, others[contact_id], why, change.journal)
            resolution.absorbed.append(contact_id)
        elif why == "name_differs":
            resolution.warnings.append(
                Notice("possible_duplicate", "a contact with the same identifiers has another name")
            )


def absorb(ws: WorkingSet, card: Card, other: Card, rule: str, journal: Journal) -> None:
    """D14: the survivor keeps its id, the other fills its gaps and is retired."""
    at = journal.origin.at
    held = ws.identifiers_of(other.contact_id)
    lists = ws.lists_of(other.contact_id)
    journal.note(
        "absorbed",
        rule,
        card.contact_id,
        [named(one) for one in held],
        other=other.contact_id,
        snapshot=snapshot_of(other, held, lists),
    )
    for one in held:
        _inherit(ws, card, one)
    for name in GAPS:
        if getattr(card, name) is None:
            setattr(card, name, getattr(other, name))
    card.fields = {**other.fields, **card.fields}
    card.consent = stricter(card.consent, other.consent)
    card.keyed = card.keyed or other.keyed
    card.updated_at = at
    ws.lists.setdefault(card.contact_id, set()).update(lists)
    ws.effect("absorbed", other.contact_id, card.contact_id)
    _retire(other, card, at)


def _inherit(ws: WorkingSet, card: Card, one: Held) -> None:
    """An absorbed card's identifier comes along, unless the survivor has it or has one of its kind."""
    if one.kind in EXCLUSIVE:
        ws.reassign(one, card.contact_id)
        return
    field = "email" if one.kind == EMAIL.code else "phone"
    if getattr(card, field) is None:
        ws.reassign(one, card.contact_id)
        setattr(card, field, one.value)
    else:
        ws.release(one)


def _retire(other: Card, card: Card, at: datetime) -> None:
    """The card's values live on in the survivor and in the snapshot; its row only leads there."""
    other.status = Status.MERGED
    other.merged_into = card.contact_id
    other.external_id = other.email = other.phone = None
    other.former_ids = 0
    for name in GAPS:
        setattr(other, name, None)
    other.fields, other.consent = {}, {}
    other.updated_at = at
