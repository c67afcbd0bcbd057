"""Custom fields: the catalogue as the original shows it, and our own methods to change it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from itertools import groupby
from typing import Any

from kartoteka.access.model import Rights
from kartoteka.api import schemas
from kartoteka.api.answers import Answer, json_answer, list_answer, text_answer
from kartoteka.api.bodies import InvalidBody
from kartoteka.api.call import Call
from kartoteka.api.contact_json import ADDRESS_BOOK_ID
from kartoteka.api.routing import Parameter, Reply, Route
from kartoteka.contacts.definitions import FieldNotFound, NewField
from kartoteka.contacts.values.custom_fields import FieldDefinition, FieldType
from kartoteka.contacts.values.errors import InvalidValue
from kartoteka.contacts.values.text import clean_text, number_text

ADDRESS_BOOK_NAME = "Main"
_TEXTS = {"name": "name", "key": "key", "listName": "list_name", "listKey": "list_key"}
_NUMBERS = {"minValue": "min_value", "maxValue": "max_value"}
_FLAGS = {"required": "required", "readonly": "readonly", "recurring": "recurring"}
_FIXED = ("key", "listKey", "listName", "type")
_MAX_CHARS = 100


async def address_books(call: Call) -> Answer:
    """GET /api/v1/addressbooks: the catalogue; lists of one are objects (wire 1.4, 3.14)."""
    definitions = await call.services.definitions.read(call.account.account_id)
    book: dict[str, Any] = {"addressBookId": ADDRESS_BOOK_ID, "name": ADDRESS_BOOK_NAME}
    groups = [_group(list_key, found) for list_key, found in _by_list(definitions.values())]
    if groups:
        book["fieldGroups"] = collapsed(groups)
    return json_answer({"addressBook": book})


def collapsed(rows: list[Any]) -> Any:
    """A list of one as its one element, as the original's mapper gives it (wire 1.4)."""
    return rows[0] if len(rows) == 1 else rows


def _by_list(
    definitions: Iterable[FieldDefinition],
) -> list[tuple[str, list[FieldDefinition]]]:
    ordered = sorted(definitions, key=lambda one: (one.list_key, one.id))
    return [(key, list(found)) for key, found in groupby(ordered, lambda one: one.list_key)]


def _group(list_key: str, found: list[FieldDefinition]) -> dict[str, Any]:
    return {
        "name": found[0].list_name,
        "profileKey": list_key,
        "fields": collapsed([_described(one) for one in found]),
    }


def _described(one: FieldDefinition) -> dict[str, Any]:
    allowed = {
        "possibleValues": list(one.possible_values) or None,
        "minValue": number(one.min_value),
        "maxValue": number(one.max_value),
    }
    description: dict[str, Any] = {"type": one.type.value}
    if set_ := {name: value for name, value in allowed.items() if value is not None}:
        description["allowedValues"] = set_
    description.update(required=one.required, readonly=one.readonly)
    return {"id": one.id, "name": one.name, "fieldKey": one.key, "description": description}


def number(value: Decimal | int | None) -> int | float | None:
    """A limit as a JSON number."""
    if value is None:
        return None
    return int(value) if value == int(value) else float(value)


def field_json(one: FieldDefinition) -> dict[str, Any]:
    """A definition as our own methods show it; what is unset is left out."""
    body: dict[str, Any] = {
        "id": one.id,
        "name": one.name,
        "key": one.key,
        "listName": one.list_name,
        "listKey": one.list_key,
        "type": one.type.value,
        "required": one.required,
        "readonly": one.readonly,
        "recurring": one.recurring,
    }
    if one.possible_values:
        body["possibleValues"] = list(one.possible_values)
    for name, column in _NUMBERS.items():
        if (limit := number(getattr(one, column))) is not None:
            body[name] = limit
    return body


async def list_fields(call: Call) -> Answer:
    """GET /api/v1/additionalfields."""
    definitions = await call.services.definitions.read(call.account.account_id)
    rows = [field_json(one) for one in definitions.values()]
    return list_answer(rows, len(rows))


async def add_field(call: Call) -> Answer:
    """POST /api/v1/additionalfields."""
    members = _members(await call.json_object())
    if "name" not in members:
        raise InvalidBody("The body needs a member name, a text.")
    new = await call.services.definitions.add(call.account.account_id, NewField(**members))
    return json_answer(field_json(new))


async def change_field(call: Call) -> Answer:
    """PUT /api/v1/additionalfields/{id}: what is given is replaced, null takes it away."""
    field_id = _field_id(call)
    body = await call.json_object()
    for name in _FIXED:
        if body.get(name) is not None:
            raise InvalidBody(f"{name} of a field cannot change: delete it and make another.")
    members = _members(body)
    for name, column in _NUMBERS.items():
        if name in body and body[name] is None:
            members[column] = None
    changed = await call.services.definitions.change(call.account.account_id, field_id, members)
    return json_answer(field_json(changed))


async def delete_field(call: Call) -> Answer:
    """DELETE /api/v1/additionalfields/{id}."""
    field_id = _field_id(call)
    await call.services.definitions.delete(call.account.account_id, field_id)
    return text_answer(f"Field with id='{field_id}' has been deleted")


def _field_id(call: Call) -> int:
    field_id = call.path_id()
    if field_id > 2**31 - 1:
        raise FieldNotFound
    return field_id


def _members(body: Mapping[str, Any]) -> dict[str, Any]:
    """The members that are given, as `NewField` names them. Raises `InvalidBody`."""
    found: dict[str, Any] = {}
    for name, column in _TEXTS.items():
        if (text := _text(body.get(name), name)) is not None:
            found[column] = text
    for name, column in _NUMBERS.items():
        if body.get(name) is not None:
            found[column] = _limit(body[name], name)
    for name, column in _FLAGS.items():
        if body.get(name) is not None:
            found[column] = _flag(body[name], name)
    if body.get("type") is not None:
        found["type"] = _type(body["type"])
    if body.get("possibleValues") is not None:
        found["possible_values"] = _values(body["possibleValues"])
    return found


def _text(raw: object, name: str) -> str | None:
    try:
        return clean_text(raw, name, max_chars=_MAX_CHARS)
    except InvalidValue as error:
        raise InvalidBody(str(error)) from None


def _limit(raw: object, name: str) -> Decimal:
    digits = number_text(raw) if type(raw) in (int, float) else raw  # type: ignore[arg-type]
    try:
        limit = Decimal(digits) if isinstance(digits, str) and len(digits) <= 40 else None
    except InvalidOperation:
        limit = None
    if limit is None or not limit.is_finite() or abs(limit) > 10**20:
        raise InvalidBody(f"{name} must be a number.")
    return limit


def _flag(raw: object, name: str) -> bool:
    if isinstance(raw, bool):
        return raw
    raise InvalidBody(f"{name} must be true or false.")


def _type(raw: object) -> FieldType:
    try:
        return FieldType(str(raw).strip().upper())
    except ValueError:
        names = ", ".join(one.value for one in FieldType)
        raise InvalidBody(f"type must be one of {names}.") from None


def _values(raw: object) -> tuple[str, ...]:
    texts = [_text(item, "possibleValues") for item in (raw if isinstance(raw, list) else [raw])]
    return tuple(text for text in texts if text is not None)


_DEFINITION: dict[str, Any] = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "examples": ["Favourite colour"]},
        "key": {"type": "string", "examples": ["FAVOURITE_COLOUR"]},
        "listName": {"type": "string", "examples": ["Personal"]},
        "listKey": {"type": "string", "examples": ["PERSONAL"]},
        "type": {"enum": [one.value for one in FieldType]},
        "possibleValues": {"type": "array", "items": {"type": "string"}},
        "minValue": {"type": ["number", "null"]},
        "maxValue": {"type": ["number", "null"]},
        "required": {"type": "boolean"},
        "readonly": {"type": "boolean"},
        "recurring": {"type": "boolean"},
    },
}
_STORED: dict[str, Any] = {
    **_DEFINITION,
    "required": ["id", "name", "key", "listName", "listKey", "type"],
    "properties": {"id": {"type": "integer"}, **_DEFINITION["properties"]},
}
_BOOKS: dict[str, Any] = {
    "type": "object",
    "required": ["addressBook"],
    "properties": {
        "addressBook": {
            "type": "object",
            "required": ["addressBookId", "name"],
            "properties": {
                "addressBookId": {"type": "integer"},
                "name": {"type": "string"},
                "fieldGroups": {
                    "type": ["object", "array"],
                    "description": "One group is an object; so is one field in a group.",
                },
            },
        }
    },
}
_FIELD_ID = Parameter(
    "id",
    "The field's id.",
    {"type": "integer", "minimum": 1, "maximum": 2**31 - 1},
    place="path",
    required=True,
)

ROUTES = (
    Route(
        method="GET",
        path="/api/v1/addressbooks",
        operation="getAddressBooks",
        right=Rights.CONTACTS,
        endpoint=address_books,
        summary="The catalogue of custom fields",
        tag="Custom fields",
        replies={200: Reply("The catalogue.", _BOOKS)},
    ),
    Route(
        method="GET",
        path="/api/v1/additionalfields",
        operation="additionalFields",
        right=Rights.CONTACTS,
        endpoint=list_fields,
        summary="Custom fields, one a row",
        tag="Custom fields",
        replies={
            200: Reply(
                "All fields, by id.",
                {"type": "array", "items": _STORED},
                headers={"TotalCount": "How many there are."},
            )
        },
    ),
    Route(
        method="POST",
        path="/api/v1/additionalfields",
        operation="addAdditionalField",
        right=Rights.FULL,
        endpoint=add_field,
        summary="Define a custom field",
        description="Keys that are not given come from the names; the list is made if missing.",
        tag="Custom fields",
        body={**_DEFINITION, "required": ["name"]},
        replies={200: Reply("The field.", _STORED)},
        errors=(400, 409, 413, 415),
    ),
    Route(
        method="PUT",
        path="/api/v1/additionalfields/{id}",
        operation="changeAdditionalField",
        right=Rights.FULL,
        endpoint=change_field,
        summary="Change a custom field",
        description="Everything but its list, key and type.",
        tag="Custom fields",
        parameters=(_FIELD_ID,),
        body=_DEFINITION,
        replies={200: Reply("The field.", _STORED)},
        errors=(400, 404, 413, 415),
    ),
    Route(
        method="DELETE",
        path="/api/v1/additionalfields/{id}",
        operation="deleteAdditionalField",
        right=Rights.FULL,
        endpoint=delete_field,
        summary="Delete a custom field",
        description="Contacts do not show their values of it any more.",
        tag="Custom fields",
        parameters=(_FIELD_ID,),
        replies={200: Reply("A sentence.", schemas.SENTENCE)},
        errors=(400, 404),
    ),
)
