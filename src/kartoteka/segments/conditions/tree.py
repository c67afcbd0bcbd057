"""Conditions joined by all, any and not, and how a segment's JSON becomes them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any

import msgspec

from kartoteka.segments.conditions.base import (
    Context,
    InvalidCondition,
    Place,
    Source,
    Sql,
    Subject,
    Test,
    ValueType,
)
from kartoteka.segments.conditions.operands import NOTHING, Operand, Takes, read_operand
from kartoteka.segments.conditions.operators import OPERATORS, Operator

MOST_DEPTH = 10
MOST_CONDITIONS = 200
ZONE = "zone"
"""In which dates without an offset are read: beside a resolved condition, where it is not UTC."""
_DEPTH_OF_SIDES = 2
"""How much deeper conditions are with an exclude side: `all` of them, `not` that side."""


class Joined(msgspec.Struct, frozen=True):
    """Conditions joined by all (and) or any (or)."""

    parts: tuple[Test, ...]
    is_all: bool

    @property
    def reads(self) -> frozenset[str]:
        return reduce(or_, (part.reads for part in self.parts), frozenset())

    @property
    def is_timed(self) -> bool:
        return any(part.is_timed for part in self.parts)

    def holds_for(self, who: Subject) -> bool:
        join = all if self.is_all else any
        return join(part.holds_for(who) for part in self.parts)

    def to_sql(self, sql: Sql) -> str:
        word = " and " if self.is_all else " or "
        return "(" + word.join(part.to_sql(sql) for part in self.parts) + ")"

    def next_change(self, who: Subject) -> datetime | None:
        return min(filter(None, (part.next_change(who) for part in self.parts)), default=None)

    def next_sql(self, sql: Sql) -> list[str]:
        return [moment for part in self.parts for moment in part.next_sql(sql)]

    def describe(self) -> str:
        texts = [_bracketed(part) for part in self.parts]
        return (" and " if self.is_all else " or ").join(texts)

    def to_json(self, *, resolved: bool = False) -> dict[str, Any]:
        parts = [part.to_json(resolved=resolved) for part in self.parts]
        return {"all" if self.is_all else "any": parts}


class Not(msgspec.Struct, frozen=True):
    """The opposite of a condition."""

    part: Test

    @property
    def reads(self) -> frozenset[str]:
        return self.part.reads

    @property
    def is_timed(self) -> bool:
        return self.part.is_timed

    def holds_for(self, who: Subject) -> bool:
        return not self.part.holds_for(who)

    def to_sql(self, sql: Sql) -> str:
        return f"not {self.part.to_sql(sql)}"

    def next_change(self, who: Subject) -> datetime | None:
        return self.part.next_change(who)

    def next_sql(self, sql: Sql) -> list[str]:
        return self.part.next_sql(sql)

    def describe(self) -> str:
        return f"not ({self.part.describe()})"

    def to_json(self, *, resolved: bool = False) -> dict[str, Any]:
        return {"not": self.part.to_json(resolved=resolved)}


class Asked(msgspec.Struct, frozen=True):
    """One operator on one value: a leaf of the tree."""

    key: str
    source: Source
    operator: Operator
    operand: Operand

    @property
    def reads(self) -> frozenset[str]:
        return self.source.reads

    @property
    def is_timed(self) -> bool:
        return self.operator.moments is not None or self.source.also_timed is not None

    def holds_for(self, who: Subject) -> bool:
        return self.operator.asks(self.source.read(who), self.operand, who.now)

    def to_sql(self, sql: Sql) -> str:
        if not self.source.is_looked_up:
            return f"({self.operator.to_sql(self.source.sql(sql), self.operand, sql)})"
        return self._once(self.operator.to_sql("once.x", self.operand, sql), sql)

    def _once(self, asked: str, sql: Sql) -> str:
        """An expression on `once.x`, for which the value is read a single time for a contact."""
        return f"(select {asked} from (select {self.source.sql(sql)} as x offset 0) once)"

    def next_change(self, who: Subject) -> datetime | None:
        moments: list[datetime] = []
        value = self.source.read(who)
        if self.operator.moments is not None and value is not None:
            moments += self.operator.moments(value, self.operand.value, who.now)
        if self.source.also_timed is not None and (moment := self.source.also_timed(who)):
            moments.append(moment)
        return min(moments, default=None)

    def next_sql(self, sql: Sql) -> list[str]:
        moments: list[str] = []
        if self.operator.moments_sql is not None:
            is_once = self.source.is_looked_up
            x = "once.x" if is_once else self.source.sql(sql)
            found = self.operator.moments_sql(x, self.operand.value, sql)
            moments += [self._once(f"least({', '.join(found)})", sql)] if is_once else found
        if self.source.also_timed_sql is not None:
            moments.append(self.source.also_timed_sql(sql))
        return moments

    def describe(self) -> str:
        return " ".join(
            part for part in (self.source.label, self.operator.words, self.operand.words) if part
        )

    def to_json(self, *, resolved: bool = False) -> dict[str, Any]:
        said: dict[str, Any] = {"field": self.key, **self.source.members}
        if resolved:
            said.update(self.source.stored)
        said["operator"] = self.operator.name
        if self.operand.json is not None:
            said["value"] = self.operand.json
        return said


def _bracketed(part: Test) -> str:
    text = part.describe()
    return f"({text})" if isinstance(part, Joined) and len(part.parts) > 1 else text


class _Reading:
    """One condition on its way from JSON to tests."""

    def __init__(self, context: Context, most_depth: int, most: int) -> None:
        self.context = context
        self.most_depth = most_depth
        self.left = most

    def node(self, given: Any, path: str, depth: int) -> Test:
        if not isinstance(given, dict):
            raise InvalidCondition(path, "must be an object")
        joins = [word for word in ("all", "any", "not", "field") if word in given]
        if len(joins) != 1:
            raise InvalidCondition(path, "must have exactly one of all, any, not and field")
        if joins[0] == "field":
            return self._leaf(given, path)
        if depth > self.most_depth:
            raise InvalidCondition(path, f"is nested deeper than {MOST_DEPTH} levels")
        if len(given) > 1:
            raise InvalidCondition(path, f"must have nothing beside {joins[0]}")
        if joins[0] == "not":
            return Not(self.node(given["not"], f"{path}.not", depth + 1))
        return self._joined(given[joins[0]], f"{path}.{joins[0]}", joins[0] == "all", depth)

    def _joined(self, given: Any, path: str, is_all: bool, depth: int) -> Test:
        if not isinstance(given, list) or not given:
            raise InvalidCondition(path, "must be a list of at least one condition")
        if len(given) > MOST_CONDITIONS:
            raise InvalidCondition(path, f"has more than {MOST_CONDITIONS} conditions")
        parts = (self.node(one, f"{path}[{n}]", depth + 1) for n, one in enumerate(given))
        return Joined(tuple(parts), is_all)

    def _leaf(self, given: dict[str, Any], path: str) -> Test:
        from kartoteka.segments.conditions import BY_KEY
        from kartoteka.segments.conditions.membership import read_membership

        self.left -= 1
        if self.left < 0:
            raise InvalidCondition(path, f"is one of more than {MOST_CONDITIONS} conditions")
        place = Place(path, given, self.context)
        key = given["field"]
        condition = BY_KEY.get(key) if isinstance(key, str) else None
        if condition is None:
            raise place.wrong("is not a field that a condition can ask about", "field")
        names = [one.name for one in condition.parameters]
        if self.context.is_stored:
            names = list(given)
        place.allow("field", "operator", "value", *names)
        if condition.type is ValueType.MEMBER:
            return read_membership(place, self._written_out)
        return read_test(place, condition.key, condition.source(place))

    def _written_out(self, tree: dict[str, Any], path: str) -> Test:
        """The conditions of another segment: checked when it was made, counted here too."""
        stored = Context(is_stored=True, zone=self.context.zone)
        inside = _Reading(stored, self.most_depth + _DEPTH_OF_SIDES, self.left)
        test = inside.node(_without_zone(tree), path, 1)
        self.left = inside.left
        return test


def read_test(place: Place, key: str, source: Source) -> Asked:
    """Operator and value of a condition on that source. Raises `InvalidCondition`."""
    known = OPERATORS[source.type]
    name = place.value.get("operator")
    operator = known.get(name) if isinstance(name, str) else None
    if operator is None:
        raise place.wrong(f"must be one of {', '.join(known)}", "operator")
    if operator.takes is Takes.NOTHING and place.value.get("value") is None:
        return Asked(key, source, operator, NOTHING)
    return Asked(key, source, operator, read_operand(place, source, operator.takes))


def read_condition(given: Any, context: Context, path: str = "condition") -> Test:
    """The tests that this JSON describes. Raises `InvalidCondition`, which names the place."""
    return _Reading(context, MOST_DEPTH, MOST_CONDITIONS).node(given, path, 1)


def read_stored(resolved: dict[str, Any]) -> Test:
    """The tests of a resolved condition: both sides, segments written out, so it may be deeper."""
    context = Context(is_stored=True, zone=resolved.get(ZONE, "UTC"))
    return _Reading(context, 10_000, 1_000_000).node(_without_zone(resolved), "condition", 1)


def _without_zone(resolved: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in resolved.items() if name != ZONE}


def both_sides(include: Test, exclude: Test | None) -> Test:
    """Who is in the segment: the include side without the exclude side."""
    return include if exclude is None else Joined((include, Not(exclude)), is_all=True)


def in_words(include: str, exclude: str | None) -> str:
    """Both sides in words."""
    return include if exclude is None else f"{include}; except {exclude}"


def all_reads(tests: Iterable[Test]) -> frozenset[str]:
    """Everything that any of these reads."""
    return reduce(or_, (test.reads for test in tests), frozenset())
