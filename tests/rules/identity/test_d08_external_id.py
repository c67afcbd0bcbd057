"""D8: an External ID decides, always, before any other identifier."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kartoteka.contacts.model import Command
from tests.rules import stories
from tests.rules.world import World


@pytest.mark.parametrize("method", [stories.add, stories.subscribe])
@pytest.mark.parametrize(
    "also", [{"email": "b@x.ua"}, {"phone": "380502"}, {"token": "T"}, {"device": "D"}]
)
def test_the_external_id_decides_before_any_other(
    world: World, method: Callable[..., Command], also: dict[str, str]
) -> None:
    """D8, G8.1, G11."""
    world.post(x="B", first="Bob", **also)
    mine = world.post(x="A", first="Ann").id
    found = world.send(method(x="A", **also))
    assert (found.id, found.rule) == (mine, "external_id")
    assert found.resolution.matched_by == "external_id"


def test_the_external_id_is_compared_as_it_is(world: World) -> None:
    """D3: case and leading zeros make another person."""
    ids = {world.post(x=value).id for value in ("ab", "AB", "7", "007")}
    assert len(ids) == 4


@pytest.mark.parametrize("method", [stories.add, stories.subscribe])
def test_a_removed_contact_is_restored(world: World, method: Callable[..., Command]) -> None:
    """D8, G8.2: POST contact and subscribe restore the removed contact with this External ID."""
    first = world.post(x="A", email="a@x.ua", first="Ann").id
    world.remove(x="A")
    assert world.status(first) == "removed"
    back = world.send(method(x="A", last="Lee"))
    assert (back.id, back.came_to, back.rule) == (first, "restored", "restored_by_external_id")
    card = world.card(first)
    assert (world.status(first), card.removed_at) == ("live", None)
    assert (card.first_name, card.last_name, card.email) == ("Ann", "Lee", "a@x.ua")
    assert not back.outcome.new


def test_a_removed_contact_is_restored_by_its_former_id(world: World) -> None:
    """D8, D11: a former External ID finds its card in every method."""
    first = world.post(x="A").id
    world.put(first, x="B")
    world.remove(first)
    assert world.post(x="A").id == first
    assert world.status(first) == "live"
    assert world.card(first).external_id == "B"


def test_put_of_a_removed_contact_restores_it(world: World) -> None:
    """D8: PUT of that id."""
    first = world.post(x="A").id
    world.remove(first)
    back = world.put(first, first="Ann")
    assert (back.came_to, back.rule) == ("restored", "restored_by_contact_id")
    assert world.status(first) == "live"


def test_an_app_token_restores_nobody(world: World) -> None:
    """D8: otherwise it is attached to the removed card, which stays removed."""
    first = world.post(x="A").id
    world.remove(first)
    given = world.app_token("G", x="A")
    assert (given.id, given.came_to) == (first, "attached_to_removed")
    assert world.status(first) == "removed"
    assert world.owners("telegram", "G") == [first]


def test_a_removed_contact_without_external_id_gets_no_new_one(world: World) -> None:
    """D9 names live contacts only: a new External ID and the e-mail of a removed card create."""
    first = world.post(email="a@x.ua").id
    world.remove(first)
    new = world.post(x="A", email="a@x.ua")
    assert (new.id != first, new.came_to, world.status(first)) == (True, "created", "removed")


def test_a_restored_contact_does_not_get_back_what_moved(world: World) -> None:
    """D8: exclusive identifiers that have moved since stay where they are."""
    first = world.post(x="A", token=("T", "U")).id
    world.remove(first)
    other = world.post(x="B", token="T").id
    world.post(x="A")
    assert world.owners("token", "T") == [other]
    assert world.owners("token", "U") == [first]


def test_a_contact_id_comes_before_the_external_id(world: World) -> None:
    """D8: only a contactId that D7 puts first does; another's External ID beside it is ignored."""
    mine = world.post(x="A").id
    other = world.post(x="B").id
    given = world.app_token("G", contact_id=mine, x="B")
    assert (given.id, given.warnings) == (mine, ["external_id_disagrees"])
    assert world.card(mine).external_id == "A"
    assert world.card(other).external_id == "B"


def test_an_external_id_that_is_free_is_no_disagreement(world: World) -> None:
    """D8, D9: nobody's External ID beside a contactId joins the card that has none."""
    mine = world.post(email="a@x.ua").id
    given = world.app_token("G", contact_id=mine, x="A")
    assert (given.id, given.warnings) == (mine, [])
    assert world.card(mine).external_id == "A"


def test_the_cards_own_external_id_agrees(world: World) -> None:
    """D8, D11: a former one of the card too."""
    mine = world.post(x="A").id
    world.put(mine, x="B")
    assert world.app_token("G", contact_id=mine, x="A").warnings == []
    assert world.card(mine).external_id == "B"


def test_an_unknown_contact_id_is_as_if_absent(world: World) -> None:
    """D8: warning `contact_id_unknown`, and the other identifiers decide."""
    mine = world.post(x="A").id
    given = world.app_token("G", contact_id=999, x="A")
    assert (given.id, given.warnings) == (mine, ["contact_id_unknown"])


def test_an_erased_contact_id_is_unknown(world: World) -> None:
    """D8, D29: an erased contact is nobody."""
    gone = world.post(x="A").id
    world.erase(gone)
    mine = world.post(x="B").id
    given = world.app_token("G", contact_id=gone, x="B")
    assert (given.id, given.warnings) == (mine, ["contact_id_unknown"])
