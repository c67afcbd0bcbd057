"""One row of a bulk call or file: whose card it is, and what it comes to (guide G13, wire 3.9).

The rules are those of POST contact, with the row's unique field in place of e-mail, phone and tokens
(decisions D7), removed contacts left alone unless asked for (D8, D10), erased people refused (D29),
and one exception: a row may replace the External ID of the contact that it names otherwise (D9).
"""

from __future__ import annotations

import msgspec

from kartoteka.contacts.clearing import IDENTIFIERS, clear_fields
from kartoteka.contacts.model import ImportRow, Outcome
from kartoteka.contacts.settle import Settled, Settling, settle
from kartoteka.contacts.uniques import UNIQUES
from kartoteka.errors import NoIdentifier
from kartoteka.identity.history import Journal
from kartoteka.identity.model import Card, Identifier, Key, Notice, Policy, Resolution, Status
from kartoteka.identity.policies import IMPORT_ROW
from kartoteka.identity.rules import (
    Create,
    Decision,
    Found,
    Nobody,
    Person,
    Restore,
    best,
    cards_found,
    find,
    may_create,
)
from kartoteka.identity.working_set import WorkingSet

CONTACT_KEY = 0
"""Field part of a `Key` that looks contact keys up."""
_TOKENS = ("push", "webpush")


def _policy(name: str) -> Policy:
    """D7: External ID, then the unique field; by External ID it goes on as POST contact does."""
    kinds = tuple(kind.code for kind in UNIQUES[name].kinds)
    order = IMPORT_ROW.order if name == "externalCustomerId" else kinds
    return msgspec.structs.replace(IMPORT_ROW, order=order, takes_from_known=name in _TOKENS)


_POLICIES = {name: _policy(name) for name in UNIQUES}


def field_key(row: ImportRow) -> Key | None:
    """What the row is looked up by when its unique field is no identifier; see `identity.model.Key`."""
    unique = row.rules.unique
    if row.value is None:
        return None
    if unique.name == "contactKey":
        return (CONTACT_KEY, row.value)
    if unique.name == "fieldId" and unique.field_id is not None:
        return (-unique.field_id, row.value)
    return None


def import_row(ws: WorkingSet, row: ImportRow) -> Outcome:
    """Carry out one row. Raises `NoIdentifier` for one that names nobody."""
    resolution = Resolution(warnings=list(row.contact.warnings))
    decision = _whose(ws, row)
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


def _whose(ws: WorkingSet, row: ImportRow) -> Decision:
    """D8, D9, D10 for a row; the exception of D9 comes before the rule that it is one of."""
    person, policy = row.contact.person, _POLICIES[row.rules.unique.name]
    decision = find(ws, person, policy)
    if isinstance(decision, (Found, Restore)) and decision.matched_by == "external_id":
        return _again_primary(ws, row, decision)
    if row.rules.updates_external_id and person.external_id is not None:
        holders = _live_holders(ws, row)
        if len(holders) == 1:
            return Found(holders[0], row.rules.unique.name, "external_id_replaced")
    if row.rules.unique.name == "id":
        return _by_contact_id(ws, row, decision)
    key = field_key(row)
    return decision if key is None else _by_field(ws, row, key, decision)


def _again_primary(ws: WorkingSet, row: ImportRow, decision: Found | Restore) -> Decision:
    """D9, D11: as PUT would, a row may make a former External ID of its own contact primary again."""
    if (
        isinstance(decision, Found)
        and decision.rule == "former_external_id"
        and row.rules.updates_external_id
        and [card.contact_id for card in _live_holders(ws, row)] == [decision.card.contact_id]
    ):
        return msgspec.structs.replace(decision, rule="external_id_replaced")
    return decision


def _live_holders(ws: WorkingSet, row: ImportRow) -> list[Card]:
    """Live contacts that hold the row's unique value; of `email_or_sms` those of the phone first."""
    unique = row.rules.unique.name
    if unique == "id":
        card = _followed(ws, row.contact_id)
        return [card] if card is not None and card.status == Status.LIVE else []
    key = field_key(row)
    if key is not None:
        return _with_value(ws, key, Status.LIVE)
    for kind in UNIQUES[unique].kinds:
        if cards := cards_found(ws, row.contact.person, kind.code, Status.LIVE):
            return cards
    return []


def _by_contact_id(ws: WorkingSet, row: ImportRow, decision: Decision) -> Decision:
    """D9: `id` names the contact itself, if it may get the row's External ID; D8: unknown, absent."""
    card = _followed(ws, row.contact_id)
    has_id = row.contact.person.external_id is not None
    if card is None:
        return decision if has_id else Nobody()
    if has_id and card.has_external_id:
        return decision
    if card.status == Status.REMOVED:
        return Restore(card, "contact_id", "restored_by_contact_id")
    return Found(card, "contact_id", "contact_id")


def _followed(ws: WorkingSet, contact_id: int | None) -> Card | None:
    """The card that holds the id now, through any chain of merges (D14)."""
    card = None if contact_id is None else ws.known_card(contact_id)
    while card is not None and card.status == Status.MERGED:
        card = ws.known_card(card.merged_into or 0)
    return None if card is None or card.status == Status.ERASED else card


def _by_field(ws: WorkingSet, row: ImportRow, key: Key, decision: Decision) -> Decision:
    """D9, D10 for a contact key or a custom field in the place of an identifier."""
    name = "contact_key" if key[0] == CONTACT_KEY else "custom_field"
    has_id = row.contact.person.external_id is not None
    live = [
        card for card in _with_value(ws, key, Status.LIVE) if not (has_id and card.has_external_id)
    ]
    if live:
        return Found(best(live), name, f"found_by_{name}")
    if not has_id:
        removed = _with_value(ws, key, Status.REMOVED)
        if anonymous := [card for card in removed if not card.has_external_id]:
            return Restore(best(anonymous), name, f"restored_by_{name}")
    if has_id or may_create(ws, row.contact.person, IMPORT_ROW):
        return decision if has_id else Create("new_contact")
    return Nobody()


def _with_value(ws: WorkingSet, key: Key, status: Status) -> list[Card]:
    """Cards of this status whose field has the value now: a row before may have changed it."""
    found = [ws.card(contact_id) for contact_id in sorted(ws.found_by(key))]
    field, value = key
    return [
        card
        for card in found
        if card.status == status
        and (card.contact_key if field == CONTACT_KEY else card.fields.get(str(-field))) == value
    ]


def _named_by_live_id(decision: Decision) -> bool:
    return isinstance(decision, Found) and decision.rule in ("external_id", "former_external_id")


def _is_erased(ws: WorkingSet, person: Person) -> bool:
    """D29: the External ID is suppressed; without one, an e-mail or phone that no live contact holds."""
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
    if row.clear.intersection(IDENTIFIERS) and not isinstance(decision, Create):
        ws.identifiers_of(decision.card.contact_id)  # type: ignore[union-attr]
    journal = Journal(ws, row.origin)
    work = Settling(
        ws,
        row.contact.person,
        row.contact.profile,
        _POLICIES[row.rules.unique.name],
        journal,
        resolution,
        replace_external_id=replaces,
        occurred=row.occurred,
    )
    settled = settle(work, decision)
    if row.clear and not settled.new:
        _clear(ws, row, settled, journal)
    _remember(ws, row, settled.card)
    _lists_and_event(ws, row, settled)
    return Outcome(resolution, new=settled.new)


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
        ws.effect("event", card.contact_id, rules.event_key, key_value, row.origin.at, params)


def names_of(row: ImportRow) -> tuple[list[Key], tuple[int, ...]]:
    """What the row names: identifiers, the field it is looked up by, the contact id."""
    keys = [one.key for one in row.contact.person.all()]
    if key := field_key(row):
        keys.append(key)
    return keys, () if row.contact_id is None else (row.contact_id,)
