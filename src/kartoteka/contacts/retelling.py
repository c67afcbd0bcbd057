"""Tell a contact again what was said to it while it was part of another one (decisions D28).

The same functions that carried the requests out are asked again, on a working set that holds nothing
but this contact as it was. So what they come to is what would stand if the merge had never happened.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from kartoteka.contacts.model import AddAppToken, AttachContacts, Command
from kartoteka.contacts.sayings import SAYINGS
from kartoteka.errors import KartotekaError
from kartoteka.identity.kinds import BY_CODE
from kartoteka.identity.model import Card, Held, Key, Merge, Origin, Status, Word
from kartoteka.identity.rules import Decision, Found, Restore
from kartoteka.identity.working_set import WorkingSet

astuple = msgspec.structs.astuple
Say = Mapping[type[Command], Callable[[WorkingSet, Any, Decision], Any]]
"""How each command is carried out on the card that it is known to be about."""


class Alone(WorkingSet):
    """A world in which there is only this contact."""

    def __init__(self, ws: WorkingSet, card: Card, held: Iterable[Held]) -> None:
        super().__init__(ws.account_id, ws.settings, ws.new_id, ws.digest)
        self.load_cards([card.contact_id], [astuple(card)])
        self.load_whole([card.contact_id], [astuple(one) for one in held], ())
        self.only = self.cards[card.contact_id]
        self.joined: list[tuple[int | str, datetime]] = []
        """Lists, by id or name, and when it joined them; that it left them is not told."""

    def is_known(self, key: Key) -> bool:
        return True

    def is_stranger(self, identifiers: Iterable[Any]) -> bool:
        return not any(self.holders(one.key) for one in identifiers)

    def holders(self, key: Key) -> list[Held]:
        return list(self._by_key.get(key, {}).values())

    def found_by(self, key: Key) -> set[int]:
        return set()

    def need_addresses(self, keys: Iterable[Key]) -> None:
        pass

    def card(self, contact_id: int) -> Card:
        return self.only

    def known_card(self, contact_id: int) -> Card | None:
        return self.only

    def own(self) -> list[Held]:
        return self.identifiers_of(self.only.contact_id)


def retell(alone: Alone, merge: Merge, sides: Iterable[int], foreign: set[Key], say: Say) -> Alone:
    """Say again, in order, what was said for these sides since the merge.

    `foreign`: External IDs of the other side, which no word takes from it.
    """
    mine = {*sides, 0}
    lost = deque(merge.lost)
    for number, at, request_id, key_id, method, content in merge.words:
        _lose(alone, lost, number)
        word = msgspec.convert(content, Word)
        if word.side not in mine:
            continue
        origin = Origin(at, request_id, key_id, method)
        body = {"origin": msgspec.to_builtins(origin), **word.body}
        command = msgspec.convert(body, SAYINGS[word.command])
        alone.speaking.clear()
        if alone.only.merges and word.side:
            alone.speaking[alone.only.contact_id] = word.side
        for held in word.had:
            if alone.row_of(held.key, alone.only.contact_id) is None:
                alone.hold(msgspec.structs.replace(held, contact_id=alone.only.contact_id))
        for kind, text, state in word.refusals:
            alone.refusals[(kind, text)] = state
        try:
            _tell(alone, _without(command, foreign), word.rule or "contact_id", say)
        except KartotekaError:
            continue  # what would have been refused leaves everything as it was
        _note_lists(alone, at)
    _lose(alone, lost, None)
    return alone


Lost = deque[tuple[int, datetime, str, list[dict[str, str]]]]


def _lose(alone: Alone, lost: Lost, until: int | None) -> None:
    """Take off what others got before this place in the history (D12)."""
    while lost and (until is None or lost[0][0] < until):
        *_, identifiers = lost.popleft()
        gone = {(one["kind"], one["value"]) for one in identifiers}
        for held in alone.own():
            if (BY_CODE[held.kind].name, held.value) in gone:
                alone.release(held)


def _tell(alone: Alone, command: Command, rule: str, say: Say) -> None:
    if isinstance(command, AttachContacts):
        alone.effect("attach", command.segment_id, alone.only.contact_id, command.origin.at)
    else:
        say[type(command)](alone, command, _whose(alone, rule))


def _whose(alone: Alone, rule: str) -> Decision:
    found = Restore if alone.only.status == Status.REMOVED else Found
    return found(alone.only, "contact_id", rule)


def _without(command: Command, foreign: set[Key]) -> Command:
    """The same command, as it would have been understood without the other side."""
    if isinstance(command, AddAppToken):
        return command
    contact = getattr(command, "contact", None)
    if contact is None or contact.person.external_id is None:
        return command
    if contact.person.external_id.key not in foreign:
        return command
    person = msgspec.structs.replace(contact.person, external_id=None)
    return msgspec.structs.replace(command, contact=msgspec.structs.replace(contact, person=person))


def _note_lists(alone: Alone, at: datetime) -> None:
    for effect in ("list", "attach"):
        for row in alone.effects.pop(effect, []):
            alone.joined.append((row[0], at))
    alone.effects.clear()
