"""D17: what a method does with e-mail, phone and tokens of a card that it found."""

from __future__ import annotations

import pytest

from tests.rules.world import World


@pytest.mark.parametrize("method", ["post", "put"])
def test_a_new_address_replaces_the_old_one(world: World, method: str) -> None:
    """D17, wire 14.2: POST contact and PUT, found otherwise."""
    mine = world.post(x="A", email="a@x.ua", phone="380501").id
    said = {"email": "b@x.ua", "phone": "380502"}
    if method == "put":
        world.put(mine, **said)
    else:
        world.post(x="A", **said)
    card = world.card(mine)
    assert (card.email, card.phone) == ("b@x.ua", "380502")
    assert world.has(mine) == {"A", "b@x.ua", "380502"}
    assert [line.action for line in world.history[-4:]] == ["dropped", "added"] * 2


def test_found_by_email_the_phone_is_replaced(world: World) -> None:
    """D17: given to a contact found otherwise."""
    mine = world.post(email="a@x.ua", phone="380501").id
    world.post(email="a@x.ua", phone="380502")
    assert world.card(mine).phone == "380502"
    assert world.owners("phone", "380501") == []


def test_subscribe_adds_what_is_missing(world: World) -> None:
    """D17."""
    mine = world.post(x="A").id
    added = world.subscribe(x="A", email="a@x.ua", phone="380501")
    card = world.card(mine)
    assert (card.email, card.phone, added.warnings) == ("a@x.ua", "380501", [])
    assert added.outcome.email_status == "NEED_CONFIRMATION"
    assert world.consent(mine)["email"] == "unconfirmed"


def test_subscribe_never_replaces(world: World) -> None:
    """D17, wire 14.6: warning `email_not_replaced`."""
    mine = world.post(x="A", email="a@x.ua", phone="380501").id
    kept = world.subscribe(x="A", email="b@x.ua", phone="380502", first="Ann")
    card = world.card(mine)
    assert (card.email, card.phone, card.first_name) == ("a@x.ua", "380501", "Ann")
    assert kept.warnings == ["email_not_replaced", "phone_not_replaced"]


@pytest.mark.parametrize(
    ("stored", "said", "status", "after"),
    [
        pytest.param(None, "a@x.ua", "NEED_CONFIRMATION", "unconfirmed", id="a new address"),
        pytest.param("subscribed", "a@x.ua", "ALREADY_SUBSCRIBED", "subscribed", id="active"),
        pytest.param("unconfirmed", "a@x.ua", "NEED_CONFIRMATION", "unconfirmed", id="still not"),
        pytest.param("unsubscribed", "a@x.ua", "SUBSCRIBED", "subscribed", id="again"),
        pytest.param(
            "subscribed", "b@x.ua", "ALREADY_SUBSCRIBED", "subscribed", id="of the stored"
        ),
        pytest.param("subscribed", None, "ALREADY_SUBSCRIBED", "subscribed", id="not said"),
        pytest.param(
            "unsubscribed", "b@x.ua", "NEED_CONFIRMATION", "unsubscribed", id="another's words"
        ),
        pytest.param(
            "unsubscribed", None, "NEED_CONFIRMATION", "unsubscribed", id="a phone says nothing"
        ),
        pytest.param("blacklisted", "a@x.ua", "BLACKLISTED", "blacklisted", id="blacklisted"),
    ],
)
def test_email_status_speaks_of_the_stored_address(
    world: World, stored: str | None, said: str | None, status: str, after: str
) -> None:
    """D17, wire 3.6: who names the stored address subscribes it again; nobody else does."""
    if stored == "unconfirmed":
        mine = world.subscribe(x="A", email="a@x.ua").id
    else:
        mine = world.post(x="A", **({"email": "a@x.ua"} if stored else {})).id
    if stored == "unsubscribed":
        world.unsubscribe("a@x.ua")
    if stored == "blacklisted":
        world.refusals[(2, "a@x.ua")] = 5
        world.put(mine, clear="email")
        world.put(mine, email="a@x.ua")
    found = world.subscribe(x="A", phone="380501", **({"email": said} if said else {}))
    assert found.outcome.email_status == status
    assert world.consent(mine)["email"] == after


def test_without_an_address_there_is_no_status(world: World) -> None:
    """Wire 3.6: omitted when there is only a phone."""
    assert world.subscribe(phone="380501").outcome.email_status is None


def test_subscribing_again_takes_the_address_off_the_list(world: World) -> None:
    """Wire 3.6, D10: a later card with the address is not refused any more."""
    world.post(x="A", email="a@x.ua")
    world.unsubscribe("a@x.ua")
    world.subscribe(x="A", email="a@x.ua")
    assert world.refusals == {}
    assert world.consent(world.post(x="B", email="a@x.ua").id)["email"] == "subscribed"


def test_subscribe_adds_lists_categories_and_an_event(world: World) -> None:
    """Wire 3.6."""
    new = world.subscribe(email="a@x.ua", groups=("one",), subscriptions=("news",), form="footer")
    world.subscribe(email="a@x.ua", phone="380501", groups=("two",))
    world.subscribe(phone="380502", form="footer")
    assert world.lists_of(new.id) == {"one", "two"}
    assert world.consent(new.id)["category:news"] == "subscribed"
    assert world.events == [
        (new.id, "subscribeFromApi-footer", {"ContactId": new.id, "EmailAddress": "a@x.ua"}),
        (new.id, "subscribeUpdateFromApi", {"ContactId": new.id, "EmailAddress": "a@x.ua"}),
        (new.id + 1, "subscribeFromApi-footer", {"ContactId": new.id + 1}),
    ]


def test_post_and_put_cause_no_event(world: World) -> None:
    """Wire 3.1, 3.2."""
    world.put(world.post(email="a@x.ua").id, first="Ann")
    assert world.events == []


def test_an_app_token_is_only_added(world: World) -> None:
    """Wire 3.12: identifiers of a found contact are never changed, its names neither."""
    mine = world.post(x="A", first="Ann").id
    world.app_token("G", x="A", email="b@x.ua", phone="380502", first="Bob")
    card = world.card(mine)
    assert (card.email, card.phone, card.first_name) == (None, None, "Ann")
    assert world.has(mine) == {"A", "G"}


def test_an_app_token_of_nobody_creates_with_all_it_brings(world: World) -> None:
    """Wire 3.12: not found: created with all given identifiers and the token."""
    new = world.app_token("G", x="A", email="b@x.ua", phone="380502")
    assert (new.came_to, world.has(new.id)) == ("created", {"A", "b@x.ua", "380502", "G"})


def test_subscriptions_are_the_full_set(world: World) -> None:
    """Wire 3.13: what is not named is unsubscribed; the same set again changes nothing."""
    mine = world.subscribe(x="A", subscriptions=("news", "sale")).id
    assert world.set_subscriptions(mine, "sale", "tips").came_to == "updated"
    assert world.consent(mine) == {
        "category:news": "unsubscribed",
        "category:sale": "subscribed",
        "category:tips": "subscribed",
    }
    assert world.set_subscriptions(mine, "sale", "tips").came_to == "unchanged"


def test_names_are_replaced_too(world: World) -> None:
    """G8.1: updated with the request's data."""
    mine = world.post(x="A", first="Ann").id
    world.post(x="A", first="Anna")
    assert world.card(mine).first_name == "Anna"


def test_spam_belongs_to_the_address(world: World) -> None:
    """D10, D14: a new mailbox has not reported spam; going back to the old one has."""
    world.refusals[(2, "a@x.ua")] = 4
    mine = world.post(x="A", email="a@x.ua").id
    assert world.consent(mine)["email"] == "spam"
    world.post(x="A", email="b@x.ua")
    assert world.consent(mine)["email"] == "subscribed"
    world.post(x="A", email="a@x.ua")
    assert world.consent(mine)["email"] == "spam"
