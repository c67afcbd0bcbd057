"""D16: what is not said leaves the stored value alone; clearing is said."""

from __future__ import annotations

import pytest

from kartoteka.contacts.clearing import PROFILE, is_clearable
from tests.rules.world import World

SAID = {
    "first": "Ann",
    "last": "Lee",
    "contact_key": "k",
    "language_code": "uk",
    "time_zone": "Europe/Kyiv",
    "region": "R",
    "town": "Kyiv",
    "address": "Street 1",
    "postcode": "01001",
}


def known(world: World) -> int:
    """A card that says everything."""
    return world.post(
        x="A",
        email="a@x.ua",
        phone="380501",
        token="T",
        web="W",
        fields={"1": "a", "2": "b"},
        **SAID,
    ).id


@pytest.mark.parametrize("method", ["post", "subscribe", "put"])
def test_absent_leaves_alone(world: World, method: str) -> None:
    """D16: in every single method."""
    mine = known(world)
    before = (world.card(mine), world.held(mine))
    if method == "put":
        world.put(mine)
    else:
        getattr(world, method)(x="A")
    assert (world.card(mine), world.held(mine)) == before


def test_what_is_said_is_written_alone(world: World) -> None:
    """D16: one value changes, the others stay."""
    mine = known(world)
    world.post(x="A", first="Eve", fields={"2": "c"})
    card = world.card(mine)
    assert (card.first_name, card.last_name, card.fields) == ("Eve", "Lee", {"1": "a", "2": "c"})


@pytest.mark.parametrize(("name", "attribute"), PROFILE.items())
def test_clear_of_a_profile_value(world: World, name: str, attribute: str) -> None:
    """D16: PUT with `?clear=`."""
    mine = known(world)
    before = world.card(mine)
    cleared = world.put(mine, clear=name)
    assert cleared.came_to == "updated"
    card = world.card(mine)
    assert getattr(card, attribute) is None
    others = [one for one in PROFILE.values() if one != attribute]
    assert [getattr(card, one) for one in others] == [getattr(before, one) for one in others]
    assert world.put(mine, clear=name).came_to == "unchanged"


def test_clear_of_a_custom_field(world: World) -> None:
    """D16: `fields.<id>`, only that one."""
    mine = known(world)
    world.put(mine, clear="fields.1")
    assert world.card(mine).fields == {"2": "b"}


@pytest.mark.parametrize(
    ("name", "value", "attribute"),
    [
        ("externalCustomerId", "A", "external_id"),
        ("email", "a@x.ua", "email"),
        ("sms", "380501", "phone"),
        ("mobilepush", "T", None),
        ("webpush", "W", None),
    ],
)
def test_clear_of_an_identifier(world: World, name: str, value: str, attribute: str | None) -> None:
    """D16: it leaves the card and finds nobody; the history says so."""
    mine = known(world)
    had = world.has(mine)
    world.put(mine, clear=name)
    assert world.has(mine) == had - {value}
    if attribute:
        assert getattr(world.card(mine), attribute) is None
    line = world.history[-1]
    assert (line.action, line.rule, [one["value"] for one in line.identifiers or ()]) == (
        "dropped",
        "cleared",
        [value],
    )


def test_clearing_an_address_forgets_what_it_was_granted(world: World) -> None:
    """D16: no address, no consent; a refusal is the person's and stays."""
    mine = known(world)
    world.put(mine, clear="email")
    assert "email" not in world.consent(mine)
    world.post(x="A", email="a@x.ua")
    world.unsubscribe("a@x.ua")
    world.put(mine, clear="email")
    assert world.consent(mine)["email"] == "unsubscribed"


def test_what_the_request_gives_is_not_cleared(world: World) -> None:
    """D16: clear and a value in one request: the value."""
    mine = known(world)
    world.put(
        mine, clear="email,firstName,fields.1", email="b@x.ua", first="Eve", fields={"1": "n"}
    )
    card = world.card(mine)
    assert (card.email, card.first_name, card.fields["1"]) == ("b@x.ua", "Eve", "n")


def test_clearing_the_last_identifier(world: World) -> None:
    """D16: allowed, with the warning `no_identifier_left`."""
    mine = world.post(x="A", email="a@x.ua", first="Ann").id
    assert world.put(mine, clear="email").warnings == []
    left = world.put(mine, clear="externalCustomerId")
    assert left.warnings == ["no_identifier_left"]
    assert (world.status(mine), world.held(mine)) == ("live", [])
    assert world.put(mine, first="Eve").id == mine


@pytest.mark.parametrize("method", ["post", "subscribe"])
def test_an_external_id_is_cleared_by_clear_only(world: World, method: str) -> None:
    """D16: a request without one clears nothing."""
    mine = known(world)
    getattr(world, method)(email="a@x.ua")
    assert world.card(mine).external_id == "A"


@pytest.mark.parametrize(
    ("name", "clearable"),
    [("firstName", True), ("sms", True), ("fields.12", True), ("fields.x", False), ("id", False)],
)
def test_what_can_be_cleared(name: str, clearable: bool) -> None:
    """D16: names of the API."""
    assert is_clearable(name) is clearable
