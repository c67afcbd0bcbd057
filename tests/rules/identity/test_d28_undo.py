"""Merges by hand and their undo (decisions D11, D15, D28): cases; the law is in test_undo_law.py."""

from __future__ import annotations

import pytest

from kartoteka.contacts.merging import SameContact
from kartoteka.contacts.undo import (
    ExternalIdElsewhere,
    LaterMerge,
    MergeUndone,
    PersonErased,
    UnknownMerge,
)
from kartoteka.errors import ContactMerged, NotFound
from kartoteka.identity.model import Settings
from tests.rules.world import World


def two(world: World) -> tuple[int, int]:
    """Ann, whom the shop knows, and a visitor with another mailbox."""
    ann = world.post(x="A", email="ann@x.ua", first="Ann", token="T").id
    ben = world.post(email="ben@x.ua", phone="380501", first="Ben", last="Lee", token="U").id
    return ann, ben


def test_a_merge_by_hand_keeps_what_the_kept_contact_says() -> None:
    world = World()
    ann, ben = two(world)
    merged = world.merge(ann, ben)
    assert (merged.id, merged.rule, merged.absorbed) == (ann, "merged_by_request", [ben])
    card = world.card(ann)
    assert (card.first_name, card.last_name) == ("Ann", "Lee")
    assert (card.email, card.phone) == ("ann@x.ua", "380501")
    assert world.has(ann) == {"A", "ann@x.ua", "380501", "T", "U"}
    assert world.owners("email", "ben@x.ua") == []


def test_of_two_external_ids_the_other_becomes_a_former_one() -> None:
    """Whatever `keep_former_ids` says, which is about replacing."""
    world = World(Settings(keep_former_ids=False))
    ann, ben = world.post(x="A").id, world.post(x="B").id
    world.put(ben, x="C")
    world.merge(ann, ben)
    assert (world.card(ann).external_id, world.card(ann).former_ids) == ("A", 1)
    assert world.post(x="C", first="Cy").id == ann
    world.undo()
    assert (world.card(ann).external_id, world.card(ben).external_id) == ("A", "C")
    assert (world.card(ann).first_name, world.card(ben).first_name) == (None, "Cy")


def test_the_only_external_id_becomes_primary_and_goes_back() -> None:
    world = World()
    ann, ben = world.post(email="a@x.ua").id, world.post(x="B").id
    world.merge(ann, ben)
    assert (world.card(ann).external_id, world.card(ann).former_ids) == ("B", 0)
    world.undo()
    assert (world.card(ann).external_id, world.card(ben).external_id) == (None, "B")


def test_undo_brings_back_everything() -> None:
    world = World()
    ann, ben = two(world)
    world.subscribe(token="U", groups=("News",), subscriptions=("weekly",))
    before = [world.card(one) for one in (ann, ben)], world.held(ann), world.held(ben)
    lists = world.lists_of(ann), world.lists_of(ben)
    world.merge(ann, ben)
    assert world.lists_of(ann) == {"News"}
    undone = world.undo()
    assert (undone.id, undone.rule) == (ben, "undone_by_request")
    assert ([world.card(one) for one in (ann, ben)], world.held(ann), world.held(ben)) == before
    assert (world.lists_of(ann), world.lists_of(ben)) == lists
    assert "undone" in world.actions(ben)


def test_what_came_since_goes_to_the_side_whose_identifier_carried_it() -> None:
    world = World()
    ann, ben = two(world)
    world.merge(ann, ben)
    world.post(token="U", first="Benjamin", device="D")
    world.post(x="A", last="Smith", cookie="K")
    world.subscribe(phone="380501", groups=("Phones",), subscriptions=("calls",))
    world.subscribe(x="A", groups=("Shop",))
    assert world.lists_of(ann) == {"Phones", "Shop"}
    world.undo()
    assert (world.card(ann).first_name, world.card(ann).last_name) == ("Ann", "Smith")
    assert (world.card(ben).first_name, world.card(ben).last_name) == ("Benjamin", "Lee")
    assert world.has(ann) == {"A", "ann@x.ua", "T", "K"}
    assert world.has(ben) == {"ben@x.ua", "380501", "U", "D"}
    assert (world.lists_of(ann), world.lists_of(ben)) == ({"Shop"}, {"Phones"})
    assert world.consent(ben)["category:calls"] == "subscribed"
    assert "category:calls" not in world.consent(ann)
    assert {who for who, *_ in world.owned} == {ann, ben}


def test_an_unsubscription_of_the_absorbed_address_is_not_forgotten() -> None:
    """D10, D14: it was off the card when it was refused, and comes back refused."""
    world = World()
    ann, ben = two(world)
    world.merge(ann, ben)
    world.unsubscribe("ben@x.ua")
    world.undo()
    assert world.consent(ben)["email"] == "unsubscribed"
    assert world.consent(ann)["email"] == "subscribed"


def test_nobody_merges_again_what_was_undone() -> None:
    """The same request that merged them finds them apart; by hand they can be merged again."""
    world = World()
    visitor = world.post(token="T").id
    ann = world.post(x="A", email="a@x.ua").id
    assert world.post(x="A", token="T").absorbed == [visitor]
    world.undo()
    again = world.post(x="A", token="T")
    assert (again.absorbed, world.status(visitor)) == ([], "live")
    world.merge(ann, visitor)
    assert world.status(visitor) == "merged"


def test_what_was_not_the_same_is_never_absorbed() -> None:
    world = World()
    visitor, ann = world.post(token="T").id, world.post(x="A").id
    assert world.not_the_same(visitor, ann).came_to == "updated"
    assert world.not_the_same(ann, visitor).came_to == "unchanged"
    assert world.post(x="A", token="T").absorbed == []


def test_who_was_told_apart_stays_apart_on_another_card() -> None:
    """Also while one of them is part of a third card."""
    world = World()
    a, b, c = world.post(token="T").id, world.post(token="U").id, world.post(x="C").id
    world.merge(a, b)
    world.undo()
    world.merge(c, a)
    found = world.post(x="C", token="U")
    assert (found.id, found.absorbed, world.status(b)) == (c, [], "live")
    other = world.post(token="V").id
    assert world.post(x="C", token="V").absorbed == [other]


def test_a_chain_is_undone_from_its_end() -> None:
    world = World()
    one, two_, three = (world.post(x=x, token=f"T{x}").id for x in "ABC")
    world.merge(two_, three)
    first = world.last_merge()
    world.merge(one, two_)
    with pytest.raises(LaterMerge) as refused:
        world.undo(first)
    assert refused.value.details == {"mergeId": world.last_merge()}
    world.post(x="C", first="Cy")
    world.post(x="B", first="Bo")
    world.undo()
    assert (world.card(one).first_name, world.card(two_).first_name) == (None, "Bo")
    assert world.has(two_) == {"B", "C", "TB", "TC"}
    world.undo(first)
    assert [world.card(who).first_name for who in (one, two_, three)] == [None, "Bo", "Cy"]
    assert [world.card(who).merges for who in (one, two_, three)] == [0, 0, 0]


def test_an_external_id_that_is_elsewhere_by_now_stops_the_undo() -> None:
    """D11: it was cleared off the merged contact, and somebody else got it."""
    world = World(Settings(keep_former_ids=False))
    ann, ben = world.post(x="A").id, world.post(x="B").id
    world.merge(ann, ben)
    world.put(ann, clear="formerExternalIds")
    other = world.post(x="B").id
    before = (dict(world.cards), dict(world.rows), list(world.history))
    with pytest.raises(ExternalIdElsewhere) as refused:
        world.undo()
    assert refused.value.details == {"contactId": other}
    assert (world.cards, world.rows, world.history) == before


def test_what_cannot_be_undone() -> None:
    world = World()
    ann, ben = two(world)
    world.merge(ann, ben)
    merge = world.last_merge()
    with pytest.raises(UnknownMerge):
        world.undo(merge + 1)
    world.undo(merge)
    with pytest.raises(MergeUndone):
        world.undo(merge)
    world.merge(ann, ben)
    world.erase(ann)
    with pytest.raises(PersonErased):
        world.undo()


def test_what_cannot_be_merged() -> None:
    world = World()
    ann, ben = two(world)
    with pytest.raises(SameContact):
        world.merge(ann, ann)
    with pytest.raises(NotFound):
        world.merge(ann, 99)
    world.remove(ben)
    with pytest.raises(NotFound):
        world.merge(ann, ben)
    world.put(ben)
    world.merge(ann, ben)
    with pytest.raises(ContactMerged) as refused:
        world.merge(ben, ann)
    assert refused.value.details == {"contactId": ann}


def test_a_removed_survivor_stays_removed_and_the_other_comes_back() -> None:
    world = World()
    ann, ben = two(world)
    world.merge(ann, ben)
    world.remove(ann)
    world.undo()
    assert (world.status(ann), world.status(ben)) == ("removed", "live")


def test_the_same_words_twice_are_kept_once() -> None:
    world = World()
    ann, ben = two(world)
    world.merge(ann, ben)
    for _ in range(3):
        world.post(token="U", first="Ben")
    assert [line.action for line in world.history].count("said") == 1


def test_an_address_that_left_the_card_stays_refused(world: World) -> None:
    """D10, D28: nobody knows whether it was refused again since, so the undo subscribes nobody."""
    world.unsubscribe("b@x.ua")
    keep, absorb = world.post(x="A", email="a@x.ua").id, world.post(x="B", email="b@x.ua").id
    world.merge(keep, absorb)
    assert "email_not_replaced" in world.subscribe(x="B", email="b@x.ua").warnings
    world.undo()
    assert world.consent(absorb) == {"email": "unsubscribed"}
    assert world.subscribe(x="B", email="b@x.ua").id == absorb
    assert world.consent(absorb) == {"email": "subscribed"}


def test_what_its_own_side_gave_up_while_merged_is_told_when_it_goes() -> None:
    """A former External ID that its own contact cleared: the history says that it is gone (D26)."""
    world = World()
    ann, ben = world.post(x="A", email="ann@x.ua").id, world.post(x="B", email="ben@x.ua").id
    world.merge(ann, ben)
    world.put(ben, clear="externalCustomerId")
    world.undo()
    assert (world.card(ann).external_id, world.card(ben).external_id) == ("A", None)
    assert world.replayed() == world.standing()


def test_who_came_by_an_address_that_had_left_is_whose_address_it_is() -> None:
    """D28: what arrived since goes to the side whose identifier carried it, also an address that found
    nobody meanwhile: the contact that it made is absorbed by its owner (D13)."""
    world = World()
    ann, ben = two(world)
    world.merge(ann, ben)
    came = world.subscribe(email="ben@x.ua", last="Lee", groups=("News",)).id
    assert came not in (ann, ben)
    undone = world.undo()
    assert undone.absorbed == [came]
    assert undone.outcome.answer["joins"] == [came]
    assert (world.survivor(came), world.lists_of(ben)) == (ben, {"News"})
    assert world.owners("email", "ben@x.ua") == [ben]
    assert world.card(ann).email == "ann@x.ua"
    assert world.replayed() == world.standing()
    world.undo()  # and that can be taken back too
    assert world.status(came) == "live"
    assert set(world.owners("email", "ben@x.ua")) == {ben, came}


@pytest.mark.parametrize(
    "said",
    [
        {"email": "ben@x.ua", "x": "C"},
        {"email": "ben@x.ua", "first": "Somebody"},
        {"email": "ben@x.ua", "phone": "380502"},
        {"phone": "380501"},
    ],
    ids=str,
)
def test_who_contradicts_the_owner_of_the_address_stays_apart(said: dict[str, str]) -> None:
    """Never the wrong person: another External ID, name or phone; a phone alone (D10a)."""
    world = World()
    ann, ben = two(world)
    world.put(ann, phone="380509")
    world.merge(ann, ben)
    came = world.post(**said).id
    assert came not in (ann, ben)
    assert world.undo().absorbed == []
    assert world.status(came) == "live"


def test_who_had_the_address_before_the_merge_is_not_taken_in() -> None:
    world = World()
    ann, ben = two(world)
    other = world.post(x="C", email="ben@x.ua").id
    world.put(other, clear="externalCustomerId")
    world.merge(ann, ben)
    assert world.undo().absorbed == []
    assert (world.status(other), world.status(ben)) == ("live", "live")


def test_the_same_word_again_gets_back_what_somebody_else_took_meanwhile() -> None:
    """It is said twice, but the second time it moves the token back (D12): the undo tells it too."""
    world = World()
    ann, ben = world.post(x="A").id, world.post(email="ben@x.ua").id
    world.merge(ann, ben)
    world.post(x="A", token="T")
    other = world.post(x="C", token="T").id
    assert world.owners("token", "T") == [other]
    world.post(x="A", token="T")
    assert world.owners("token", "T") == [ann]
    at = world.card(ann).updated_at
    world.undo()
    assert (world.owners("token", "T"), world.card(ann).updated_at) == ([ann], at)
