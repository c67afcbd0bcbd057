"""A custom field of the account, asked by its type (wire 2.10)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

from kartoteka.contacts.values.custom_fields import FieldType
from kartoteka.segments.conditions.base import (
    Condition,
    Parameter,
    Place,
    Source,
    Sql,
    Subject,
    ValueType,
)
from kartoteka.segments.conditions.calendar import instant

TYPES = {
    FieldType.TEXTFIELD: ValueType.TEXT,
    FieldType.TEXTAREA: ValueType.TEXT,
    FieldType.COMBOBOX: ValueType.TEXT,
    FieldType.NUMBER: ValueType.NUMBER,
    FieldType.DECIMAL: ValueType.NUMBER,
    FieldType.DATE: ValueType.DATE,
    FieldType.DATETIME: ValueType.DATE,
    FieldType.CHECKBOXLIST: ValueType.TAGS,
    FieldType.TAGS: ValueType.TAGS,
}


_READ: dict[ValueType, Callable[[str, str], Any]] = {
    ValueType.TEXT: lambda text, _: text,
    ValueType.NUMBER: lambda text, _: Decimal(text),
    ValueType.DATE: lambda text, zone: instant(datetime.fromisoformat(text), zone),
    ValueType.TAGS: lambda text, _: frozenset(text.split(",")),
}
_SQL: dict[ValueType, str] = {
    ValueType.TEXT: "({x})",
    ValueType.NUMBER: "(case when {x} ~ '^-?[0-9]+([.][0-9]+)?$' then ({x})::numeric end)",
    ValueType.DATE: (
        "(case when {x} ~ '^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}(T[0-9]{{2}}:[0-9]{{2}})?$' "
        "then ({x})::timestamp at time zone {zone} end)"
    ),
    ValueType.TAGS: "string_to_array({x}, ',')",
}


def _source(field_id: int, name: str, type_: FieldType, zone: str) -> Source:
    """A date has no offset: it is meant in the zone of the account (wire X12)."""
    key, of = str(field_id), TYPES[type_]
    reader = _READ[of]

    def read(who: Subject) -> Any:
        text = who.card.fields.get(key)
        return None if text is None else reader(text, zone)

    def to_sql(sql: Sql) -> str:
        given = sql.param(zone, "text") if of is ValueType.DATE else ""
        return _SQL[of].format(x=f"c.fields ->> '{key}'", zone=given)

    return Source(
        name,
        of,
        frozenset(("fields",)),
        read,
        to_sql,
        members={"id": field_id},
        stored={"name": name, "type": type_.value},
    )


def source(place: Place) -> Source:
    """The field that `id` or `key` (LIST.KEY) names."""
    if place.context.is_stored:
        said = place.value
        type_ = FieldType(said["type"])
        return _source(said["id"], said["name"], type_, place.context.zone)
    fields = place.context.fields
    if place.value.get("key") is not None:
        path = place.text("key")
        found = next((one for one in fields.values() if one.path == path), None)
        member = "key"
    else:
        found = fields.get(str(place.number("id", 1, 2**31 - 1)))
        member = "id"
    if found is None:
        raise place.wrong("names no custom field of this account", member)
    return _source(found.id, found.name, found.type, place.context.zone)


CONDITIONS = (
    Condition(
        "custom",
        "Custom field",
        "Fields",
        source,
        None,
        (
            Parameter("id", "The id of the custom field."),
            Parameter("key", "Instead of `id`: LIST.KEY."),
        ),
        example={"field": "custom", "key": "PERSONAL.BIRTHDAY", "operator": "anniversary"},
    ),
)
