"""What an untrusted app may write on a card: blanks only (decisions D36)."""

from __future__ import annotations

from datetime import datetime

import msgspec

from kartoteka.contacts.consent import state_for_new_address
from kartoteka.contacts.model import ContactInput, Profile, PutOn
from kartoteka.identity.changes import Change, set_channel, set_external_id, take_changeable
from kartoteka.identity.history import Journal
from kartoteka.identity.kinds import EMAIL
from kartoteka.identity.model import TEXTS, Card, Identifier, Origin, Resolution
from kartoteka.identity.sides import home_of, side_of
from kartoteka.identity.working_set import WorkingSet

BY_APP = "app"
"""The policy of `PutOn` for what an untrusted app said."""
_CLAIM = "claim"
"""The rule by which an app gives an External ID (`activity.visitors.model.CLAIM`)."""


def fill_blanks(card: Card, profile: Profile, at: datetime) -> None:
    """Blank names, address, language, time zone and custom fields."""
    changed = False
    for name in TEXTS:
        value = getattr(profile, name)
        if value is not None and getattr(card, name) is None:
            setattr(card, name, value)
            changed = True
    blank = {key: text for key, text in profile.fields.items() if key not in card.fields}
    if blank:
        card.fields = {**card.fields, **blank}
        changed = True
    if changed:
        card.updated_at = at


def fill_address(ws: WorkingSet, card: Card, one: Identifier, journal: Journal) -> None:
    """Only on a card that no keyed call has written. An e-mail or phone that another contact has, live
    or removed, is somebody's: the next call by it would find this card instead."""
    field = "email" if one.kind == EMAIL.code else "phone"
    if card.keyed or getattr(card, field) is not None or ws.holders(one.key):
        return
    set_channel(ws, card, one, journal)
    card.consent = state_for_new_address(ws, card, one, None)


def told_by_app(
    ws: WorkingSet,
    card: Card,
    contact: ContactInput,
    origin: Origin,
    *,
    fills: bool,
    names: bool,
    occurred: datetime | None,
) -> PutOn:
    """What an undo tells again of a call of an untrusted app that came to this card (D28); called when it
    has been carried out. `names`: it gave the card its External ID."""
    person, side = contact.person, side_of(ws, card.contact_id)

    def is_free(one: Identifier | None) -> bool:
        return one is not None and all(
            held.contact_id == card.contact_id and home_of(held) == side
            for held in ws.holders(one.key)
        )

    person = msgspec.structs.replace(
        person,
        external_id=person.external_id if names else None,
        email=person.email if fills and is_free(person.email) else None,
        phone=person.phone if fills and is_free(person.phone) else None,
    )
    profile = contact.profile if fills else Profile()
    said = ContactInput(person, profile)
    return PutOn(origin=origin, contact=said, policy=BY_APP, occurred=occurred)


def tell_by_app(ws: WorkingSet, card: Card, command: PutOn) -> None:
    """Tell it again to one of the people on a merged card."""
    person, origin = command.contact.person, command.origin
    journal = Journal(ws, origin)
    if person.external_id is not None and not card.has_external_id:
        set_external_id(ws, card, person.external_id, journal, _CLAIM)
    change = Change(ws, journal, Resolution(), command.occurred or origin.at)
    for one in person.changeable:
        take_changeable(change, card, one)
    fill_blanks(card, command.contact.profile, origin.at)
    for address in (person.email, person.phone):
        if address is not None:
            fill_address(ws, card, address, journal)
