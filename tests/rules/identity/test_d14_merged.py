"""D14: what the survivor gets, and where the retired id leads. D15: all that an undo needs."""

from __future__ import annotations

import itertools

import msgspec
import pytest

from kartoteka.errors import ContactMerged
from kartoteka.identity.model import TEXTS, Consent
from kartoteka.identity.rules import stricter
from tests.rules.world import World

OLD = {name: "b" for name in TEXTS if "name" not in name}


def merge(world: World, mine: dict, other: dict, request_: dict) -> tuple[int, int]:
    """A (External ID `A`) absorbs B, which is known by token `T` only."""
    second = world.post(token="T", **other).id
    first = world.post(x="A", **mine).id
    assert world.post(x="A", token="T", **request_).absorbed == [second]
    return first, second


@pytest.mark.parametrize("name", OLD)
def test_profile(world: World, name: str) -> None:
    """D14: request, then A, then B fills gaps; A keeps its id."""
    for mine, said, expected in itertools.product(("a", None), ("r", None), ("r or a or b",)):
        world = World()
        first, _ = merge(
            world,
            {} if mine is None else {name: mine},
            {name: "b"},
            {} if said is None else {name: said},
        )
        assert getattr(world.card(first), name) == (said or mine or "b"), expected


def test_names(world: World) -> None:
    """D14: a name of B fills A's gap."""
    first, _ = merge(world, {"last": "Lee"}, {"first": "Ann"}, {})
    assert (world.card(first).first_name, world.card(first).last_name) == ("Ann", "Lee")


def test_custom_fields(world: World) -> None:
    """D14: the same order, field by field."""
    first, _ = merge(
        world,
        {"fields": {"1": "a", "2": "a"}},
        {"fields": {"1": "b", "2": "b", "3": "b"}},
        {"fields": {"1": "r"}},
    )
    assert world.card(first).fields == {"1": "r", "2": "a", "3": "b"}


def test_lists_are_united(world: World) -> None:
    """D14."""
    second = world.subscribe(token="T", groups=("one", "two")).id
    first = world.subscribe(x="A", groups=("two", "three")).id
    assert world.post(x="A", token="T").absorbed == [second]
    assert world.lists_of(first) == {"one", "two", "three"}


def test_events_move(world: World) -> None:
    """D14: events, orders, visits, identifiers move to A."""
    second = world.subscribe(token="T").id
    first = world.post(x="A", token="T")
    assert first.id == second
    mine = world.post(x="B").id
    other = world.subscribe(token="U").id
    assert world.post(x="B", token="U").absorbed == [other]
    assert {event[0] for event in world.events} == {first.id, mine}


def test_identifiers_move(world: World) -> None:
    """D14: all of B's, those that the request did not name too."""
    second = world.post(token="T", web="W", device="D", cookie="C").id
    first = world.post(x="A").id
    world.post(x="A", token="T")
    assert world.has(first) == {"A", "T", "W", "D", "C"}
    assert world.held(second) == []


@pytest.mark.parametrize(
    ("mine", "other"), list(itertools.product((None, *Consent), (None, *Consent)))
)
def test_consent(mine: Consent | None, other: Consent | None) -> None:
    """D14: no state says nothing, the more restrictive wins; blacklisted > spam > unsubscribed >
    unconfirmed > subscribed."""
    order = [None, "SUBSCRIBED", "UNCONFIRMED", "UNSUBSCRIBED", "SPAM", "BLACKLISTED"]
    named = [None if one is None else one.name for one in (mine, other)]
    strictest = max(named, key=order.index)
    states = [{} if one is None else {"email": int(one)} for one in (mine, other)]
    united = stricter(*states)
    assert united == ({} if strictest is None else {"email": int(Consent[strictest])})


def test_consent_is_per_channel_and_category(world: World) -> None:
    """D14: A's categories and B's; a merge never subscribes who has unsubscribed."""
    second = world.subscribe(token="T", subscriptions=("news", "sale")).id
    first = world.subscribe(x="A", subscriptions=("sale", "tips")).id
    world.set_subscriptions(first, "tips")
    assert world.consent(first)["category:sale"] == "unsubscribed"
    assert world.post(x="A", token="T").absorbed == [second]
    assert world.consent(first) == {
        "category:news": "subscribed",
        "category:sale": "unsubscribed",
        "category:tips": "subscribed",
    }


def test_an_unsubscribed_twin_is_stricter(world: World) -> None:
    """D14: B's mailbox had unsubscribed as a person."""
    second = world.post(token="T", email="home@x.ua").id
    world.unsubscribe("home@x.ua")
    world.refusals.clear()
    first = world.post(x="A").id
    assert world.post(x="A", token="T", email="home@x.ua").absorbed == [second]
    assert world.consent(first)["email"] == "unsubscribed"


def test_subscribing_is_said_by_the_request_not_by_the_merge(world: World) -> None:
    """Wire 3.6, D14: the person subscribes after the merge, so it counts."""
    second = world.post(token="T", email="home@x.ua").id
    world.unsubscribe("home@x.ua")
    first = world.post(x="A", email="home@x.ua").id
    found = world.subscribe(x="A", token="T", email="home@x.ua")
    assert (found.id, found.outcome.email_status) == (first, "SUBSCRIBED")
    assert world.status(second) in ("merged", "live")
    assert world.consent(first)["email"] == "subscribed"


def chain(world: World) -> tuple[int, int, int]:
    """C was absorbed by B, B by A."""
    third = world.post(token="T").id
    second = world.post(device="D", web="W").id
    assert world.put(second, token="T").absorbed == [third]
    first = world.post(x="A").id
    assert world.post(x="A", device="D").absorbed == [second]
    return first, second, third


@pytest.mark.parametrize("method", ["put", "subscriptions", "app_token"])
def test_a_retired_id_is_followed_through_any_chain(world: World, method: str) -> None:
    """D14: PUT, subscriptions, app tokens."""
    first, second, third = chain(world)
    for retired in (second, third):
        if method == "put":
            assert world.put(retired, town=f"Town {retired}").id == first
        elif method == "subscriptions":
            assert world.set_subscriptions(retired, "news").id == first
        else:
            given = world.app_token(f"G{retired}", contact_id=retired)
            assert (given.id, given.warnings) == (first, [])
    assert {world.status(second), world.status(third)} == {"merged"}


def test_delete_of_a_retired_id(world: World) -> None:
    """D14: 409 `contact_merged`, naming the survivor."""
    first, second, third = chain(world)
    for retired, erase in itertools.product((second, third), (False, True)):
        with pytest.raises(ContactMerged) as error:
            (world.erase if erase else world.remove)(retired)
        assert error.value.code == "contact_merged"
        assert error.value.details == {"contactId": first}
        assert f"id='{first}'" in error.value.message
    assert world.status(first) == "live"


def test_a_retired_card_says_nothing_any_more(world: World) -> None:
    """D14: its values live on in the survivor; only the redirect stays."""
    first, second = merge(world, {}, {"town": "Kyiv", "fields": {"1": "b"}}, {})
    card = world.card(second)
    assert (card.merged_into, card.fields, card.consent) == (first, {}, {})
    assert all(getattr(card, name) is None for name in (*TEXTS, "email", "phone", "external_id"))


def test_ids_are_never_used_again(world: World) -> None:
    """D14: retired ids are never used again; erased ones neither (D29)."""
    _, second = merge(world, {}, {}, {})
    gone = world.post(x="B").id
    world.erase(gone)
    new = world.post(x="C").id
    assert new not in (second, gone)
    assert new == max(world.cards)


def test_history_keeps_all_that_an_undo_needs(world: World) -> None:
    """D15: the snapshot is the absorbed card as it was."""
    other = world.subscribe(
        token=("T", "U"),
        device="D",
        first="Ann",
        town="Kyiv",
        fields={"1": "b"},
        groups=("one",),
        subscriptions=("news",),
    ).id
    card, held = world.card(other), world.held(other)
    mine = world.post(x="A").id
    assert world.post(x="A", token="T").absorbed == [other]
    line = next(line for line in world.history if line.action == "absorbed")
    assert (line.contact_id, line.other) == (mine, other)
    was, rows, lists = world.snapshot(other)
    assert was == card
    assert sorted(msgspec.structs.astuple(one) for one in rows) == sorted(
        msgspec.structs.astuple(one) for one in held
    )
    assert lists == {0}
