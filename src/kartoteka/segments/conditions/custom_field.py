"""A custom field of the account, asked by its type (wire 2.10)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from kartoteka.contacts.values.custom_fields import FieldType
from kartoteka.segments.conditions.base import (
    Condition,
    Parameter,
    Place,
    Source,
    Subject,
    ValueType,
)

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


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


_READ: dict[ValueType, Callable[[str], Any]] = {
    ValueType.TEXT: str,
    ValueType.NUMBER: Decimal,
    ValueType.DATE: _moment,
    ValueType.TAGS: lambda text: frozenset(text.split(",")),
}
_SQL: dict[ValueType, str] = {
    ValueType.TEXT: "({x})",
    ValueType.NUMBER: "(case when {x} ~ '^-?[0-9]+([.][0-9]+)?$' then ({x})::numeric end)",
    ValueType.DATE: (
        "(case when {x} ~ '^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}(T[0-9]{{2}}:[0-9]{{2}})?$' "
        "then ({x})::timestamp at time zone 'UTC' end)"
    ),
    ValueType.TAGS: "string_to_array({x}, ',')",
}


def _source(field_id: int, name: str, type_: FieldType) -> Source:
    key, of = str(field_id), TYPES[type_]
    expression = _SQL[of].format(x=f"c.fields ->> '{key}'")
    reader = _READ[of]

    def read(who: Subject) -> Any:
        text = who.card.fields.get(key)
        return None if text is None else reader(text)

    return Source(
        name,
        of,
        frozenset(("fields",)),
        read,
        lambda _: expression,
        members={"id": field_id},
        stored={"name": name, "type": type_.value},
    )


def source(place: Place) -> Source:
    """The field that `id` or `key` (LIST.KEY) names."""
    if place.context.is_stored:
        said = place.value
        return _source(said["id"], said["name"], FieldType(said["type"]))
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
    return _source(found.id, found.name, found.type)


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
