"""D10a: shared devices and phones: the wrong person is the greater harm."""

from __future__ import annotations

from typing import Any

import pytest

from kartoteka.identity.model import Settings
from tests.rules.world import World

Said = dict[str, Any]


@pytest.mark.parametrize(
    ("stored", "request_", "taken"),
    [
        pytest.param({}, {}, True, id="nobody on both sides"),
        pytest.param({}, {"email": "a@x.ua"}, True, id="an anonymous card gets the person"),
        pytest.param({}, {"x": "A"}, True, id="an anonymous card gets the External ID"),
        pytest.param({"email": "a@x.ua"}, {"phone": "380501"}, True, id="it has no phone"),
        pytest.param({"phone": "380501"}, {"email": "a@x.ua"}, True, id="it has no e-mail"),
        pytest.param({"email": "a@x.ua"}, {"email": "b@x.ua"}, False, id="another mailbox"),
        pytest.param({"phone": "380501"}, {"phone": "380502"}, False, id="another phone"),
        pytest.param({"email": "a@x.ua"}, {"x": "A", "email": "b@x.ua"}, False, id="A, other mail"),
        pytest.param({"email": "a@x.ua"}, {"x": "A"}, True, id="External ID, nothing against it"),
        pytest.param({"x": "A"}, {}, True, id="the request names no lasting identifier at all"),
        pytest.param(
            {"x": "A"}, {"email": "a@x.ua"}, False, id="somebody's, the request's e-mail new"
        ),
        pytest.param(
            {"x": "A"}, {"phone": "380501"}, False, id="somebody's, the request's phone new"
        ),
        pytest.param({"x": "A"}, {"x": "B"}, False, id="another External ID"),
        pytest.param({"x": "A", "email": "a@x.ua"}, {}, True, id="a known person's device again"),
    ],
)
@pytest.mark.parametrize("name", ["token", "device", "cookie"])
def test_found_only_by_a_changeable_identifier(
    world: World, name: str, stored: Said, request_: Said, taken: bool
) -> None:
    """D10a: taken only if it contradicts no lasting identifier of the request."""
    extra = {"token": "extra"} if name == "cookie" else {}
    card = world.post(**{name: "T"}, **stored, **extra).id
    found = world.post(**{name: "T"}, **request_)
    assert (found.id == card) is taken
    # Otherwise it is another person on the same device: the identifier moves (D12).
    assert world.owners(name, "T") == [found.id]
    if not taken:
        for kind, value in stored.items():
            assert world.owners(kind, value) == [card]


def test_another_person_on_the_same_tablet(world: World) -> None:
    """D10a, wire 14.21: two people log in one after the other; each keeps their own card."""
    ann = world.post(x="A", email="ann@x.ua", device="D", token="T").id
    bob = world.post(x="B", email="bob@x.ua", device="D", token="T").id
    assert bob != ann
    assert world.has(ann) == {"A", "ann@x.ua"}
    assert world.has(bob) == {"B", "bob@x.ua", "D", "T"}
    assert world.post(x="A", device="D", token="T").id == ann
    assert world.owners("device", "D") == world.owners("token", "T") == [ann]


def test_the_next_kind_decides(world: World) -> None:
    """D10a: the token's card is refused, the device's card is nobody's."""
    other = world.post(token="T", email="a@x.ua").id
    mine = world.post(device="D").id
    found = world.post(email="b@x.ua", token="T", device="D")
    assert (found.id, found.rule) == (mine, "found_by_device")
    assert world.card(other).email == "a@x.ua"


def test_the_same_external_id_on_the_same_device(world: World) -> None:
    """D10a: it has the same one."""
    card = world.post(x="A", token="T").id
    assert world.post(x="A", token="T", email="a@x.ua").id == card


@pytest.mark.parametrize(
    ("stored", "request_", "taken"),
    [
        pytest.param({}, {}, True, id="its e-mail is missing"),
        pytest.param(
            {}, {"email": "a@x.ua"}, True, id="its e-mail is missing, the request has one"
        ),
        pytest.param({"email": "a@x.ua"}, {}, False, id="the request has no e-mail"),
        pytest.param({"email": "a@x.ua"}, {"email": "b@x.ua"}, False, id="family phone"),
        pytest.param({"x": "A"}, {}, True, id="an External ID is no obstacle, a mailbox is"),
        pytest.param({"first": "Ann"}, {"first": "Bob"}, True, id="names do not matter without ID"),
        pytest.param({"first": "Ann"}, {"x": "A", "first": "Bob"}, False, id="new ID, namesake"),
        pytest.param(
            {"last": "Lee"}, {"x": "A", "last": "Low"}, False, id="new ID, other last name"
        ),
        pytest.param(
            {"first": "Ann"}, {"x": "A", "first": " ANN "}, True, id="case and blanks aside"
        ),
        pytest.param({"first": "Ann"}, {"x": "A"}, True, id="new ID, no name to contradict"),
        pytest.param({}, {"x": "A", "first": "Bob"}, True, id="new ID, the card has no name"),
    ],
)
def test_found_only_by_phone(world: World, stored: Said, request_: Said, taken: bool) -> None:
    """D10a: only if its e-mail is missing or the request's, and a new External ID's name agrees."""
    card = world.post(phone="380501", **stored).id
    found = world.post(phone="380501", **request_)
    assert (found.id == card) is taken
    if not taken:
        assert world.owners("phone", "380501") == [card, found.id]


@pytest.mark.parametrize("stored", [{}, {"email": "a@x.ua"}, {"x": "A", "email": "a@x.ua"}])
def test_subscribe_takes_a_card_found_only_by_phone(world: World, stored: Said) -> None:
    """D10a: it replaces nothing, so it may."""
    card = world.post(phone="380501", **stored).id
    found = world.subscribe(phone="380501", email="b@x.ua")
    assert found.id == card
    assert world.card(card).email == stored.get("email", "b@x.ua")


def test_subscribe_with_a_new_external_id_never_takes_anothers(world: World) -> None:
    """D9: the phone of somebody with an External ID."""
    card = world.post(phone="380501", x="A").id
    assert world.subscribe(phone="380501", x="B").id != card


def test_more_evidence_never_takes_less(world: World) -> None:
    """D10a: subscribe finds by phone; that the same phone holds the token too is no obstacle."""
    card = world.post(phone="380501", email="a@x.ua", token="T").id
    assert world.subscribe(phone="380501", email="b@x.ua", token="T").id == card


@pytest.mark.parametrize(
    ("stored", "request_", "taken"),
    [
        pytest.param({"email": "a@x.ua"}, {}, True, id="nothing is contradicted"),
        pytest.param({}, {"email": "a@x.ua"}, True, id="the card has no e-mail"),
        pytest.param({"email": "a@x.ua"}, {"email": "b@x.ua"}, False, id="another mailbox"),
        pytest.param({"first": "Ann"}, {"x": "A", "first": "Bob"}, False, id="new ID, namesake"),
        pytest.param({"first": "Ann"}, {"x": "A", "first": "ann"}, True, id="new ID, same name"),
    ],
)
def test_found_by_phone_and_device_together(
    world: World, stored: Said, request_: Said, taken: bool
) -> None:
    """D10a as judged in docs/decisions/0003-evidence.md: taken unless e-mail or phone contradict."""
    card = world.post(phone="380501", token="T", **stored).id
    found = world.post(phone="380501", token="T", **request_)
    assert (found.id == card) is taken


@pytest.mark.parametrize(
    ("stored", "request_", "taken"),
    [
        pytest.param({"email": "a@x.ua"}, {"email": "b@x.ua"}, True, id="another mailbox"),
        pytest.param({"first": "Ann"}, {"x": "A", "first": "Bob"}, True, id="another name"),
        pytest.param({"x": "A"}, {"x": "B"}, False, id="another External ID"),
        pytest.param({"x": "A"}, {"email": "b@x.ua"}, False, id="somebody with an External ID"),
    ],
)
def test_setting_phone_is_personal(stored: Said, request_: Said, taken: bool) -> None:
    """D10a *(setting `phone_is_personal`)*: on: taken if it has no External ID."""
    world = World(Settings(phone_is_personal=True))
    card = world.post(phone="380501", **stored).id
    assert (world.post(phone="380501", **request_).id == card) is taken


def test_an_email_is_enough(world: World) -> None:
    """D10a speaks of devices and phones: a mailbox finds its card whatever else differs."""
    card = world.post(email="a@x.ua", phone="380501", first="Ann", token="T").id
    assert world.post(email="a@x.ua", phone="380502", first="Bob", token="U").id == card
