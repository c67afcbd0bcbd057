"""Whose an order is, what is written, which event tells of it (wire 5.1; D8–D10a, D12, D13, D17, D29)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from kartoteka.activity.orders.model import OrderRefused, OrderStatus
from kartoteka.identity.model import Settings
from tests.rules.stories import START, delete_order, erase, order
from tests.rules.world import Answer, World

DAY = timedelta(days=1)
BEFORE, AFTER = START - 100 * DAY, START + 100 * DAY


@pytest.fixture
def world() -> World:
    return World()


def save(world: World, number: str = "O-1", **said) -> Answer:
    return world.send(order(number, **said))


def refused(world: World, number: str = "O-1", **said) -> str:
    with pytest.raises(OrderRefused) as caught:
        save(world, number, **said)
    return caught.value.reason


def events(world: World) -> list[tuple[str, str]]:
    return [(one.type_key, one.key_value) for one in world.happened]


# Whose it is


def test_an_order_of_nobody_makes_its_contact(world: World):
    """Wire 5.1, D20: created from e-mail, phone and names, source ORDER, confirmed."""
    answer = save(world, x="X", email="a@x.ua", phone="380501", first="Anna", last="Lee")
    card = world.card(answer.id)
    assert answer.came_to == "created"
    assert answer.rule == "new_external_id"
    assert (card.source, card.external_id, card.email, card.phone) == (
        "ORDER",
        "X",
        "a@x.ua",
        "380501",
    )
    assert (card.first_name, card.last_name) == ("Anna", "Lee")
    assert world.consent(answer.id) == {"email": "subscribed"}
    assert world.orders["O-1"].owner_id == answer.id


@pytest.mark.parametrize("by", [{"x": "X"}, {"email": "a@x.ua"}])
def test_a_known_contact_keeps_its_names(world: World, by):
    """D17: names only when the order creates."""
    known = world.post(x="X", email="a@x.ua", first="Anna").id
    answer = save(world, **by, first="Bob", last="Lee")
    assert (answer.id, answer.came_to) == (known, "unchanged")
    assert (world.card(known).first_name, world.card(known).last_name) == ("Anna", None)


def test_what_is_missing_is_added_and_nothing_is_replaced(world: World):
    """D17: a missing e-mail, phone, External ID."""
    known = world.post(email="a@x.ua").id
    added = save(world, x="X", email="a@x.ua", phone="380501")
    assert (added.id, added.rule) == (known, "external_id_joins_email")
    assert world.has(known) == {"X", "a@x.ua", "380501"}
    other = save(world, "O-2", x="X", email="b@x.ua", phone="380502")
    assert other.id == known
    assert set(other.warnings) == {"email_not_replaced", "phone_not_replaced"}
    assert world.has(known) == {"X", "a@x.ua", "380501"}


def test_a_contact_with_another_external_id_is_never_taken(world: World):
    """D9."""
    known = world.post(x="A", email="a@x.ua").id
    answer = save(world, x="B", email="a@x.ua")
    assert answer.came_to == "created"
    assert answer.id != known
    assert world.has(known) == {"A", "a@x.ua"}


def test_a_family_phone_does_not_make_one_person(world: World):
    """D10a: by phone alone only if the e-mail is missing or the request's."""
    known = world.post(email="a@x.ua", phone="380501").id
    assert save(world, phone="380501", email="b@x.ua").id != known
    assert save(world, "O-2", phone="380501").id != known
    alone = world.post(phone="380777").id
    assert save(world, "O-3", phone="380777", email="c@x.ua").id == alone


def test_the_search_goes_on_to_device_and_cookie(world: World):
    """D7, D34: webId and deviceId come last; a cookie alone creates nobody (D10)."""
    assert refused(world, cookie="c") == "no_identifier"
    assert world.cards == {}
    known = world.post(email="a@x.ua", cookie="c", device="d").id
    assert save(world, cookie="c").id == known
    assert save(world, "O-2", device="d").id == known
    assert save(world, "O-3", device="new").came_to == "created"


def test_a_mailbox_that_stands_for_nobody_takes_no_order():
    """D6: the account's own never-identifiers find nobody, and would create at every call."""
    from kartoteka.identity.kinds import Region
    from kartoteka.identity.never import parse_never_identifiers

    never = parse_never_identifiers(("guest@shop.example",), Region("UA"))
    world = World(Settings(never=never))
    assert refused(world, email="guest@shop.example") == "no_identifier"
    assert save(world, email="guest@shop.example", phone="380501").came_to == "created"


def test_a_cookie_moves_only_to_the_newer_order(world: World):
    """D12: the order's date is the request's own time."""
    holder = world.post(x="A", cookie="c").id
    late = save(world, x="B", cookie="c", date=BEFORE)
    assert late.warnings == ["identifier_is_newer_elsewhere"]
    assert world.owners("cookie", "c") == [holder]
    new = save(world, "O-2", x="B", cookie="c", date=world.now + DAY)
    assert world.owners("cookie", "c") == [new.id]


def test_a_date_in_the_future_does_not_hold_a_cookie_for_ever(world: World):
    save(world, x="B", cookie="c", date=AFTER)
    then = world.post(x="A", cookie="c")
    assert world.owners("cookie", "c") == [then.id]


def test_an_order_absorbs_only_who_is_anonymous(world: World):
    """D13: not a card with a lasting identifier, though it says nothing else."""
    anonymous = world.post(token="t").id
    answer = save(world, x="X", email="a@x.ua")
    assert world.live() == [anonymous, answer.id]
    visitor = world.post(device="d").id
    lasting = world.post(phone="380501").id
    both = world.post(x="Y", email="y@x.ua").id
    answer = save(world, "O-2", x="Y", phone="380501", device="d", date=AFTER)
    assert (answer.id, answer.absorbed) == (both, [visitor])
    assert world.status(lasting) == "live"


# The same order again


def test_the_same_order_again_changes_nothing(world: World):
    """D22."""
    first = save(world, email="a@x.ua", items=["1", "2"])
    again = save(world, email="a@x.ua", items=["1", "2"])
    assert (again.id, again.outcome.answer["order"]) == (first.id, "unchanged")
    assert world.written == set()
    assert events(world) == [("orderDELIVERED", "O-1")]


def test_a_new_status_is_told_of_once(world: World):
    """One event a status; another total alone is none."""
    save(world, email="a@x.ua", status="INITIALIZED")
    save(world, email="a@x.ua", status="INITIALIZED", cost=12)
    answer = save(world, email="a@x.ua", status="IN_PROGRESS", cost=12)
    assert answer.outcome.answer["order"] == "updated"
    assert events(world) == [("orderINITIALIZED", "O-1"), ("orderIN_PROGRESS", "O-1")]
    assert world.orders["O-1"].total_cost == 12


def test_every_change_of_an_order_writes_its_contact(world: World):
    """So that an erase or a merge that waits for the card runs again, and segments see it."""
    known = world.post(x="X").id
    for changed in ({}, {"cost": 11}, {"items": ["1"]}, {"status": "CANCELLED"}):
        save(world, x="X", **changed)
        assert world.written == {known}, changed


def test_absent_values_leave_what_is_stored(world: World):
    """D16, for orders by event: only the id is needed of a known order."""
    save(world, email="a@x.ua", cost=10, currency="EUR", items=["1"])
    save(world, email="a@x.ua", status="CANCELLED", cost=None, date=None)
    stored = world.orders["O-1"]
    assert (stored.status, stored.total_cost, stored.currency) == (
        OrderStatus.CANCELLED,
        Decimal(10),
        "EUR",
    )
    assert stored.ordered_at == START
    assert [one.external_item_id for one in world.items[stored.order_id]] == ["1"]


def test_items_take_the_place_of_items(world: World):
    save(world, email="a@x.ua", items=["1", "2"])
    save(world, email="a@x.ua", items=["3"])
    (items,) = world.items.values()
    assert [one.external_item_id for one in items] == ["3"]


def test_a_known_order_stays_with_its_contact(world: World):
    """Wire 5.1: the same id, the same contact; nothing of the other's comes here, nothing goes there."""
    alice = save(world, x="A", email="a@x.ua").id
    bob = world.post(x="B", email="b@x.ua").id
    answer = save(world, x="B", email="b@x.ua", phone="380501", cost=20)
    assert (answer.id, answer.rule, answer.warnings) == (alice, "known_order", ["order_stays"])
    assert world.has(alice) == {"A", "a@x.ua"}
    assert world.has(bob) == {"B", "b@x.ua"}
    stored = world.orders["O-1"]
    assert (stored.owner_id, stored.total_cost) == (alice, 20)
    assert (stored.external_customer_id, stored.email, stored.phone) == ("A", "a@x.ua", None)


def test_a_change_that_names_nobody_known_creates_nobody(world: World):
    alice = save(world, x="A").id
    answer = save(world, x="NEW", email="new@x.ua", status="CANCELLED")
    assert (answer.id, answer.warnings) == (alice, ["order_stays"])
    assert list(world.cards) == [alice]


def test_a_guest_who_registers_gets_the_external_id(world: World):
    """The same order, now with the id that the shop gave."""
    guest = save(world, email="a@x.ua").id
    answer = save(world, email="a@x.ua", x="A")
    assert (answer.id, answer.rule) == (guest, "external_id_joins_email")
    assert world.card(guest).external_id == "A"


def test_an_order_of_a_retired_card_changes_with_its_survivor(world: World):
    """D14, docs/decisions/0014: nothing is moved, its owner leads to the survivor."""
    first = world.post(token="t").id
    save(world, token="t")
    survivor = world.post(x="X", email="a@x.ua").id
    assert world.post(x="X", token="t").absorbed == [first]
    answer = save(world, x="X", status="CANCELLED")
    assert (answer.id, answer.warnings) == (survivor, [])
    assert world.orders["O-1"].owner_id == first
    assert world.orders_of(survivor) == ["O-1"]
    assert [one.owner_id for one in world.happened] == [first, first]


# Removed contacts


def test_a_new_order_after_the_removal_restores(world: World):
    """D8."""
    known = world.post(x="X", email="a@x.ua").id
    world.remove(known)
    answer = save(world, x="X", date=AFTER)
    assert (answer.id, answer.came_to) == (known, "restored")
    assert world.status(known) == "live"


def test_an_older_order_is_the_removed_contacts(world: World):
    """D8: attached to the removed card, which stays removed, and as it is."""
    known = world.post(x="X").id
    world.remove(known)
    answer = save(world, x="X", email="a@x.ua", date=BEFORE)
    assert (answer.id, answer.came_to) == (known, "attached_to_removed")
    assert world.status(known) == "removed"
    assert world.has(known) == {"X"}
    assert world.orders["O-1"].owner_id == known
    assert events(world) == [("orderDELIVERED", "O-1")]


def test_a_known_order_does_not_restore(world: World):
    known = save(world, x="X", status="INITIALIZED").id
    world.remove(known)
    answer = save(world, x="X", date=AFTER)
    assert (answer.id, answer.came_to, answer.warnings) == (known, "attached_to_removed", [])
    assert world.status(known) == "removed"
    assert world.orders["O-1"].status == OrderStatus.DELIVERED


def test_without_an_external_id_the_removed_stay_removed(world: World):
    """D10: only POST contact and subscribe bring such a one back."""
    known = world.post(email="a@x.ua").id
    world.remove(known)
    answer = save(world, email="a@x.ua", date=AFTER)
    assert answer.came_to == "created"
    assert world.status(known) == "removed"


# Erased persons


def test_an_old_order_of_an_erased_person_is_known_as_old(world: World):
    """D29: the id is remembered as a hash, whatever the order says now."""
    known = save(world, "OLD", x="X", email="a@x.ua").id
    world.erase(known)
    assert world.orders == {}
    assert world.happened == []
    for whom in ({"x": "X"}, {"x": "Y"}, {"email": "other@x.ua"}):
        assert refused(world, "OLD", **whom, date=AFTER) == "suppressed"
    assert world.orders == {}


@pytest.mark.parametrize("whom", [{"x": "X"}, {"email": "a@x.ua"}, {"phone": "380501"}])
def test_only_a_new_order_after_the_erase_lifts(world: World, whom):
    known = world.post(x="X", email="a@x.ua", phone="380501").id
    world.erase(known)
    assert refused(world, **whom, date=BEFORE) == "suppressed"
    answer = save(world, **whom, date=AFTER)
    assert answer.came_to == "created"
    assert answer.id != known
    assert save(world, "O-2", **whom, date=BEFORE).id == answer.id  # they may be stored again


def test_a_live_holder_of_the_address_is_not_erased(world: World):
    """D29: without an External ID, an address is suppressed only while nobody live holds it."""
    gone = world.post(x="X", email="a@x.ua").id
    other = world.post(x="Z", email="a@x.ua").id
    world.erase(gone)
    assert save(world, email="a@x.ua", date=BEFORE).id == other


def test_an_erased_persons_order_does_not_come_back_to_a_later_self(world: World):
    world.erase(save(world, "OLD", x="X").id)
    again = world.post(x="X").id
    assert refused(world, "OLD", x="X") == "suppressed"
    assert world.orders_of(again) == []


def test_orders_of_merged_cards_are_erased_too(world: World):
    first = world.post(token="t").id
    save(world, "OF-RETIRED", token="t")
    survivor = world.post(x="X", email="a@x.ua").id
    assert world.post(x="X", token="t").absorbed == [first]
    world.erase(survivor)
    assert world.orders == {}
    assert refused(world, "OF-RETIRED", x="Z") == "suppressed"


def test_an_order_and_the_erase_in_one_batch(world: World):
    known = world.post(x="X").id
    taken, _, again = world.batch([order("O-1", x="X"), erase(known), order("O-1", x="Y")])
    assert taken.outcome.answer["order"] == "created"
    assert again.reason == "suppressed"
    assert world.orders == {}


def test_consent_that_was_refused_stays_refused(world: World):
    """D10: an address keeps its own refusals; the contact that an order makes inherits them."""
    world.unsubscribe("a@x.ua")
    answer = save(world, email="a@x.ua")
    assert world.consent(answer.id)["email"] == "unsubscribed"


# What the event says


def test_the_event_has_what_workflows_read(world: World):
    """Wire 5.1: eventKey, orderId, contactId, EmailAddress, SMS, and what the order named."""
    known = world.post(x="X", email="a@x.ua").id
    answer = save(world, x="X", phone="380501")
    (event,) = world.happened
    assert (event.owner_id, event.occurred, event.via) == (known, START, (1, "X"))
    assert event.params == {
        "eventKey": "O-1",
        "orderId": answer.outcome.answer["orderId"],
        "contactId": known,
        "EmailAddress": "a@x.ua",
        "SMS": "380501",
        "externalCustomerId": "X",
        "phone": "380501",
    }
    assert set(world.event_types) == {"orderDELIVERED"}


def test_the_event_happened_when_the_order_did(world: World):
    """A past order lands in the past, one dated in the future happened just now."""
    save(world, "PAST", x="X", date=BEFORE)
    save(world, "FUTURE", x="X", date=AFTER)
    now = world.now
    save(world, "PAST", x="X", date=BEFORE, status="CANCELLED")
    assert [one.occurred for one in world.happened] == [BEFORE, now, world.now]


# Dates and money


def test_a_date_without_an_offset_is_of_the_contacts_zone():
    """Wire X12: the contact's zone if it is known, else the account's."""
    naive = datetime(2024, 1, 1, 12)  # noqa: DTZ001
    world = World(Settings(time_zone="America/New_York"))
    world.post(x="KYIV", time_zone="Europe/Kyiv")
    for number, whom in (("1", "KYIV"), ("2", "NEW")):
        save(world, number, x=whom, date=naive)
    assert world.orders["1"].ordered_at == datetime(2024, 1, 1, 10, tzinfo=UTC)
    assert world.orders["2"].ordered_at == datetime(2024, 1, 1, 17, tzinfo=UTC)
    save(world, "1", x="KYIV", date=naive + DAY)
    assert world.orders["1"].ordered_at == datetime(2024, 1, 2, 10, tzinfo=UTC)


def test_an_order_without_currency_gets_the_accounts():
    """D18."""
    world = World(Settings(currency="EUR"))
    save(world, x="X")
    save(world, "O-2", x="X", currency="PLN")
    assert [one.currency for one in world.orders.values()] == ["EUR", "PLN"]


# Several in one batch; deleting


def test_of_several_with_one_id_the_last_wins(world: World):
    """In the order of the call."""
    answers = world.batch(
        [
            order("O-1", x="X", status="INITIALIZED", cost=1),
            order("O-1", x="X", status="DELIVERED", cost=2),
            order("O-1", x="X", status="DELIVERED", cost=3),
        ]
    )
    assert [one.outcome.answer["order"] for one in answers] == ["created", "updated", "updated"]
    assert world.orders["O-1"].total_cost == 3
    assert [name for name, _ in events(world)] == ["orderINITIALIZED", "orderDELIVERED"]


def test_one_that_is_refused_fails_no_other(world: World):
    world.erase(world.post(x="GONE").id)
    first, bad, last = world.batch(
        [order("1", x="X"), order("2", x="GONE", date=BEFORE), order("3", x="X")]
    )
    assert isinstance(bad, OrderRefused)
    assert first.id == last.id
    assert set(world.orders) == {"1", "3"}


def test_a_deleted_order_is_gone_and_its_events_stay(world: World):
    known = save(world, x="X").id
    assert world.send(delete_order("O-1")).outcome.answer == {"order": "deleted"}
    assert world.orders == {}
    assert events(world) == [("orderDELIVERED", "O-1")]
    assert world.written == {known}
    assert world.send(delete_order("O-1")).outcome.answer == {"order": "not_found"}
    assert save(world, x="X").outcome.answer["order"] == "created"


def test_deleted_and_sent_again_in_one_batch(world: World):
    save(world, x="X", cost=1)
    world.batch([delete_order("O-1"), order("O-1", x="X", cost=2)])
    assert world.orders["O-1"].total_cost == 2
