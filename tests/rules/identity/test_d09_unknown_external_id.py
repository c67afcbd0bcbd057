"""D9: an External ID that nobody has joins a card without one, or makes a new card."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kartoteka.contacts.model import Command
from tests.rules import stories
from tests.rules.world import World


@pytest.mark.parametrize("method", [stories.add, stories.subscribe])
@pytest.mark.parametrize(
    ("known", "kind"), [({"email": "a@x.ua"}, "email"), ({"phone": "380501"}, "phone")]
)
def test_it_joins_the_card_with_the_lasting_identifier(
    world: World, method: Callable[..., Command], known: dict[str, str], kind: str
) -> None:
    """D9, G4.7: the found contact gets the ID."""
    card = world.post(**known).id
    found = world.send(method(x="A", **known))
    assert (found.id, found.rule) == (card, "external_id_joins_" + kind)
    assert world.card(card).external_id == "A"


@pytest.mark.parametrize("name", ["token", "web", "telegram", "device", "cookie"])
def test_it_joins_the_anonymous_card(world: World, name: str) -> None:
    """D9, G4: the app's first start, then registration: the same contact, wire 14.1."""
    extra = {"token": "first"} if name == "cookie" else {}
    card = world.post(**{name: "T"}, **extra).id
    found = world.post(**{name: "T"}, x="A", email="a@x.ua", phone="380501")
    assert found.id == card
    assert {"T", "A", "a@x.ua", "380501"} <= world.has(card)
    assert world.live() == [card]


def test_the_first_kind_that_finds_one_decides(world: World) -> None:
    """D9: in the order of D7; the phone's card keeps apart by its own e-mail (D13)."""
    by_phone = world.post(phone="380501", email="p@x.ua").id
    by_email = world.post(email="a@x.ua").id
    found = world.post(x="A", email="a@x.ua", phone="380501")
    assert found.id == by_email
    assert world.card(by_phone).external_id is None


def test_a_card_with_an_external_id_does_not_hide_one_without(world: World) -> None:
    """D9: among contacts without an External ID; the family mailbox has two people."""
    first = world.post(x="A", email="home@x.ua").id
    second = world.post(phone="380501", email="home@x.ua")
    assert second.id == first  # D10: without External ID the e-mail finds the one who has it.
    third = world.post(x="B", email="home@x.ua").id
    world.put(third, clear="externalCustomerId")
    assert world.post(x="C", email="home@x.ua").id == third


@pytest.mark.parametrize("method", [stories.add, stories.subscribe])
@pytest.mark.parametrize("shared", [{"email": "a@x.ua"}, {"phone": "380501"}, {"token": "T"}])
def test_another_external_id_is_never_taken_over(
    world: World, method: Callable[..., Command], shared: dict[str, str]
) -> None:
    """D9: a new contact is created, and e-mail and phone stand on both."""
    owner = world.post(x="A", **shared).id
    new = world.send(method(x="B", **shared))
    assert (new.outcome.new, new.rule) == (True, "new_external_id")
    assert world.card(owner).external_id == "A"
    assert world.card(new.id).external_id == "B"
    (name, value), *_ = shared.items()
    expected = [new.id] if name == "token" else [owner, new.id]
    assert world.owners(name, value) == expected


def test_a_former_external_id_counts(world: World) -> None:
    """D11: *has an External ID* includes former ones."""
    card = world.post(x="A", email="a@x.ua").id
    world.put(card, x="B")
    world.put(card, clear="externalCustomerId")
    assert world.card(card).external_id is None
    new = world.post(x="C", email="a@x.ua")
    assert new.id != card


def test_of_several_the_most_recently_updated(world: World) -> None:
    """D9, D10: of several by one kind."""
    first = world.post(x="A", email="a@x.ua").id
    second = world.post(x="B", email="a@x.ua").id
    world.put(second, clear="externalCustomerId")
    world.put(first, clear="externalCustomerId")
    assert world.post(x="C", email="a@x.ua").id == first


def test_nobody_has_it_and_nothing_else_is_said(world: World) -> None:
    """G8.3: it is created."""
    new = world.post(x="A")
    assert (new.came_to, new.rule, new.outcome.new) == ("created", "new_external_id", True)
    assert world.card(new.id).source == "API"


def test_an_app_token_brings_an_unknown_external_id(world: World) -> None:
    """D7, D9: it joins the contact that its phone finds; its e-mail is not needed."""
    card = world.post(phone="380501").id
    given = world.app_token("G", x="A", phone="380501")
    assert given.id == card
    assert world.card(card).external_id == "A"
