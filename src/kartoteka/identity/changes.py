"""What happens to identifiers once it is decided whose card it is (decisions D11–D14, D17).

Every function changes the `WorkingSet` in memory and leaves its rows in the history. All that they
need is asked for by `prepare` first, so that none of them stops half-way with `Missing`.
"""

from __future__ import annotations

import zlib
from datetime import datetime

from kartoteka.identity.history import Journal, named, snapshot_of
from kartoteka.identity.kinds import BY_CODE, DEVICE, EMAIL, EXTERNAL_ID, PHONE
from kartoteka.identity.model import (
    QUARANTINED,
    Card,
    Held,
    Identifier,
    Moved,
    Notice,
    Policy,
    Resolution,
    Status,
)
from kartoteka.identity.policies import EXCLUSIVE, TOKENS
from kartoteka.identity.rules import (
    Names,
    Person,
    cards_found,
    finders,
    may_absorb,
    stricter,
)
from kartoteka.identity.working_set import WorkingSet

MOST_SENDERS = 50
"""A changeable value that more External IDs than this have sent names nobody (D6)."""

GAPS = (
    "first_name",
    "last_name",
    "contact_key",
    "language_code",
    "time_zone",
    "region",
    "town",
    "address",
    "postcode",
)


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
    key = Identifier(kind, value).key
    return next((one for one in ws.holders(key) if one.contact_id == card.contact_id), None)


# External ID


def set_external_id(
    ws: WorkingSet, card: Card, one: Identifier, journal: Journal, rule: str
) -> list[Notice]:
    """Make this the card's primary External ID (D9, D11). The caller has checked that it is free."""
    at = journal.origin.at
    old = own_row(ws, card, EXTERNAL_ID.code, card.external_id)
    former = next((held for held in ws.holders(one.key) if held.contact_id == card.contact_id), None)
    if former is old and old is not None:
        return []
    if old is not None:
        _make_former(ws, card, old, journal)
    if former is not None:
        former.former = False
        former.since = at
        card.former_ids -= 1
        journal.note("external_id_replaced", "former_id_again_primary", card.contact_id, [named(former)])
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


def take_changeable(
    ws: WorkingSet,
    card: Card,
    one: Identifier,
    journal: Journal,
    resolution: Resolution,
    occurred: datetime,
) -> None:
    """Put a changeable identifier on the card: new, refreshed, or moved from its holder (D12)."""
    rows = ws.holders(one.key)
    if not rows:
        held = ws.hold(new_held(one, card.contact_id, occurred, "given"))
        journal.note("added", "given", card.contact_id, [named(held)])
        card.updated_at = journal.origin.at
        return
    held = rows[0]
    if held.contact_id == QUARANTINED:
        resolution.warnings.append(quarantine_notice(one.kind))
        return
    if held.contact_id != card.contact_id:
        _move(ws, card, held, one, journal, resolution, occurred)
    else:
        _refresh(held, one, card, journal)
    _count_sender(ws, card, held, journal, resolution)


def _refresh(held: Held, one: Identifier, card: Card, journal: Journal) -> None:
    """Newer words about a token: its app, device or device block."""
    attributes = {**(held.attributes or {}), **(one.attributes or {})} or None
    new = (one.app or held.app, one.device or held.device, attributes)
    if new != (held.app, held.device, held.attributes):
        held.app, held.device, held.attributes = new
        card.updated_at = journal.origin.at


def _move(
    ws: WorkingSet,
    card: Card,
    held: Held,
    one: Identifier,
    journal: Journal,
    resolution: Resolution,
    occurred: datetime,
) -> None:
    if occurred <= held.since:
        resolution.warnings.append(
            Notice("identifier_is_newer_elsewhere", "another contact got this identifier later")
        )
        return
    former = ws.card(held.contact_id)
    _hand_over(ws, former, card, held, "newer_request", journal, resolution, occurred)
    _refresh(held, one, card, journal)
    if held.kind == DEVICE.code:
        for token in ws.identifiers_of(former.contact_id):
            if token.kind in TOKENS and token.device == held.value:
                _hand_over(ws, former, card, token, "follows_device", journal, resolution, occurred)


def _hand_over(
    ws: WorkingSet,
    former: Card,
    card: Card,
    held: Held,
    rule: str,
    journal: Journal,
    resolution: Resolution,
    occurred: datetime,
) -> None:
    """Both cards' rows change, so that a writer who waited for either of them runs again."""
    ws.reassign(held, card.contact_id)
    held.since, held.rule = occurred, rule
    former.updated_at = card.updated_at = journal.origin.at
    journal.note("moved", rule, card.contact_id, [named(held)], other=former.contact_id)
    resolution.moved.append(Moved(BY_CODE[held.kind].name, held.value, former.contact_id))


def _count_sender(
    ws: WorkingSet, card: Card, held: Held, journal: Journal, resolution: Resolution
) -> None:
    """D6: remember which External IDs sent this value; too many of them and it names nobody."""
    if card.external_id is None or held.contact_id != card.contact_id:
        return
    sender = short_hash(card.external_id)
    if held.senders is None:
        held.senders = [sender]
        return
    if sender in held.senders:
        return
    held.senders = [*held.senders, sender]
    if len(held.senders) > MOST_SENDERS:
        ws.reassign(held, QUARANTINED)
        held.rule = "too_many_people"
        card.updated_at = journal.origin.at
        journal.note("quarantined", "too_many_people", card.contact_id, [named(held)])
        resolution.warnings.append(quarantine_notice(held.kind))


def short_hash(external_id: str) -> int:
    """31 bits of an External ID: enough to count different ones to fifty."""
    return zlib.crc32(external_id.encode()) & 0x7FFFFFFF


def quarantine_notice(kind: int) -> Notice:
    return Notice(
        "quarantined_identifier",
        "stands on too many people to name one; ignored",
        BY_CODE[kind].name,
    )


# Absorbing


def absorb_contained(
    ws: WorkingSet,
    card: Card,
    before: Names,
    person: Person,
    policy: Policy,
    journal: Journal,
    resolution: Resolution,
) -> None:
    """D13: absorb, by contact id, every card that shares an identifier and contradicts nothing."""
    if not policy.absorbs:
        return
    others = {
        other.contact_id: other
        for one in person.all()
        for other in cards_found(ws, person, one.kind, Status.LIVE)
        if other.contact_id != card.contact_id
    }
    for contact_id in sorted(others):
        allowed, why = may_absorb(ws, card, before, person, others[contact_id])
        if allowed:
            absorb(ws, card, others[contact_id], why, journal)
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
    for segment_id in lists - ws.lists_of(card.contact_id):
        ws.effect("member", segment_id, card.contact_id, at, other.contact_id)
    ws.lists.setdefault(card.contact_id, set()).update(lists)
    ws.effect("moved_activity", other.contact_id, card.contact_id)
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


def prepare(ws: WorkingSet, card: Card | None, person: Person, policy: Policy) -> None:
    """Ask for everything that `absorb_contained` and `take_changeable` may need, before any change."""
    own = card.contact_id if card else None
    others: set[int] = set()
    for one in person.all():
        for held in finders(ws, one):
            if held.contact_id != own and ws.card(held.contact_id).status != Status.MERGED:
                others.add(held.contact_id)
    if others and own is not None:
        ws.identifiers_of(own)
    for contact_id in sorted(others):
        ws.identifiers_of(contact_id)
