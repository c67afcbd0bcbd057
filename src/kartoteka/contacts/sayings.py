"""Which commands are remembered while a card holds others, and as whose (decisions D15, D28)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from kartoteka.contacts.consent import refusal_of
from kartoteka.contacts.model import (
    AddAppToken,
    AddContact,
    AttachContacts,
    Command,
    ContactInput,
    ImportRow,
    Outcome,
    Profile,
    PutOn,
    RefuseAddresses,
    RemoveContact,
    SetSubscriptions,
    Subscribe,
    UpdateContact,
)
from kartoteka.identity.kinds import EXTERNAL_ID
from kartoteka.identity.model import Identifier, Status
from kartoteka.identity.rules import Person
from kartoteka.identity.sides import home_of, keep_word, word_of
from kartoteka.identity.working_set import WorkingSet

SAYINGS: dict[str, type[Command]] = {
    one.__name__: one
    for one in (
        AddAppToken,
        AddContact,
        AttachContacts,
        ImportRow,
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
    outcome = decide(ws, command)
    if ws.speaking or outcome.resolution.absorbed:
        remember(ws, command, outcome)
    return outcome


def remember(ws: WorkingSet, command: Command, outcome: Outcome) -> None:
    """Keep what this command said to merged cards, each with the side that it spoke of."""
    resolution = outcome.resolution
    command = _told_again(command, outcome)
    sides = dict(ws.speaking)
    if resolution.contact_id is not None:
        sides.setdefault(resolution.contact_id, resolution.contact_id)
    if type(command).__name__ not in SAYINGS or not _says_something(command, outcome):
        return
    for contact_id, side in sides.items():
        card = ws.cards.get(contact_id)
        if card is not None and card.merges and card.status != Status.ERASED:
            bare = _bare(ws, command, contact_id)
            word = word_of(side, bare, resolution.rule, _refused(ws, command))
            keep_word(ws, card, word, command.origin, person_of(bare))


def _told_again(command: Command, outcome: Outcome) -> Command:
    """Orders and events as what they put on the card; the rest as it is."""
    policy = getattr(command, "said_as", None)
    if policy is None or outcome.resolution.rule == "known_order":
        return command
    contact = getattr(command, "contact", None)
    if contact is None:
        event = command.event  # type: ignore[attr-defined]
        contact = ContactInput(event.person, event.profile)
        policy = "event" if event.contact_id is None else "event_by_id"
    occurred = getattr(command, "occurred", None)
    return PutOn(origin=command.origin, contact=contact, policy=policy, occurred=occurred)


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
            keep_word(ws, card, word_of(side, said, None, []), command.origin)


def _refused(ws: WorkingSet, command: Command) -> list[tuple[int, str, int]]:
    """What the addresses that it names refused by themselves at that time."""
    person = person_of(command) or Person()
    states = [
        (one.key, refusal_of(ws, one)) for one in (person.email, person.phone) if one is not None
    ]
    return [(*key, state) for key, state in states if state]


def _says_something(command: Command, outcome: Outcome) -> bool:
    """Whether it may change one of the people on the card: most calls only name whom they mean."""
    if outcome.resolution.outcome in ("skipped", "suppressed", "failed"):
        return False
    if outcome.resolution.outcome == "restored" or outcome.resolution.absorbed:
        return True
    match command:
        case RemoveContact():
            return not command.erase and outcome.resolution.outcome == "updated"
        case AddContact() | PutOn():
            return _tells(command.contact)
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
    """Without warnings, and without tokens, devices and cookies that the card did not get."""
    if not isinstance(command, (AddContact, UpdateContact, Subscribe, ImportRow, PutOn)):
        return command
    person = command.contact.person
    got = tuple(one for one in person.changeable if ws.row_of(one.key, contact_id) is not None)
    person = msgspec.structs.replace(person, changeable=got)
    contact = msgspec.structs.replace(command.contact, person=person, warnings=())
    return msgspec.structs.replace(command, contact=contact)
