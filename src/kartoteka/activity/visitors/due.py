"""Claims whose cookie or device has a contact already: they take effect when their person comes (D36).

What waits with a cookie that nobody has is linked by statement `take_up_claims`. Here is what that one
cannot do: take a cookie or device from the card that has it. It runs behind the keyed call that made the
person known, in the same transaction, and moves what any later call of that visitor would move (D12).
What a page or an untrusted app says makes nobody known: of a contact that such an app made, the first
keyed call that writes it takes the claims up.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import msgspec

from kartoteka.activity.model import SpanState
from kartoteka.activity.spans import spans_of
from kartoteka.activity.visitors.claims import is_own_token
from kartoteka.activity.visitors.model import CLAIM, Waiting
from kartoteka.activity.visitors.naming import holder_of, whom_they_name
from kartoteka.activity.visitors.waiting import WAITING, WAITS, forget_claim
from kartoteka.contacts.model import Command
from kartoteka.identity.absorbing import absorb_claimed
from kartoteka.identity.changes import Change, take_changeable
from kartoteka.identity.history import Journal
from kartoteka.identity.kinds import DEVICE, EMAIL, EXTERNAL_ID, PHONE
from kartoteka.identity.model import QUARANTINED, Card, Held, Identifier, Key, Resolution, Status
from kartoteka.identity.policies import CHANGEABLE, LASTING, TOKENS
from kartoteka.identity.rules import Names, Person, may_absorb
from kartoteka.identity.sides import card_of_side
from kartoteka.identity.working_set import WorkingSet
from kartoteka.intake.deciding import Before

CLAIMS_ABOUT = "claims_about"
"""The fact for a lasting identifier, or (0, contact id): cookies and devices that a card has, and that
are claimed to be of whoever has it."""
_INSTANT = timedelta(microseconds=1)


class Due(msgspec.Struct, frozen=True):
    """A claim that takes effect now."""

    key: Key
    held: Held
    holder: Card
    card: Card
    at: datetime
    absorbs: bool


def take_up(ws: WorkingSet, command: Command, before: Before) -> None:
    """What the command that was just carried out makes due. Asks for everything, then changes."""
    people = sorted(set(_came_to_be(ws, before))) if command.is_keyed else ()
    if not people:  # after most commands by far
        return
    found = [one for contact_id in people for one in _due(ws, contact_id, command)]
    for contact_id in people:
        ws.effect("known", contact_id)
    journal = Journal(ws, command.origin)
    for one in found:
        if all(span.state != SpanState.CLAIMED for span in spans_of(ws, one.key)):
            forget_claim(ws, one.key, one.card.contact_id)
        if _still_moves(one):
            _bring(ws, one, journal)


def _came_to_be(ws: WorkingSet, before: Before) -> list[int]:
    """Contacts that the command restored, gave what something waited for, or was the first to write of
    all who have a key."""
    effects = ws.effects
    came = effects.get("came", ())[before.came :]
    keyed = effects.get("keyed", ())[before.keyed :]
    restored = [row for row in effects.get("history", ())[before.history :] if row[1] == "restored"]
    if not came and not keyed and not restored:
        return []
    survivors: dict[int, int] = dict(ws.effects.get("absorbed", ()))
    known = [card_of_side(ws, row[:2], row[2]) for row in came if row[0] in LASTING]
    known += [row[0] for row in keyed]
    return [_survivor(survivors, one) for one in known + [row[3] for row in restored]]


def _survivor(survivors: dict[int, int], contact_id: int) -> int:
    while contact_id in survivors:
        contact_id = survivors[contact_id]
    return contact_id


def _due(ws: WorkingSet, contact_id: int, command: Command) -> Iterator[Due]:
    card = ws.card(contact_id)
    if card.status != Status.LIVE:
        return
    for key in _claimed(ws, card):
        waiting: Waiting | None = ws.fact(WAITING, key)
        held = holder_of(ws, key)
        if waiting is None or held is None or waiting.expires_at <= command.origin.at:
            continue
        if not _names(ws, waiting, card):
            continue
        holder = ws.card(held.contact_id)
        ws.need_whole({card.contact_id, holder.contact_id})
        spans_of(ws, key)
        absorbs = holder is not card and _may_absorb(ws, card, holder, held)
        yield Due(key, held, holder, card, waiting.expires_at - WAITS, absorbs)


def _claimed(ws: WorkingSet, card: Card) -> list[Key]:
    """Cookies and devices that claims of the database or of this batch say to be this card's."""
    said = ((EXTERNAL_ID, card.external_id), (EMAIL, card.email), (PHONE, card.phone))
    keys = [Identifier(kind.code, value).key for kind, value in said if value is not None]
    about = [*keys, (0, str(card.contact_id))]
    found = {key: None for one in about for key in ws.fact(CLAIMS_ABOUT, one) or ()}
    for kind, value_key, external_key, email, phone, contact_id, *_ in ws.effects.get("claim", ()):
        named = {(1, external_key), (2, email), (3, phone), (0, str(contact_id))}
        if named.intersection(about):
            found[(kind, value_key)] = None
    return list(found)


def _names(ws: WorkingSet, waiting: Waiting, card: Card) -> bool:
    """Whether the claim, made now, would name this card."""
    keys = ((1, waiting.external_key), (2, waiting.email), (3, waiting.phone))
    given = {kind: _live(ws, (kind, text)) for kind, text in keys if text is not None}
    said = set() if waiting.contact_id is None else _live_card(ws, waiting.contact_id)
    named, _ = whom_they_name(ws, given, said)
    return named is card


def _live(ws: WorkingSet, key: Key) -> set[int]:
    ids = {held.contact_id for held in ws.holders(key)} - {QUARANTINED}
    ws.need_cards(ids)
    return {contact_id for contact_id in ids if ws.is_live(contact_id)}


def _live_card(ws: WorkingSet, contact_id: int) -> set[int]:
    card = ws.known_card(contact_id)
    return {contact_id} if card is not None and card.status == Status.LIVE else set()


def _may_absorb(ws: WorkingSet, card: Card, holder: Card, held: Held) -> bool:
    """D36: an anonymous contact that holds nothing but this device and its tokens comes along."""
    if held.kind != DEVICE.code or holder.status != Status.LIVE or holder.has_external_id:
        return False
    for one in ws.identifiers_of(holder.contact_id):
        if one is not held and not (one.kind in TOKENS and one.device == held.value):
            return False
    ws.lists_of(holder.contact_id)
    names = Names(card.first_name, card.last_name)
    return may_absorb(ws, card, names, Person(), holder)[0]


def _still_moves(one: Due) -> bool:
    """Not from who got it since, or became known since: theirs it was by a later word (D12)."""
    if one.holder is one.card or one.holder.has_external_id:
        return False
    return one.held.since <= one.at


def _bring(ws: WorkingSet, one: Due, journal: Journal) -> None:
    if one.absorbs:
        absorb_claimed(ws, one.card, one.holder, journal)
        return
    own = [
        held for held in ws.identifiers_of(one.holder.contact_id) if is_own_token(held, one.held)
    ]
    tokens = [held for held in own if held.kind in TOKENS and held.kind in CHANGEABLE]
    for held in (one.held, *tokens):
        if held.contact_id != one.card.contact_id:
            at = max(one.at, held.since + _INSTANT)
            change = Change(ws, journal, Resolution(), at, rule=CLAIM)
            take_changeable(change, one.card, Identifier(held.kind, held.value))
