"""What a batch changed, as a set of bits a contact: which segments have to look at it again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec

from kartoteka.identity.kinds import KINDS
from kartoteka.identity.model import Card
from kartoteka.identity.working_set import ChangedRows, WorkingSet
from kartoteka.segments.conditions.base import ACTIVITY, LISTS, Subject

_READS = (*Card.__struct_fields__, *(f"identifier:{kind.code}" for kind in KINDS), LISTS, ACTIVITY)
BIT = {name: 1 << place for place, name in enumerate(_READS)}
"""Everything that a condition may read."""
COLUMNS = frozenset(Card.__struct_fields__)
ALL = (1 << len(_READS)) - 1
_UNSAID = ("merges", "last_word", "proof", ACTIVITY)
SHOWN = ALL & ~sum(BIT[name] for name in _UNSAID)
"""What a reader of the contact sees: a card in which nothing of it changed is not told of."""
_MERGED_INTO = Card.__struct_fields__.index("merged_into")
_STATUS = Card.__struct_fields__.index("status")
_COLUMN_BITS = tuple(BIT[name] for name in Card.__struct_fields__)
_LIST_EFFECTS = {"list": 1, "attach": 1, "leave_list": 1, "detach": 1}
"""Where the contact id stands in the rows of effects that change lists."""

astuple = msgspec.structs.astuple


def mask_of(reads: Iterable[str]) -> int:
    """The bits of what is read; every segment also reads whether the contact is live."""
    mask = BIT["status"]
    for name in reads:
        mask |= BIT[name]
    return mask


class Changes(msgspec.Struct, frozen=True):
    """The cards of a batch that changed: what of each, and how it was."""

    masks: dict[int, int]
    after: dict[int, Subject]
    before: dict[int, Subject]
    """Of cards that were there before, as they were."""


def changes_of(ws: WorkingSet, more: Mapping[int, int], at: datetime) -> Changes:
    """What the batch changed. `more`: bits of contacts that the working set cannot tell."""
    assert ws.written is not None
    rows, new, changed = ws.written
    masks = {card.contact_id: ALL for card in new}
    after = {card.contact_id: Subject(card, at) for card in (*new, *changed)}
    before: dict[int, Subject] = {}
    others = dict(more)
    for card in changed:
        row = ws.loaded_card(card.contact_id)
        before[card.contact_id] = Subject(Card(*row), at)
        masks[card.contact_id] = _mask(row, astuple(card))
        if row[_MERGED_INTO] is not None and row[_MERGED_INTO] != card.merged_into:  # taken back
            others[row[_MERGED_INTO]] = BIT[ACTIVITY] | BIT[LISTS]
    for contact_id, bit in _others(ws, rows):
        if contact_id > 0:
            masks[contact_id] = masks.get(contact_id, 0) | bit
    for contact_id, bits in others.items():
        masks[contact_id] = masks.get(contact_id, 0) | bits
    return Changes(masks, after, before)


def _mask(before: tuple[object, ...], after: tuple[object, ...]) -> int:
    if before[_STATUS] != after[_STATUS]:
        return ALL
    mask = 0
    for bit, was, now in zip(_COLUMN_BITS, before, after, strict=True):
        if was != now:
            mask |= bit
    return mask


def _others(ws: WorkingSet, rows: ChangedRows) -> Iterable[tuple[int, int]]:
    """Identifiers, lists and activity."""
    deleted, inserted, updated = rows
    for row_key in deleted:
        yield ws.loaded_row(row_key).contact_id, BIT[f"identifier:{row_key[0]}"]
    for held in (*inserted, *updated):
        yield held.contact_id, BIT[f"identifier:{held.kind}"]
    for name, place in _LIST_EFFECTS.items():
        for row in ws.effects.get(name, ()):
            yield row[place], BIT[LISTS]
    for absorbed, survivor in ws.effects.get("absorbed", ()):
        yield survivor, BIT[LISTS]
        yield absorbed, ALL
