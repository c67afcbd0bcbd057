"""Consent by channel and subscription by category (decisions D14)."""

from __future__ import annotations

from kartoteka.identity.model import Consent
from kartoteka.segments.conditions.base import (
    Condition,
    InvalidCondition,
    Parameter,
    Place,
    Source,
    Sql,
    Subject,
    ValueType,
)

CHANNELS = {"email": "E-mail", "sms": "Phone"}
STATES = {"none": 0} | {one.name.lower(): int(one) for one in Consent}
"""`none`: neither a consent nor a refusal is known."""


def _source(label: str, key: str, members: dict[str, str]) -> Source:
    def read(who: Subject) -> int:
        return who.card.consent.get(key, 0)

    def to_sql(sql: Sql) -> str:
        return f"coalesce((c.consent ->> {sql.param(key, 'text')})::integer, 0)"

    return Source(
        label,
        ValueType.CHOICE,
        frozenset(("consent",)),
        read,
        to_sql,
        members=members,
        choices=STATES,
    )


def _channel(place: Place) -> Source:
    channel = place.value.get("channel")
    if channel not in CHANNELS:
        raise InvalidCondition(f"{place.path}.channel", f"must be one of {', '.join(CHANNELS)}")
    return _source(f"{CHANNELS[channel]} consent", channel, {"channel": channel})


def _category(place: Place) -> Source:
    key = place.text("category")
    return _source(f"Subscription to {key}", f"category:{key}", {"category": key})


CONDITIONS = (
    Condition(
        "consent",
        "Consent",
        "Channels",
        _channel,
        ValueType.CHOICE,
        (Parameter("channel", "`email` or `sms`.", required=True),),
        tuple(STATES),
        {"field": "consent", "channel": "email", "operator": "equals", "value": "unsubscribed"},
    ),
    Condition(
        "category",
        "Subscription category",
        "Channels",
        _category,
        ValueType.CHOICE,
        (Parameter("category", "The key of the category.", required=True),),
        tuple(STATES),
        {"field": "category", "category": "news", "operator": "equals", "value": "subscribed"},
    ),
)
