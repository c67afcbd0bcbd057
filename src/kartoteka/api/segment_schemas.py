"""What segments look like in JSON: for `/openapi.json`, and the schema of conditions."""

from __future__ import annotations

from typing import Any

from kartoteka.api.call import Call
from kartoteka.api.routing import Parameter
from kartoteka.errors import NotFound
from kartoteka.segments.conditions import CONDITIONS
from kartoteka.segments.conditions.base import Condition, ValueType
from kartoteka.segments.conditions.operators import MEMBERSHIP, OPERATORS
from kartoteka.segments.drafts import MAX_NAME_CHARS, MAX_TAG_CHARS
from kartoteka.segments.model import SegmentNotFound, SegmentType

MAX_ID = 2**31 - 1


def segment_id(call: Call, name: str = "id") -> int:
    """The segment id of the path. Raises `SegmentNotFound` for one that none can have."""
    try:
        found = call.path_id(name)
    except NotFound:
        raise SegmentNotFound from None
    if found > MAX_ID:
        raise SegmentNotFound
    return found


def operators_of(type_: ValueType | None) -> list[str]:
    """The operators of a value of this type; None: of any."""
    if type_ is ValueType.MEMBER:
        return list(MEMBERSHIP)
    if type_ is not None:
        return list(OPERATORS[type_])
    return list(dict.fromkeys(name for known in OPERATORS.values() for name in known))


_PARAMETERS = sorted({one.name for condition in CONDITIONS for one in condition.parameters})
CONDITION: dict[str, Any] = {
    "type": "object",
    "description": "Exactly one of `all`, `any`, `not` and `field`; nested to depth 10. Fields, "
    "their parameters and operators: GET /api/v1/segments/conditions.",
    "properties": {
        "all": {"type": "array", "items": {"type": "object"}, "minItems": 1},
        "any": {"type": "array", "items": {"type": "object"}, "minItems": 1},
        "not": {"type": "object"},
        "field": {"enum": [one.key for one in CONDITIONS]},
        "operator": {"enum": operators_of(None) + list(MEMBERSHIP)},
        "value": {"description": "What the operator compares with: one value, a list, or none."},
        **{name: {} for name in _PARAMETERS},
    },
    "examples": [{"field": "externalCustomerId", "operator": "is_empty"}],
}


def _leaf(one: Condition) -> dict[str, Any]:
    return {
        "title": one.label,
        "type": "object",
        "properties": {
            "field": {"const": one.key},
            "operator": {"enum": operators_of(one.type)},
            "value": True,
            **{each.name: {"description": each.meaning} for each in one.parameters},
        },
        "required": ["field", "operator", *(p.name for p in one.parameters if p.required)],
        "additionalProperties": False,
    }


def _several(word: str) -> dict[str, Any]:
    parts = {"type": "array", "minItems": 1, "items": {"$ref": "#"}}
    return {
        "type": "object",
        "properties": {word: parts},
        "required": [word],
        "additionalProperties": False,
    }


CONDITION_SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Condition of a segment",
    "description": "Nested to depth 10.",
    "oneOf": [
        _several("all"),
        _several("any"),
        {
            "type": "object",
            "properties": {"not": {"$ref": "#"}},
            "required": ["not"],
            "additionalProperties": False,
        },
        *(_leaf(one) for one in CONDITIONS),
    ],
}
"""The JSON Schema of conditions, made from the registry; answered with the list of conditions."""
DEFINITION: dict[str, Any] = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": MAX_NAME_CHARS, "examples": ["No External ID"]},
        "condition": CONDITION,
        "exclude": {
            **CONDITION,
            "type": ["object", "null"],
            "description": "Who is not in it although `condition` holds.",
        },
        "purpose": {"type": "string"},
        "tags": {"type": "array", "items": {"type": "string", "maxLength": MAX_TAG_CHARS}},
        "type": {"enum": [one.value for one in SegmentType]},
    },
}
SEGMENT: dict[str, Any] = {
    "type": "object",
    "required": ["id", "name", "type", "state"],
    "properties": {
        "id": {"type": "integer", "format": "int32"},
        "name": {"type": "string"},
        "type": {"enum": [one.value for one in SegmentType]},
        "purpose": {"type": "string"},
        "tags": {"type": "array", "items": {"type": "string"}},
        "state": {"enum": ["ready", "filling", "refilling", "deleting"]},
        "createdAt": {"type": "string", "format": "date-time"},
        "condition": {"type": "object"},
        "exclude": {"type": "object"},
        "description": {"type": "string", "examples": ["External ID is empty"]},
        "progress": {
            "type": "object",
            "properties": {"seen": {"type": "integer"}, "expected": {"type": "integer"}},
        },
        "count": {"type": "integer"},
    },
}
MADE: dict[str, Any] = {
    "type": "object",
    "required": ["id"],
    "properties": {"id": {"type": "integer", "format": "int32"}},
}
SEGMENT_ID = Parameter(
    "id",
    "The segment id.",
    {"type": "integer", "format": "int32", "minimum": 1},
    place="path",
    required=True,
)
