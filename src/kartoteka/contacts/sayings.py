"""Which commands are remembered while a card holds others, and as whose (decisions D15, D28)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from kartoteka.contacts.consent import refusal_of
from kartoteka.contacts.filling import BY_APP
from kartoteka.contacts.model import (
    ActivateToken,
    AddAppToken,
    AddContact,
    AttachContacts,
    Command,
    ContactInput,
    ImportRow,
    MuteToken,
    Outcome,
    Profile,
    PutOn,
    RefuseAddresses,
    RemoveContact,
    SetSubscriptions,
    Subscribe,
    UpdateContact,
)
from kartoteka.identity.kinds import BY_CODE, BY_NAME, EXTERNAL_ID, MOBILE_TOKEN, WEB_TOKEN
from kartoteka.identity.model import Held, Identifier, Status
from kartoteka.identity.policies import APP_SDK, CHANGEABLE, IDENTIFY
from kartoteka.identity.rules import Person
from kartoteka.identity.sides import home_of, is_unkeyed, keep_word, note_keyed, word_of
from kartoteka.identity.working_set import WorkingSet

SAYINGS: dict[str, type[Command]] = {
    one.__name__: one
    for one in (
        ActivateToken,
        AddAppToken,
        AddContact,
        AttachContacts,
        ImportRow,
        MuteToken,
        PutOn,
        RefuseAddresses,
        RemoveContact,
        SetSubscriptions,
        Subscribe,
        UpdateContact,
    )
}
"""What an undo can tell again, by name: the names stand in the history."""


def hear(ws: WorkingSet, command: Command, decide: Callable[[WorkingSet, Any], Outcome]) -> Outcome:
    """Carry a command out, and keep what it said to merged cards."""
    ws.speaking.clear()
    before = len(ws.effects.get("history", ()))
    outcome = decide(ws, command)
    if ws.speaking or outcome.resolution.absorbed:
        remember(ws, command, outcome, before)
    return outcome


def remember(ws: WorkingSet, command: Command, outcome: Outcome, before: int) -> None:
    """Keep what this command said to merged cards, each with the side that it spoke of. `before`: how
    many rows of the history there were."""
    resolution = outcome.resolution
    command = _told_again(command, outcome)
    sides = dict(ws.speaking)
    if resolution.contact_id is not None:
        sides.setdefault(resolution.contact_id, resolution.contact_id)
    if type(command).__name__ not in SAYINGS:
        return
    says = _says_something(command, outcome)
    for contact_id, side in sides.items():
        card = ws.cards.get(contact_id)
        if card is None or not card.merges or card.status == Status.ERASED:
            continue
        is_first = _is_keyed(command) and is_unkeyed(card, side)
        if says or is_first:
            if is_first:
                note_keyed(card, side)
            bare = _bare(ws, command, contact_id)
            had = _had(ws, bare, contact_id, side, before)
            word = word_of(side, bare, resolution.rule, _refused(ws, command), had)
            keep_word(ws, card, word, command.origin, person_of(bare))


def _told_again(command: Command, outcome: Outcome) -> Command:
    """Orders, events and apps as what they put on the card; the rest as it is."""
    if outcome.said is not None:
        return outcome.said
    policy = getattr(command, "said_as", None)
    if policy is None:
        return command
    event = command.event  # type: ignore[attr-defined]
    if outcome.resolution.matched_by == "contact_id":
        policy = "event_by_id"
    contact = ContactInput(_with_push_token(event), event.profile)
    occurred = command.occurred  # type: ignore[attr-defined]
    return PutOn(origin=command.origin, contact=contact, policy=policy, occurred=occurred)


def _with_push_token(event: Any) -> Person:
    """Of whichever kind the card has it."""
    person: Person = event.person
    if event.push_token is None:
        return person
    either = tuple(Identifier(kind.code, event.push_token) for kind in (MOBILE_TOKEN, WEB_TOKEN))
    return msgspec.structs.replace(person, changeable=(*either, *person.changeable))


def remember_joining(ws: WorkingSet, command: AttachContacts, found: set[int]) -> None:
    """Lists are joined by the contact that was named, which may have been merged since (D14)."""
    named = list(command.contact_ids)
    by_id = [(one, one) for one in named]
    for value in command.external_ids:
        by_id += [
            (held.contact_id, home_of(held))
            for held in ws.holders(Identifier(EXTERNAL_ID.code, value).key)
        ]
    for contact_id, side in by_id:
        card = ws.cards.get(contact_id)
        while card is not None and card.status == Status.MERGED:
            card = ws.cards.get(card.merged_into or 0)
        if card is not None and card.merges and card.contact_id in found:
            said = AttachContacts(
                origin=command.origin, segment_id=command.segment_id, contact_ids=(side,)
            )
            keep_word(ws, card, word_of(side, said), command.origin)


def _had(ws: WorkingSet, command: Command, contact_id: int, side: int, before: int) -> list[Held]:
    """What it names or cleared of this side's changeable identifiers, as they were before."""
    notes = ws.effects.get("history", ())[before:]
    told = [(note[1], one["kind"], one["value"]) for note in notes for one in note[8] or ()]
    new = {(kind, value) for action, kind, value in told if action != "dropped"}
    gone = [
        Identifier(BY_NAME[kind].code, value) for action, kind, value in told if action == "dropped"
    ]
    named = (person_of(command) or Person()).changeable
    found = []
    for one in {one.key: one for one in (*named, *gone)}.values():
        held = ws.loaded_exclusive(one.key)
        if held is None or one.kind not in CHANGEABLE:
            continue
        if (BY_CODE[one.kind].name, one.value) not in new and held.contact_id == contact_id:
            found += [held] if home_of(held) == side else []
    return found


def _refused(ws: WorkingSet, command: Command) -> list[tuple[int, str, int]]:
    """What the addresses that it names refused by themselves at that time."""
    person = person_of(command) or Person()
    states = [
        (one.key, refusal_of(ws, one)) for one in (person.email, person.phone) if one is not None
    ]
    return [(*key, state) for key, state in states if state]


def _is_keyed(command: Command) -> bool:
    """Whether it writes a card as the shop's own server does, even if it says nothing (D36)."""
    if isinstance(command, PutOn):
        return command.policy in _KEYED
    return isinstance(command, (AddContact, ImportRow, Subscribe, UpdateContact))


_KEYED = (APP_SDK.name, IDENTIFY.name)


def _says_something(command: Command, outcome: Outcome) -> bool:
    """Whether it may change one of the people on the card: most calls only name whom they mean."""
    if outcome.resolution.outcome in ("skipped", "suppressed", "failed"):
        return False
    if outcome.resolution.outcome == "restored" or outcome.resolution.absorbed:
        return True
    match command:
        case RemoveContact():
            return not command.erase and outcome.resolution.outcome == "updated"
        case ActivateToken() | MuteToken():
            return outcome.resolution.outcome == "updated"
        case AddContact():
            return _tells(command.contact)
        case PutOn():
            found_by = 0 if command.policy in ("event_by_id", BY_APP) else 1
            said = command.groups or command.subscriptions
            return bool(said) or _tells(command.contact, found_by)
        case UpdateContact() | ImportRow():
            lists = isinstance(command, ImportRow) and bool(command.rules.groups)
            return bool(command.clear) or lists or _tells(command.contact, found_by=0)
        case _:
            return True


def _tells(contact: ContactInput, found_by: int = 1) -> bool:
    return len(contact.person.all()) > found_by or contact.profile != Profile()


def person_of(command: Command) -> Person | None:
    """Whom it names by identifiers."""
    if isinstance(command, AddAppToken):
        return command.item.contact.person
    if isinstance(command, (AddContact, UpdateContact, Subscribe, ImportRow, PutOn)):
        return command.contact.person
    return None


def _bare(ws: WorkingSet, command: Command, contact_id: int) -> Command:
    """Without warnings, without tokens, devices and cookies that the card did not get, and without an
    External ID that is somebody else's."""
    if not isinstance(command, (AddContact, UpdateContact, Subscribe, ImportRow, PutOn)):
        return command
    person = command.contact.person
    got = tuple(one for one in person.changeable if ws.row_of(one.key, contact_id) is not None)
    named = person.external_id
    if named is not None and any(held.contact_id != contact_id for held in ws.holders(named.key)):
        named = None
    person = msgspec.structs.replace(person, changeable=got, external_id=named)
    contact = msgspec.structs.replace(command.contact, person=person, warnings=())
    return msgspec.structs.replace(command, contact=contact)
