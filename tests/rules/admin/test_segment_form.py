"""The builder of segments: what is clicked comes to the conditions that the API takes, and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kartoteka.admin.segment_form import (
    Group,
    Leaf,
    body_of,
    builder_of,
    change,
    empty,
    is_empty,
    operators_of,
    read_builder,
    unfinished,
)
from kartoteka.contacts.values.custom_fields import FieldDefinition, FieldType
from kartoteka.segments.conditions import BY_KEY
from kartoteka.segments.conditions.base import Context, InvalidCondition
from kartoteka.segments.conditions.tree import read_condition

FIELDS = {
    "7": FieldDefinition(7, "PERSONAL", "Personal", "BIRTHDAY", "Birthday", FieldType.DATE),
    "9": FieldDefinition(9, "SHOP", "Shop", "SIZE", "Size", FieldType.NUMBER),
}


def fields_of(group: Group, path: str) -> dict[str, str]:
    """The form's fields as the template writes them."""
    found = {f"{path}.join": group.join}
    for part in group.parts:
        inner = f"{path}.{part.place}"
        if isinstance(part, Group):
            found |= fields_of(part, inner)
        else:
            found[f"{inner}.field"] = part.field
            for name in ("operator", "value", "value2"):
                found[f"{inner}.{name}"] = getattr(part, name)
            found |= {f"{inner}.{name}": text for name, text in part.more.items()}
    return found


def test_the_click_path_of_guide_g15():
    """Fields → External ID → is empty → Done."""
    builder = empty()
    assert is_empty(builder)
    change(builder, "add:in:externalCustomerId")
    form = fields_of(builder.include, "in") | {"in.0.operator": "is_empty"}
    body = body_of(read_builder(form), FIELDS)
    assert body == {
        "condition": {"all": [{"field": "externalCustomerId", "operator": "is_empty"}]},
        "exclude": None,
    }
    assert read_condition(body["condition"], Context(FIELDS)).describe() == "External ID is empty"


def test_groups_nest_and_go():
    builder = empty()
    change(builder, "add:in:email")
    change(builder, "group:in")
    change(builder, "add:in.1:firstName")
    change(builder, "add:in.1:custom=9")
    assert [type(part) for part in builder.include.parts] == [Leaf, Group]
    assert builder.include.parts[1].join == "any"
    change(builder, "remove:in.1.0")
    assert [part.field for part in builder.include.parts[1].parts] == ["custom"]
    change(builder, "remove:in.1")
    change(builder, "remove:in.0")
    assert is_empty(builder)


def test_what_stays_keeps_its_name_on_the_form():
    """Otherwise a text that is typed while an answer is under way would land on its neighbour."""
    builder = empty()
    for key in ("email", "firstName", "lastName"):
        change(builder, f"add:in:{key}")
    change(builder, "remove:in.1")
    assert list(fields_of(builder.include, "in"))[-1].startswith("in.2.")
    change(builder, "add:in:town")
    again = read_builder(fields_of(builder.include, "in"))
    assert [(one.place, one.field) for one in again.include.parts] == [
        (0, "email"),
        (2, "lastName"),
        (3, "town"),
    ]


@pytest.mark.parametrize(
    ("leaf", "condition"),
    [
        (
            Leaf("firstName", "one_of", "Ann, Bob"),
            {"field": "firstName", "operator": "one_of", "value": ["Ann", "Bob"]},
        ),
        (
            Leaf("custom", "between", "2026-01-01", "2026-02-01", {"id": "7"}),
            {
                "field": "custom",
                "id": 7,
                "operator": "between",
                "value": ["2026-01-01", "2026-02-01"],
            },
        ),
        (
            Leaf("custom", "greater", "10", "", {"id": "9"}),
            {"field": "custom", "id": 9, "operator": "greater", "value": "10"},
        ),
        (
            Leaf("custom", "in_last_days", "30", "", {"id": "7"}),
            {"field": "custom", "id": 7, "operator": "in_last_days", "value": 30},
        ),
        (
            Leaf("consent", "equals", "unsubscribed", "", {"channel": "email"}),
            {
                "field": "consent",
                "channel": "email",
                "operator": "equals",
                "value": "unsubscribed",
            },
        ),
    ],
)
def test_a_row_of_the_form_is_a_condition(leaf, condition):
    builder = empty()
    builder.include.parts.append(leaf)
    body = body_of(builder, FIELDS)
    assert body["condition"] == {"all": [condition]}
    read_condition(body["condition"], Context(FIELDS))


@pytest.mark.parametrize(
    ("leaf", "words"),
    [
        (Leaf("lastName", "equals"), "Last name still needs a value."),
        (Leaf("lastName", "one_of", " , "), "Last name still needs a value."),
        (Leaf("custom", "between", "1", "", {"id": "9"}), "Size still needs a value."),
        (Leaf("custom", "greater", "ten", "", {"id": "9"}), "Size: must be a number."),
    ],
)
def test_what_is_not_complete_is_said_in_the_words_of_the_page(leaf, words):
    builder = empty()
    builder.include.parts.append(Leaf("externalCustomerId", "is_empty"))
    builder.include.parts.append(Group("any", [leaf]))
    body = body_of(builder, FIELDS)
    with pytest.raises(InvalidCondition) as caught:
        read_condition(body["condition"], Context(FIELDS))
    assert unfinished(caught.value, body, FIELDS) == words


@pytest.mark.parametrize("key", [key for key in BY_KEY if key != "segment"])
def test_every_condition_of_the_registry_has_operators_and_reads_its_example(key):
    example = dict(BY_KEY[key].example)
    if key == "custom":
        example = {"field": "custom", "id": 7, "operator": "is_set"}
    builder = builder_of({"all": [example]}, None)
    (leaf,) = builder.include.parts
    assert operators_of(leaf, FIELDS)
    again = body_of(builder, FIELDS)["condition"]["all"][0]
    assert read_condition(again, Context(FIELDS)).describe()
    assert again["operator"] == example["operator"]


LEAVES = st.sampled_from(
    [
        {"field": "externalCustomerId", "operator": "is_empty"},
        {"field": "firstName", "operator": "equals", "value": "Ann"},
        {"field": "custom", "id": 7, "operator": "in_last_days", "value": 3},
        {"field": "mobilePush", "operator": "is_set"},
    ]
)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(lambda parts: {"all": parts}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda parts: {"any": parts}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda part: {"not": part}, inner),
    ),
    max_leaves=8,
)


@given(TREES)
def test_what_is_stored_comes_back_through_the_form_with_the_same_meaning(condition):
    builder = builder_of(condition, None)
    form = fields_of(builder.include, "in")
    again = body_of(read_builder(form), FIELDS)["condition"]
    context = Context(FIELDS)
    first, second = read_condition(condition, context), read_condition(again, context)
    assert normal(first.to_json()) == normal(second.to_json())


def normal(node):
    """Without groups of one, and with *none of* spelled as *not any*: they mean the same."""
    for join in ("all", "any"):
        if join in node:
            parts = [normal(part) for part in node[join]]
            return parts[0] if len(parts) == 1 else {join: parts}
    if "not" in node:
        inner = normal(node["not"])
        return {"not": inner}
    return node


@given(
    st.dictionaries(st.text(max_size=20), st.text(max_size=20), max_size=20), st.text(max_size=30)
)
def test_no_form_breaks_the_builder(fields, word):
    builder = read_builder(fields)
    change(builder, word)
    body_of(builder, FIELDS)
