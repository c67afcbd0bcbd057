"""D29, D25: remove is restorable, erase is not."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from kartoteka.contacts.model import Command
from kartoteka.errors import InvalidRequest, NotFound
from kartoteka.identity.model import TEXTS
from tests.rules import stories
from tests.rules.world import World


def person(world: World) -> int:
    """Somebody with everything, former External ID included."""
    mine = world.subscribe(
        x="A", email="a@x.ua", phone="380501", token="T", first="Ann", fields={"1": "a"}
    ).id
    world.put(mine, x="B")
    return mine


@pytest.mark.parametrize("by", ["id", "x"])
def test_remove(world: World, by: str) -> None:
    """D25, wire 2.12: soft: all stays, to be restored; twice is fine."""
    mine = person(world)
    before = world.card(mine)
    target = {"contact_id": mine} if by == "id" else {"x": "B"}
    assert world.remove(**target).came_to == "updated"
    card = world.card(mine)
    assert (world.status(mine), card.removed_at) == ("removed", world.now)
    assert card.first_name == before.first_name
    assert world.has(mine) == {"A", "B", "a@x.ua", "380501", "T"}
    assert world.remove(**target).came_to == "unchanged"
    assert world.actions(mine).count("removed") == 1


@pytest.mark.parametrize("removed_before", [False, True])
@pytest.mark.parametrize("by", ["id", "x"])
def test_erase(world: World, by: str, removed_before: bool) -> None:
    """D29, D25: the person's values are destroyed, of a removed contact as well."""
    mine = person(world)
    if removed_before:
        world.remove(mine)
    world.erase(**({"contact_id": mine} if by == "id" else {"x": "B"}))
    card = world.card(mine)
    assert (world.status(mine), world.held(mine)) == ("erased", [])
    assert all(getattr(card, name) is None for name in (*TEXTS, "email", "phone", "external_id"))
    assert (card.fields, card.consent, card.former_ids) == ({}, {}, 0)
    stored = repr((world.history, world.rows, world.cards, world.events))
    for value in ("a@x.ua", "380501", "'A'", "'B'", "'T'", "Ann"):
        assert value not in stored


@pytest.mark.parametrize("by", [{"contact_id": 1}, {"x": "A"}, {"x": "B"}])
@pytest.mark.parametrize("erase", [False, True])
def test_delete_of_an_erased_one(world: World, by: dict, erase: bool) -> None:
    """D25: by id or External ID, former ones too: fine."""
    mine = person(world)
    world.erase(mine)
    again = (world.erase if erase else world.remove)(**by)
    assert (again.id, again.came_to) == (mine, "unchanged")


@pytest.mark.parametrize("by", [{"contact_id": 99}, {"x": "Z"}])
def test_delete_of_what_was_never_known(world: World, by: dict) -> None:
    """D25: 404 with `not found`."""
    with pytest.raises(NotFound, match="not found"):
        world.remove(**by)


def test_delete_of_nothing(world: World) -> None:
    """D25: blank: 400."""
    with pytest.raises(InvalidRequest):
        world.remove()


def test_what_stays_are_hashes_of_lasting_identifiers(world: World) -> None:
    """D29: External ID, e-mail and phone; no token."""
    person(world)
    world.erase(x="B")
    assert set(world.suppressions) == {(1, "A"), (1, "B"), (2, "a@x.ua"), (3, "380501")}


@pytest.mark.parametrize("method", [stories.add, stories.subscribe])
@pytest.mark.parametrize("said", [{"x": "B"}, {"x": "A"}, {"email": "a@x.ua"}, {"phone": "380501"}])
def test_post_and_subscribe_lift_the_suppression(
    world: World, method: Callable[..., Command], said: dict[str, str]
) -> None:
    """D29, wire 14.4: and create a new contact with a new id."""
    mine = person(world)
    world.erase(mine)
    new = world.send(method(**said))
    assert (new.id != mine, new.came_to) == (True, "created")
    assert world.status(mine) == "erased"
    ((name, value),) = said.items()
    key = stories.Identifier(stories.KIND[name].code, value).key
    assert not world.suppressions.get(key)
    assert world.app_token("G", **said).id == new.id


@pytest.mark.parametrize(
    ("said", "suppressed"),
    [
        pytest.param({"x": "B"}, True, id="its External ID is"),
        pytest.param({"x": "A", "email": "new@x.ua"}, True, id="a former External ID is"),
        pytest.param({"email": "a@x.ua"}, True, id="without one, its e-mail is"),
        pytest.param({"phone": "380501"}, True, id="without one, its phone is"),
        pytest.param({"x": "C", "email": "a@x.ua"}, False, id="an External ID that is not"),
        pytest.param({"email": "b@x.ua"}, False, id="somebody else"),
    ],
)
def test_all_else_is_refused(world: World, said: dict[str, str], suppressed: bool) -> None:
    """D29: an app token of that person: outcome `suppressed`, nothing is stored."""
    world.erase(person(world))
    count, hashes = len(world.cards), repr(world.suppressions)
    given = world.app_token("G", **said)
    assert repr(world.suppressions) == hashes
    assert (given.came_to == "suppressed") is suppressed
    assert (len(world.cards) == count) is suppressed
    assert bool(world.owners("telegram", "G")) is not suppressed


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"x": "C", "email": "a@x.ua"}, {"email": "a@x.ua"}),
        ({"x": "C", "phone": "380501"}, {"phone": "380501"}),
        ({"x": "C", "email": "c@x.ua", "phone": "380501"}, {"phone": "380501"}),
    ],
)
def test_not_while_a_live_contact_holds_it(
    world: World, other: dict[str, str], said: dict[str, str]
) -> None:
    """D29: a shared mailbox or phone is the other person's too, even where D10a takes no card."""
    world.post(**other)
    world.erase(person(world))
    assert world.app_token("G", **said).came_to in ("updated", "created")


def test_a_removed_holder_is_not_a_live_one(world: World) -> None:
    """D29: no *live* contact holds it."""
    other = world.post(x="C", phone="380501").id
    world.remove(other)
    world.erase(person(world))
    assert world.app_token("G", phone="380501").came_to == "suppressed"


def test_a_suppressed_external_id_does_not_join_a_card(world: World) -> None:
    """D29: a row is suppressed if its External ID is, whoever has its phone."""
    other = world.post(phone="380502").id
    world.erase(person(world))
    assert world.app_token("G", x="B", phone="380502").came_to == "suppressed"
    assert world.card(other).external_id is None


def test_what_the_address_refused_stays_refused(world: World) -> None:
    """D10, D29: erasing is no way to get mail again."""
    mine = person(world)
    world.unsubscribe("a@x.ua")
    world.erase(mine)
    assert (2, "a@x.ua") not in world.refusals
    new = world.post(x="A", email="a@x.ua").id
    assert world.consent(new)["email"] == "unsubscribed"
    assert world.refusals == {(2, "a@x.ua"): 3}


def test_others_keep_what_they_share(world: World) -> None:
    """D29: the person's values, not the family's."""
    other = world.post(x="C", email="a@x.ua").id
    world.unsubscribe("a@x.ua")
    world.erase(person(world))
    assert world.has(other) == {"C", "a@x.ua"}
    assert world.consent(other)["email"] == "unsubscribed"
    assert world.refusals == {(2, "a@x.ua"): 3}


def test_whom_the_person_had_absorbed_goes_along(world: World) -> None:
    """D29, D14: a retired card is the same person; its snapshot must not survive."""
    other = world.post(token="T", first="Eve").id
    mine = world.post(x="A").id
    assert world.post(x="A", token="T").absorbed == [other]
    world.erase(mine)
    assert (world.status(mine), world.status(other)) == ("erased", "erased")
    assert b"Eve" not in msgspec.json.encode(world.history)


def test_remove_is_restorable(world: World) -> None:
    """D29: remove is, erase is not."""
    mine = person(world)
    world.remove(mine)
    assert world.post(x="B").id == mine
    world.erase(mine)
    assert world.post(x="B").id != mine


def test_a_card_merged_into_one_that_is_erased_in_the_same_batch(world: World) -> None:
    """D25: DELETE of an erased one is 200, whether it was erased a moment or a year ago."""
    world.post(token="T", cookie="K")
    kept = world.post(email="a@x.ua").id
    batch = [
        stories.add(email="a@x.ua", cookie="K"),
        stories.erase(kept),
        stories.remove(1),
    ]
    absorbed, erased, removed = world.batch(batch)
    assert absorbed.outcome.resolution.absorbed == [1]
    assert [one.outcome.resolution.outcome for one in (erased, removed)] == ["updated", "unchanged"]


def test_what_an_address_refused_is_forgotten_though_another_gets_it_at_once(world: World) -> None:
    """D29: the plain address goes with its last holder, in the same batch too."""
    gone = world.post(email="a@x.ua").id
    world.batch([stories.unsubscribe("a@x.ua")])
    world.batch([stories.erase(gone), stories.app_token("G", x="A", email="a@x.ua")])
    assert not any(world.refusals.values())
