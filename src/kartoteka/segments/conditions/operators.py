"""The operators of decisions D32: each in Python, in SQL and in words.

A negated operator is the exact opposite: *is not "Ann"* also holds where there is no first name. Texts
are compared code point by code point, as External IDs are (D3).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec

from kartoteka.segments.conditions import calendar
from kartoteka.segments.conditions.base import Sql, ValueType
from kartoteka.segments.conditions.operands import Days, Operand, Takes

Holds = Callable[[Any, Any, datetime], bool]
ToSql = Callable[[str, Any, Sql], str]


class Operator(msgspec.Struct, frozen=True, eq=False):
    """One way to ask about a value."""

    name: str
    words: str
    takes: Takes
    holds: Holds
    """(value that is not None, operand, now)"""
    sql: ToSql
    """(expression, operand, Sql): what may be null counts as false."""
    negated: bool = False
    moments: Callable[[Any, Any, datetime], list[datetime]] | None = None
    """When time may change the answer; it counts from that very moment."""
    moments_sql: Callable[[str, Any, Sql], list[str]] | None = None

    def asks(self, value: Any, operand: Operand, now: datetime) -> bool:
        """Whether it holds of this value, None for none: then only what is negated does."""
        return (value is not None and self.holds(value, operand.value, now)) is not self.negated

    def to_sql(self, expression: str, operand: Operand, sql: Sql) -> str:
        """The same as an expression that is never null."""
        asked = self.sql(expression, operand.value, sql)
        return f"{'not ' if self.negated else ''}coalesce({asked}, false)"


def _no(name: str, words: str, of: Operator) -> Operator:
    return msgspec.structs.replace(of, name=name, words=words, negated=True)


def _cast(operand: Any) -> str:
    return {str: "text", int: "bigint"}.get(type(operand), "numeric")


def _equal(x: str, operand: Any, sql: Sql) -> str:
    return f"{x} = {sql.param(operand, _cast(operand))}"


def _among(x: str, operand: Any, sql: Sql) -> str:
    return f"{x} = any({sql.param(list(operand), _cast(operand[0]) + '[]')})"


_SET = Operator(
    "is_set",
    "is set",
    Takes.NOTHING,
    lambda _value, _operand, _now: True,
    lambda x, _operand, _sql: f"({x}) is not null",
)
_EMPTY = _no("is_empty", "is empty", _SET)
_EQUALS = Operator("equals", "is", Takes.ONE, lambda v, o, _: bool(v == o), _equal)
_NOT_EQUALS = _no("not_equals", "is not", _EQUALS)
_ONE_OF = Operator("one_of", "is one of", Takes.SEVERAL, lambda v, o, _: v in o, _among)
_NOT_ONE_OF = _no("not_one_of", "is not one of", _ONE_OF)

_CONTAINS = Operator(
    "contains",
    "contains",
    Takes.ONE,
    lambda v, o, _: o in v,
    lambda x, o, sql: f"position({sql.param(o, 'text')} in {x}) > 0",
)
_STARTS = Operator(
    "starts_with",
    "starts with",
    Takes.ONE,
    lambda v, o, _: v.startswith(o),
    lambda x, o, sql: f"starts_with({x}, {sql.param(o, 'text')})",
)
_ENDS = Operator(
    "ends_with",
    "ends with",
    Takes.ONE,
    lambda v, o, _: v.endswith(o),
    lambda x, o, sql: f"right({x}, {len(o)}) = {sql.param(o, 'text')}",
)

_GREATER = Operator(
    "greater",
    "is greater than",
    Takes.ONE,
    lambda v, o, _: v > o,
    lambda x, o, sql: f"{x} > {sql.param(o, 'numeric')}",
)
_LESS = Operator(
    "less",
    "is less than",
    Takes.ONE,
    lambda v, o, _: v < o,
    lambda x, o, sql: f"{x} < {sql.param(o, 'numeric')}",
)
_BETWEEN = Operator(
    "between",
    "is between",
    Takes.TWO,
    lambda v, o, _: o[0] <= v <= o[1],
    lambda x, o, sql: f"{x} between {sql.param(o[0], 'numeric')} and {sql.param(o[1], 'numeric')}",
)


def _from(x: str, moment: datetime, sql: Sql) -> str:
    return f"{x} >= {sql.param(moment, 'timestamptz')}"


def _before(x: str, moment: datetime, sql: Sql) -> str:
    return f"{x} < {sql.param(moment, 'timestamptz')}"


_ON = Operator(
    "equals",
    "is",
    Takes.ONE,
    lambda v, o, _: o.begin <= v < o.end,
    lambda x, o, sql: f"{_from(x, o.begin, sql)} and {_before(x, o.end, sql)}",
)
_AFTER = Operator(
    "greater",
    "is after",
    Takes.ONE,
    lambda v, o, _: v >= o.end,
    lambda x, o, sql: _from(x, o.end, sql),
)
_EARLIER = Operator(
    "less",
    "is before",
    Takes.ONE,
    lambda v, o, _: v < o.begin,
    lambda x, o, sql: _before(x, o.begin, sql),
)
_WITHIN = Operator(
    "between",
    "is between",
    Takes.TWO,
    lambda v, o, _: o[0].begin <= v < o[1].end,
    lambda x, o, sql: f"{_from(x, o[0].begin, sql)} and {_before(x, o[1].end, sql)}",
)


def _ago(days: Days) -> str:
    return f"{Sql.now} - interval '{days.days} days'"


_IN_LAST = Operator(
    "in_last_days",
    "is in the last",
    Takes.DAYS,
    lambda v, o, now: now - o.span < v <= now,
    lambda x, o, _: f"{x} > {_ago(o)} and {x} <= {Sql.now}",
    moments=lambda v, o, now: calendar.after(now, v, calendar.shifted(v, o.days)),
    moments_sql=lambda x, o, _: calendar.after_sql(x, f"{x} + interval '{o.days} days'"),
)
_LONG_AGO = Operator(
    "more_than_days_ago",
    "is more ago than",
    Takes.DAYS,
    lambda v, o, now: v <= now - o.span,
    lambda x, o, _: f"{x} <= {_ago(o)}",
    moments=lambda v, o, now: calendar.after(now, calendar.shifted(v, o.days)),
    moments_sql=lambda x, o, _: calendar.after_sql(f"{x} + interval '{o.days} days'"),
)
_IN_NEXT = Operator(
    "in_next_days",
    "is in the next",
    Takes.DAYS,
    lambda v, o, now: now < v <= now + o.span,
    lambda x, o, _: f"{x} > {Sql.now} and {x} <= {Sql.now} + interval '{o.days} days'",
    moments=lambda v, o, now: calendar.after(now, calendar.shifted(v, -o.days), v),
    moments_sql=lambda x, o, _: calendar.after_sql(f"{x} - interval '{o.days} days'", x),
)
_ANNIVERSARY = Operator(
    "anniversary",
    "has its anniversary",
    Takes.DAYS_AHEAD,
    lambda v, o, now: any(
        begin <= now < end for begin, end in calendar.occurrences(v, o.days, now, o.zone)
    ),
    lambda x, o, sql: calendar.is_occurrence_sql(x, o.days, sql.param(o.zone, "text")),
    moments=lambda v, o, now: calendar.after(
        now,
        *(moment for day in calendar.occurrences(v, o.days, now, o.zone) for moment in day),
    ),
    moments_sql=lambda x, o, sql: [
        calendar.next_occurrence_sql(x, o.days, sql.param(o.zone, "text"))
    ],
)
_HAS = Operator(
    "contains",
    "has",
    Takes.ONE,
    lambda v, o, _: o in v,
    lambda x, o, sql: f"{sql.param(o, 'text')} = any({x})",
)
_HAS_ONE = Operator(
    "one_of",
    "has one of",
    Takes.SEVERAL,
    lambda v, o, _: not v.isdisjoint(o),
    lambda x, o, sql: f"{x} && {sql.param(list(o), 'text[]')}",
)

_SETTING = (_SET, _EMPTY)
_CHOOSING = (_EQUALS, _NOT_EQUALS, _ONE_OF, _NOT_ONE_OF)
_OPERATORS: dict[ValueType, tuple[Operator, ...]] = {
    ValueType.TEXT: (
        _EQUALS,
        _NOT_EQUALS,
        _CONTAINS,
        _no("not_contains", "does not contain", _CONTAINS),
        _STARTS,
        _ENDS,
        _ONE_OF,
        _NOT_ONE_OF,
        *_SETTING,
    ),
    ValueType.NUMBER: (_EQUALS, _NOT_EQUALS, _GREATER, _LESS, _BETWEEN, *_SETTING),
    ValueType.DATE: (
        _ON,
        _no("not_equals", "is not", _ON),
        _AFTER,
        _EARLIER,
        _WITHIN,
        *_SETTING,
        _IN_LAST,
        _LONG_AGO,
        _IN_NEXT,
        _ANNIVERSARY,
    ),
    ValueType.TAGS: (
        _HAS,
        _no("not_contains", "does not have", _HAS),
        _HAS_ONE,
        _no("not_one_of", "has none of", _HAS_ONE),
        *_SETTING,
    ),
    ValueType.CHOICE: _CHOOSING,
    ValueType.FLAG: _SETTING,
}
OPERATORS = {type_: {one.name: one for one in known} for type_, known in _OPERATORS.items()}
"""By the type of the value, then by name."""
MEMBERSHIP = {"member": "is in", "not_member": "is not in"}
"""Of another segment: these have no value, the segment's id says it all."""
