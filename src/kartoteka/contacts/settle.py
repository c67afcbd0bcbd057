"""From a decision to a card: what every writer does once it is known whose card it is.

Order matters: identifiers of the request first, then absorbing (which asks what the card has *after*
the request), then changeable identifiers (absorbed ones are already here), then the profile.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from kartoteka.contacts.consent import addresses, lift_suppression, state_for_new_address
from kartoteka.contacts.model import Profile
from kartoteka.identity.absorbing import absorb_contained
from kartoteka.identity.changes import (
    Change,
    new_held,
    prepare,
    set_channel,
    set_external_id,
    take_changeable,
)
from kartoteka.identity.history import Journal, named, named_as
from kartoteka.identity.kinds import BY_CODE, EMAIL, EXTERNAL_ID
from kartoteka.identity.model import (
    QUARANTINED,
    TEXTS,
    Card,
    Consent,
    Identifier,
    Notice,
    Policy,
    Resolution,
    Status,
)
from kartoteka.identity.proof import prove
from kartoteka.identity.rules import Create, Decision, Found, Names, Nobody, Person, Restore
from kartoteka.identity.sides import speak_by
from kartoteka.identity.working_set import WorkingSet

_ENOUGH = (EXTERNAL_ID.name, EMAIL.name)
"""Kinds that find a card by themselves."""
_MOST_FINDERS = 4


class Settled(msgspec.Struct):
    """The card after the request, and how it came to it."""

    card: Card
    resolution: Resolution
    new: bool
    restored: bool


class Settling(msgspec.Struct):
    """What one request wants of the card that was decided for it."""

    ws: WorkingSet
    person: Person
    profile: Profile
    policy: Policy
    journal: Journal
    resolution: Resolution
    email_state: Consent | None = Consent.SUBSCRIBED
    replace_external_id: bool = False
    occurred: datetime | None = None


def settle(work: Settling, decision: Decision) -> Settled:
    """Write the request to the card that `decision` names. Asks first, then changes."""
    assert not isinstance(decision, Nobody)
    if not isinstance(decision, Create) and decision.card.merges:
        speak_by(work.ws, decision.card, work.person)
    if isinstance(decision, Found) and _says_nothing_new(work, decision.card):
        return _settle_known(work, decision)
    if isinstance(decision, Create) and work.ws.is_stranger(work.person.all()):
        return _settle_stranger(work, decision)
    known = None if isinstance(decision, Create) else decision.card
    person = _with_own(work.ws, decision, work.person)
    prepare(work.ws, known, person)
    work.journal.by = _found_by(work, decision)
    named_anew = (
        known is None or _brings_address(known, work.person) or isinstance(decision, Restore)
    )
    if named_anew:
        _heed_addresses(work)
    marks = len(work.ws.effects.get("history", ()))
    before = None if known is None else msgspec.structs.astuple(known)
    card = known or _new_card(work)
    names = Names(card.first_name, card.last_name)
    restored = _restore(work, decision, card)
    _set_identity(work, card, decision)
    occurred = work.occurred or work.journal.origin.at
    change = _change(work, occurred)
    absorb_contained(change, card, names, person, work.policy)
    for one in work.person.changeable:
        take_changeable(change, card, one)
    if known is None or work.policy.writes_profile:
        write_profile(work.ws, card, work.profile, work.journal.origin.at)
    changed = marks != len(work.ws.effects.get("history", ()))
    if before is not None and before != msgspec.structs.astuple(card):
        changed = True
        _prove(work, decision, card, before)
    _keep_evidence(work, card)
    _describe(work.resolution, decision, card, changed, restored)
    return Settled(card, work.resolution, known is None, restored)


def _prove(work: Settling, decision: Decision, card: Card, before: tuple[Any, ...]) -> None:
    found_by = None
    if isinstance(decision, (Found, Restore)):
        found_by = _finders(work, decision.matched_by, card)
    rule = None if isinstance(decision, Nobody) else decision.rule
    prove(card, before, work.journal.origin, found_by, rule)


def _finders(work: Settling, matched_by: str, card: Card) -> str:
    """What found the card, as "kind:hash" without its value. A phone or token is believed only beside
    what else stands there (D10a): then all that the request named."""
    on_card = [
        f"{BY_CODE[one.kind].name}:{work.ws.short_hash(one.key)}"
        for one in work.person.all()
        if (BY_CODE[one.kind].name == matched_by or matched_by not in _ENOUGH)
        and _is_on(work.ws, one, card)
    ]
    first = [one for one in on_card if one.startswith(f"{matched_by}:")]
    if not first:
        return matched_by
    return " ".join([first[0], *(one for one in on_card if one != first[0])][:_MOST_FINDERS])


def _is_on(ws: WorkingSet, one: Identifier, card: Card) -> bool:
    rows = ws.rows_of(one.key) or {}
    return any(held.contact_id == card.contact_id for held in rows.values())


def _found_by(work: Settling, decision: Decision) -> list[dict[str, Any]]:
    """What the card was found by; nothing where it is new."""
    if not isinstance(decision, (Found, Restore)):
        return []
    card, person = decision.card, work.person
    weak = person.email is None and person.phone is None  # a device is enough only without these
    found = [
        {**named_as(one), "found": True}
        for one in person.all()
        if (BY_CODE[one.kind].name == decision.matched_by or one.kind == EMAIL.code or weak)
        and any(held.contact_id == card.contact_id for held in work.ws.holders(one.key))
    ]
    return found or [{"kind": "contact_id", "value": str(card.contact_id), "found": True}]


def _keep_evidence(work: Settling, card: Card) -> None:
    """What found the card, and what else the request named and the card has now: what its history
    rows rest on (D26)."""
    by = work.journal.by
    if by is None:
        return
    by += [
        named_as(one)
        for one in work.person.all()
        if {**named_as(one), "found": True} not in by
        and any(held.contact_id == card.contact_id for held in work.ws.holders(one.key))
    ]


def _settle_stranger(work: Settling, decision: Create) -> Settled:
    """Nobody holds anything of the request: nothing to prepare, to absorb or to compare with."""
    ws, person, profile = work.ws, work.person, work.profile
    _heed_addresses(work)
    at = work.journal.origin.at
    card = ws.create(
        Card(
            contact_id=ws.new_id(),
            first_name=profile.first_name,
            last_name=profile.last_name,
            contact_key=profile.contact_key,
            language_code=profile.language_code,
            time_zone=profile.time_zone,
            region=profile.region,
            town=profile.town,
            address=profile.address,
            postcode=profile.postcode,
            fields=profile.fields,
            source=work.policy.source,
            created_at=at,
            updated_at=at,
        )
    )
    _create_with(work, card, decision)
    if person.changeable:
        change = _change(work, work.occurred or at)
        for one in person.changeable:
            take_changeable(change, card, one)
    resolution = work.resolution
    resolution.contact_id, resolution.rule = card.contact_id, decision.rule
    resolution.outcome = "created"
    return Settled(card, resolution, new=True, restored=False)


def _heed_addresses(work: Settling) -> None:
    """What the addresses refuse by themselves, and erased persons who are named again (D10, D29)."""
    if work.ws.refuses_nothing and not work.ws.suppressed:
        return
    work.ws.need_addresses(addresses(work.person))
    if work.policy.lifts_suppression:
        lift_suppression(work.ws, work.person)


def _change(work: Settling, occurred: datetime) -> Change:
    return Change(work.ws, work.journal, work.resolution, occurred, work.policy.takes_from_known)


def _says_nothing_new(work: Settling, card: Card) -> bool:
    """Every identifier of the request stands on this card and on no other: most calls by far."""
    if work.replace_external_id:
        return False
    for one in work.person.all():
        rows = work.ws.rows_of(one.key)
        if not rows or len(rows) != 1:
            return False
        (held,) = rows.values()
        if held.contact_id != card.contact_id:
            return False
    return True


def _settle_known(work: Settling, decision: Found) -> Settled:
    """Nothing to add, move or absorb: only the profile and what is known of tokens may change."""
    card, at = decision.card, work.journal.origin.at
    before = msgspec.structs.astuple(card)
    change = _change(work, work.occurred or at)
    if work.person.changeable:
        work.journal.by = [{**named_as(one), "found": True} for one in work.person.all()]
    for one in work.person.changeable:
        take_changeable(change, card, one)
    if work.policy.writes_profile:
        write_profile(work.ws, card, work.profile, at)
    changed = before != msgspec.structs.astuple(card)
    if changed:
        _prove(work, decision, card, before)
    _describe(work.resolution, decision, card, changed, restored=False)
    return Settled(card, work.resolution, new=False, restored=False)


def _with_own(ws: WorkingSet, decision: Decision, person: Person) -> Person:
    """D13: a restored contact absorbs with its own identifiers too."""
    if not isinstance(decision, Restore):
        return person
    own = [
        Identifier(held.kind, held.value)
        for held in ws.identifiers_of(decision.card.contact_id)
        if held.kind != EXTERNAL_ID.code
    ]
    holders = {held.contact_id for one in own for held in ws.holders(one.key)}
    ws.need_cards(holders - {QUARANTINED})
    named_already = {one.key for one in person.all()}
    extra = tuple(one for one in own if one.key not in named_already)
    return msgspec.structs.replace(person, changeable=(*person.changeable, *extra))


def _brings_address(card: Card, person: Person) -> bool:
    if person.external_id is not None and card.external_id != person.external_id.value:
        return True
    if person.email is not None and card.email != person.email.value:
        return True
    return person.phone is not None and card.phone != person.phone.value


def _new_card(work: Settling) -> Card:
    """An empty card with an id that was never used before."""
    at = work.journal.origin.at
    card = Card(
        contact_id=work.ws.new_id(), source=work.policy.source, created_at=at, updated_at=at
    )
    return work.ws.create(card)


def _restore(work: Settling, decision: Decision, card: Card) -> bool:
    if not (isinstance(decision, Restore) and work.policy.restores):
        return False
    card.status = Status.LIVE
    card.removed_at = None
    card.updated_at = work.journal.origin.at
    work.journal.note("restored", decision.rule, card.contact_id)
    return True


def _set_identity(work: Settling, card: Card, decision: Decision) -> None:
    """Lasting identifiers of the request go on the card (D9, D17)."""
    ws, person, journal = work.ws, work.person, work.journal
    if isinstance(decision, Create):
        _create_with(work, card, decision)
        return
    may_set = work.policy.sets_external_id and not card.has_external_id
    if person.external_id is not None and (work.replace_external_id or may_set):
        rule = "given" if work.replace_external_id else decision.rule  # type: ignore[union-attr]
        set_external_id(ws, card, person.external_id, journal, rule)
    for one in (person.email, person.phone):
        if one is not None:
            _set_address(work, card, one)


def _create_with(work: Settling, card: Card, decision: Create) -> None:
    """All lasting identifiers of a new card at once, in one row of the history."""
    person, at = work.person, work.journal.origin.at
    rows: list[dict[str, str]] = []
    for one in (person.external_id, person.email, person.phone):
        if one is not None:
            rows.append(named(work.ws.hold(new_held(one, card.contact_id, at, decision.rule))))
    if person.external_id is not None:
        card.external_id = person.external_id.value
    if person.email is not None:
        _grant(work, card, person.email)
        card.email = person.email.value
    if person.phone is not None:
        _grant(work, card, person.phone)
        card.phone = person.phone.value
    work.journal.note("created", decision.rule, card.contact_id, rows)


def _set_address(work: Settling, card: Card, one: Identifier) -> None:
    """D17: replace, or only fill what is missing."""
    field = "email" if one.kind == EMAIL.code else "phone"
    stored = getattr(card, field)
    if stored == one.value or (stored is None and not work.policy.fills):
        return
    if stored is not None and not work.policy.replaces:
        work.resolution.warnings.append(
            Notice(f"{field}_not_replaced", "the contact already has another one", field)
        )
        return
    set_channel(work.ws, card, one, work.journal)
    _grant(work, card, one)


def _grant(work: Settling, card: Card, one: Identifier) -> None:
    given = work.email_state if one.kind == EMAIL.code else None
    card.consent = state_for_new_address(work.ws, card, one, given)


def write_profile(ws: WorkingSet, card: Card, profile: Profile, at: datetime) -> None:
    """D16: absent leaves the stored value alone."""
    changed = False
    for name in TEXTS:
        value = getattr(profile, name)
        if value is not None and value != getattr(card, name):
            setattr(card, name, value)
            changed = True
    if profile.fields:
        fields = {**card.fields, **profile.fields}
        changed = changed or fields != card.fields
        card.fields = fields
    if not card.keyed:
        card.keyed = changed = True
        ws.effect("keyed", card.contact_id)
    if changed:
        card.updated_at = at


def _describe(
    resolution: Resolution, decision: Decision, card: Card, changed: bool, restored: bool
) -> None:
    resolution.contact_id = card.contact_id
    assert not isinstance(decision, Nobody)
    resolution.rule = decision.rule
    if isinstance(decision, (Found, Restore)):
        resolution.matched_by = decision.matched_by
    if isinstance(decision, Create):
        resolution.outcome = "created"
    elif restored:
        resolution.outcome = "restored"
    elif card.status == Status.REMOVED:
        resolution.outcome = "attached_to_removed"
    else:
        resolution.outcome = "updated" if changed else "unchanged"
