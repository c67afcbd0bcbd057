"""What happens to identifiers once it is decided whose card it is (decisions D11, D12, D17).

Every function changes the `WorkingSet` in memory and leaves its rows in the history. All that they
need is asked for by `prepare` first, so that none of them stops half-way with `Missing`.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from kartoteka.identity.history import Journal, named
from kartoteka.identity.kinds import BY_CODE, DEVICE, EMAIL, EXTERNAL_ID, PHONE
from kartoteka.identity.model import (
    QUARANTINED,
    Card,
    Held,
    Identifier,
    Moved,
    Notice,
    Resolution,
    Status,
)
from kartoteka.identity.policies import CHANGEABLE, TOKENS
from kartoteka.identity.rules import (
    Person,
    finders,
)
from kartoteka.identity.sides import home_of
from kartoteka.identity.working_set import WorkingSet

MOST_SENDERS = 50
"""A changeable value that more External IDs than this have sent names nobody (D6)."""

_STORED_AS = {EXTERNAL_ID.code: "external_id", EMAIL.code: "email", PHONE.code: "phone"}


class Change(msgspec.Struct):
    """What one request does to the working set, and what it may say about it."""

    ws: WorkingSet
    journal: Journal
    resolution: Resolution
    occurred: datetime
    """The request's own time, which exclusive identifiers follow (D12)."""
    takes_from_known: bool = True
    rule: str | None = None
    """What decides about changeable identifiers, where it is not the request's own word: a claim."""


def new_held(one: Identifier, contact_id: int, at: datetime, rule: str) -> Held:
    kind, text = one.key
    long_value = None if text == one.value else one.value
    return Held(
        kind, text, 0, contact_id, long_value, False, at, rule, one.app, one.device, one.attributes
    )


def own_row(ws: WorkingSet, card: Card, kind: int, value: str | None) -> Held | None:
    """The row of the card's External ID, e-mail or phone."""
    if value is None:
        return None
    return ws.row_of(Identifier(kind, value).key, card.contact_id)


# External ID


def set_external_id(
    ws: WorkingSet, card: Card, one: Identifier, journal: Journal, rule: str
) -> list[Notice]:
    """Make this the card's primary External ID (D9, D11). The caller has checked that it is free."""
    at = journal.origin.at
    old = own_row(ws, card, EXTERNAL_ID.code, card.external_id)
    former = next(
        (held for held in ws.holders(one.key) if held.contact_id == card.contact_id), None
    )
    if former is old and old is not None:
        return []
    if old is not None:
        _make_former(ws, card, old, journal)
    if former is not None:
        former.former = False
        former.since = at
        card.former_ids -= 1
        journal.note(
            "external_id_replaced", "former_id_again_primary", card.contact_id, [named(former)]
        )
    else:
        held = ws.hold(new_held(one, card.contact_id, at, rule))
        action = "external_id_set" if old is None else "external_id_replaced"
        journal.note(action, rule, card.contact_id, [named(held)])
    card.external_id = one.value
    card.updated_at = at
    return []


def _make_former(ws: WorkingSet, card: Card, old: Held, journal: Journal) -> None:
    if ws.settings.keep_former_ids:
        old.former = True
        card.former_ids += 1
    else:
        ws.release(old)
        journal.note("dropped", "external_id_replaced", card.contact_id, [named(old)])


# E-mail and phone


def set_channel(ws: WorkingSet, card: Card, one: Identifier, journal: Journal) -> None:
    """Give the card this e-mail or phone in place of the one it has (D5, D17)."""
    field = "email" if one.kind == EMAIL.code else "phone"
    stored: str | None = getattr(card, field)
    if stored == one.value:
        return
    old = own_row(ws, card, one.kind, stored)
    if old is not None:
        ws.release(old)
        journal.note("dropped", "replaced", card.contact_id, [named(old)])
    held = ws.hold(new_held(one, card.contact_id, journal.origin.at, "given"))
    journal.note("added", "replaced" if old else "given", card.contact_id, [named(held)])
    setattr(card, field, one.value)
    card.updated_at = journal.origin.at


def drop(ws: WorkingSet, card: Card, held: Held, journal: Journal, rule: str) -> None:
    """Take one identifier off the card."""
    ws.release(held)
    if held.kind in CHANGEABLE:
        ws.effect("linked", *held.key, home_of(held), None, journal.origin.at, rule)
    if held.kind == EMAIL.code:
        card.email = None
    elif held.kind == PHONE.code:
        card.phone = None
    elif held.kind == EXTERNAL_ID.code and held.former:
        card.former_ids -= 1
    elif held.kind == EXTERNAL_ID.code:
        card.external_id = None
    card.updated_at = journal.origin.at
    journal.note("dropped", rule, card.contact_id, [named(held)])


# Tokens, devices, cookies


def take_changeable(change: Change, card: Card, one: Identifier) -> None:
    """Put a changeable identifier on the card: new, refreshed, or moved from its holder (D12)."""
    ws, journal = change.ws, change.journal
    rows = ws.holders(one.key)
    if not rows:
        rule = change.rule or "given"
        held = ws.hold(new_held(one, card.contact_id, change.occurred, rule))
        journal.note("added", rule, card.contact_id, [named(held)])
        card.updated_at = journal.origin.at
        return
    held = rows[0]
    if held.contact_id == QUARANTINED:
        change.resolution.warnings.append(quarantine_notice(one.kind))
    elif held.contact_id != card.contact_id:
        _move(change, card, held, one)
    else:
        _refresh(held, one, card, journal)


def _refresh(held: Held, one: Identifier, card: Card, journal: Journal) -> None:
    """Newer words about a token: its app, device or device block."""
    attributes = {**(held.attributes or {}), **(one.attributes or {})} or None
    new = (one.app or held.app, one.device or held.device, attributes)
    if new != (held.app, held.device, held.attributes):
        if new[1] != held.device:
            journal.note("added", "belongs_to_device", card.contact_id, [named(held)])
        held.app, held.device, held.attributes = new
        card.updated_at = journal.origin.at


def _move(change: Change, card: Card, held: Held, one: Identifier) -> None:
    former = change.ws.card(held.contact_id)
    if change.occurred <= held.since:
        change.resolution.warnings.append(
            Notice("identifier_is_newer_elsewhere", "another contact got this identifier later")
        )
        count_senders(change, former, card, held)  # whoever comes late sent it too
        return
    if former.has_external_id and not change.takes_from_known:
        change.resolution.warnings.append(
            Notice("identifier_stays", "a contact with an External ID has this identifier")
        )
        return
    home = home_of(held)
    _hand_over(change, former, card, held, change.rule or "newer_request")
    _refresh(held, one, card, change.journal)
    if held.kind == DEVICE.code:
        for token in change.ws.identifiers_of(former.contact_id):
            if token.kind in TOKENS and token.device == held.value and home_of(token) == home:
                _hand_over(change, former, card, token, change.rule or "follows_device")


def _hand_over(change: Change, former: Card, card: Card, held: Held, rule: str) -> None:
    """Both cards' rows change, so that a writer who waited for either of them runs again."""
    had = home_of(held)
    former.last_word = None  # to say the same again now gets it back: that is something new
    change.ws.reassign(held, card.contact_id)
    held.since, held.rule = change.occurred, rule
    # What comes late of the time before is still the former's: `activity` writes it down (D37).
    change.ws.effect("linked", *held.key, had, home_of(held), change.occurred, rule)
    # Who loses it was not written to: with the same moment on both, the same request again would find
    # the other one by a shared address (D10, D22).
    card.updated_at = change.journal.origin.at
    change.journal.note("moved", rule, card.contact_id, [named(held)], other=former.contact_id)
    moved = Moved(BY_CODE[held.kind].name, held.value, former.contact_id)
    change.resolution.moved.append(moved)
    count_senders(change, former, card, held)


def count_senders(change: Change, former: Card, card: Card, held: Held) -> None:
    """D6: remember whose External IDs sent this value; too many of them and it names nobody."""
    senders = set(held.senders or ())
    senders.update(
        change.ws.short_hash((EXTERNAL_ID.code, one.external_id))
        for one in (former, card)
        if one.external_id
    )
    held.senders = sorted(senders) or None
    if len(senders) > MOST_SENDERS:
        # What comes of this time, and be it after the release, is nobody's.
        rule = "too_many_people"
        change.ws.effect("linked", *held.key, home_of(held), QUARANTINED, held.since, rule)
        change.ws.reassign(held, QUARANTINED)
        held.rule, held.device = rule, None
        change.journal.note("quarantined", held.rule, card.contact_id, [named(held)])
        change.resolution.warnings.append(quarantine_notice(held.kind))


def quarantine_notice(kind: int) -> Notice:
    return Notice(
        "quarantined_identifier",
        "stands on too many people to name one; ignored",
        BY_CODE[kind].name,
    )


def prepare(ws: WorkingSet, card: Card | None, person: Person) -> None:
    """Ask for everything that the functions above may need, before any change."""
    own = card.contact_id if card else None
    for one in person.all():
        ws.holders(one.key)
        if card is not None and one.kind in _STORED_AS:
            own_row(ws, card, one.kind, getattr(card, _STORED_AS[one.kind]))
    others = {held.contact_id for one in person.all() for held in finders(ws, one)} - {own}
    ws.need_cards(others)
    whole = {one for one in others if ws.card(one).status != Status.MERGED}
    if whole and own is not None:
        whole.add(own)
    ws.need_whole(whole)
