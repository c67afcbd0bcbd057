"""One row of a bulk call or file: what it comes to (guide G13, wire 3.9); `bulk_whose` finds the card.

Removed contacts are left alone unless asked for (decisions D8, D10), erased people are refused (D29).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from kartoteka.contacts.bulk_whose import POLICIES, field_key, whose
from kartoteka.contacts.clearing import IDENTIFIERS, clear_fields
from kartoteka.contacts.model import ImportRow, Outcome
from kartoteka.contacts.settle import Settled, Settling, settle
from kartoteka.errors import NoIdentifier
from kartoteka.identity.history import Journal
from kartoteka.identity.kinds import EXTERNAL_ID
from kartoteka.identity.model import Card, Identifier, Key, Notice, Origin, Resolution
from kartoteka.identity.rules import Create, Decision, Found, Nobody, Person, Restore
from kartoteka.identity.sides import leads_to, side_of, speak_as
from kartoteka.identity.working_set import WorkingSet

_AFTER_ANOTHER = timedelta(microseconds=1)
"""Rows come at one moment, one after the other: of two that bring a token the last one wins (D12)."""


def import_row(ws: WorkingSet, row: ImportRow, decision: Decision | None = None) -> Outcome:
    """Carry out one row. Raises `NoIdentifier` for one that names nobody."""
    resolution = Resolution(warnings=list(row.contact.warnings))
    if decision is None:
        decision = whose(ws, row)
    if isinstance(decision, Nobody):
        raise NoIdentifier
    if not _named_by_live_id(decision) and _is_erased(ws, row.contact.person):
        resolution.outcome = "suppressed"
        return Outcome(resolution)
    if isinstance(decision, Restore) and not row.rules.restores:
        resolution.contact_id = decision.card.contact_id
        resolution.outcome, resolution.rule = "skipped", "removed_stays_removed"
        return Outcome(resolution)
    return _write(ws, row, decision, resolution)


def _named_by_live_id(decision: Decision) -> bool:
    return isinstance(decision, Found) and decision.matched_by == EXTERNAL_ID.name


def _is_erased(ws: WorkingSet, person: Person) -> bool:
    """D29: the External ID is suppressed; without one, an e-mail or phone that no live contact holds."""
    if ws.refuses_nothing and not ws.suppressed:
        return False
    if person.external_id is not None:
        asked = [person.external_id]
    else:
        asked = [one for one in (person.email, person.phone) if one and not _is_held(ws, one)]
    ws.need_addresses([one.key for one in asked])
    return any(ws.suppressed.get(one.key) for one in asked)


def _is_held(ws: WorkingSet, one: Identifier) -> bool:
    return any(ws.is_live(held.contact_id) for held in ws.holders(one.key) if held.contact_id)


def _write(ws: WorkingSet, row: ImportRow, decision: Decision, resolution: Resolution) -> Outcome:
    replaces = isinstance(decision, Found) and decision.rule == "external_id_replaced"
    card = None if isinstance(decision, Create) else decision.card  # type: ignore[union-attr]
    if card is not None and row.clear and row.clear.intersection(IDENTIFIERS):
        ws.identifiers_of(card.contact_id)
    if card is not None and row.contact_id is not None and leads_to(ws, row.contact_id, card):
        speak_as(ws, card, row.contact_id)
    journal = Journal(ws, row.origin)
    person = _written(ws, row, decision)
    work = Settling(
        ws,
        person,
        row.contact.profile,
        POLICIES[row.rules.unique.name],
        journal,
        resolution,
        replace_external_id=replaces,
        occurred=_occurred(row) if person.changeable else None,
    )
    settled = settle(work, decision)
    if row.clear and (not settled.new or resolution.absorbed or resolution.moved):
        _clear(ws, row, settled, journal)
    _remember(ws, row, settled.card)
    _lists_and_event(ws, row, settled)
    return Outcome(resolution, new=settled.new)


def _occurred(row: ImportRow) -> datetime:
    """What its tokens, devices and cookies follow (D12)."""
    return (row.occurred or row.origin.at) + row.number * _AFTER_ANOTHER


def _written(ws: WorkingSet, row: ImportRow, decision: Decision) -> Person:
    """The row's identifiers without those that only find: a known contact does not get them."""
    person, only_find = row.contact.person, row.rules.only_find
    if not only_find or isinstance(decision, (Create, Nobody)):
        return person
    own = decision.card.contact_id
    drop = {
        one.key
        for one in person.all()
        if one.kind in only_find and all(held.contact_id != own for held in ws.holders(one.key))
    }
    email, phone = person.email, person.phone
    return msgspec.structs.replace(
        person,
        email=None if email is None or email.key in drop else email,
        phone=None if phone is None or phone.key in drop else phone,
        changeable=tuple(one for one in person.changeable if one.key not in drop),
    )


def _clear(ws: WorkingSet, row: ImportRow, settled: Settled, journal: Journal) -> None:
    """D16: a listed field without data is emptied; clearing the last identifier is allowed."""
    card, resolution = settled.card, settled.resolution
    if not clear_fields(ws, card, row.clear, row.contact, journal):
        return
    if resolution.outcome == "unchanged":
        resolution.outcome = "updated"
    if row.clear.intersection(IDENTIFIERS) and not ws.identifiers_of(card.contact_id):
        text = "nothing but its contact id finds this contact now"
        resolution.warnings.append(Notice("no_identifier_left", text))


def _remember(ws: WorkingSet, row: ImportRow, card: Card) -> None:
    key = field_key(row)
    if key is not None:
        ws.note_found(key, card.contact_id)


def _lists_and_event(ws: WorkingSet, row: ImportRow, settled: Settled) -> None:
    """Lists join and leave; an event for new contacts only, never for restored ones (wire 3.9)."""
    card, rules = settled.card, row.rules
    if rules.groups or rules.groups_exclude:
        ws.touch(card.contact_id)  # who absorbs it at this moment inherits the lists too
    for name in rules.groups:
        ws.effect("list", name, card.contact_id, row.origin.at)
    for name in rules.groups_exclude:
        ws.effect("leave_list", name, card.contact_id)
    if rules.event_key and settled.new:
        params = {
            "contactId": card.contact_id,
            "EmailAddress": card.email or "",
            "SMS": card.phone or "",
        }
        key_value = card.email or card.phone or ""
        owner = side_of(ws, card.contact_id)
        ws.effect("event", owner, rules.event_key, key_value, row.origin.at, params)


def in_order(rows: Iterable[ImportRow], origin: Origin) -> None:
    """Let these rows be carried out at that moment, one after the other: of the cards that they
    change the last one is the most recent (D10), in one batch as in several."""
    for place, row in enumerate(rows):
        at = origin.at + place * _AFTER_ANOTHER
        row.origin = Origin(at, origin.request_id, origin.key_id, origin.method)


def names_of(row: ImportRow) -> tuple[list[Key], tuple[int, ...]]:
    """What the row names: identifiers, the field it is looked up by, the contact id."""
    keys = [one.key for one in row.contact.person.all()]
    if key := field_key(row):
        keys.append(key)
    return keys, () if row.contact_id is None else (row.contact_id,)
