"""Two worlds side by side: in one two contacts are merged and parted again, in the other they are
only known not to be the same. The law of D28 says that both come to the same.

A request that names identifiers of both people, or that comes to somebody else in one of the worlds (the
address that left the merged contact finds nobody there), belongs to no side: neither world is sent it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from kartoteka.activity.orders.model import DeleteOrder, SaveOrder
from kartoteka.contacts.model import (
    Command,
    DetachContacts,
    RefuseAddresses,
    RemoveContact,
    Subscribe,
)
from kartoteka.errors import KartotekaError
from kartoteka.identity.model import Card, Held, Status
from kartoteka.writing import RULES
from tests.rules.world import Answer, World

_NOT_COMPARED = {"merges", "last_word", "proof"}


class Pair:
    """A world with the merge and one without."""

    def __init__(self, world: World, keep: int, absorb: int, first: int | None = 1000) -> None:
        """`first`: the first id of what is made from now on; None: as in the world with the merge."""
        self.merged = world.copy()
        self.apart = world.copy()
        self.keep, self.absorb = keep, absorb
        self.told = 0
        self.merge = 0
        self._ids = first

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
        if self._ids is not None:
            self._ids += 100
        return True

    def _answers(self, merged: World, apart: World, command: Command) -> list[Any]:
        if self._ids is None:
            apart.number_from(merged.next_id())
        else:
            for world in (merged, apart):
                world.number_from(self._ids)  # what is made has the same id in both
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
        worlds = self.merged.copy(), self.apart.copy()
        one, other = self._answers(*worlds, command)
        if isinstance(one, KartotekaError) or isinstance(other, KartotekaError):
            return type(one) is type(other)
        if one.outcome.answer != other.outcome.answer:
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
        if self._seen_by_all(worlds[0]) != self._seen_by_all(worlds[1]):
            return False
        if other.resolution.contact_id in pair:
            return bool(one.resolution.contact_id == self.keep)
        return bool(one.resolution.contact_id == other.resolution.contact_id)

    def _seen_by_all(self, world: World) -> Any:
        """Whose cookies, devices and tokens are, the pair taken for one; and everybody else."""
        pair = {self.keep, self.absorb}

        def whose(contact_id: int | None) -> int | None:
            return self.keep if contact_id in pair else contact_id

        spans = {
            (key, one.since, one.state, whose(one.contact_id))
            for key, spans in world.spans.items()
            for one in spans
        }
        rows = {(row[:2], whose(max(row[3], 0))) for row in world.rows.values() if row[0] > 3}
        others = {
            key: value
            for view in (_cards, _identifiers)
            for key, value in view(world).items()
            if key[0 if view is _cards else 1] not in pair
        }
        return spans, rows, world.claims, others

    def _has_a_side(self, command: Command) -> bool:
        keys, ids = RULES.named_by(command)
        owners = {row[3] for row in self.apart.rows.values() if (row[0], row[1]) in keys}
        if isinstance(command, SaveOrder | DeleteOrder):
            number = getattr(command, "order", command).external_order_id
            if number in self.apart.orders:
                owners.add(self.apart.orders[number].owner_id)
        pair = {self.keep, self.absorb}
        if isinstance(command, RefuseAddresses):
            # What left a merged card is refused when it comes back: a case of its own.
            return not self._left() & set(command.emails)
        if isinstance(command, Subscribe):
            # So it stays refused when this would have lifted it: somebody may have refused it since.
            refused = {key for key, state in self.merged.refusals.items() if state}
            if {value for _, value in refused.intersection(keys)} & self._left():
                return False
        if isinstance(command, RemoveContact) and command.erase:
            return not pair & (owners | set(ids))
        if isinstance(
            command, RemoveContact
        ):  # a retired id is refused, which the other one is not
            return self.absorb not in {*owners, *ids}
        return len(pair & (owners | set(ids))) < 2

    def _left(self) -> set[str]:
        """Values that left the card when it was merged."""
        lines = [line for line in self.merged.history if line.rule == "kept_for_undo"]
        values = {one["value"] for line in lines for one in line.identifiers or ()}
        held = {row[1] for row in self.merged.rows.values() if row[3] == self.keep}
        pair = {self.keep, self.absorb}
        return values | ({row[1] for row in self.apart.rows.values() if row[3] in pair} - held)


def same(one: World, other: World) -> list[tuple[Any, Any]]:
    """What differs, as pairs; nothing when the law holds."""
    views: list[Callable[[World], Any]] = [
        _cards,
        _identifiers,
        _lists,
        _events,
        _orders,
        _suppressed,
        _rest,
    ]
    found = []
    cleared = cleared_in(one) | cleared_in(other)
    for view in (*views, lambda world: _spans(world, cleared)):
        a, b = view(one), view(other)
        if a != b:
            found += [(view.__name__, key, a.get(key), b.get(key)) for key in {*a, *b}]
    return [(name, key, a, b) for name, key, a, b in found if a != b and not _says_less(name, a, b)]


def _says_less(view: str, merged: Any, apart: Any) -> bool:
    """The event of an order tells of its own person only, and not of what both of them have."""
    if view != "_events" or None in (merged, apart) or merged[:-1] != apart[:-1]:
        return False
    return bool(merged[-1].items() <= apart[-1].items()) and "orderId" in apart[-1]


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
        (row.key, row.contact_id): (
            row.former,
            row.since,
            _rule(row),
            row.app,
            row.device,
            row.home,
        )
        for row in rows
    }


def _rule(row: Held) -> str:
    """An External ID says by what it was found, which is another one where that had left the card."""
    joined = "external_id_joins_"
    return joined if row.rule.startswith(joined) else row.rule


def _lists(world: World) -> dict[str, set[int]]:
    return {
        name: {who for who in members if world.card(who).status != Status.MERGED}
        for name, members in world.lists.items()
    }


def _events(world: World) -> dict[Any, Any]:
    """Events and visits, each with the contact that it is, and what they say."""
    owners = {span.owner_id: span.contact_id for spans in world.spans.values() for span in spans}
    happened = {
        place: (owners.get(one.owner_id, one.owner_id), *msgspec.structs.astuple(one)[1:])
        for place, one in enumerate(world.happened)
    }
    return {**happened, **{-1 - place: event for place, event in enumerate(world.owned)}}


def _orders(world: World) -> dict[str, Any]:
    orders = {number: msgspec.to_builtins(one) for number, one in world.orders.items()}
    return {**orders, "items": world.items}


def _suppressed(world: World) -> dict[Any, Any]:
    return {key: of for key, of in world.suppressions.items() if of}


def _rest(world: World) -> dict[Any, Any]:
    return {
        "refusals": world.refusals,
        "categories": world.categories,
        "claims": world.claims,
        "event types": set(world.event_types),
        "messages": world.messages,
    }


def cleared_in(world: World) -> set[str]:
    """What one side cleared off the merged card comes back to the other with a gap in its spans."""
    return {
        one["value"]
        for line in world.history
        if line.rule == "cleared"
        for one in line.identifiers or ()
    }


def _spans(world: World, besides: set[str]) -> dict[Any, Any]:
    return {
        (key, span.since): (span.contact_id, span.state)
        for key, spans in world.spans.items()
        for span in spans
        if key[1] not in besides
    }


def came_to(answer: Any) -> Answer | None:
    return answer if isinstance(answer, Answer) else None
