"""Why does this identifier stand on this card? The shortest chain of requests that says so (D26).

Requests are edges between the identifiers that they named. A chain is a shortest way from what is asked
about to the card's anchor: its External ID, or where it has none the card itself. Told alone, in their
order, its requests make the link; without any one of them there is none.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

Node = tuple[str, str]
"""(kind, value); of a card itself ("contact_id", its id)."""

LINKS = frozenset(
    ("created", "claimed", "added", "moved", "external_id_set", "external_id_replaced", "absorbed")
)
"""Actions of the history that put identifiers together."""


class Row(msgspec.Struct, frozen=True):
    """A row of the identity history, as query `evidence` gives it."""

    history_id: int
    at: datetime
    action: str
    rule: str
    contact_id: int
    other_contact_id: int | None
    method: str
    request_id: str
    key_id: int
    identifiers: Sequence[dict[str, Any]] | None
    by: Sequence[dict[str, Any]] | None
    undone: bool


class Step(msgspec.Struct, rename="camel"):
    """One request of a chain."""

    at: datetime
    request_id: str
    key_id: int
    method: str
    contact_id: int
    rules: list[str]
    names: list[dict[str, str]]
    """Identifiers that it put together."""
    nodes: set[Node] = set()
    found: set[Node] = set()
    """What found the card, each enough alone: the others were put beside it. None: all came at once."""
    order: int = 0

    joined: set[Node] = set()
    """What it was named by, where it absorbed another card."""

    @property
    def bridges(self) -> set[Node]:
        """What led from this request to cards that were there: what found the card, what absorbed
        others."""
        return self.found | self.joined

    def rests_on(self, earlier: Step) -> bool:
        """Whether this request found what the earlier one had put."""
        return not self.bridges.isdisjoint(earlier.nodes)


def card_node(contact_id: int) -> Node:
    return ("contact_id", str(contact_id))


def steps_of(rows: Sequence[Row], cards: set[int] | None = None) -> list[Step]:
    """The requests that put identifiers together, in order, on these cards or on any. Merges that were
    undone put none."""
    parts = {row.other_contact_id for row in rows if row.action == "undone"}
    steps: dict[tuple[str, datetime, int], Step] = {}
    for row in rows:
        if row.action not in LINKS or row.undone:
            continue
        if cards is not None and row.contact_id not in cards | parts:
            continue
        nodes = _nodes(row)
        key = (row.request_id, row.at, row.contact_id)
        step = steps.get(key)
        if step is None:
            step = steps[key] = Step(
                row.at,
                row.request_id,
                row.key_id,
                row.method,
                row.contact_id,
                [],
                [],
                set(),
                set(),
                row.history_id,
                set(),
            )
        step.found |= {(one["kind"], one["value"]) for one in row.by or () if one.get("found")}
        if row.rule not in step.rules:
            step.rules.append(row.rule)
        step.nodes |= nodes
        if row.action == "absorbed":
            step.joined |= nodes
        step.order = row.history_id
    for step in steps.values():
        step.names = [{"kind": kind, "value": value} for kind, value in sorted(step.nodes)]
    return list(steps.values())


def _nodes(row: Row) -> set[Node]:
    nodes = {(one["kind"], one["value"]) for one in row.by or ()}
    if row.action == "absorbed":
        if row.rule in ("merged_by_request", "absorbed_by_claim"):
            nodes = {card_node(row.contact_id), card_node(row.other_contact_id or 0)}
        return nodes
    if row.rule != "follows_device":
        nodes |= {(one["kind"], one["value"]) for one in row.identifiers or ()}
    if row.action == "created":
        nodes.add(card_node(row.contact_id))
    return nodes


def chain(steps: Sequence[Step], start: Sequence[Step], anchor: Node) -> list[Step] | None:
    """The fewest requests from one of `start` to one that names the anchor, in their order; None: none.

    What an identifier was named with once still says whose it is, though it went elsewhere in between.
    """
    before: dict[int, Step | None] = {step.order: None for step in start}
    reached = list(start)
    while reached:
        for step in reached:
            if anchor in step.nodes:
                return _way(before, step)
        following: list[Step] = []
        for step in reached:
            for other in steps:
                early, late = sorted((step, other), key=lambda one: one.order)
                if other.order not in before and late.rests_on(early):
                    before[other.order] = step
                    following.append(other)
        reached = following
    return None


def _way(before: dict[int, Step | None], last: Step) -> list[Step]:
    way = [last]
    while (step := before[way[-1].order]) is not None:
        way.append(step)
    return sorted(way, key=lambda step: step.order)
