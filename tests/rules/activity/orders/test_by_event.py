"""Orders by event: orderCreated, orderUpdated, orderDelivered, orderCancelled (wire 5.2, X11)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from kartoteka.activity.orders.by_event import carry_out, order_facts, plan_order, said_by
from kartoteka.activity.orders.model import OrderStatus
from kartoteka.contacts.model import Command, Outcome
from kartoteka.identity.model import Resolution
from kartoteka.identity.working_set import WorkingSet
from kartoteka.writing import RULES
from tests.rules import world as world_module
from tests.rules.stories import START, order, origin
from tests.rules.world import World

ORDER = {
    "externalOrderId": "E-1",
    "status": "INITIALIZED",
    "totalCost": "25.50",
    "date": "2024-02-01T10:00:00Z",
    "currency": "EUR",
    "items": [{"externalItemId": "1", "quantity": 2, "name": "Tea", "cost": 12.75}],
}


class Happening(Command, kw_only=True):
    """An event as `activity` would carry it out: found its contact, then the order."""

    type_key: str
    params: dict[str, Any]
    contact_id: int | None


def _carry_out(ws: WorkingSet, command: Happening) -> Outcome:
    plan = plan_order(ws, command.type_key, said_by(command.type_key, command.params))
    card = None if command.contact_id is None else ws.known_card(command.contact_id)
    carry_out(ws, command.origin, plan, card, (1, "X"))
    return Outcome(Resolution(command.contact_id))


class _Rules:
    """The rules with one more command."""

    follows = ()

    def facts(self, command: Command) -> Any:
        if isinstance(command, Happening):
            return order_facts(said_by(command.type_key, command.params))
        return RULES.facts(command)

    def named_by(self, command: Command) -> Any:
        return ((), ()) if isinstance(command, Happening) else RULES.named_by(command)

    def decide(self, ws: WorkingSet, command: Command) -> Outcome:
        if isinstance(command, Happening):
            return _carry_out(ws, command)
        return RULES.decide(ws, command)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(world_module, "RULES", _Rules())
    return World()


def happen(world: World, type_key: str, contact_id: int | None, **params: Any) -> None:
    world.send(Happening(origin=origin(), type_key=type_key, params=params, contact_id=contact_id))


@pytest.mark.parametrize("name", ["orderCreated", "orderUpdated"])
def test_a_complete_order_is_saved(world: World, name: str):
    anna = world.post(x="X", email="a@x.ua").id
    happen(world, name, anna, **ORDER, email="a@x.ua")
    stored = world.orders["E-1"]
    assert (stored.owner_id, stored.status, stored.total_cost, stored.currency) == (
        anna,
        OrderStatus.INITIALIZED,
        Decimal("25.50"),
        "EUR",
    )
    assert stored.ordered_at == datetime(2024, 2, 1, 10, tzinfo=UTC)
    assert [one.external_item_id for one in world.items[stored.order_id]] == ["1"]
    assert [one.type_key for one in world.happened] == ["orderINITIALIZED"]
    assert world.happened[0].via == (1, "X")


def test_items_may_come_as_a_text_of_json(world: World):
    anna = world.post(x="X").id
    items = '[{"externalItemId": "7", "quantity": "1"}, {"name": "no id"}]'
    happen(world, "orderCreated", anna, **{**ORDER, "items": items, "additionalInfo": '{"a": "b"}'})
    stored = world.orders["E-1"]
    assert [one.external_item_id for one in world.items[stored.order_id]] == ["7"]
    assert stored.additional == {"a": "b"}


@pytest.mark.parametrize("missing", ["externalOrderId", "status", "totalCost", "date"])
def test_what_lacks_a_required_member_saves_no_order(world: World, missing: str):
    anna = world.post(x="X").id
    said = {name: value for name, value in ORDER.items() if name != missing}
    happen(world, "orderCreated", anna, **said)
    assert world.orders == {}


@pytest.mark.parametrize(
    "bad", [{"totalCost": "much"}, {"status": "PAID"}, {"date": "soon"}, {"externalOrderId": []}]
)
def test_what_is_ill_formed_saves_no_order(world: World, bad: dict[str, Any]):
    happen(world, "orderCreated", world.post(x="X").id, **{**ORDER, **bad})
    assert world.orders == {}


def test_without_a_contact_no_order_is_saved(world: World):
    """Wire 5.2: the contact must already exist."""
    happen(world, "orderCreated", None, **ORDER)
    assert world.orders == {}


@pytest.mark.parametrize(
    ("name", "status"),
    [("orderDelivered", OrderStatus.DELIVERED), ("orderCancelled", OrderStatus.CANCELLED)],
)
def test_delivered_and_cancelled_change_a_known_order(world: World, name: str, status: OrderStatus):
    """Only the id is needed; an unknown order is ignored."""
    anna = world.post(x="X").id
    happen(world, name, anna, externalOrderId="E-1")
    assert world.orders == {}
    happen(world, "orderCreated", anna, **ORDER)
    happen(world, name, anna, externalOrderId="E-1")
    stored = world.orders["E-1"]
    assert (stored.status, stored.total_cost) == (status, Decimal("25.50"))
    assert [one.type_key for one in world.happened] == ["orderINITIALIZED", f"order{status.name}"]


def test_an_update_says_only_what_changes(world: World):
    anna = world.post(x="X").id
    happen(world, "orderCreated", anna, **ORDER)
    happen(world, "orderUpdated", anna, externalOrderId="E-1", totalCost=30)
    stored = world.orders["E-1"]
    assert (stored.total_cost, stored.currency) == (30, "EUR")
    assert len(world.happened) == 1


def test_a_known_order_stays_with_its_contact(world: World):
    """Whoever's event it is."""
    anna = world.send(order("E-1", x="A")).id
    bob = world.post(x="B").id
    happen(world, "orderUpdated", bob, externalOrderId="E-1", totalCost=30)
    assert world.orders["E-1"].owner_id == anna
    assert world.orders["E-1"].total_cost == 30


def test_an_erased_persons_order_does_not_come_back_by_event(world: World):
    """D29."""
    world.erase(world.send(order("E-1", x="A", date=START - timedelta(days=9))).id)
    bob = world.post(x="B").id
    happen(world, "orderCreated", bob, **ORDER)
    assert world.orders == {}


@pytest.mark.parametrize("name", ["orderDELIVERED", "OrderCreated", "pageViewed", ""])
def test_other_events_are_about_no_order(name: str):
    assert said_by(name, ORDER) is None
    assert order_facts(None) == ()
