"""The people on a merged card: of whom a request speaks, and what it said (decisions D15, D28).

A *side* is one of the cards that were merged, named by its contact id. While a card holds others, each
identifier on it has a home, the side that it goes back to: the one that brought it first. And what
requests say is kept in the history, each with the side whose identifier carried it. An undo tells it
again to the cards as they were (`contacts/retelling.py`), so it comes to what would stand if the merge
had never happened.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import msgspec

from kartoteka.identity.history import Journal
from kartoteka.identity.kinds import BY_CODE
from kartoteka.identity.model import Card, Held, Key, Origin, Status, Word
from kartoteka.identity.proof import saying_of
from kartoteka.identity.rules import Person
from kartoteka.identity.working_set import WorkingSet

EVERY_SIDE = 0
"""What an address refuses is said to all who have it."""


def speak_as(ws: WorkingSet, card: Card, contact_id: int) -> None:
    """The request names a card by this id, which may be one that was merged into it."""
    if card.merges:
        ws.speaking[card.contact_id] = contact_id


def leads_to(ws: WorkingSet, contact_id: int, card: Card) -> bool:
    """Whether this id is the card's, or of one that was merged into it, through any chain (D14)."""
    part = card if contact_id == card.contact_id else ws.known_card(contact_id)
    while part is not None and part.status == Status.MERGED:
        part = ws.known_card(part.merged_into or 0)
    return part is card


def speak_by(ws: WorkingSet, card: Card, person: Person) -> None:
    """The request speaks of the side whose identifier it names first; what both have is the
    survivor's."""
    if not card.merges or card.contact_id in ws.speaking:
        return
    for one in person.all():
        held = ws.row_of(one.key, card.contact_id)
        if held is not None:
            ws.speaking[card.contact_id] = home_of(held)
            return


def home_of(held: Held) -> int:
    """The side that has this identifier."""
    return held.contact_id if held.home is None else held.home


def card_of_side(ws: WorkingSet, key: Key, side: int) -> int:
    """The card on which this side has the identifier now."""
    return next((held.contact_id for held in ws.holders(key) if home_of(held) == side), side)


def side_of(ws: WorkingSet, contact_id: int) -> int:
    """The side of this card that the present command speaks of: what it brings is owned by that."""
    return ws.speaking.get(contact_id, contact_id)


_UNKEYED = "unkeyed"
"""The saying of `Card.proof` with the sides that no keyed call has written yet (D36)."""


def note_unkeyed(card: Card, other: Card) -> None:
    """Called before `other` is merged into the card."""
    sides: set[int] = set()
    for one in (card, other):
        noted = _unkeyed(one)
        if noted is not None:
            sides.update(noted)
        elif not one.keyed:
            sides.add(one.contact_id)
    if sides:
        _note(card, sorted(sides))


def is_unkeyed(card: Card, side: int) -> bool:
    """Whether no keyed call has written this side of a merged card so far."""
    return side in (_unkeyed(card) or ())


def note_keyed(card: Card, side: int) -> None:
    """A keyed call has written this side."""
    _note(card, [one for one in _unkeyed(card) or () if one != side])


def _unkeyed(card: Card) -> list[int] | None:
    saying = saying_of(card.proof, _UNKEYED)
    return None if saying is None else saying[0]


def _note(card: Card, sides: list[int]) -> None:
    others = [one for one in card.proof if one[0] != [_UNKEYED]]
    card.proof = [*others, [[_UNKEYED], sides]] if sides else others


def keep_word(
    ws: WorkingSet, card: Card, word: Word, origin: Origin, named: Person | None = None
) -> None:
    """Remember what was said to a merged card, unless it is what was said last: that changes nothing."""
    body = word.body
    if body.get("policy") == "known_order":  # the same order again says the same (D22)
        body = {**body, "policy": "order"}
    digest = _digest([word.command, body])
    if digest == card.last_word:
        return
    card.last_word = digest
    identifiers = None
    if named is not None:
        identifiers = [{"kind": BY_CODE[one.kind].name, "value": one.value} for one in named.all()]
    content = msgspec.to_builtins(word)
    Journal(ws, origin).note("said", "said", card.contact_id, identifiers, snapshot=content)


def word_of(
    side: int,
    said: msgspec.Struct,
    rule: str | None = None,
    refusals: Sequence[tuple[int, str, int]] = (),
    had: Sequence[Held] = (),
) -> Word:
    """The command as a word, without its origin, which the history has."""
    name, body = type(said).__name__, _without_origin(said)
    return Word(side, name, body, rule, list(refusals), list(had))


def _without_origin(said: msgspec.Struct) -> dict[str, Any]:
    body: dict[str, Any] = msgspec.to_builtins(said)
    for name in ("origin", "repeat", "dry_run"):
        body.pop(name, None)
    return body


def _digest(content: list[Any]) -> int:
    text = msgspec.json.encode(content, order="sorted")
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big", signed=True)
