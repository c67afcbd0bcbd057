"""Custom events and web behaviour: how often in a period, first and last, with what parameters."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from kartoteka.segments.conditions.base import (
    ACTIVITY,
    Condition,
    Event,
    Parameter,
    Place,
    Source,
    Sql,
    Subject,
    ValueType,
    owners_sql,
)
from kartoteka.segments.conditions.calendar import shifted
from kartoteka.segments.conditions.operands import MOST_DAYS, NOTHING, Operand, Takes, read_operand
from kartoteka.segments.conditions.operators import OPERATORS, Operator

MOST_FILTERS = 10
_ON_NUMBERS = ("greater", "less", "between")
_ON_EITHER = ("equals", "not_equals")
"""A number as `value` is compared as a number, 5 with 5.0 too; a text letter by letter."""
_NUMBER = re.compile(r"-?[0-9]+([.][0-9]+)?", re.ASCII)
_TYPE = Parameter("type", "The key of the event type.", required=True)
_DAYS = Parameter("inLastDays", "Only what happened in the last so many days; left out: ever.")
_PARAMS = Parameter("params", "Only with these parameters: a list of `name`, `operator`, `value`.")
_KEY = Parameter("key", "Only about this product, category or search text; left out: any.")


class Filter(msgspec.Struct, frozen=True):
    """What a parameter of the event must be."""

    name: str
    operator: Operator
    operand: Operand
    is_number: bool

    def passes(self, event: Event, now: datetime) -> bool:
        text = event.params.get(self.name)
        value: Any = text
        if self.is_number:
            value = Decimal(text) if text is not None and _NUMBER.fullmatch(text) else None
        return self.operator.asks(value, self.operand, now)

    def to_sql(self, sql: Sql) -> str:
        value = f"e.params -> {sql.param(self.name, 'text')}"
        text = (
            f"(case when jsonb_typeof({value}) in ('string', 'number', 'boolean') "
            f"then ({value}) #>> '{{}}' end)"
        )
        if self.is_number:
            text = f"(case when {text} ~ '^-?[0-9]+([.][0-9]+)?$' then {text}::numeric end)"
        return f"({self.operator.to_sql(text, self.operand, sql)})"

    def to_json(self) -> dict[str, Any]:
        said = {"name": self.name, "operator": self.operator.name}
        return said if self.operand.json is None else {**said, "value": self.operand.json}

    def describe(self) -> str:
        return f"{self.name} {self.operator.words} {self.operand.words}".strip()


class Which(msgspec.Struct, frozen=True):
    """Which events are meant."""

    types: tuple[str, ...]
    is_visit: bool
    days: int | None = None
    key: str | None = None
    filters: tuple[Filter, ...] = ()

    def of(self, who: Subject) -> list[Event]:
        """Those of a contact."""
        span = None if self.days is None else timedelta(days=self.days)
        return [
            one for one in self.whenever(who) if span is None or who.now - span < one.at <= who.now
        ]

    def whenever(self, who: Subject) -> list[Event]:
        """Those of a contact in any period."""
        return [
            one
            for one in who.events
            if one.type in self.types
            and one.visit is self.is_visit
            and self.key in (None, one.key)
            and all(each.passes(one, who.now) for each in self.filters)
        ]

    def next_change(self, who: Subject) -> datetime | None:
        """When one comes into the period, or falls out of it."""
        assert self.days is not None
        moments = [one.at for one in self.whenever(who)]
        moments += [later for at in moments if (later := shifted(at, self.days)) is not None]
        return min((at for at in moments if at > who.now), default=None)

    def select(self, sql: Sql, what: str, *, whenever: bool = False) -> str:
        """A sub-select over them."""
        parts = [
            f"e.account_id = {sql.account}",
            f"e.owner_id = any({owners_sql(sql)})",
            f"e.kind = {int(self.is_visit)}",
            f"e.type_key = any({sql.param(list(self.types), 'text[]')})",
        ]
        if self.key is not None:
            parts.append(f"e.key_value = {sql.param(self.key, 'text')}")
        if self.days is not None:
            parts.append(f"e.occurred > {Sql.now} - interval '{self.days} days'")
            if not whenever:
                parts.append(f"e.occurred <= {Sql.now}")
        parts += [each.to_sql(sql) for each in self.filters]
        return f"(select {what} from event e where {' and '.join(parts)})"

    def next_sql(self, sql: Sql) -> str:
        return self.select(
            sql,
            f"min(case when e.occurred > {Sql.now} then e.occurred "
            f"else e.occurred + interval '{self.days} days' end)",
            whenever=True,
        )

    def words(self, label: str) -> str:
        """The label with what narrows it."""
        if self.key is not None:
            label += f' "{self.key}"'
        if self.filters:
            label += f" with {' and '.join(one.describe() for one in self.filters)}"
        if self.days is not None:
            label += f" in the last {self.days} day{'' if self.days == 1 else 's'}"
        return label

    def members(self, **more: Any) -> dict[str, Any]:
        said: dict[str, Any] = dict(more)
        if self.key is not None:
            said["key"] = self.key
        if self.days is not None:
            said["inLastDays"] = self.days
        if self.filters:
            said["params"] = [one.to_json() for one in self.filters]
        return said


def _counted(which: Which, label: str, **members: Any) -> Source:
    timed = which.days is not None
    return Source(
        which.words(label),
        ValueType.NUMBER,
        frozenset((ACTIVITY,)),
        lambda who: len(which.of(who)),
        lambda sql: which.select(sql, "count(*)"),
        members=which.members(**members),
        also_timed=which.next_change if timed else None,
        also_timed_sql=which.next_sql if timed else None,
    )


def _dated(which: Which, label: str, pick: Callable[..., Any], what: str, type_: str) -> Source:
    return Source(
        which.words(label),
        ValueType.DATE,
        frozenset((ACTIVITY,)),
        lambda who: pick((one.at for one in which.of(who)), default=None),
        lambda sql: which.select(sql, what),
        members=which.members(type=type_),
    )


def _days(place: Place) -> int | None:
    if place.value.get("inLastDays") is None:
        return None
    return place.number("inLastDays", 1, MOST_DAYS)


def _filters(place: Place) -> tuple[Filter, ...]:
    given = place.value.get("params")
    if given is None:
        return ()
    if not isinstance(given, list) or len(given) > MOST_FILTERS:
        raise place.wrong(f"must be a list of at most {MOST_FILTERS} parameters", "params")
    return tuple(_filter(place, one, f"{place.path}.params[{n}]") for n, one in enumerate(given))


def _filter(place: Place, given: Any, path: str) -> Filter:
    if not isinstance(given, dict):
        raise place.wrong("must be a list of objects with name, operator and value", "params")
    inside = Place(path, given, place.context)
    inside.allow("name", "operator", "value")
    name = inside.text("name")
    asked = given.get("operator")
    number = asked in _ON_NUMBERS or (
        asked in _ON_EITHER and type(given.get("value")) in (int, float)
    )
    type_ = ValueType.NUMBER if number else ValueType.TEXT
    operator = OPERATORS[type_].get(asked) if isinstance(asked, str) else None
    if operator is None:
        known = dict.fromkeys((*OPERATORS[ValueType.TEXT], *OPERATORS[ValueType.NUMBER]))
        raise inside.wrong(f"must be one of {', '.join(known)}", "operator")
    text = Source("", type_, frozenset(), lambda _: None, lambda _: "null")
    if operator.takes is Takes.NOTHING and given.get("value") is None:
        return Filter(name, operator, NOTHING, number)
    return Filter(name, operator, read_operand(inside, text, operator.takes), number)


def _event(place: Place) -> Source:
    type_ = place.text("type")
    which = Which((type_,), is_visit=False, days=_days(place), filters=_filters(place))
    return _counted(which, f"Events {type_}", type=type_)


def _first(place: Place) -> Source:
    type_ = place.text("type")
    which = Which((type_,), is_visit=False, filters=_filters(place))
    return _dated(which, f"First event {type_}", min, "min(e.occurred)", type_)


def _last(place: Place) -> Source:
    type_ = place.text("type")
    which = Which((type_,), is_visit=False, filters=_filters(place))
    return _dated(which, f"Last event {type_}", max, "max(e.occurred)", type_)


def _web(key: str, label: str, *types: str, about: str | None = None) -> Condition:
    def source(place: Place) -> Source:
        subject = place.text("key") if place.value.get("key") is not None else None
        which = Which(types, is_visit=True, days=_days(place), key=subject, filters=_filters(place))
        return _counted(which, label)

    example: dict[str, Any] = {"field": key}
    if about is not None:
        example["key"] = about
    example |= {"inLastDays": 30, "operator": "greater", "value": 0}
    parameters = (_DAYS, _PARAMS) if about is None else (_KEY, _DAYS, _PARAMS)
    return Condition(key, label, "Website", source, ValueType.NUMBER, parameters, example=example)


CONDITIONS = (
    Condition(
        "event",
        "Number of events",
        "Custom events",
        _event,
        ValueType.NUMBER,
        (_TYPE, _DAYS, _PARAMS),
        example={
            "field": "event",
            "type": "wishlist",
            "inLastDays": 30,
            "params": [{"name": "price", "operator": "greater", "value": 100}],
            "operator": "greater",
            "value": 2,
        },
    ),
    Condition(
        "firstEvent",
        "First event",
        "Custom events",
        _first,
        ValueType.DATE,
        (_TYPE, _PARAMS),
        example={
            "field": "firstEvent",
            "type": "login",
            "operator": "in_last_days",
            "value": 7,
        },
    ),
    Condition(
        "lastEvent",
        "Last event",
        "Custom events",
        _last,
        ValueType.DATE,
        (_TYPE, _PARAMS),
        example={
            "field": "lastEvent",
            "type": "login",
            "operator": "more_than_days_ago",
            "value": 30,
        },
    ),
    _web("pageViews", "Pages viewed", "PageView", "MainPage"),
    _web("productViews", "Products viewed", "ProductPage", about="SKU-12"),
    _web("categoryViews", "Categories viewed", "CategoryPage", about="shoes"),
    _web("cartChanges", "Changes of the cart", "StatusCart"),
    _web("wishlistAdds", "Additions to the wishlist", "AddToWishlist", about="SKU-12"),
    _web("searches", "Searches on the website", "SearchRequest", about="red shoes"),
)
