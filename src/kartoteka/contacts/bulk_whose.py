"""Whose card a row of a bulk call or file is about (guide G13, wire 3.9, decisions D7–D10).

The rules are those of POST contact, with the row's unique field in place of e-mail, phone and tokens
(D7), and one exception: a row may replace the External ID of the contact that it names otherwise (D9).
"""

from __future__ import annotations

import msgspec

from kartoteka.contacts.model import ImportRow
from kartoteka.contacts.uniques import UNIQUES
from kartoteka.identity.kinds import EXTERNAL_ID
from kartoteka.identity.model import Card, Key, Policy, Status
from kartoteka.identity.policies import EXCLUSIVE, IMPORT_ROW
from kartoteka.identity.rules import (
    Create,
    Decision,
    Found,
    Nobody,
    Restore,
    best,
    cards_found,
    find,
    is_never,
    is_quarantined,
    may_create,
)
from kartoteka.identity.working_set import WorkingSet

CONTACT_KEY = 0
"""Field part of a `Key` that looks contact keys up."""


def _policy(name: str) -> Policy:
    """D7: External ID, then the unique field; by External ID it goes on as POST contact does.

    D12: rows that are named by tokens take them from anybody, or the next import of the same row
    would not find who got it.
    """
    kinds = tuple(kind.code for kind in UNIQUES[name].kinds)
    order = IMPORT_ROW.order if name == "externalCustomerId" else kinds
    by_token = bool(kinds) and EXCLUSIVE.issuperset(kinds)
    return msgspec.structs.replace(IMPORT_ROW, order=order, takes_from_known=by_token)


POLICIES = {name: _policy(name) for name in UNIQUES}
"""What rows may do, by their unique field."""


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


def whose(ws: WorkingSet, row: ImportRow) -> Decision:
    """D8, D9, D10 for a row; the exception of D9 comes after the rule that it is one of."""
    person, policy = row.contact.person, POLICIES[row.rules.unique.name]
    if not _names_somebody(ws, row):
        return Nobody()
    decision = find(ws, person, policy)
    if isinstance(decision, (Found, Restore)) and decision.matched_by == EXTERNAL_ID.name:
        return _again_primary(row, decision)
    if row.rules.unique.name == "id":
        decision = _by_contact_id(ws, row, decision)
    elif key := field_key(row):
        decision = _by_field(ws, row, key, decision)
    if row.rules.updates_external_id and person.external_id is not None:
        matched_by, holders = _live_holders(ws, row)
        if len(holders) == 1 and not (isinstance(decision, Found) and decision.card is holders[0]):
            return Found(holders[0], matched_by, "external_id_replaced")
    return decision


def _names_somebody(ws: WorkingSet, row: ImportRow) -> bool:
    """D18: by External ID or unique value. One that finds nobody (D6) would create at every import."""
    person, kinds = row.contact.person, UNIQUES[row.rules.unique.name].kinds
    if person.external_id is not None:
        return True
    if not kinds:
        return row.value is not None
    return any(
        not is_never(ws.settings, one.kind, one.value) and not is_quarantined(ws, one.key)
        for kind in kinds
        for one in person.of_kind(kind.code)
    )


def _again_primary(row: ImportRow, decision: Found | Restore) -> Decision:
    """D9, D11: as PUT would, a row may make a former External ID of its own contact primary again.

    Its contact is the one that has the unique value after the row, or the same row would do it at
    the next import.
    """
    if (
        isinstance(decision, Found)
        and decision.rule == "former_external_id"
        and row.rules.updates_external_id
        and row.value is not None
    ):
        return msgspec.structs.replace(decision, rule="external_id_replaced")
    return decision


def _live_holders(ws: WorkingSet, row: ImportRow) -> tuple[str, list[Card]]:
    """Live contacts that hold the row's unique value; of `email_or_sms` those of the phone first."""
    unique = row.rules.unique.name
    if unique == "id":
        card = _followed(ws, row.contact_id)
        return "contact_id", [card] if card is not None and card.status == Status.LIVE else []
    if key := field_key(row):
        return _field_name(key), _with_value(ws, key, Status.LIVE)
    for kind in UNIQUES[unique].kinds:
        if cards := cards_found(ws, row.contact.person, kind.code, Status.LIVE):
            return kind.name, cards
    return unique, []


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
    name = _field_name(key)
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


def _field_name(key: Key) -> str:
    return "contact_key" if key[0] == CONTACT_KEY else "custom_field"


def _with_value(ws: WorkingSet, key: Key, status: Status) -> list[Card]:
    """Cards of this status whose field has the value now: a row before may have changed it, or
    have left it to the card that absorbed the one it stood on."""
    field, value = key
    found = {
        card.contact_id: card
        for contact_id in sorted(ws.found_by(key))
        if (card := _followed(ws, contact_id)) is not None
    }
    return [
        card
        for card in found.values()
        if card.status == status
        and (card.contact_key if field == CONTACT_KEY else card.fields.get(str(-field))) == value
    ]
