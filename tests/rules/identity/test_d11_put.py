"""D11: PUT and External IDs: taken, free, former."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kartoteka.contacts.model import Command
from kartoteka.errors import ExternalIdTaken, NotFound
from kartoteka.identity.model import Settings
from tests.rules import stories
from tests.rules.world import World


@pytest.mark.parametrize("removed", [False, True])
@pytest.mark.parametrize("former", [False, True])
def test_taken(world: World, removed: bool, former: bool) -> None:
    """D11, G9.1: another contact's, live or removed, primary or former: an error names the owner."""
    owner = world.post(x="A", email="a@x.ua").id
    if former:
        world.put(owner, x="A2")
    mine = world.post(x="B", first="Bob").id
    if removed:
        world.remove(owner)
    before = (world.cards.copy(), world.rows.copy())
    with pytest.raises(ExternalIdTaken) as error:
        world.put(mine, x="A", first="Bill", email="b@x.ua")
    assert error.value.code == "external_id_taken"
    assert f"id='{owner}'" in error.value.message
    assert error.value.details == {"contactId": owner, "removed": removed}
    assert ("restoring or erasing it frees" in error.value.message) is removed
    assert (world.cards, world.rows) == before


def test_a_refusal_is_in_the_history(world: World) -> None:
    """D26: refused, by which rule, and whose it is."""
    owner = world.post(x="A").id
    mine = world.post(x="B").id
    with pytest.raises(ExternalIdTaken):
        world.put(mine, x="A")
    line = world.history[-1]
    assert (line.action, line.rule, line.contact_id, line.other) == (
        "refused",
        "external_id_taken",
        mine,
        owner,
    )


def test_a_taken_external_id_does_not_restore(world: World) -> None:
    """D11: nothing changes."""
    world.post(x="A")
    mine = world.post(x="B").id
    world.remove(mine)
    with pytest.raises(ExternalIdTaken):
        world.put(mine, x="A")
    assert world.status(mine) == "removed"


def test_erasing_the_owner_frees_it(world: World) -> None:
    """D11: as the message says."""
    owner = world.post(x="A").id
    mine = world.post(x="B").id
    world.remove(owner)
    world.erase(owner)
    world.put(mine, x="A")
    assert world.owners("x", "A") == [mine]


def test_free(world: World) -> None:
    """G9.2: it belongs to nobody else: the contact is updated and gets it."""
    mine = world.post(email="a@x.ua").id
    assert world.put(mine, x="A", first="Ann").came_to == "updated"
    card = world.card(mine)
    assert (card.external_id, card.former_ids, card.first_name) == ("A", 0, "Ann")


def test_none_in_the_body(world: World) -> None:
    """G9.3: updated by contact id."""
    mine = world.post(x="A").id
    found = world.put(mine, first="Ann")
    assert (found.id, found.rule, world.card(mine).external_id) == (mine, "contact_id", "A")


def test_its_own_external_id_changes_nothing(world: World) -> None:
    """G9.2, D22."""
    mine = world.post(x="A").id
    assert world.put(mine, x="A").came_to == "unchanged"


def test_a_replaced_one_becomes_former(world: World) -> None:
    """D11: a free one takes its place."""
    mine = world.post(x="A").id
    world.put(mine, x="B")
    card = world.card(mine)
    assert (card.external_id, card.former_ids) == ("B", 1)
    assert {(one.value, one.former) for one in world.held(mine)} == {("A", True), ("B", False)}


@pytest.mark.parametrize("method", [stories.add, stories.subscribe])
def test_a_former_id_still_finds_its_card(world: World, method: Callable[..., Command]) -> None:
    """D11: in every method, rule `former_external_id`; it is never primary by that."""
    mine = world.post(x="A").id
    world.put(mine, x="B")
    found = world.send(method(x="A", first="Ann"))
    assert (found.id, found.rule) == (mine, "former_external_id")
    assert world.card(mine).external_id == "B"


def test_a_former_id_finds_for_app_tokens_too(world: World) -> None:
    """D11: in every method."""
    mine = world.post(x="A").id
    world.put(mine, x="B")
    assert world.app_token("G", x="A").id == mine


def test_former_ids_of_a_card_without_primary_are_never_primary(world: World) -> None:
    """D11: only PUT makes one primary again."""
    mine = world.post(x="A").id
    world.put(mine, x="B")
    world.put(mine, clear="externalCustomerId")
    assert world.post(x="A").id == mine
    assert world.card(mine).external_id is None


def test_put_of_the_cards_own_former_id(world: World) -> None:
    """D11: it is primary again and the other is former."""
    mine = world.post(x="A").id
    world.put(mine, x="B")
    world.put(mine, x="A")
    assert {(one.value, one.former) for one in world.held(mine)} == {("A", False), ("B", True)}
    assert (world.card(mine).external_id, world.card(mine).former_ids) == ("A", 1)
    assert world.history[-1].rule == "former_id_again_primary"


def test_put_of_a_former_id_without_primary(world: World) -> None:
    """D11: nothing becomes former then."""
    mine = world.post(x="A").id
    world.put(mine, x="B")
    world.put(mine, clear="externalCustomerId")
    world.put(mine, x="A")
    assert (world.card(mine).external_id, world.card(mine).former_ids) == ("A", 0)


def test_setting_keep_former_ids_off() -> None:
    """D11 *(setting `keep_former_ids`)*: off: the old one is free."""
    world = World(Settings(keep_former_ids=False))
    mine = world.post(x="A").id
    world.put(mine, x="B")
    assert world.has(mine) == {"B"}
    other = world.post(x="A")
    assert (other.id != mine, other.came_to) == (True, "created")


@pytest.mark.parametrize(
    ("clear", "left"),
    [
        ("externalCustomerId", {("A", True)}),
        ("formerExternalIds", {("B", False)}),
        ("externalCustomerId,formerExternalIds", set()),
    ],
)
def test_clear_frees_an_id_for_good(world: World, clear: str, left: set[tuple[str, bool]]) -> None:
    """D11, D16."""
    mine = world.post(x="A", email="a@x.ua").id
    world.put(mine, x="B")
    world.put(mine, clear=clear)
    held = {(one.value, one.former) for one in world.held(mine) if one.kind == 1}
    assert held == left
    freed = {"A", "B"} - {value for value, _ in left}
    for value in freed:
        assert world.post(x=value).id != mine


def test_delete_by_a_former_id(world: World) -> None:
    """D11: takes only that ID off the card."""
    mine = world.post(x="A", first="Ann").id
    world.put(mine, x="B")
    world.remove(x="A")
    assert world.status(mine) == "live"
    assert world.has(mine) == {"B"}
    assert world.card(mine).former_ids == 0
    assert world.card(mine).first_name == "Ann"
    assert world.post(x="A").id != mine


def test_erase_by_a_former_id_takes_its_traces_too(world: World) -> None:
    """D11, D29: its value leaves the history, the card stays."""
    mine = world.post(x="A", first="Ann").id
    world.put(mine, x="B")
    world.erase(x="A")
    assert world.status(mine) == "live"
    assert world.card(mine).first_name == "Ann"
    assert not any(one["value"] == "A" for line in world.history for one in line.identifiers or ())
    assert world.app_token("G", x="A").came_to == "suppressed"


def test_put_does_not_create(world: World) -> None:
    """Wire 3.2."""
    with pytest.raises(NotFound):
        world.put(1, email="a@x.ua")
    assert world.cards == {}


def test_put_of_an_erased_contact(world: World) -> None:
    """D29: erase is not restorable."""
    mine = world.post(x="A").id
    world.erase(mine)
    with pytest.raises(NotFound):
        world.put(mine, first="Ann")
