"""Whose card is this? The rules of guide G8–G11 and decisions D7–D14, as plain functions.

They read a `WorkingSet` and decide; nothing here changes a card (that is `changes.py`). A rule whose
answer depends on something not loaded lets `Missing` through.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from kartoteka.identity.kinds import BY_CODE, EMAIL, EXTERNAL_ID, PHONE
from kartoteka.identity.model import (
    QUARANTINED,
    Card,
    Consent,
    Held,
    Identifier,
    Key,
    Policy,
    Settings,
    Status,
)
from kartoteka.identity.namesakes import names_contradict
from kartoteka.identity.policies import LASTING
from kartoteka.identity.working_set import WorkingSet


class Person(msgspec.Struct, frozen=True, omit_defaults=True):
    """Whom a request speaks of: its identifiers and, for namesakes, its first and last name."""

    external_id: Identifier | None = None
    email: Identifier | None = None
    phone: Identifier | None = None
    changeable: tuple[Identifier, ...] = ()
    first_name: str | None = None
    last_name: str | None = None

    def all(self) -> Sequence[Identifier]:
        """Every identifier, in the order of the fields."""
        found = [] if self.external_id is None else [self.external_id]
        if self.email is not None:
            found.append(self.email)
        if self.phone is not None:
            found.append(self.phone)
        if self.changeable:
            found += self.changeable
        return found

    def of_kind(self, kind: int) -> tuple[Identifier, ...]:
        if kind == EMAIL.code:
            return (self.email,) if self.email else ()
        if kind == PHONE.code:
            return (self.phone,) if self.phone else ()
        if kind == EXTERNAL_ID.code:
            return (self.external_id,) if self.external_id else ()
        return tuple(one for one in self.changeable if one.kind == kind)

    def names_lasting(self) -> bool:
        return bool(self.external_id or self.email or self.phone)


class Found(msgspec.Struct, frozen=True):
    """A live card; `rule` names what decided."""

    card: Card
    matched_by: str
    rule: str


class Restore(msgspec.Struct, frozen=True):
    """A removed card that comes back (G8.2, D10)."""

    card: Card
    matched_by: str
    rule: str


class Create(msgspec.Struct, frozen=True):
    """Nobody has it and the request names somebody (G8.3)."""

    rule: str


class Nobody(msgspec.Struct, frozen=True):
    """Nobody has it and nothing in the request may create."""


Decision = Found | Restore | Create | Nobody


def find(ws: WorkingSet, person: Person, policy: Policy) -> Decision:
    """The card that a request is about (guide G8, G11; decisions D7–D10a)."""
    if ws.is_stranger(person.all()):  # most new ones are
        return _stranger(ws, person, policy)
    if person.external_id is not None:
        return _find_by_external_id(ws, person, policy)
    return _find_without_external_id(ws, person, policy)


def _stranger(ws: WorkingSet, person: Person, policy: Policy) -> Decision:
    """Nobody holds anything of the request (G8.3, D10)."""
    if person.external_id is not None:
        return Create("new_external_id")
    return Create("new_contact") if may_create(ws, person, policy) else Nobody()


def _find_by_external_id(ws: WorkingSet, person: Person, policy: Policy) -> Decision:
    """D8: the External ID decides before any other identifier. D9: unknown, it may join a card."""
    assert person.external_id is not None
    for held in ws.holders(person.external_id.key):
        card = ws.card(held.contact_id)
        rule = "former_external_id" if held.former else "external_id"
        if card.status == Status.LIVE:
            return Found(card, EXTERNAL_ID.name, rule)
        if card.status == Status.REMOVED:
            return Restore(card, EXTERNAL_ID.name, "restored_by_external_id")
    for kind in policy.order:
        candidates = [
            card
            for card in cards_found(ws, person, kind, Status.LIVE)
            if not card.has_external_id and may_take(ws, card, person, policy)
        ]
        if candidates:
            return Found(
                best(candidates), BY_CODE[kind].name, "external_id_joins_" + BY_CODE[kind].name
            )
    return _stranger(ws, person, policy)


def _find_without_external_id(ws: WorkingSet, person: Person, policy: Policy) -> Decision:
    """D10: the first kind in the method's order that finds a live card decides, then removed ones."""
    order = policy.order if person.names_lasting() else policy.order + policy.order_if_anonymous
    for kind in order:
        candidates = [
            card
            for card in cards_found(ws, person, kind, Status.LIVE)
            if may_take(ws, card, person, policy)
        ]
        if candidates:
            return Found(best(candidates), BY_CODE[kind].name, "found_by_" + BY_CODE[kind].name)
    if policy.restores:
        for kind in order:
            candidates = [
                card
                for card in cards_found(ws, person, kind, Status.REMOVED)
                if not card.has_external_id and may_take(ws, card, person, policy)
            ]
            if candidates:
                return Restore(
                    best(candidates), BY_CODE[kind].name, "restored_by_" + BY_CODE[kind].name
                )
    return _stranger(ws, person, policy)


def may_create(ws: WorkingSet, person: Person, policy: Policy) -> bool:
    """D10: a cookie alone never creates; nor what finds nobody (D6): it would create at every call."""
    return any(
        one.kind in policy.creates_by
        and not is_never(ws.settings, one.kind, one.value)
        and not is_quarantined(ws, one.key)
        for one in person.all()
    )


def cards_found(ws: WorkingSet, person: Person, kind: int, status: Status) -> list[Card]:
    """Cards of this status that hold one of the request's identifiers of this kind."""
    cards: dict[int, Card] = {}
    for one in person.of_kind(kind):
        for held in finders(ws, one):
            card = ws.card(held.contact_id)
            if card.status == status:
                cards[card.contact_id] = card
    return list(cards.values())


def finders(ws: WorkingSet, one: Identifier) -> list[Held]:
    """Rows through which an identifier finds cards: none for the account's never-identifiers (D6)."""
    if is_never(ws.settings, one.kind, one.value):
        return []
    return [held for held in ws.holders(one.key) if held.contact_id != QUARANTINED]


def is_never(settings: Settings, kind: int, value: str) -> bool:
    return settings.never is not None and bool(settings.never.matches(BY_CODE[kind], value))


def is_quarantined(ws: WorkingSet, key: Key) -> bool:
    """A changeable value that more than 50 External IDs have sent (D6)."""
    return any(held.contact_id == QUARANTINED for held in ws.holders(key))


def may_take(ws: WorkingSet, card: Card, person: Person, policy: Policy) -> bool:
    """D10a: whether the evidence for this card is good enough, so that nobody gets a stranger's card.

    An e-mail is enough. A phone alone is not proof of the person, nor is a shared device; both
    together are, unless the request contradicts the card's e-mail or phone.
    """
    kinds = {
        one.kind
        for one in person.all()
        if any(held.contact_id == card.contact_id for held in finders(ws, one))
    }
    if EMAIL.code in kinds:
        return True
    if PHONE.code in kinds and _may_take_by_phone(card, person, policy, ws.settings):
        return True
    if kinds == {PHONE.code} or contradicts_lasting(card, person):
        return False
    if PHONE.code in kinds:
        return person.external_id is None or not names_disagree(card, person)
    return _same_or_unnamed(card, person)


def _may_take_by_phone(card: Card, person: Person, policy: Policy, settings: Settings) -> bool:
    """D10a: families share phones. Setting `phone_is_personal` says that this account's do not."""
    if policy.phone_alone_suffices:
        return True
    if settings.phone_is_personal:
        return not card.has_external_id
    if card.email is not None and (person.email is None or person.email.value != card.email):
        return False
    return person.external_id is None or not names_disagree(card, person)


def _same_or_unnamed(card: Card, person: Person) -> bool:
    """D10a: a card with an External ID is taken by a device only if the request names no one else."""
    if not card.has_external_id:
        return True
    if person.external_id is not None:
        return person.external_id.value == card.external_id
    return not person.names_lasting()


def contradicts_lasting(card: Card, person: Person) -> bool:
    """Whether the request's e-mail or phone is not the one the card has."""
    if person.email and card.email is not None and card.email != person.email.value:
        return True
    return bool(person.phone and card.phone is not None and card.phone != person.phone.value)


def names_disagree(card: Card, person: Person) -> bool:
    """D13's comparison: case and blanks aside, an absent name disagrees with nothing."""
    return names_contradict(card.first_name, person.first_name) or names_contradict(
        card.last_name, person.last_name
    )


def best(cards: list[Card]) -> Card:
    """D10's order: with External ID first, then the most recently updated, then the smaller id."""
    return min(cards, key=_rank)


def _rank(card: Card) -> tuple[bool, float, int]:
    updated = card.updated_at.timestamp() if card.updated_at else 0.0
    return (not card.has_external_id, -updated, card.contact_id)


class Names(msgspec.Struct, frozen=True):
    """First and last name at one moment."""

    first: str | None
    last: str | None


def may_absorb(
    ws: WorkingSet, survivor: Card, before: Names, person: Person, other: Card
) -> tuple[bool, str]:
    """D13: whether `other` says nothing that the survivor contradicts; and why, or why not."""
    mode = ws.settings.absorb
    if mode == "never":
        return False, "absorb_is_off"
    if ws.are_apart(survivor.contact_id, other.contact_id):
        return False, "not_the_same"
    if other.has_external_id:
        return False, "has_external_id"
    held = ws.identifiers_of(other.contact_id)
    lasting = [(one.kind, one.value_key) for one in held if one.kind in LASTING]
    if mode == "anonymous" and lasting:
        return False, "has_lasting_identifier"
    own = {one.key for one in ws.identifiers_of(survivor.contact_id) if one.kind in LASTING}
    if any(key not in own for key in lasting):
        return False, "lasting_identifier_differs"
    if any(names_contradict(other.first_name, name) for name in (before.first, person.first_name)):
        return False, "name_differs"
    if any(names_contradict(other.last_name, name) for name in (before.last, person.last_name)):
        return False, "name_differs"
    return True, "absorbed_contained" if lasting else "absorbed_anonymous"


def stricter(a: dict[str, int], b: dict[str, int]) -> dict[str, int]:
    """D14: consent united, the more restrictive state wins; no state says nothing."""
    united = dict(a)
    for channel, state in b.items():
        united[channel] = max(state, united.get(channel, state))
    return united


def is_refusal(state: int | None) -> bool:
    return state is not None and state >= Consent.UNSUBSCRIBED
