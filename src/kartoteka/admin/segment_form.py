"""The builder of segments: a form that is a tree, read, changed by one click, turned into conditions.

Pure. Every field of the form is `w.<path>.<member>`; a path is `in` or `ex` (the side) and places. A
group has the member `join`, a condition the member `field`. Places rise, and stay for as long as the form
is open: what goes leaves a gap, so that no text typed meanwhile changes hands.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from kartoteka.admin import texts
from kartoteka.contacts.values.custom_fields import FieldDefinition
from kartoteka.errors import KartotekaError
from kartoteka.segments.conditions import BY_KEY
from kartoteka.segments.conditions.base import ValueType
from kartoteka.segments.conditions.custom_field import TYPES
from kartoteka.segments.conditions.operands import Takes
from kartoteka.segments.conditions.operators import MEMBERSHIP, OPERATORS, Operator

SIDES = ("in", "ex")
JOINS = ("all", "any", "none")
PREFIX = "w."
MOST_FIELDS = 2_000


class Leaf(msgspec.Struct):
    """One condition as the form has it: all texts."""

    field: str
    operator: str = ""
    value: str = ""
    value2: str = ""
    more: dict[str, str] = {}
    """Parameters such as `id`, `app`, `channel`."""
    place: int = 0


class Group(msgspec.Struct):
    """Conditions joined by all, any or none."""

    join: str = "all"
    parts: list[Node] = []
    place: int = 0


Node = Group | Leaf


class Builder(msgspec.Struct):
    """Both sides of a segment on the form."""

    include: Group
    exclude: Group

    def side(self, name: str) -> Group:
        """The side of that name."""
        return self.include if name == "in" else self.exclude


def empty() -> Builder:
    """A form that nobody has touched."""
    return Builder(Group(parts=[]), Group("any", parts=[]))


def read_builder(fields: Mapping[str, str]) -> Builder:
    """The tree out of the form's fields, by path without `w.`; what makes no sense is left out."""
    members: dict[tuple[str, ...], dict[str, str]] = {}
    for name, value in list(fields.items())[:MOST_FIELDS]:
        *path, member = name.split(".")
        if path and path[0] in SIDES and all(one.isdigit() and len(one) < 4 for one in path[1:]):
            members.setdefault(tuple(path), {})[member] = value
    return Builder(_group(members, ("in",), "all"), _group(members, ("ex",), "any"))


def _group(
    members: Mapping[tuple[str, ...], Mapping[str, str]], path: tuple[str, ...], usual: str
) -> Group:
    join = members.get(path, {}).get("join", usual)
    inside = [one for one in members if len(one) == len(path) + 1 and one[: len(path)] == path]
    parts: list[Node] = []
    for one in sorted(inside, key=lambda place: int(place[-1])):
        said = members[one]
        if "join" in said:
            parts.append(_group(members, one, "all"))
        elif said.get("field") in BY_KEY:
            parts.append(_leaf(said, int(one[-1])))
    return Group(join if join in JOINS else usual, parts, int(path[-1]) if path[1:] else 0)


def _leaf(said: Mapping[str, str], place: int) -> Leaf:
    own = ("field", "operator", "value", "value2")
    more = {name: value for name, value in said.items() if name not in own}
    return Leaf(
        said["field"],
        said.get("operator", ""),
        said.get("value", ""),
        said.get("value2", ""),
        more,
        place,
    )


def change(builder: Builder, word: str) -> None:
    """What one button says: `add:in.0:email`, `group:in`, `remove:in.1`."""
    action, _, rest = word.partition(":")
    place, _, key = rest.partition(":")
    side, *numbers = place.split(".")
    if side not in SIDES or not all(one.isdigit() for one in numbers):
        return
    path = [int(one) for one in numbers]
    if action == "remove" and path:
        group = _find(builder.side(side), path[:-1])
        if group is not None:
            group.parts = [one for one in group.parts if one.place != path[-1]]
        return
    group = _find(builder.side(side), path)
    if group is None:
        return
    free = max((one.place for one in group.parts), default=-1) + 1
    if action == "group":
        join = "any" if group.join == "all" else "all"
        group.parts.append(Group(join, parts=[], place=free))
    elif action == "add":
        name, _, number = key.partition("=")
        if name in BY_KEY:
            group.parts.append(Leaf(name, more={"id": number} if number else {}, place=free))


def _find(group: Group, path: list[int]) -> Group | None:
    for place in path:
        inner = next((one for one in group.parts if one.place == place), None)
        if not isinstance(inner, Group):
            return None
        group = inner
    return group


# What a condition may be asked.


def type_of(leaf: Leaf, definitions: Mapping[str, FieldDefinition]) -> ValueType:
    """The type of the value that the condition looks at; a custom field's own."""
    condition = BY_KEY[leaf.field]
    if condition.type is not None:
        return condition.type
    definition = definitions.get(leaf.more.get("id", ""))
    return ValueType.TEXT if definition is None else TYPES[definition.type]


def operators_of(leaf: Leaf, definitions: Mapping[str, FieldDefinition]) -> list[tuple[str, str]]:
    """(name, words) of the operators that it may be asked by."""
    kind = type_of(leaf, definitions)
    if kind is ValueType.MEMBER:
        return list(MEMBERSHIP.items())
    return [(one.name, one.words) for one in OPERATORS[kind].values()]


def operator_of(leaf: Leaf, definitions: Mapping[str, FieldDefinition]) -> Operator | None:
    """The chosen operator, else the first; None for memberships."""
    known = OPERATORS.get(type_of(leaf, definitions))
    return None if not known else known.get(leaf.operator) or next(iter(known.values()))


def takes_of(leaf: Leaf, definitions: Mapping[str, FieldDefinition]) -> Takes:
    """What stands to the right of the operator."""
    operator = operator_of(leaf, definitions)
    return Takes.NOTHING if operator is None else operator.takes


def choices_of(leaf: Leaf, definitions: Mapping[str, FieldDefinition]) -> list[str]:
    """The values there are, where one is chosen instead of typed."""
    if leaf.field == "custom" and (found := definitions.get(leaf.more.get("id", ""))):
        return list(found.possible_values)
    return list(BY_KEY[leaf.field].choices)


# What is wrong with it.

_STEP = re.compile(r"(\w+)(?:\[(\d+)\])?")


def unfinished(
    error: KartotekaError, body: Mapping[str, Any], definitions: Mapping[str, FieldDefinition]
) -> str:
    """What to do about the condition that the error names; other errors as they are."""
    path = str(error.details.get("field", ""))
    leaf = _leaf_at(path, body)
    if leaf is None:
        return error.message
    what = _label(leaf["field"], str(leaf.get("id", "")), definitions)
    value = leaf.get("value")
    values = value if isinstance(value, list) else [value]
    if ".value" in path and (not values or "" in values or None in values):
        return str(texts.text("segments.needs_value", what=what).unescape())
    return f"{what}: {error.message.removeprefix(path).strip()}"


def _leaf_at(path: str, body: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The condition of `body` on the way of a path such as `condition.all[1].value`."""
    node: Any = body
    for name, number in _STEP.findall(path):
        node = node.get(name) if isinstance(node, Mapping) else None
        if number and isinstance(node, list):
            node = node[int(number)] if int(number) < len(node) else None
        if isinstance(node, Mapping) and "field" in node:
            return node
    return None


# To JSON and back.


def body_of(builder: Builder, definitions: Mapping[str, FieldDefinition]) -> dict[str, Any]:
    """The members `condition` and `exclude`; an empty include side is left out."""
    body: dict[str, Any] = {}
    if (include := _json(builder.include, definitions)) is not None:
        body["condition"] = include
    body["exclude"] = _json(builder.exclude, definitions)
    return body


def _json(node: Node, definitions: Mapping[str, FieldDefinition]) -> dict[str, Any] | None:
    if isinstance(node, Leaf):
        return _leaf_json(node, definitions)
    parts = [one for part in node.parts if (one := _json(part, definitions)) is not None]
    if not parts:
        return None
    if node.join == "none":
        return {"not": {"any": parts}}
    return {node.join: parts}


def _leaf_json(leaf: Leaf, definitions: Mapping[str, FieldDefinition]) -> dict[str, Any]:
    said: dict[str, Any] = {"field": leaf.field}
    for name, text in leaf.more.items():
        if text:
            said[name] = _parameter(name, text)
    names = [name for name, _ in operators_of(leaf, definitions)]
    said["operator"] = leaf.operator if leaf.operator in names else names[0]
    match takes_of(leaf, definitions):
        case Takes.NOTHING:
            pass
        case Takes.ONE:
            said["value"] = leaf.value
        case Takes.TWO:
            said["value"] = [leaf.value, leaf.value2]
        case Takes.SEVERAL:
            said["value"] = [part for text in leaf.value.split(",") if (part := text.strip())]
        case Takes.DAYS | Takes.DAYS_AHEAD:
            said["value"] = int(leaf.value) if leaf.value.isdigit() else leaf.value or None
    return said


def _parameter(name: str, text: str) -> Any:
    """A parameter as JSON has it: numbers, and `price greater 100; colour equals red` as a list."""
    if name in ("id", "inLastDays"):
        return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else text
    if name != "params":
        return text
    params: list[dict[str, Any]] = []
    for part in text.split(";"):
        word, _, rest = part.strip().partition(" ")
        operator, _, value = rest.strip().partition(" ")
        if word:
            one: dict[str, Any] = {"name": word, "operator": operator or "is_set"}
            params.append(one | {"value": value.strip()} if value.strip() else one)
    return params


def _parameter_text(name: str, value: Any) -> str:
    if name != "params" or not isinstance(value, list):
        return str(value)
    parts = (
        " ".join(str(one[key]) for key in ("name", "operator", "value") if key in one)
        for one in value
    )
    return "; ".join(parts)


def builder_of(condition: dict[str, Any], exclude: dict[str, Any] | None) -> Builder:
    """The form of a segment that is stored."""
    return Builder(_side(condition, "all"), _side(exclude, "any"))


def _side(given: dict[str, Any] | None, usual: str) -> Group:
    if given is None:
        return Group(usual, parts=[])
    node = _node(given)
    group = node if isinstance(node, Group) else Group(usual, parts=[node])
    _place(group)
    return group


def _place(group: Group) -> None:
    for place, one in enumerate(group.parts):
        one.place = place
        if isinstance(one, Group):
            _place(one)


def _node(given: dict[str, Any]) -> Node:
    for join in ("all", "any"):
        if join in given:
            return Group(join, parts=[_node(one) for one in given[join]])
    if "not" in given:
        inner = _node(given["not"])
        if isinstance(inner, Group) and inner.join == "any":
            return Group("none", parts=inner.parts)
        return Group("none", parts=[inner])
    value = given.get("value")
    first, second = _texts(value, given.get("operator") == "between")
    more = {
        name: _parameter_text(name, one)
        for name, one in given.items()
        if name not in ("field", "operator", "value")
    }
    return Leaf(given["field"], given["operator"], first, second, more)


def _texts(value: Any, is_pair: bool) -> tuple[str, str]:
    if isinstance(value, list):
        return (str(value[0]), str(value[1])) if is_pair else (", ".join(map(str, value)), "")
    return ("" if value is None else str(value), "")


def label_of_leaf(leaf: Leaf, definitions: Mapping[str, FieldDefinition]) -> str:
    """What the condition is about: a custom field's own name."""
    return _label(leaf.field, leaf.more.get("id", ""), definitions)


def _label(field: str, number: str, definitions: Mapping[str, FieldDefinition]) -> str:
    if field == "custom" and (found := definitions.get(number)):
        return found.name
    return BY_KEY[field].label


def is_empty(builder: Builder) -> bool:
    """Whether nobody said yet who is in it."""
    return not _has_leaf(builder.include)


def _has_leaf(node: Node) -> bool:
    return isinstance(node, Leaf) or any(_has_leaf(part) for part in node.parts)
