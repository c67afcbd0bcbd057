"""What an untrusted app may do: whoever has the app can take its key out of it (decisions D36).

It may say whom its own device belongs to (a claim), and beyond that exactly five things: create a
contact from its device or token; set an External ID on a contact that has none and nothing lasting;
let the claimed contact absorb an anonymous one that holds nothing but this device and its tokens;
fill what is blank on the card of its device; give it an e-mail or phone that nobody has, where no
keyed call has written the card. Lists and categories are not among them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from kartoteka.activity.mobile.model import AppUpdate
from kartoteka.activity.visitors.claims import claim
from kartoteka.activity.visitors.claims import prepare as prepare_claims
from kartoteka.activity.visitors.model import CLAIM, Claim, Who
from kartoteka.activity.visitors.naming import person_named
from kartoteka.activity.visitors.waiting import WAITING, end_waiting, keep
from kartoteka.contacts.addressed import is_suppressed
from kartoteka.contacts.filling import fill_address, fill_blanks, told_by_app
from kartoteka.contacts.model import Outcome, Profile
from kartoteka.identity.absorbing import absorb_claimed
from kartoteka.identity.changes import (
    Change,
    new_held,
    prepare,
    set_external_id,
    take_changeable,
)
from kartoteka.identity.history import Journal, named
from kartoteka.identity.kinds import DEVICE
from kartoteka.identity.model import (
    QUARANTINED,
    Card,
    Held,
    Identifier,
    Notice,
    Resolution,
    Status,
)
from kartoteka.identity.policies import APP_SDK, CHANGEABLE, LASTING, TOKENS
from kartoteka.identity.rules import (
    Create,
    Names,
    Person,
    contradicts_lasting,
    finders,
    is_quarantined,
    may_absorb,
)
from kartoteka.identity.sides import speak_by
from kartoteka.identity.working_set import WorkingSet

NOT_KNOWN_YET = Notice(
    "claim_waits", "nobody is known yet by what the app says; it counts when somebody is"
)
REFUSED = Notice(
    "claim_refused", "the app's External ID, e-mail and phone do not belong to one contact"
)


class Whom(msgspec.Struct, frozen=True):
    """Whom a claim names: a live card, nobody yet, or several people at once."""

    card: Card | None = None
    refused: bool = False
    taken: bool = False
    """Nobody live, but the External ID, e-mail or phone belongs to a removed contact."""


def claim_by_app(ws: WorkingSet, command: AppUpdate) -> Outcome:
    """What the app says, as far as anybody may say it."""
    call = command.call
    person = call.contact.person
    resolution = Resolution(outcome="skipped", warnings=list(call.contact.warnings))
    if not person.changeable:
        return Outcome(resolution)
    own = _own_card(ws, person)
    if is_suppressed(ws, person, Create("new_contact")):
        return Outcome(Resolution(None, "suppressed"))
    whom = whom_it_names(ws, person)
    _ask(ws, own, whom.card, person)
    if command.call.device is not None and person.names_lasting():
        said = Claim(Who.of(person), command.occurred or command.origin.at)
        prepare_claims(ws, command.call.device, [said])
    work = _Work(ws, command, Journal(ws, command.origin), resolution, person, whom)
    if whom.refused:
        resolution.warnings.append(REFUSED)
        return _keep_device(work, own, fills=False)
    if whom.card is not None:
        return _link(work, own, whom.card)
    if person.external_id is not None:
        return _name_anew(work, own)
    if person.email or person.phone:
        work.waits = whom.taken or (own is not None and (own.keyed or own.has_external_id))
    return _keep_device(work, own, fills=True)


class _Work(msgspec.Struct):
    ws: WorkingSet
    command: AppUpdate
    journal: Journal
    resolution: Resolution
    person: Person
    whom: Whom
    waits: bool = False
    """The claim names nobody yet: it is kept for 30 days."""

    @property
    def at(self) -> datetime:
        return self.journal.origin.at

    @property
    def profile(self) -> Profile:
        return self.command.call.contact.profile


def whom_it_names(ws: WorkingSet, person: Person) -> Whom:
    """The one live contact that the claim names, as of any public caller (D36)."""
    card, refused = person_named(ws, Who.of(person))
    if card is not None or refused:
        return Whom(card, refused)
    if person.external_id is not None:
        return Whom(taken=bool(ws.holders(person.external_id.key)))
    return Whom(taken=any(finders(ws, one) for one in (person.email, person.phone) if one))


def _live(ws: WorkingSet, rows: Iterable[Held]) -> list[Card]:
    cards = [ws.card(held.contact_id) for held in rows if held.contact_id != QUARANTINED]
    return [card for card in cards if card.status == Status.LIVE]


def _own_card(ws: WorkingSet, person: Person) -> Card | None:
    """The live card that has the device; else an anonymous one that has the token."""
    for one in sorted(person.changeable, key=lambda each: each.kind != DEVICE.code):
        for card in _live(ws, ws.holders(one.key)):
            if one.kind == DEVICE.code or is_anonymous(ws, card):
                return card
    return None


def is_anonymous(ws: WorkingSet, card: Card) -> bool:
    """Whether a card has no External ID and only changeable identifiers."""
    if card.has_external_id or card.email is not None or card.phone is not None:
        return False
    return all(held.kind in CHANGEABLE for held in ws.identifiers_of(card.contact_id))


def _ask(ws: WorkingSet, own: Card | None, target: Card | None, person: Person) -> None:
    """Everything that the changes below may need, before any of them."""
    for card in (own, target):
        prepare(ws, card, person)
        if card is not None:
            ws.identifiers_of(card.contact_id)
            ws.lists_of(card.contact_id)
    ws.need_addresses([one.key for one in person.all() if one.kind in LASTING])


def _link(work: _Work, own: Card | None, card: Card) -> Outcome:
    """The device and its tokens come to the claimed contact; what was only theirs is absorbed."""
    ws, person = work.ws, work.person
    marks = _marks(work, card)
    _cancel_waiting(work, card)
    if own is not None and own is not card and _is_only(ws, own, person):
        names = Names(card.first_name, card.last_name)
        allowed, _ = may_absorb(ws, card, names, person, own)
        if allowed:
            absorb_claimed(ws, card, own, work.journal)
            work.resolution.absorbed.append(own.contact_id)
    speak_by(ws, card, person)
    _take(work, card, _its_own(ws, card, person), CLAIM)
    _fill(work, card)
    return _came_to(work, card, CLAIM, marks)


def _is_only(ws: WorkingSet, card: Card, person: Person) -> bool:
    """Whether a card holds nothing but this device and its tokens."""
    devices = {one.value for one in person.changeable if one.kind == DEVICE.code}
    sent = {one.key for one in person.changeable}
    return not card.has_external_id and all(
        held.key in sent or (held.kind in TOKENS and held.device in devices)
        for held in ws.identifiers_of(card.contact_id)
    )


def _name_anew(work: _Work, own: Card | None) -> Outcome:
    """An External ID that no live contact has: set it where D36 allows, else the claim waits."""
    ws, person = work.ws, work.person
    assert person.external_id is not None
    if work.whom.taken:  # a removed contact counts as nobody, and keeps its External ID
        work.waits = True
        return _keep_device(work, own, fills=False)
    if own is not None and is_anonymous(ws, own):
        marks = _marks(work, own)
        _cancel_waiting(work, own)
        speak_by(ws, own, person)
        _set_external_id(work, own)
        _take(work, own, _its_own(ws, own, person))
        _fill(work, own)
        return _came_to(work, own, CLAIM, marks, names=True)
    if own is not None and not own.has_external_id and not contradicts_lasting(own, person):
        work.waits = True  # likely the same person, but the card is not the app's to name
        return _keep_device(work, own, fills=False)
    return _create(work, named_by_app=True)


def _keep_device(work: _Work, own: Card | None, *, fills: bool) -> Outcome:
    """No claim that counts now: the device stays where it is, or gets an anonymous contact."""
    if work.waits:
        work.resolution.warnings.append(NOT_KNOWN_YET)
        if own is None or _is_anothers(own, work.person):
            return _wait(work)
    if own is None:
        return _create(work, fills=fills)
    marks = _marks(work, own)
    speak_by(work.ws, own, work.person)
    _take(work, own, _its_own(work.ws, own, work.person))
    if fills:
        _fill(work, own)
    if work.waits and work.command.call.device is not None:
        keep(work.ws, work.command.call.device, Who.of(work.person), _moment(work))
    return _came_to(work, own, "found_by_device", marks, fills=fills)


def _is_anothers(own: Card, person: Person) -> bool:
    """The card has an External ID and the app names another: somebody else uses the device now."""
    return person.external_id is not None and own.has_external_id


def _cancel_waiting(work: _Work, card: Card) -> None:
    """A later claim of the same device cancels the one that waits (D36)."""
    device = work.command.call.device
    earlier = None if device is None else work.ws.fact(WAITING, device.key)
    if device is not None and earlier is not None:
        end_waiting(work.ws, device, earlier, Who.of(work.person), card)


def _wait(work: _Work) -> Outcome:
    """The device waits for its person like a visitor's cookie (D36), and what it does with it."""
    device = work.command.call.device
    if device is not None:
        claim(work.ws, device, Who.of(work.person), _moment(work), work.journal)
    return Outcome(work.resolution)


def _moment(work: _Work) -> datetime:
    return work.command.occurred or work.at


def _create(work: _Work, *, named_by_app: bool = False, fills: bool = True) -> Outcome:
    """A contact from a device or token (D36, G4.3)."""
    ws, at = work.ws, work.at
    its_own = _its_own(ws, None, work.person)
    if not work.command.creates or all(is_quarantined(ws, one.key) for one in its_own):
        return Outcome(work.resolution)
    card = ws.create(
        Card(ws.new_id(), source=APP_SDK.source, keyed=False, created_at=at, updated_at=at)
    )
    rule = "new_external_id" if named_by_app else "new_contact"
    rows = []
    if named_by_app and work.person.external_id is not None:
        _cancel_waiting(work, card)
        held = ws.hold(new_held(work.person.external_id, card.contact_id, at, CLAIM))
        card.external_id = held.value
        rows.append(named(held))
    work.journal.note("created", rule, card.contact_id, rows)
    _take(work, card, its_own, CLAIM if named_by_app else None)
    if fills:
        _fill(work, card)
    work.resolution.contact_id, work.resolution.rule = card.contact_id, rule
    work.resolution.outcome = "created"
    return Outcome(work.resolution, new=True)


def _its_own(ws: WorkingSet, card: Card | None, person: Person) -> Sequence[Identifier]:
    """What may come to this card: the device, and tokens that are free, its own, an anonymous
    contact's, or on the card already. A token that came with another device is not the app's to move:
    whoever knows it would take somebody's messages away."""
    bodies = {_body(one.value) for one in person.changeable if one.kind == DEVICE.code}

    def is_its_own(one: Identifier) -> bool:
        if one.kind == DEVICE.code:
            return True
        for held in ws.holders(one.key):
            if held.contact_id == QUARANTINED or (held.device and _body(held.device) in bodies):
                continue
            holder = ws.card(held.contact_id)
            if holder is not card and not is_anonymous(ws, holder):
                return False
        return True

    return [one for one in person.changeable if is_its_own(one)]


def _body(device: str) -> str:
    """The phone behind a device id: in its mode for several users the SDK appends each one's
    External ID behind a colon (wire 7.5)."""
    return device.partition(":")[0]


def _take(
    work: _Work, card: Card, identifiers: Iterable[Identifier], rule: str | None = None
) -> None:
    occurred = work.command.occurred or work.at
    change = Change(work.ws, work.journal, work.resolution, occurred, rule=rule)
    for one in identifiers:
        take_changeable(change, card, one)


def _set_external_id(work: _Work, card: Card) -> None:
    assert work.person.external_id is not None
    set_external_id(work.ws, card, work.person.external_id, work.journal, CLAIM)


def _fill(work: _Work, card: Card) -> None:
    fill_blanks(card, work.profile, work.at)
    for one in (work.person.email, work.person.phone):
        if one is not None:
            fill_address(work.ws, card, one, work.journal)


def _marks(work: _Work, card: Card) -> tuple[int, tuple[object, ...]]:
    """What tells later whether anything changed."""
    return len(work.ws.effects.get("history", ())), msgspec.structs.astuple(card)


def _came_to(
    work: _Work,
    card: Card,
    rule: str,
    before: tuple[int, tuple[object, ...]],
    *,
    fills: bool = True,
    names: bool = False,
) -> Outcome:
    resolution = work.resolution
    resolution.contact_id, resolution.rule = card.contact_id, rule
    resolution.outcome = "unchanged" if before == _marks(work, card) else "updated"
    if not card.merges:
        return Outcome(resolution)
    command = work.command
    said = told_by_app(
        work.ws,
        card,
        msgspec.structs.replace(command.call.contact, person=work.person),
        command.origin,
        fills=fills,
        names=names,
        occurred=command.occurred,
    )
    return Outcome(resolution, said=said)
