"""Orders: how many, what they come to, when. Delivered ones, as in wire 8.3; all where it says so.

What belongs to a contact is what its owners have (docs/decisions/0014); sums are in one currency.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

from kartoteka.segments.conditions.base import (
    ACTIVITY,
    Condition,
    Order,
    Parameter,
    Place,
    Source,
    Sql,
    Subject,
    ValueType,
    owners_sql,
)

_CURRENCY = Parameter("currency", "Only orders in this currency (ISO 4217); left out: any.")
_STATUS = Parameter("status", "`delivered` (also when left out) or `any`.")


def _totals(sql: Sql, what: str, currency: str | None) -> str:
    of = "" if currency is None else f" and t.currency = {sql.param(currency, 'text')}"
    return (
        f"(select {what} from order_totals t where t.account_id = {sql.account} "
        f"and t.owner_id = any({owners_sql(sql)}){of})"
    )


def _source(
    label: str,
    type_: ValueType,
    what: str,
    read: Callable[[list[Order]], Any],
    currency: str | None,
    *,
    any_status: bool = False,
) -> Source:
    def value(who: Subject) -> Any:
        return read(
            [
                one
                for one in who.orders
                if (one.delivered or any_status) and currency in (None, one.currency)
            ]
        )

    members = {} if currency is None else {"currency": currency}
    if any_status:
        members["status"] = "any"
    return Source(
        label if currency is None else f"{label} in {currency}",
        type_,
        frozenset((ACTIVITY,)),
        value,
        lambda sql: _totals(sql, what, currency),
        members=members,
    )


def _currency(place: Place) -> str | None:
    if place.value.get("currency") is None:
        return None
    text = place.text("currency", most=3).upper()
    if len(text) != 3 or not text.isascii() or not text.isalpha():
        raise place.wrong("must be a currency of ISO 4217, such as UAH", "currency")
    return text


def _count(place: Place) -> Source:
    status = place.value.get("status")
    if isinstance(status, str):
        status = status.lower()
    if status not in (None, "delivered", "any"):
        raise place.wrong("must be delivered or any", "status")
    currency = _currency(place)
    if status == "any":
        what = "coalesce(sum(t.orders), 0)"
        return _source("Orders", ValueType.NUMBER, what, len, currency, any_status=True)
    what = "coalesce(sum(t.delivered), 0)"
    return _source("Delivered orders", ValueType.NUMBER, what, len, currency)


def _sum(place: Place) -> Source:
    def total(orders: list[Order]) -> Decimal:
        return sum((one.cost for one in orders), Decimal(0))

    what = "coalesce(sum(t.delivered_sum), 0)"
    return _source("Sum of delivered orders", ValueType.NUMBER, what, total, _currency(place))


def _average(place: Place) -> Source:
    def average(orders: list[Order]) -> Decimal | None:
        if not orders:
            return None
        total = sum((one.cost for one in orders), Decimal(0))
        return (total / len(orders)).quantize(Decimal("0.01"), "ROUND_HALF_UP")

    what = "round(sum(t.delivered_sum) / nullif(sum(t.delivered), 0), 2)"
    return _source("Average delivered order", ValueType.NUMBER, what, average, _currency(place))


def _last(place: Place) -> Source:
    def last(orders: list[Order]) -> datetime | None:
        return max((one.at for one in orders), default=None)

    what = "max(t.last_delivered)"
    return _source("Last delivered order", ValueType.DATE, what, last, _currency(place))


def _first(place: Place) -> Source:
    def first(orders: list[Order]) -> datetime | None:
        return min((one.at for one in orders), default=None)

    what = "min(t.first_delivered)"
    return _source("First delivered order", ValueType.DATE, what, first, _currency(place))


def _condition(
    key: str, label: str, source: Callable[[Place], Source], type_: ValueType, **example: Any
) -> Condition:
    parameters = (_CURRENCY, _STATUS) if key == "orderCount" else (_CURRENCY,)
    return Condition(
        key, label, "Orders", source, type_, parameters, example={"field": key, **example}
    )


CONDITIONS = (
    _condition(
        "orderCount", "Number of orders", _count, ValueType.NUMBER, operator="greater", value=2
    ),
    _condition(
        "orderSum",
        "Sum of delivered orders",
        _sum,
        ValueType.NUMBER,
        currency="UAH",
        operator="between",
        value=[1000, 5000],
    ),
    _condition(
        "orderAverage",
        "Average delivered order",
        _average,
        ValueType.NUMBER,
        operator="less",
        value=300,
    ),
    _condition(
        "lastOrderDate",
        "Last delivered order",
        _last,
        ValueType.DATE,
        operator="more_than_days_ago",
        value=90,
    ),
    _condition(
        "firstOrderDate",
        "First delivered order",
        _first,
        ValueType.DATE,
        operator="in_last_days",
        value=30,
    ),
)
