"""Whom a claim names, and whether two may name the same person: decisions D36, as questions to cards."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from kartoteka.activity.visitors.model import Waiting, Who
from kartoteka.identity.kinds import EMAIL, EXTERNAL_ID, PHONE
from kartoteka.identity.model import QUARANTINED, Card, Held, Identifier, Key, Status
from kartoteka.identity.rules import Person, finders, is_never
from kartoteka.identity.sides import leads_to, speak_as, speak_by
from kartoteka.identity.working_set import WorkingSet


def holder(ws: WorkingSet, visitor: Identifier) -> Held | None:
    """The row of the card that has this cookie or device, None if none has."""
    return holder_of(ws, visitor.key)


def holder_of(ws: WorkingSet, key: Key) -> Held | None:
    """The same by its key."""
    rows = ws.holders(key)
    return rows[0] if rows and rows[0].contact_id != QUARANTINED else None


def person_named(ws: WorkingSet, who: Who) -> tuple[Card | None, bool]:
    """(the one live contact that a claim names, whether the claim must be refused) (D36).

    The External ID names it; without one, the contact on which every e-mail and phone that it gives
    stands. Refused: one of them stands on live contacts but not on that one, or they name several.
    (None, False): nobody yet.
    """
    given = {one.kind: live_holders(ws, one) for one in who.identifiers()}
    said = set() if who.contact_id is None else _live_contact(ws, who.contact_id)
    return whom_they_name(ws, given, said)


def whom_they_name(
    ws: WorkingSet, given: Mapping[int, set[int]], said: set[int]
) -> tuple[Card | None, bool]:
    """As `person_named`: live contacts by kind of identifier, and of the contact id."""
    standing = [ids for ids in (*given.values(), said) if ids]
    if EXTERNAL_ID.code in given:
        named_ids = given[EXTERNAL_ID.code]
        if any(not named_ids & ids for ids in standing) and named_ids:
            return None, True
    elif not standing:
        return None, False
    else:
        if not set.intersection(*standing):
            return None, True
        named_ids = set.intersection(*(given.values() or standing), *standing)
        if len(named_ids) > 1:
            return None, True
    if not named_ids:
        return None, False
    card = ws.card(min(named_ids))
    return (None, True) if _is_known_by_phone_alone(ws, card, given, said) else (card, False)


def _is_known_by_phone_alone(
    ws: WorkingSet, card: Card, given: Mapping[int, set[int]], said: set[int]
) -> bool:
    """D10a: families share phones, so that a phone alone names no contact that has an e-mail."""
    if said or set(given) != {PHONE.code}:
        return False
    return card.has_external_id if ws.settings.phone_is_personal else card.email is not None


def live_holders(ws: WorkingSet, one: Identifier) -> set[int]:
    """Live contacts on which this identifier stands; a never-identifier says nothing (D6)."""
    rows = finders(ws, one)
    ws.need_cards(held.contact_id for held in rows)
    return {held.contact_id for held in rows if ws.is_live(held.contact_id)}


def _live_contact(ws: WorkingSet, contact_id: int) -> set[int]:
    """The live contact of this id, through merges (D14); it may come from a link anyone can write."""
    card = survivor(ws, contact_id)
    return {card.contact_id} if card is not None and card.status == Status.LIVE else set()


def survivor(ws: WorkingSet, contact_id: int) -> Card | None:
    """The card that this one was merged into at last, through any chain (D14)."""
    card = ws.known_card(contact_id)
    while card is not None and card.status == Status.MERGED:
        card = ws.known_card(card.merged_into or 0)
    return card


def speak_as_named(ws: WorkingSet, card: Card, who: Who) -> None:
    """On a merged card the claim is about the side that it names (D28); an earlier step of this visitor
    may have named the other."""
    ws.speaking.pop(card.contact_id, None)
    speak_by(ws, card, Person(changeable=tuple(who.identifiers())))
    named = None if card.contact_id in ws.speaking else who.contact_id
    if named is not None and leads_to(ws, named, card):
        speak_as(ws, card, named)


def without_never(ws: WorkingSet, who: Who) -> Who:
    """An account's own mailboxes and phones are nobody's, and nobody is waited for by them (D6)."""
    email, phone = who.email, who.phone
    if email is not None and is_never(ws.settings, EMAIL.code, email):
        email = None
    if phone is not None and is_never(ws.settings, PHONE.code, phone):
        phone = None
    return msgspec.structs.replace(who, email=email, phone=phone)


def same_person(earlier: Waiting, who: Who) -> bool:
    """Whether two claims may be of one person: they share an identifier and contradict in none."""
    ours = {one.kind: one.key[1] for one in who.identifiers()}
    theirs = {1: earlier.external_key, 2: earlier.email, 3: earlier.phone}
    pairs = [(ours[kind], value) for kind, value in theirs.items() if value and kind in ours]
    if not pairs and not ours and who.contact_id is not None:
        return who.contact_id == earlier.contact_id
    return bool(pairs) and all(a == b for a, b in pairs)


def key_of(external_id: str) -> str:
    return Identifier(EXTERNAL_ID.code, external_id).key[1]


def contradicts(card: Card, who: Who) -> bool:
    """Whether the card is surely another person's than the one that the claim names."""
    if who.external_id is not None and card.has_external_id:
        return True
    if who.email is not None and card.email is not None and card.email != who.email:
        return True
    return who.phone is not None and card.phone is not None and card.phone != who.phone


def removed_named(ws: WorkingSet, who: Who) -> set[int]:
    """Removed contacts that may come back as the person of this claim."""
    ids = {held.contact_id for one in who.identifiers() for held in finders(ws, one)}
    removed = {one for one in ids if ws.card(one).status == Status.REMOVED}
    return removed | (
        {who.contact_id} if who.contact_id and is_removed(ws, who.contact_id) else set()
    )


def is_removed(ws: WorkingSet, contact_id: int | None) -> bool:
    """A removed contact counts as nobody, who may come back (D36)."""
    card = None if contact_id is None else ws.known_card(contact_id)
    return card is not None and card.status == Status.REMOVED
