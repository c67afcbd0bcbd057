"""What orders, events, visitors, apps and Segment-style calls said to a merged contact goes back to the
person whose identifier carried it (decisions D28)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from kartoteka.activity.visitors.model import LogOut, PushToken
from tests.rules import stories
from tests.rules.world import World


def merged() -> tuple[World, int, int]:
    """Ann, into whom Ben was merged by hand."""
    world = World()
    ann = world.post(x="A", email="ann@x.ua", first="Ann", token="T").id
    ben = world.post(x="B", phone="380501", token="U").id
    world.merge(ann, ben)
    return world, ann, ben


@pytest.mark.parametrize("trusted", [True, False], ids=["trusted", "untrusted"])
def test_what_an_app_filled_in(trusted: bool) -> None:
    world, ann, ben = merged()
    world.send(stories.app(trusted=trusted, x="B", device="D", last="Lee", town="Kyiv"))
    assert world.card(ann).last_name == "Lee"
    world.undo()
    assert (world.card(ben).last_name, world.card(ben).town) == ("Lee", "Kyiv")
    assert (world.card(ann).last_name, world.card(ann).town) == (None, None)
    assert world.has(ben) == {"B", "380501", "U", "D"}


def test_lists_and_categories_of_a_trusted_app() -> None:
    world, ann, ben = merged()
    world.send(stories.app(trusted=True, x="B", device="D", groups=("App",), subscriptions=("go",)))
    assert world.lists_of(ann) == {"App"}
    world.undo()
    assert (world.lists_of(ann), world.lists_of(ben)) == (set(), {"App"})
    assert world.consent(ben)["category:go"] == "subscribed"
    assert "category:go" not in world.consent(ann)


def test_what_identify_said() -> None:
    world, ann, ben = merged()
    world.send(stories.identify(world.now, x="B", last="Lee", cookie="K"))
    world.undo()
    assert (world.card(ann).last_name, world.card(ben).last_name) == (None, "Lee")
    assert world.has(ben) == {"B", "380501", "U", "K"}


def test_a_claim_links_the_side_that_it_names() -> None:
    """Cookie, visits before it and visits since."""
    world, ann, ben = merged()
    at = stories.START + timedelta(minutes=10)
    world.send(stories.visited(stories.visit(at=at), cookie="K"))
    world.send(stories.visited(stories.claim(at + timedelta(minutes=1), x="B"), cookie="K"))
    world.send(stories.visited(stories.visit("later", at + timedelta(minutes=2)), cookie="K"))
    assert world.history_of(ann) == ["seen", "later"]
    world.undo()
    assert (world.history_of(ann), world.history_of(ben)) == ([], ["seen", "later"])
    assert "K" in world.has(ben)
    assert "K" not in world.has(ann)


def test_a_cookie_that_a_claim_took_away_does_not_come_back() -> None:
    world = World()
    ann, ben = world.post(x="A").id, world.post(x="B", cookie="K").id
    world.merge(ann, ben)
    later = world.now + timedelta(minutes=5)
    world.send(stories.visited(stories.claim(later, x="NEW"), cookie="K"), at=later)
    assert "K" not in world.has(ann)
    world.undo()
    assert "K" not in world.has(ben)


def test_what_became_of_a_push_message_is_of_whose_token_it_is() -> None:
    world, ann, ben = merged()
    world.send(stories.push_said("U"))
    world.undo()
    assert (world.history_of(ann), world.history_of(ben)) == ([], ["pushCLICKED"])


def test_an_order_is_of_whom_it_names_and_its_event_tells_of_nobody_else() -> None:
    world, ann, ben = merged()
    world.send(stories.order("O-1", x="B", email="ben@x.ua"))
    [told] = [one.params for one in world.happened if one.type_key == "orderDELIVERED"]
    assert (told["contactId"], told["SMS"]) == (ben, "380501")
    assert "ann@x.ua" not in told.values()
    world.undo()
    assert (world.orders_of(ann), world.orders_of(ben)) == ([], ["O-1"])
    assert world.card(ben).email == "ben@x.ua"


def test_an_order_restores_the_one_whom_it_names() -> None:
    world, ann, ben = merged()
    world.remove(ann)
    world.send(stories.order("O-1", x="A", date=world.now + timedelta(days=1)))
    world.undo()
    assert (world.status(ann), world.status(ben)) == ("live", "live")


def test_an_event_with_a_contact_id_that_nobody_has_writes_nothing() -> None:
    """D17: only a contactId that names the card lets an event set what is missing."""
    world, ann, ben = merged()
    world.event(contact_id=99, x="B", email="ben@x.ua")
    world.event(contact_id=ann, phone="380502")
    world.undo()
    assert (world.card(ben).email, world.card(ann).phone) == (None, "380502")


def test_a_card_that_only_an_app_wrote_is_still_its_own_to_fill() -> None:
    """D36: Ben was merged into a contact that the shop wrote; only the first call for him writes him."""
    world = World()
    ann = world.post(x="A").id
    ben = world.send(stories.app(device="D")).id
    world.merge(ann, ben)
    world.undo()
    assert not world.card(ben).keyed
    world.merge(ann, ben)
    world.put(ben)
    world.undo()
    assert world.card(ben).keyed


def test_a_logout_is_no_change_of_the_card() -> None:
    world = World()
    ann, ben = world.post(x="A").id, world.post(x="B", cookie="K").id
    before = world.card(ben)
    world.merge(ann, ben)
    end = LogOut(world.now)
    world.send(stories.visited(end, cookie="K"))
    world.undo()
    assert (world.has(ben), world.card(ben)) == ({"B"}, before)


def test_a_push_token_that_came_with_a_visitor_stands_on_the_merged_card() -> None:
    """D10: it went to the retired card, which no identifier may stand on."""
    world, ann, ben = merged()
    token = PushToken("W", stories.START)
    world.send(stories.visited(token, cookie="K"))
    world.post(x="B", cookie="K")
    assert world.owners("web", "W") == [ann]
    world.undo()
    assert world.owners("web", "W") == [ben]
