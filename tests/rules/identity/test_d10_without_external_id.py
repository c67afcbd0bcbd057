"""D10: no External ID in the request."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kartoteka.contacts.model import Command
from kartoteka.errors import NoIdentifier
from tests.rules import stories
from tests.rules.world import World


@pytest.mark.parametrize(
    ("said", "rule"),
    [
        ({"email": "a@x.ua"}, "found_by_email"),
        ({"phone": "380501"}, "found_by_phone"),
        ({"token": "T"}, "found_by_mobile_token"),
        ({"web": "T"}, "found_by_web_token"),
        ({"telegram": "T"}, "found_by_telegram_token"),
        ({"device": "T"}, "found_by_device"),
    ],
)
def test_found_by_what_it_brings(world: World, said: dict[str, str], rule: str) -> None:
    """D10, D22: the same request twice gives the same contact, and nothing to write."""
    first = world.post(**said)
    assert (first.came_to, first.rule) == ("created", "new_contact")
    again = world.post(**said)
    assert (again.id, again.came_to, again.rule) == (first.id, "unchanged", rule)


def test_of_several_one_with_external_id_first(world: World) -> None:
    """D10: those with an External ID first, though the other is newer."""
    known = world.post(x="A", email="a@x.ua").id
    other = world.post(x="B", email="a@x.ua").id
    world.put(other, clear="externalCustomerId", first="New")
    assert world.post(email="a@x.ua").id == known


def test_a_former_external_id_is_one(world: World) -> None:
    """D10, D11: *with an External ID* includes former ones."""
    known = world.post(x="A", email="a@x.ua").id
    world.put(known, x="B")
    world.put(known, clear="externalCustomerId")
    other = world.post(x="C", email="a@x.ua").id
    world.put(other, clear="externalCustomerId", first="New")
    assert world.post(email="a@x.ua").id == known


def test_then_the_most_recently_updated(world: World) -> None:
    """D10: the last write that changed something; the same words again change nothing."""
    first = world.post(x="A", email="a@x.ua").id
    second = world.post(x="B", email="a@x.ua").id
    assert world.post(email="a@x.ua").id == second
    world.post(x="A", first="Ann")
    assert world.post(email="a@x.ua").id == first
    world.post(x="B", email="a@x.ua")
    assert world.post(email="a@x.ua").id == first


def test_then_the_smaller_id(world: World) -> None:
    """D10: updated at the same moment."""
    first, _ = (
        world.send(stories.add(x=x, email="a@x.ua"), at=stories.START).id for x in ("A", "B")
    )
    assert world.post(email="a@x.ua").id == first


def test_a_live_card_of_a_later_kind_before_a_removed_one(world: World) -> None:
    """D10: a removed one only if there is no live contact at all."""
    gone = world.post(email="a@x.ua").id
    world.remove(gone)
    live = world.post(token="T").id
    found = world.post(email="a@x.ua", token="T")
    assert (found.id, world.status(gone)) == (live, "removed")


@pytest.mark.parametrize("method", [stories.add, stories.subscribe])
@pytest.mark.parametrize("said", [{"email": "a@x.ua"}, {"phone": "380501"}])
def test_a_removed_card_without_external_id_is_restored(
    world: World, method: Callable[..., Command], said: dict[str, str]
) -> None:
    """D10: by POST contact and subscribe."""
    gone = world.post(**said).id
    world.remove(gone)
    back = world.send(method(**said))
    assert (back.id, back.came_to) == (gone, "restored")
    assert back.rule == f"restored_by_{next(iter(said))}"


def test_a_removed_card_with_external_id_is_not(world: World) -> None:
    """D10: only one without an External ID; whoever has one comes back by it."""
    gone = world.post(x="A", email="a@x.ua").id
    world.remove(gone)
    new = world.post(email="a@x.ua")
    assert (new.id != gone, new.came_to, world.status(gone)) == (True, "created", "removed")


def test_a_removed_card_is_restored_under_d10a_only(world: World) -> None:
    """D10: a phone does not bring back the card of another mailbox."""
    gone = world.post(phone="380501", email="a@x.ua").id
    world.remove(gone)
    new = world.post(phone="380501", email="b@x.ua")
    assert (new.id != gone, world.status(gone)) == (True, "removed")


def test_an_app_token_restores_no_removed_card(world: World) -> None:
    """D10: POST contact and subscribe do."""
    gone = world.post(phone="380501").id
    world.remove(gone)
    new = world.app_token("G", phone="380501")
    assert (new.id != gone, world.status(gone)) == (True, "removed")


def test_a_cookie_alone_never_creates(world: World) -> None:
    """D10, G5.2."""
    with pytest.raises(NoIdentifier):
        world.post(cookie="C", first="Ann")
    assert world.cards == {}


def test_a_cookie_finds_whoever_has_it(world: World) -> None:
    """D7, D10: it creates nobody, but it does find."""
    card = world.post(x="A", cookie="C").id
    assert world.post(cookie="C", first="Ann").id == card


@pytest.mark.parametrize("method", [stories.add, stories.subscribe])
def test_nothing_usable(world: World, method: Callable[..., Command]) -> None:
    """D19: no usable identifier at all."""
    with pytest.raises(NoIdentifier):
        world.send(method(first="Ann"))


def test_an_app_token_alone_names_nobody(world: World) -> None:
    """Wire 3.12: at least one identifier beside the token; who has it keeps it."""
    owner = world.app_token("G", phone="380501").id
    for said in ({}, {"contact_id": 999}):
        with pytest.raises(NoIdentifier):
            world.app_token("G", **said)
    assert world.owners("telegram", "G") == [owner]
    assert len(world.cards) == 1


@pytest.mark.parametrize("method", [stories.add, stories.subscribe])
def test_an_address_keeps_its_own_refusals(world: World, method: Callable[..., Command]) -> None:
    """D10: a new contact with it inherits them."""
    world.unsubscribe("a@x.ua")
    new = world.send(method(x="A", email="a@x.ua")).id
    assert world.consent(new)["email"] == "unsubscribed"


def test_a_found_card_that_gets_the_address_inherits_too(world: World) -> None:
    """D10, D17: it is the address that refused."""
    world.unsubscribe("b@x.ua")
    card = world.post(x="A", email="a@x.ua").id
    assert world.consent(card)["email"] == "subscribed"
    world.post(x="A", email="b@x.ua")
    assert world.consent(card)["email"] == "unsubscribed"


def test_another_address_does_not_undo_what_the_person_said(world: World) -> None:
    """D10, D14: who has unsubscribed stays so with a new mailbox."""
    card = world.post(x="A", email="a@x.ua").id
    world.unsubscribe("a@x.ua")
    world.post(x="A", email="b@x.ua")
    assert world.consent(card)["email"] == "unsubscribed"


def test_the_unsubscribe_list_acts_on_every_card_of_the_address(world: World) -> None:
    """Wire 3.13: addresses, not contacts; off the list they get mail again."""
    ids = [world.post(x=x, email="home@x.ua").id for x in ("A", "B")]
    other = world.post(x="C", email="c@x.ua").id
    world.unsubscribe("home@x.ua")
    assert [world.consent(who)["email"] for who in ids] == ["unsubscribed"] * 2
    assert world.consent(other)["email"] == "subscribed"
    assert world.unsubscribe("home@x.ua").came_to == "unchanged"
    world.forgive("home@x.ua")
    assert [world.consent(who)["email"] for who in ids] == ["subscribed"] * 2
    assert world.consent(world.post(x="D", email="home@x.ua").id)["email"] == "subscribed"


def test_new_cards_say_where_they_come_from(world: World) -> None:
    """D20; wire 3.8: POST contact confirms the e-mail, subscribe leaves it unconfirmed."""
    posted = world.post(email="a@x.ua").id
    subscribed = world.subscribe(email="b@x.ua").id
    assert [world.card(who).source for who in (posted, subscribed)] == ["API", "SUBSCRIPTION"]
    assert world.consent(posted)["email"] == "subscribed"
    assert world.consent(subscribed)["email"] == "unconfirmed"
