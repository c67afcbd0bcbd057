"""D7: each method looks in its own order; the first kind that finds a card decides."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kartoteka.contacts.model import Command
from kartoteka.identity.kinds import BY_CODE, KINDS
from kartoteka.identity.policies import ADD_CONTACT
from tests.rules import stories
from tests.rules.world import World

ALL = {
    "x": "X",
    "email": "a@x.ua",
    "phone": "380501",
    "token": "T",
    "web": "W",
    "telegram": "G",
    "device": "D",
    "cookie": "C",
}


def strangers(world: World, *names: str) -> dict[str, int]:
    """One card for each identifier, none of which knows the others."""
    ids = {}
    for name in names:
        # A cookie alone never creates: it comes with something that the request does not name.
        extra = {"email": "cookie@x.ua"} if name == "cookie" else {}
        ids[name] = world.post(**{name: ALL[name]}, **extra).id
    if "cookie" in ids:
        world.put(ids["cookie"], clear="email")
    return ids


@pytest.mark.parametrize(
    ("names", "first"),
    [
        (("x", "email", "phone", "token"), "x"),
        (("email", "phone", "token", "device", "cookie"), "email"),
        (("phone", "token", "device", "cookie"), "phone"),
        (("token", "device", "cookie"), "token"),
        (("web", "device", "cookie"), "web"),
        (("telegram", "device", "cookie"), "telegram"),
        (("device", "cookie"), "device"),
        (("cookie",), "cookie"),
    ],
)
@pytest.mark.parametrize("turned", [False, True])
def test_post_contact_looks_in_this_order(
    world: World, names: tuple[str, ...], first: str, turned: bool
) -> None:
    """D7: External ID, e-mail, phone, then tokens, device, cookie, whoever came first."""
    ids = strangers(world, *(reversed(names) if turned else names))
    found = world.post(**{name: ALL[name] for name in names})
    assert found.id == ids[first]
    assert not found.outcome.new


def test_post_contact_knows_every_kind(world: World) -> None:
    """D1, D7: a kind that is added to the list has a place in the order."""
    assert {BY_CODE[code] for code in ADD_CONTACT.order} == set(KINDS) - {KINDS[0]}


@pytest.mark.parametrize(
    ("names", "first"),
    [(("x", "email", "phone"), "x"), (("email", "phone"), "email"), (("phone",), "phone")],
)
def test_subscribe_looks_in_this_order(world: World, names: tuple[str, ...], first: str) -> None:
    """D7, G11: External ID, then e-mail, then phone."""
    ids = strangers(world, *reversed(names))
    found = world.subscribe(**{name: ALL[name] for name in names})
    assert found.id == ids[first]


def test_subscribe_does_not_look_for_the_token_of_a_named_person(world: World) -> None:
    """D7, G11: the device's card is somebody's who is not named; its token moves (D12)."""
    other = world.post(token="T", phone="380501", first="Ann").id
    new = world.subscribe(email="b@x.ua", token="T")
    assert new.id != other
    assert new.outcome.new
    assert world.owners("token", "T") == [new.id]
    assert world.card(other).phone == "380501"


def test_subscribe_of_nobody_but_a_device_finds_it_again(world: World) -> None:
    """D10, D22: without any lasting identifier the device itself is who subscribes."""
    first = world.subscribe(token="T")
    again = world.subscribe(token="T")
    assert (first.outcome.new, again.outcome.new) == (True, False)
    assert again.id == first.id


@pytest.mark.parametrize(
    ("names", "first"),
    [
        (("contact_id", "x", "phone", "email"), "contact_id"),
        (("x", "phone", "email"), "x"),
        (("phone", "email"), "phone"),
        (("email",), "email"),
    ],
)
def test_app_tokens_look_in_this_order(world: World, names: tuple[str, ...], first: str) -> None:
    """D7, wire 3.12: contactId, External ID, phone, e-mail: phone before e-mail."""
    ids = strangers(world, *(name for name in reversed(names) if name != "contact_id"))
    said: dict[str, object] = {name: ALL[name] for name in names if name != "contact_id"}
    if "contact_id" in names:
        ids["contact_id"] = said["contact_id"] = world.post(email="other@x.ua").id
    assert world.app_token("G", **said).id == ids[first]


def test_app_tokens_do_not_look_for_the_token_itself(world: World) -> None:
    """D7: the token is what is given; who has it now is not who is named."""
    other = world.app_token("G", phone="380501").id
    found = world.app_token("G", email="b@x.ua")
    assert found.id != other
    assert world.owners("telegram", "G") == [found.id]


@pytest.mark.parametrize("method", [stories.add, stories.subscribe])
def test_the_first_kind_decides_not_the_number_of_kinds(
    world: World, method: Callable[..., Command]
) -> None:
    """D7: an e-mail wins over phone and token together."""
    by_email = world.post(email="a@x.ua").id
    world.post(phone="380501", token="T")
    assert world.send(method(email="a@x.ua", phone="380501", token="T")).id == by_email
