"""A segment as API and command line show it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kartoteka.segments.conditions.tree import Joined, Not, in_words, read_stored
from kartoteka.segments.model import State, Stored


def segment_json(one: Stored) -> dict[str, Any]:
    """A segment as our own methods show it; a list has no conditions."""
    body: dict[str, Any] = {
        "id": one.id,
        "name": one.name,
        "type": one.type.value,
        "purpose": one.purpose,
        "tags": list(one.tags),
        "state": state_of(one),
        "createdAt": one.created_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }
    if one.condition is not None and one.resolved is not None:
        body["condition"] = ordered(one.condition)
        if one.exclude is not None:
            body["exclude"] = ordered(one.exclude)
        body["description"] = words_of(one.resolved, has_exclude=one.exclude is not None)
    if one.state in (State.FILLING, State.SETTLING):
        body["progress"] = {"seen": one.seen, "expected": max(one.expected, one.seen)}
    return body


def state_of(one: Stored) -> str:
    """ready | filling (answers are exact, only slower) | refilling (the old one serves) | deleting"""
    if one.leaving is not None:
        return "deleting"
    if one.state in (State.FILLING, State.SETTLING):
        return "filling" if one.version_id is None else "refilling"
    return "ready"


def words_of(resolved: Mapping[str, Any], *, has_exclude: bool) -> str:
    """Both sides in words."""
    test = read_stored(dict(resolved))
    if has_exclude and isinstance(test, Joined) and isinstance(test.parts[1], Not):
        return in_words(test.parts[0].describe(), test.parts[1].part.describe())
    return test.describe()


def ordered(node: dict[str, Any]) -> dict[str, Any]:
    """The condition in the order in which it is read: the database keeps none."""
    for word in ("all", "any"):
        if word in node:
            return {word: [ordered(part) for part in node[word]]}
    if "not" in node:
        return {"not": ordered(node["not"])}
    last = ("operator", "value")
    names = ["field", *sorted(name for name in node if name not in ("field", *last)), *last]
    return {name: node[name] for name in names if name in node}
