"""Lists (wire 3.14): who joins and leaves by id, and what names nobody."""

from __future__ import annotations

import pytest

from kartoteka.contacts.model import EmptyList
from tests.rules.stories import add, attach, detach, origin
from tests.rules.world import Answer, World


def nobody(answer: object) -> int:
    assert isinstance(answer, Answer)
    count = answer.outcome.answer["nobody"]
    assert isinstance(count, int)
    return count


def test_live_contacts_join_by_id_and_by_external_id(world: World):
    alice, bob = world.post(x="A").id, world.post(x="B").id
    assert nobody(world.attach("News", alice)) == 0
    assert nobody(world.attach("News", x=("B",))) == 0
    assert world.lists["News"] == {alice, bob}


def test_what_names_nobody_fails_nothing_and_is_counted(world: World):
    alice = world.post(x="A").id
    removed, erased = world.post(x="R").id, world.post(x="E").id
    world.remove(removed)
    world.erase(erased)
    assert nobody(world.attach("News", 999_999, alice, removed, erased)) == 3
    assert nobody(world.attach("News", x=("nobody", "A", "R", "E"))) == 3
    assert world.lists["News"] == {alice}


def test_nobody_at_all_is_unchanged(world: World):
    assert world.attach("News", 999_999).came_to == "unchanged"
    assert world.detach("News", 999_999).came_to == "unchanged"


def test_a_former_external_id_names_its_contact(world: World):
    """D11: it still finds the card in every method."""
    alice = world.post(x="old").id
    world.put(alice, x="new")
    world.attach("News", x=("old",))
    assert world.lists["News"] == {alice}


@pytest.fixture
def merged(world: World) -> tuple[int, int, int]:
    """(first, second, survivor): the first was absorbed by the second, that by the survivor."""
    first = world.post(token="T1").id
    second = world.post(token="T2").id
    world.put(second, token="T1")
    survivor = world.post(x="A").id
    world.post(x="A", token=("T1", "T2"))
    assert (world.status(first), world.status(second)) == ("merged", "merged")
    return first, second, survivor


@pytest.mark.parametrize("which", [0, 1], ids=["through another", "straight"])
def test_a_merged_id_is_followed(world: World, merged, which):
    """D14: by attach and detach, through any chain."""
    assert nobody(world.attach("News", merged[which])) == 0
    assert world.lists_of(merged[2]) == {"News"}
    assert nobody(world.detach("News", merged[which])) == 0
    assert world.lists["News"] == set()


def test_many_merged_ids_are_loaded_together(world: World):
    """The engine asks a rule again a limited number of times (`World` fifty)."""
    retired = []
    for number in range(60):
        retired.append(world.post(token=f"T{number}").id)
        world.post(x=f"A{number}")
        world.post(x=f"A{number}", token=f"T{number}")
    world.attach("News", *retired)
    assert len(world.lists["News"]) == 60


def test_who_leaves_leaves_with_the_cards_that_were_merged_into_theirs(world: World):
    """So that no undo brings a person back to a list that they left."""
    absorbed = world.subscribe(token="T", groups=("News",)).id
    survivor = world.post(x="A").id
    world.post(x="A", token="T")
    assert world.lists["News"] == {absorbed, survivor}
    world.detach("News", survivor)
    assert world.lists["News"] == set()


def test_a_removed_contact_leaves_too(world: World):
    """Else restoring it would bring it back to the list."""
    alice = world.post(x="A").id
    world.attach("News", alice)
    world.remove(alice)
    assert nobody(world.detach("News", alice)) == 0
    assert world.post(x="A").came_to == "restored"
    assert world.lists["News"] == set()


def test_a_removed_contact_comes_back_to_its_lists(world: World):
    alice = world.post(x="A").id
    world.attach("News", alice)
    world.remove(alice)
    world.post(x="A")
    assert world.lists["News"] == {alice}


def test_the_card_itself_is_written_but_stays_as_it_is(world: World):
    """Who waits for its lock must see that something about it changed (ARCHITECTURE, traps)."""
    alice = world.post(x="A").id
    before = world.card(alice)
    for change in (world.attach, world.detach):
        change("News", alice)
        assert world.written == {alice}
        assert world.card(alice) == before


def test_an_erased_contact_is_on_no_list(world: World):
    alice = world.post(x="A").id
    world.attach("News", alice)
    world.erase(alice)
    assert world.lists["News"] == set()


@pytest.mark.parametrize("last", [attach, detach], ids=["attach", "detach"])
def test_in_one_batch_the_last_word_counts(world: World, last):
    alice, bob = world.post(x="A").id, world.post(x="B").id
    news, sale = world.list_id("News"), world.list_id("Sale")
    first = detach if last is attach else attach
    world.batch([first(news, alice), first(sale, alice), first(news, bob), last(news, alice)])
    assert (alice in world.lists["News"]) == (last is attach)
    assert (alice in world.lists["Sale"]) == (bob in world.lists["News"]) == (last is detach)


@pytest.mark.parametrize("first", [True, False], ids=["left before", "left after"])
def test_who_is_absorbed_in_the_same_batch_takes_no_list_along_that_they_left(world: World, first):
    absorbed = world.subscribe(token="T", groups=("News", "Sale")).id
    survivor = world.post(x="A").id
    commands = [add(x="A", token="T"), detach(world.list_id("News"), absorbed)]
    world.batch(commands[::-1] if first else commands)
    assert world.lists_of(survivor) == {"Sale"}


def test_who_joined_and_is_absorbed_in_the_same_batch_takes_the_list_along(world: World):
    absorbed = world.post(token="T").id
    survivor = world.post(x="A").id
    world.batch([attach(world.list_id("News"), absorbed), add(x="A", token="T")])
    assert survivor in world.lists["News"]


def test_a_part_of_emptying_takes_a_range_and_gives_its_mark_back(world: World):
    people = [world.post(x=f"X{number}").id for number in range(4)]
    world.attach("News", *people)
    part = EmptyList(
        origin=origin(), segment_id=world.list_id("News"), first=people[1], last=people[2], mark="m"
    )
    assert world.send(part).outcome.answer == {"mark": "m"}
    assert world.lists["News"] == {people[0], people[3]}


def test_the_end_of_emptying_names_nobody(world: World):
    alice = world.post(x="A").id
    world.attach("News", alice)
    world.send(EmptyList(origin=origin(), segment_id=world.list_id("News")))
    assert world.lists["News"] == {alice}
