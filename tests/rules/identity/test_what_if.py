"""What-if tells the history as other settings would have carried it out (issue 7, D10a, D13)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from kartoteka.access.account_settings import AccountSettings
from kartoteka.cli.what_if import IDENTITY
from kartoteka.contacts.what_if import Asked, Known, Telling, requests_of, tell
from kartoteka.contacts.what_if_report import compare, compare_segments
from kartoteka.identity.account_rules import rules_of
from kartoteka.identity.evidence import Row
from kartoteka.identity.model import Settings
from kartoteka.identity.never import NeverIdentifiers
from tests.hunting import EXAMPLES
from tests.rules import stories
from tests.rules.world import World


def rows_of(world: World) -> list[Row]:
    """The history as the database gives it; each command is a request of its own."""
    undone = {line.undoes for line in world.history}
    return [
        Row(
            place,
            line.at,
            line.action,
            line.rule,
            line.contact_id,
            line.other,
            line.method,
            line.at.isoformat(),
            line.key_id,
            line.identifiers,
            line.by,
            line.action == "absorbed" and place in undone,
        )
        for place, line in enumerate(world.history, 1)
    ]


def retold(
    world: World, others: Settings, names: Any = None, since: datetime | None = None
) -> tuple[Telling, Telling]:
    asked = Asked(world.settings, others, since)
    devices = {row[:2]: row[9] for row in world.rows.values() if row[9]}
    known = Known(names or {}, list(world.apart), devices)
    return tell(requests_of(rows_of(world)), asked, known)


def cards(telling: Telling) -> set[frozenset[tuple[str, str]]]:
    """What stands: of each live card its identifiers."""
    return {
        frozenset((str(held.kind), held.value) for held in telling.ws.identifiers_of(card))
        for card in telling.live()
    }


def cards_of(world: World) -> set[frozenset[tuple[str, str]]]:
    return {
        frozenset((str(held.kind), held.value) for held in world.held(who)) for who in world.live()
    }


def test_what_would_not_have_been_absorbed_is_named() -> None:
    world = World()
    news = world.subscribe(email="ann@x.ua").id
    app = world.post(token="T", device="D").id
    ann = world.post(x="A", email="ann@x.ua", device="D")
    assert (ann.id, ann.absorbed) == (news, [app])
    merges, splits = compare(*retold(world, Settings(absorb="never")))
    assert merges == []
    [split] = splits
    assert (split.contact_id, split.rule) == (news, "absorbed_anonymous")
    assert [{held["value"] for held in part} for part in split.parts] == [
        {"A", "ann@x.ua", "D", "T"},
        set(),
    ]


def test_who_would_be_one_is_named_with_the_rule_and_the_request() -> None:
    world = World()
    his = world.post(email="ivan@x.ua", phone="380501").id
    hers = world.post(x="H", email="hanna@x.ua", phone="380501")
    assert hers.id != his
    merges, splits = compare(*retold(world, Settings(phone_is_personal=True)))
    assert splits == []
    [merge] = merges
    assert (merge.contacts, merge.rule) == ([his, hers.id], "external_id_joins_phone")
    assert merge.at == world.now
    lists = [(1, his), (2, hers.id), (3, his), (3, hers.id)]
    changes = compare_segments(merges, splits, lists, {1: "one", 2: "two", 3: "three"})
    assert [(one.name, one.joins, one.fewer, one.split) for one in changes] == [
        ("two", 1, 0, 0),
        ("three", 0, 1, 0),
    ]


def test_only_requests_since_then_are_told_otherwise() -> None:
    world = World()
    world.post(email="a@x.ua")
    world.post(token="T")
    world.post(x="A", email="a@x.ua", token="T")
    after = world.now + timedelta(seconds=1)
    world.post(email="b@x.ua")
    world.post(token="U")
    world.post(x="B", email="b@x.ua", token="U")
    _, splits = compare(*retold(world, Settings(absorb="never"), since=after))
    assert [one.contact_id for one in splits] == [3]


@pytest.mark.parametrize("undoes", [True, False])
def test_merges_by_hand_stay_as_they_were_decided(undoes: bool) -> None:
    world = World()
    one, other = world.post(x="A", email="a@x.ua").id, world.post(x="B", email="b@x.ua").id
    world.merge(one, other)
    if undoes:
        world.undo()
    for telling in retold(world, Settings(absorb="never")):
        assert cards(telling) == cards_of(world)


SAID = st.fixed_dictionaries(
    {},
    optional={
        "x": st.sampled_from("ABC"),
        "email": st.sampled_from(["a@x.ua", "b@x.ua"]),
        "phone": st.sampled_from(["380501", "380502"]),
        "token": st.sampled_from("TU"),
        "device": st.just("D"),
        "cookie": st.just("K"),
    },
)
CALLS = st.lists(st.tuples(st.sampled_from(["add", "subscribe"]), SAID), max_size=9)
RULES = st.builds(
    Settings,
    absorb=st.sampled_from(["contained", "anonymous", "never"]),
    phone_is_personal=st.booleans(),
)


@settings(max_examples=EXAMPLES or 150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(CALLS, RULES, RULES)
def test_told_with_the_settings_that_stand_it_is_what_stands(
    calls: list[Any], chosen: Settings, others: Settings
) -> None:
    """The law: told again as it was, each request comes to the card that it came to."""
    world = World(chosen)
    for method, said in calls:
        world.batch([getattr(stories, method)(**said)])
    as_it_is, _ = retold(world, others)
    assert cards(as_it_is) == cards_of(world)
    assert as_it_is.live() == set(world.live())


@settings(max_examples=EXAMPLES or 150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(CALLS, RULES, RULES)
def test_told_otherwise_it_is_what_would_stand(
    calls: list[Any], chosen: Settings, others: Settings
) -> None:
    """The law: as if the account had had the other settings from the beginning.

    A request that changed nobody's identifiers left no trace, and is not told (docs/identity/what-if.md).
    """
    world, other = World(chosen), World(others)
    for method, said in calls:
        before = len(world.history)
        world.batch([getattr(stories, method)(**said)])
        if len(world.history) > before:
            other.batch([getattr(stories, method)(**said)])
    _, otherwise = retold(world, others)
    assert cards(otherwise) == cards_of(other)


def a_former_id_comes_back(world: World) -> None:
    who = world.post(x="OLD", email="a@x.ua").id
    world.put(who, x="NEW")
    world.post(x="OLD", token="T")


def a_mailbox_of_everybody(world: World) -> None:
    world.post(email="guest@x.ua", token="T")
    world.post(x="A", email="guest@x.ua")


def a_phone_of_two(world: World) -> None:
    world.post(email="ivan@x.ua", phone="380501")
    world.post(x="H", email="hanna@x.ua", phone="380501")


def a_mailbox_and_an_app(world: World) -> None:
    world.subscribe(email="ann@x.ua")
    world.post(token="T")
    world.post(x="A", email="ann@x.ua", token="T")


def a_mailbox_and_a_phone(world: World) -> None:
    world.post(phone="380501")
    world.subscribe(email="ann@x.ua")
    world.post(x="A", email="ann@x.ua", phone="380501")


GUEST = NeverIdentifiers(emails=frozenset(["guest@x.ua"]))
STORIES: dict[str, list[tuple[Any, Settings, str]]] = {
    "absorb": [
        (a_mailbox_and_an_app, Settings(absorb="never"), "split"),
        (a_mailbox_and_a_phone, Settings(absorb="anonymous"), "split"),
        (a_mailbox_and_a_phone, Settings(absorb="never"), "split"),
    ],
    "phone_is_personal": [(a_phone_of_two, Settings(phone_is_personal=True), "merge")],
    "keep_former_ids": [(a_former_id_comes_back, Settings(keep_former_ids=False), "split")],
    "never_identifiers": [(a_mailbox_of_everybody, Settings(never=GUEST), "split")],
}
"""Of each identity setting, what happened where it makes a difference, and which."""


def test_every_identity_setting_has_a_story() -> None:
    """All that the rules read of whose card it is can be asked about."""
    assert set(STORIES) == set(IDENTITY)
    read = {
        name
        for name, other in {
            "absorb": "never",
            "phone_is_personal": True,
            "keep_former_ids": False,
            "never_identifiers": ("guest@x.ua",),
        }.items()
        if rules_of(AccountSettings()) != rules_of(replace(AccountSettings(), **{name: other}))
    }
    assert read == set(IDENTITY)


@pytest.mark.parametrize(
    ("story", "others", "what"),
    [case for cases in STORIES.values() for case in cases],
    ids=lambda one: getattr(one, "__name__", ""),
)
def test_each_makes_the_difference_that_it_says(story: Any, others: Settings, what: str) -> None:
    """And what it comes to is what would stand, had it been set so from the beginning."""
    world, other = World(), World(others)
    for one in (world, other):
        story(one)
    as_it_is, otherwise = retold(world, others)
    merges, splits = compare(as_it_is, otherwise)
    assert (len(merges), len(splits)) == ((1, 0) if what == "merge" else (0, 1))
    assert cards(as_it_is) == cards_of(world)
    assert cards(otherwise) == cards_of(other)
    back_merges, back_splits = compare(*retold(other, world.settings))
    assert (len(back_merges), len(back_splits)) == ((0, 1) if what == "merge" else (1, 0))
