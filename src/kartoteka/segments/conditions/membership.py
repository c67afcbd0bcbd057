"""Membership of another segment or list (decisions D32).

A dynamic segment is written out: its own conditions stand in the place of its id, so that nothing is
evaluated in turns. When it is edited, those that name it are filled anew too (segments/editing.py).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec

from kartoteka.segments.conditions.base import (
    LISTS,
    Condition,
    Parameter,
    Place,
    Source,
    Sql,
    Subject,
    Test,
    ValueType,
)
from kartoteka.segments.conditions.operators import MEMBERSHIP

MAX_ID = 2**31 - 1


class OnList(msgspec.Struct, frozen=True):
    """Whether the contact is on a static list."""

    id: int
    name: str
    is_in: bool

    @property
    def reads(self) -> frozenset[str]:
        return frozenset((LISTS,))

    @property
    def is_timed(self) -> bool:
        return False

    def holds_for(self, who: Subject) -> bool:
        return (self.id in who.lists) is self.is_in

    def to_sql(self, sql: Sql) -> str:
        asked = (
            f"exists (select from segment_member l where l.account_id = {sql.account} "
            f"and l.segment_id = {sql.param(self.id, 'integer')} and l.contact_id = c.contact_id)"
        )
        return asked if self.is_in else f"not {asked}"

    def next_change(self, who: Subject) -> datetime | None:
        return None

    def next_sql(self, sql: Sql) -> list[str]:
        return []

    def describe(self) -> str:
        return f'{"is" if self.is_in else "is not"} on list "{self.name}"'

    def to_json(self, *, resolved: bool = False) -> dict[str, Any]:
        return _json(self.id, self.name, self.is_in, None, resolved=resolved)


class InSegment(msgspec.Struct, frozen=True):
    """Whether the contact is in a dynamic segment: that one's own conditions."""

    id: int
    name: str
    is_in: bool
    tree: Test

    @property
    def reads(self) -> frozenset[str]:
        return self.tree.reads

    @property
    def is_timed(self) -> bool:
        return self.tree.is_timed

    def holds_for(self, who: Subject) -> bool:
        return self.tree.holds_for(who) is self.is_in

    def to_sql(self, sql: Sql) -> str:
        asked = f"({self.tree.to_sql(sql)})"
        return asked if self.is_in else f"not {asked}"

    def next_change(self, who: Subject) -> datetime | None:
        return self.tree.next_change(who)

    def next_sql(self, sql: Sql) -> list[str]:
        return self.tree.next_sql(sql)

    def describe(self) -> str:
        return f'{"is" if self.is_in else "is not"} in segment "{self.name}"'

    def to_json(self, *, resolved: bool = False) -> dict[str, Any]:
        tree = self.tree.to_json(resolved=True)
        return _json(self.id, self.name, self.is_in, tree, resolved=resolved)


def _json(
    segment_id: int, name: str, is_in: bool, tree: dict[str, Any] | None, *, resolved: bool
) -> dict[str, Any]:
    said: dict[str, Any] = {"field": "segment", "id": segment_id}
    if resolved:
        said["name"] = name
        if tree is not None:
            said["tree"] = tree
    return {**said, "operator": "member" if is_in else "not_member"}


def read_membership(place: Place, read: Callable[[dict[str, Any], str], Test]) -> Test:
    """Membership of the segment that `id` names. Raises `InvalidCondition`."""
    segment_id = place.number("id", 1, MAX_ID)
    operator = place.value.get("operator")
    if operator not in MEMBERSHIP:
        raise place.wrong(f"must be one of {', '.join(MEMBERSHIP)}", "operator")
    if place.value.get("value") is not None:
        raise place.wrong("must be left out: this operator takes none", "value")
    name, tree = _named(place, segment_id)
    if tree is None:
        return OnList(segment_id, name, operator == "member")
    return InSegment(segment_id, name, operator == "member", read(tree, place.path))


def _named(place: Place, segment_id: int) -> tuple[str, dict[str, Any] | None]:
    """(name, conditions of a dynamic one). Conditions of others were checked when they were made."""
    if place.context.is_stored or "tree" in place.value:
        return place.value.get("name", str(segment_id)), place.value.get("tree")
    known = place.context.segments.get(segment_id)
    if known is None:
        raise place.wrong("is not the id of a segment that this one may name", "id")
    return known


def _no_source(place: Place) -> Source:
    raise place.wrong("has no value")


CONDITIONS = (
    Condition(
        "segment",
        "Segment or list",
        "Segments",
        _no_source,
        ValueType.MEMBER,
        (Parameter("id", "The id of the segment or list.", required=True),),
        example={"field": "segment", "id": 7, "operator": "not_member"},
    ),
)
