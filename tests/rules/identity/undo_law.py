"""Two worlds side by side: in one two contacts are merged and parted again, in the other they are
only known not to be the same. The law of D28 says that both come to the same.

A request that names identifiers of both people, or that one world alone understands (the address that
left the merged contact finds nobody there), belongs to no side: neither world is sent it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from kartoteka.contacts.model import Command, DetachContacts, RefuseAddresses, RemoveContact
from kartoteka.errors import KartotekaError
from kartoteka.identity.model import Card, Held, Status
from kartoteka.writing import RULES
from tests.rules.world import Answer, World

_NOT_COMPARED = {"merges", "last_word", "proof"}


class Pair:
    """A world with the merge and one without."""

    def __init__(self, world: World, keep: int, absorb: int) -> None:
        self.merged = world.copy()
        self.apart = world.copy()
        self.keep, self.absorb = keep, absorb
        self.told = 0
        self.merge = 0

    def join(self) -> None:
        """Merge them by hand in one world; in the other somebody says that they are not the same."""
        self.merged.merge(self.keep, self.absorb)
        self.apart.not_the_same(self.keep, self.absorb)
        self.merge = self.merged.last_merge()

    def send(self, command: Command) -> bool:
        """Send it to both worlds if it has a side; whether it had."""
        if not self._has_a_side(command) or not self._agree(command):
            return False
        self._answers(self.merged, self.apart, command)
        self.told += 1
        return True

    def _answers(self, merged: World, apart: World, command: Command) -> list[Any]:
        return [merged.batch([command])[0], apart.batch([self._leaving_together(command)])[0]]

    def _leaving_together(self, command: Command) -> Command:
        """Who leaves a list while merged leaves it for good, as all that they are."""
        pair = {self.keep, self.absorb}
        if not isinstance(command, DetachContacts):
            return command
        if pair & {
            self.apart.survivor(who) for who in command.contact_ids if who in self.apart.cards
        }:
            return msgspec.structs.replace(
                command, contact_ids=tuple({*command.contact_ids, *pair})
            )
        return command

    def _agree(self, command: Command) -> bool:
        """Whether both worlds understand the same, tried on copies."""
        one, other = self._answers(self.merged.copy(), self.apart.copy(), command)
        if isinstance(one, KartotekaError) or isinstance(other, KartotekaError):
            return type(one) is type(other)
        if (one.outcome.answer, one.warnings) != (other.outcome.answer, other.warnings):
            return False
        if {one.came_to, other.came_to} & {
            "skipped",
            "suppressed",
        } and one.came_to != other.came_to:
            return False
        pair = {self.keep, self.absorb}
        for answer in (one, other):
            if answer.absorbed and pair & {answer.resolution.contact_id, *answer.absorbed}:
                return False  # a later merge is in the way
        if {who for _, _, who in other.moved} & pair and other.resolution.contact_id in pair:
            return False  # from one of them to the other
        if other.resolution.contact_id in pair:
            return bool(one.resolution.contact_id == self.keep)
        return bool(one.resolution.contact_id == other.resolution.contact_id)

    def _has_a_side(self, command: Command) -> bool:
        keys, ids = RULES.named_by(command)
        owners = {row[3] for row in self.apart.rows.values() if (row[0], row[1]) in keys}
        pair = {self.keep, self.absorb}
        if isinstance(command, RefuseAddresses):
            # What left a merged card is refused when it comes back: a case of its own.
            left = [line for line in self.merged.history if line.rule == "kept_for_undo"]
            values = {one["value"] for line in left for one in line.identifiers or ()}
            held = {row[1] for row in self.merged.rows.values() if row[3] == self.keep}
            lost = {row[1] for row in self.apart.rows.values() if row[3] in pair} - held
            return not (values | lost) & set(command.emails)
        if isinstance(command, RemoveContact) and command.erase:
            return not pair & (owners | set(ids))
        if isinstance(
            command, RemoveContact
        ):  # a retired id is refused, which the other one is not
            return self.absorb not in {*owners, *ids}
        return len(pair & (owners | set(ids))) < 2


def same(one: World, other: World) -> list[tuple[Any, Any]]:
    """What differs, as pairs; nothing when the law holds."""
    views: list[Callable[[World], Any]] = [_cards, _identifiers, _lists, _events, _rest]
    found = []
    for view in views:
        a, b = view(one), view(other)
        if a != b:
            found += [(view.__name__, key, a.get(key), b.get(key)) for key in {*a, *b}]
    return [(name, key, a, b) for name, key, a, b in found if a != b]


def _cards(world: World) -> dict[tuple[int, str], Any]:
    return {
        (who, name): getattr(world.card(who), name)
        for who in world.cards
        for name in Card.__struct_fields__
        if name not in _NOT_COMPARED
    }


def _identifiers(world: World) -> dict[Any, Any]:
    rows = [Held(*row) for row in world.rows.values()]
    return {
        (row.key, row.contact_id): (row.former, row.since, row.rule, row.app, row.device, row.home)
        for row in rows
    }


def _lists(world: World) -> dict[str, set[int]]:
    return {
        name: {who for who in members if world.card(who).status != Status.MERGED}
        for name, members in world.lists.items()
    }


def _events(world: World) -> dict[int, Any]:
    return {place: event[:2] for place, event in enumerate(world.owned)}


def _rest(world: World) -> dict[Any, Any]:
    """Not whom D29 suppresses: naming an address lifts that only where the contact did not have it."""
    # A token that was cleared off the merged card by the other side comes back with a gap in its spans.
    cleared = {
        one["value"]
        for line in world.history
        if line.rule == "cleared"
        for one in line.identifiers or ()
    }
    spans = {
        (key, span.since): (span.contact_id, span.state)
        for key, spans in world.spans.items()
        for span in spans
        if key[1] not in cleared
    }
    return {"refusals": world.refusals, "categories": world.categories, **spans}


def came_to(answer: Any) -> Answer | None:
    return answer if isinstance(answer, Answer) else None
