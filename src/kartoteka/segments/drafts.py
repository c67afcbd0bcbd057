"""A segment as a request describes it, checked: name, purpose, tags, both sides of its conditions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from kartoteka.contacts.values.custom_fields import FieldDefinition
from kartoteka.contacts.values.errors import InvalidValue
from kartoteka.contacts.values.text import clean_text
from kartoteka.errors import InvalidRequest
from kartoteka.segments.conditions.base import Context, InvalidCondition, Test
from kartoteka.segments.conditions.tree import ZONE, both_sides, read_condition, read_stored
from kartoteka.segments.model import Definition, SegmentType, leaves

MAX_NAME_CHARS = 255
MAX_PURPOSE_CHARS = 1_000
MAX_TAG_CHARS = 50
MOST_TAGS = 50


class InvalidSegment(InvalidRequest):
    """The segment is not valid."""

    code = "invalid_segment"


class Nameable(msgspec.Struct, frozen=True):
    """A segment that conditions may name; a list has no conditions."""

    id: int
    name: str
    resolved: dict[str, Any] | None
    condition: dict[str, Any] | None
    exclude: dict[str, Any] | None


def context_of(
    fields: Mapping[str, FieldDefinition],
    known: Mapping[int, Nameable],
    zone: str,
    own_id: int | None = None,
) -> Context:
    """What conditions may name: not the segment itself, and none that is made of it."""
    segments = {
        one.id: (one.name, one.resolved)
        for one in known.values()
        if one.id != own_id and not mentions(one.resolved, own_id)
    }
    return Context(fields, segments, zone=zone)


def mentions(resolved: dict[str, Any] | None, segment_id: int | None) -> bool:
    """Whether a segment is named in these conditions, or in those of one that they name."""
    if resolved is None or segment_id is None:
        return False
    return any(
        leaf.get("field") == "segment"
        and (leaf["id"] == segment_id or mentions(leaf.get("tree"), segment_id))
        for leaf in leaves(resolved)
    )


def read_name(body: Mapping[str, Any]) -> str:
    """The member `name`. Raises `InvalidSegment`."""
    name = _text(body.get("name"), "name", MAX_NAME_CHARS)
    if not name:
        raise InvalidSegment("name must be a text of 1 to 255 characters.", field="name")
    return name


def read_purpose(body: Mapping[str, Any]) -> str:
    """The member `purpose`. Raises `InvalidSegment`."""
    return _text(body.get("purpose"), "purpose", MAX_PURPOSE_CHARS)


def read_tags(body: Mapping[str, Any]) -> tuple[str, ...]:
    """The member `tags`. Raises `InvalidSegment`."""
    given = body.get("tags") or []
    if not isinstance(given, list) or len(given) > MOST_TAGS:
        raise InvalidSegment(f"tags must be a list of at most {MOST_TAGS} texts.", field="tags")
    tags = (_text(tag, "tags", MAX_TAG_CHARS) for tag in given)
    return tuple(dict.fromkeys(tag for tag in tags if tag))


def _text(given: object, field: str, most: int) -> str:
    try:
        return clean_text(given, field, max_chars=most) or ""
    except InvalidValue as error:
        raise InvalidSegment(error.message, field=field) from None


def is_list(body: Mapping[str, Any]) -> bool | None:
    """What the member `type` asks for, None without one. Raises `InvalidSegment`.

    Dynamic and Combined are one: the conditions say which of them it is.
    """
    given = body.get("type")
    if given is None:
        return None
    known = {one.lower(): one for one in SegmentType}
    type_ = known.get(given.lower()) if isinstance(given, str) else None
    if type_ is None:
        raise InvalidSegment(f"type must be one of {', '.join(SegmentType)}.", field="type")
    return type_ is SegmentType.STATIC


def read_sides(body: Mapping[str, Any], context: Context) -> tuple[Test, Test | None]:
    """(include side, exclude side). Raises `InvalidCondition`."""
    if body.get("condition") is None:
        raise InvalidCondition("condition", "is missing: say who is in the segment")
    include = read_condition(body["condition"], context)
    if body.get("exclude") is None:
        return include, None
    return include, read_condition(body["exclude"], context, "exclude")


def definition_of(
    name: str, sides: tuple[Test, Test | None], zone: str, purpose: str, tags: tuple[str, ...]
) -> Definition:
    """The definition that is stored."""
    include, exclude = sides
    return Definition(
        name,
        include.to_json(),
        None if exclude is None else exclude.to_json(),
        _resolved(sides, zone),
        purpose,
        tags,
    )


def _resolved(sides: tuple[Test, Test | None], zone: str) -> dict[str, Any]:
    """Raises `InvalidCondition` for what could be stored and not be read again: every writer reads it."""
    resolved = both_sides(*sides).to_json(resolved=True)
    if zone != "UTC":
        resolved = {**resolved, ZONE: zone}
    read_stored(resolved)
    return resolved


def resolve_again(
    changed: Nameable,
    known: Mapping[int, Nameable],
    fields: Mapping[str, FieldDefinition],
    zone: str,
) -> list[Nameable]:
    """Segments that are made of the changed one, directly or not, with its new conditions in them."""
    affected = {one.id for one in known.values() if mentions(one.resolved, changed.id)}
    done: dict[int, Nameable] = {changed.id: changed}

    def resolved(one: Nameable) -> Nameable:
        if one.id in done:
            return done[one.id]
        assert one.condition is not None
        sides = [one.condition] + ([one.exclude] if one.exclude else [])
        named = {
            leaf["id"] for side in sides for leaf in leaves(side) if leaf["field"] == "segment"
        }
        now = {id_: resolved(known[id_]) for id_ in named & affected}
        context = context_of(fields, {**known, changed.id: changed, **now}, zone)
        again = read_sides({"condition": one.condition, "exclude": one.exclude}, context)
        done[one.id] = msgspec.structs.replace(one, resolved=_resolved(again, zone))
        return done[one.id]

    return [resolved(known[id_]) for id_ in sorted(affected)]
