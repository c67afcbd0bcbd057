"""One person on two cards: which is absorbed, and what the survivor inherits (decisions D13, D14)."""

from __future__ import annotations

from datetime import datetime

from kartoteka.identity.changes import Change
from kartoteka.identity.history import Journal, named, snapshots_of
from kartoteka.identity.kinds import EMAIL, EXTERNAL_ID, PHONE
from kartoteka.identity.model import TEXTS, Card, Held, Notice, Policy, Status
from kartoteka.identity.proof import inherit
from kartoteka.identity.rules import Names, Person, finders, may_absorb, stricter
from kartoteka.identity.sides import note_unkeyed
from kartoteka.identity.working_set import WorkingSet

_FIELD = {EXTERNAL_ID.code: "external_id", EMAIL.code: "email", PHONE.code: "phone"}


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
    snapshot = snapshots_of(ws, card, other, held, lists)
    ws.join(card.contact_id, other.contact_id)
    left = [named(one) for one in held if not _inherit(ws, card, one)]
    if left:
        journal.note("dropped", "kept_for_undo", other.contact_id, left)
    taken = [one for one in map(named, held) if one not in left]
    journal.note(
        "absorbed", rule, card.contact_id, taken, other=other.contact_id, snapshot=snapshot
    )
    came: list[str] = []
    for name in TEXTS:
        if getattr(card, name) is None and getattr(other, name) is not None:
            setattr(card, name, getattr(other, name))
            came.append(name)
    came += [f"field:{name}" for name in other.fields if name not in card.fields]
    card.fields = {**other.fields, **card.fields}
    consent = stricter(card.consent, other.consent)
    came += [f"consent:{name}" for name in consent if consent[name] != card.consent.get(name)]
    card.consent = consent
    inherit(card, came, journal.origin, other.contact_id)
    note_unkeyed(card, other)
    card.keyed = card.keyed or other.keyed
    card.merges += 1 + other.merges
    card.last_word = None
    card.updated_at = at
    ws.lists.setdefault(card.contact_id, set()).update(lists)
    ws.effect("absorbed", other.contact_id, card.contact_id)
    _retire(other, card, at)


def absorb_claimed(ws: WorkingSet, card: Card, other: Card, journal: Journal) -> None:
    """D36: a claim brings the card that is only its device; what came with it is marked so."""
    came = ws.identifiers_of(other.contact_id)
    absorb(ws, card, other, "absorbed_by_claim", journal)
    for held in came:
        if held.contact_id == card.contact_id:
            held.rule = "claim"


def _inherit(ws: WorkingSet, card: Card, one: Held) -> bool:
    """An absorbed card's identifier comes along, unless the survivor has one of its kind (D28);
    whether the survivor has it now. Its home is where it was."""
    field = _FIELD.get(one.kind)
    if field is not None and getattr(card, field) is not None and one.kind != EXTERNAL_ID.code:
        ws.release(one)
        return bool(getattr(card, field) == one.value)
    home = one.contact_id if one.home is None else one.home
    ws.reassign(one, card.contact_id)
    one.home = home
    if one.kind == EXTERNAL_ID.code and (one.former or card.external_id is not None):
        one.former = True
        card.former_ids += 1
    elif field is not None:
        setattr(card, field, one.value)
    return True


def _retire(other: Card, card: Card, at: datetime) -> None:
    """The card's values live on in the survivor and in the snapshot; its row only leads there."""
    other.status = Status.MERGED
    other.merged_into = card.contact_id
    other.external_id = other.email = other.phone = None
    other.former_ids = other.merges = 0
    other.last_word = None
    for name in TEXTS:
        setattr(other, name, None)
    other.fields, other.consent, other.proof = {}, {}, []
    other.updated_at = at
