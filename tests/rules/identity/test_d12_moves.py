"""D12: a token, device or cookie follows the newer request."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.rules import stories
from tests.rules.stories import START
from tests.rules.world import World

NAMES = {
    "token": "mobile_token",
    "web": "web_token",
    "telegram": "telegram_token",
    "device": "device",
    "cookie": "web_cookie",
}


@pytest.mark.parametrize("name", NAMES)
def test_it_moves_to_who_was_found(world: World, name: str) -> None:
    """D12."""
    holder = world.post(x="A", **{name: "T"}).id
    mine = world.post(x="B").id
    found = world.post(x="B", **{name: "T"})
    assert found.moved == [(NAMES[name], "T", holder)]
    assert world.owners(name, "T") == [mine]
    assert (world.status(holder), world.has(holder)) == ("live", {"A"})
    line = world.history[-1]
    assert (line.action, line.rule, line.contact_id, line.other) == (
        "moved",
        "newer_request",
        mine,
        holder,
    )


@pytest.mark.parametrize("name", NAMES)
def test_it_moves_to_who_was_created(world: World, name: str) -> None:
    """D12."""
    holder = world.post(x="A", **{name: "T"}).id
    mine = world.post(x="B", **{name: "T"})
    assert mine.moved == [(NAMES[name], "T", holder)]
    assert world.owners(name, "T") == [mine.id]


def test_put_and_subscribe_and_app_tokens_move_too(world: World) -> None:
    """D12 speaks of every request."""
    ids = [world.post(x=x).id for x in "ABCD"]
    world.post(x="A", telegram="G")
    world.put(ids[1], telegram="G")
    assert world.owners("telegram", "G") == [ids[1]]
    world.subscribe(x="C", telegram="G")
    assert world.owners("telegram", "G") == [ids[2]]
    world.app_token("G", x="D")
    assert world.owners("telegram", "G") == [ids[3]]


def test_it_comes_from_a_removed_card_as_well(world: World) -> None:
    """D8, D12: that another contact holds, live or not."""
    gone = world.post(x="A", token="T").id
    world.remove(gone)
    mine = world.post(x="B", token="T")
    assert mine.moved == [("mobile_token", "T", gone)]


@pytest.mark.parametrize(("minutes", "moves"), [(-1, False), (0, False), (1, True)])
def test_only_if_the_request_is_later(world: World, minutes: int, moves: bool) -> None:
    """D12: later than the moment the holder got it."""
    got = START + timedelta(hours=1)
    holder = world.send(stories.add(x="A", token="T"), at=got).id
    mine = world.post(x="B").id
    found = world.send(stories.add(x="B", token="T"), at=got + timedelta(minutes=minutes))
    assert world.owners("token", "T") == [mine if moves else holder]
    assert found.warnings == ([] if moves else ["identifier_is_newer_elsewhere"])


def test_the_moment_is_when_the_holder_got_it(world: World) -> None:
    """D12: after a move the new holder's moment counts."""
    world.send(stories.add(x="A", token="T"), at=START)
    second = world.send(stories.add(x="B", token="T"), at=START + timedelta(hours=2)).id
    world.send(stories.add(x="A", token="T"), at=START + timedelta(hours=1))
    assert world.owners("token", "T") == [second]


def test_a_token_moves_with_its_device(world: World) -> None:
    """D12: a token that arrived with a device belongs to it; others of the person stay."""
    holder = world.post(x="A", device="D", token="T").id
    world.post(x="A", token="U")
    world.post(x="A", device="E", token="V")
    mine = world.post(x="B", device="D")
    assert world.has(mine.id) == {"B", "D", "T"}
    assert world.has(holder) == {"A", "U", "E", "V"}
    assert [line.rule for line in world.history[-2:]] == ["newer_request", "follows_device"]


def test_a_token_alone_does_not_take_its_device_along(world: World) -> None:
    """D12 says it of tokens, not of devices."""
    holder = world.post(x="A", device="D", token="T").id
    mine = world.post(x="B", token="T").id
    assert world.has(holder) == {"A", "D"}
    assert world.has(mine) == {"B", "T"}


def test_who_loses_an_identifier_is_not_the_most_recently_updated(world: World) -> None:
    """D10, D22: the same request again finds the contact that the first one wrote to."""
    holder = world.post(x="A", email="a@x.ua", token="T").id
    mine = world.post(x="B", email="a@x.ua").id
    first = world.post(email="a@x.ua", token="T")
    assert (first.id, world.has(holder)) == (mine, {"A", "a@x.ua"})
    again = world.post(email="a@x.ua", token="T")
    assert (again.id, again.came_to) == (mine, "unchanged")


def test_tokens_are_added(world: World) -> None:
    """D5, D17: any number of tokens; wire 3.12: two calls with two tokens leave both."""
    mine = world.post(x="A", token=("T", "U")).id
    world.post(x="A", token="V")
    world.app_token("G", x="A")
    world.app_token("H", x="A")
    assert world.has(mine) == {"A", "T", "U", "V", "G", "H"}


def test_lasting_identifiers_do_not_move(world: World) -> None:
    """D2: e-mail and phone are shareable."""
    first = world.post(x="A", email="home@x.ua", phone="380501").id
    second = world.post(x="B", email="home@x.ua", phone="380501")
    assert second.moved == []
    assert world.owners("email", "home@x.ua") == [first, second.id]
    assert world.owners("phone", "380501") == [first, second.id]
