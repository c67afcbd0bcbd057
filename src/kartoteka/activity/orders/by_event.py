"""Orders by event: orderCreated, orderUpdated, orderDelivered, orderCancelled (wire 5.2).

The event itself is stored by whoever carries it out, whatever becomes of the order. What is missing or
ill-formed means that no order is saved; only `explain` tells, as an event is not the place for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from kartoteka.activity.orders.form import read_said
from kartoteka.activity.orders.model import Order, OrderRefused, OrderSaid, OrderStatus, order_key
from kartoteka.activity.orders.moments import placed
from kartoteka.activity.orders.rules import FACT, apply, book, new_order, owner_of, zone_of
from kartoteka.identity.model import Card, Key, Notice, Origin, Resolution
from kartoteka.identity.working_set import WorkingSet

_UPSERTS = frozenset(("orderCreated", "orderUpdated"))
_STATUSES = {"orderDelivered": OrderStatus.DELIVERED, "orderCancelled": OrderStatus.CANCELLED}
ORDER_EVENTS = _UPSERTS.union(_STATUSES)
_AS_JSON = ("items", "additionalInfo")


class OrderPlan(msgspec.Struct, frozen=True):
    """What an event will do to an order; everything that it needs is loaded."""

    said: OrderSaid
    known: Order | None
    owner: Card | None


def said_by(type_key: str, params: Mapping[str, Any]) -> OrderSaid | None:
    """What the event says of an order; None if it is not about one, or does not say which."""
    if type_key not in ORDER_EVENTS:
        return None
    raw = {**params, **{name: _parsed(params[name]) for name in _AS_JSON if name in params}}
    try:
        said, _ = read_said(raw, lenient=True)
    except OrderRefused:
        return None
    status = _STATUSES.get(type_key)
    return said if status is None else msgspec.structs.replace(said, status=status)


def _parsed(value: object) -> object:
    """Items may come as a list or as its text in JSON."""
    if not isinstance(value, str):
        return value
    try:
        return msgspec.json.decode(value)
    except msgspec.DecodeError:
        return value


def order_facts(said: OrderSaid | None) -> Sequence[tuple[str, Any]]:
    """What `plan_order` will ask the working set for."""
    return () if said is None else ((FACT, said.external_order_id),)


def plan_order(ws: WorkingSet, type_key: str, said: OrderSaid | None) -> OrderPlan | None:
    """What will become of the order, None if nothing; asks for everything and changes nothing.

    Delivered and cancelled ones must be known; a new one must be complete; an erased person's old one
    does not come back (decisions D29).
    """
    if said is None:
        return None
    known: Order | None = ws.fact(FACT, said.external_order_id)
    if known is not None:
        owner = owner_of(ws, known)
        return None if owner is None else OrderPlan(said, known, owner)
    if type_key not in _UPSERTS or None in (said.status, said.total_cost, said.moment):
        return None
    key = order_key(said.external_order_id)
    ws.need_addresses([key])
    return None if ws.suppressed.get(key) else OrderPlan(said, None, None)


def unsaved(plan: OrderPlan | None, card: Card | None, *, segmented: bool) -> list[Notice]:
    """Why an event about an order saves none, for whoever asks by `explain`."""
    if not segmented:
        why = "no order is saved: segmentation is off for this type of event"
    elif plan is None:
        why = "no order is saved: it is not complete, or not known"
    elif plan.known is None and card is None:
        why = "no order is saved: the event came to no contact"
    else:
        return []
    return [Notice("order_not_saved", why)]


def carry_out(
    ws: WorkingSet,
    origin: Origin,
    plan: OrderPlan | None,
    card: Card | None,
    via: Key | None = None,
) -> None:
    """Save the order for the contact that the event came to; without one nothing is saved.

    A known order stays with its own contact. `via`: what found the contact. Uses up one new id.
    """
    if plan is None:
        return
    if plan.known is not None:
        assert plan.owner is not None
        apply(ws, plan.owner, plan.known, plan.said, origin=origin, resolution=Resolution())
    elif card is not None:
        assert plan.said.moment is not None
        moment = placed(plan.said.moment, zone_of(ws, card))
        order = new_order(ws, plan.said, card.contact_id, moment, origin.at)
        book(ws, card, order, plan.said.items, origin=origin, resolution=Resolution(), via=via)
