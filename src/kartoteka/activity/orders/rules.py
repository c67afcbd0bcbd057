"""What one order comes to: whose it is, what is written, which event tells of it (wire 5.1).

A new order finds its contact as decisions D7–D10a say, or makes one. A known order stays with its
contact, whomever the request names. Every change of an order touches the card it belongs to, so that
an erase or a merge at the same moment runs again on fresh data.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from kartoteka.activity.model import Happened, Kind, Source
from kartoteka.activity.orders.model import (
    KEPT_WHEN_UNSAID,
    DeleteOrder,
    Order,
    OrderItem,
    OrderRefused,
    OrderSaid,
    OrderStatus,
    SaveOrder,
    items_hash,
    order_key,
)
from kartoteka.activity.orders.moments import placed
from kartoteka.contacts.model import Outcome, PutOn
from kartoteka.contacts.settle import Settling, settle
from kartoteka.identity.history import Journal
from kartoteka.identity.kinds import BY_NAME, EMAIL, EXTERNAL_ID, PHONE
from kartoteka.identity.model import (
    Card,
    Identifier,
    Key,
    Notice,
    Origin,
    Resolution,
    Status,
)
from kartoteka.identity.policies import ORDER
from kartoteka.identity.rules import Decision, Found, Nobody, Person, Restore, find
from kartoteka.identity.sides import home_of, side_of, speak_by
from kartoteka.identity.working_set import WorkingSet

FACT = "order"
"""`ws.fact(FACT, external order id)`: the `Order` as it is stored, None if there is none."""
ORDERS_OF = "orders_of"
"""`ws.fact(ORDERS_OF, contact id)`: ids of all orders of that person."""
_RESTORING = msgspec.structs.replace(ORDER, restores=True)
_LIFTING = msgspec.structs.replace(ORDER, lifts_suppression=True)


def save_order(ws: WorkingSet, command: SaveOrder) -> Outcome:
    """Take one order of POST /api/v1/orders. Raises `OrderRefused`; then nothing has changed."""
    known: Order | None = ws.fact(FACT, command.order.external_order_id)
    if known is None:
        return _take(ws, command)
    return _change(ws, command, known)


def delete_order(ws: WorkingSet, command: DeleteOrder) -> Outcome:
    """DELETE /api/v1/orders: the order and what it counted for; its events stay."""
    known: Order | None = ws.fact(FACT, command.external_order_id)
    if known is None:
        return Outcome(Resolution(), answer={"order": "not_found"})
    card = owner_of(ws, known)
    contact_id = known.owner_id if card is None else card.contact_id
    ws.know(FACT, known.external_order_id, None)
    ws.effect(FACT, known, None, None, None)
    if card is not None:
        ws.touch(contact_id)
    return Outcome(Resolution(contact_id), answer={"order": "deleted"})


# New orders


def _take(ws: WorkingSet, command: SaveOrder) -> Outcome:
    said, person = command.order, command.contact.person
    refuse_known_of_erased(ws, said.external_order_id)
    resolution = Resolution(warnings=list(command.contact.warnings))
    decision = find(ws, person, ORDER)
    if isinstance(decision, Nobody):
        raise OrderRefused(
            "no_identifier",
            "The order names nobody whom it could belong to: give externalCustomerId, email or phone.",
        )
    ask_for(ws, _card_of(decision))
    assert said.moment is not None  # the form has seen to it
    moment = placed(said.moment, zone_of(ws, _card_of(decision)))
    policy = ORDER
    erased_at = _erased_at(ws, person, decision)
    if erased_at is not None:
        if moment <= erased_at:
            raise _suppressed("This order is older than the erasure of the person whom it names.")
        policy = _LIFTING
    if isinstance(decision, Restore):
        if decision.card.removed_at is None or moment <= decision.card.removed_at:
            return _take_for_removed(ws, command, decision, moment, resolution)
        policy = _RESTORING
    at = command.origin.at
    work = Settling(
        ws,
        person,
        command.contact.profile,
        policy,
        Journal(ws, command.origin),
        resolution,
        occurred=min(moment, at),
    )
    card = settle(work, decision).card
    outcome = _book_new(ws, command, card, moment, resolution)
    if card.merges:
        outcome.said = _put_on_card(command, "order", moment)
    return outcome


def _put_on_card(command: SaveOrder, policy: str, moment: datetime) -> PutOn:
    """What the order says of its contact, for an undo (D28)."""
    return PutOn(origin=command.origin, contact=command.contact, policy=policy, occurred=moment)


def _take_for_removed(
    ws: WorkingSet, command: SaveOrder, decision: Restore, moment: datetime, resolution: Resolution
) -> Outcome:
    """D8: an order from before the removal is the removed contact's, who stays removed and as is."""
    card = decision.card
    speak_by(ws, card, command.contact.person)
    resolution.contact_id, resolution.matched_by = card.contact_id, decision.matched_by
    resolution.outcome, resolution.rule = "attached_to_removed", "removed_stays_removed"
    return _book_new(ws, command, card, moment, resolution)


def _book_new(
    ws: WorkingSet, command: SaveOrder, card: Card, moment: datetime, resolution: Resolution
) -> Outcome:
    order = new_order(ws, command.order, card.contact_id, moment, command.origin.at)
    return book(
        ws,
        card,
        order,
        command.order.items,
        origin=command.origin,
        resolution=resolution,
        via=carrier_of(command.contact.person, resolution),
    )


def _card_of(decision: Decision) -> Card | None:
    return decision.card if isinstance(decision, (Found, Restore)) else None


def carrier_of(person: Person, resolution: Resolution) -> Key | None:
    """The identifier that found the contact, or the first of those that made it."""
    kind = None if resolution.matched_by is None else BY_NAME.get(resolution.matched_by)
    found = person.all() if kind is None else person.of_kind(kind.code)
    return found[0].key if found else None


def zone_of(ws: WorkingSet, card: Card | None) -> str:
    """Wire X12: the contact's zone where it is known, else the account's."""
    return ws.settings.time_zone if card is None else card.time_zone or ws.settings.time_zone


def new_order(
    ws: WorkingSet, said: OrderSaid, owner_id: int, moment: datetime, at: datetime
) -> Order:
    """The row of an order that nobody has seen before; `said` has all that an order needs."""
    assert said.status is not None
    assert said.total_cost is not None
    order = Order(
        ws.new_id(),
        said.external_order_id,
        side_of(ws, owner_id),
        None,
        said.status,
        said.total_cost,
        said.currency or ws.settings.currency,
        moment,
        at,
        at,
    )
    _write_down(order, said)
    return order


def _write_down(order: Order, said: OrderSaid) -> None:
    """D16: what the request says takes the place of what stands there, the rest stays."""
    values = msgspec.structs.astuple(said)
    for place, name in KEPT_WHEN_UNSAID:
        if values[place] is not None:
            setattr(order, name, values[place])
    if said.items is not None:
        order.items_hash = items_hash(said.items)


def book(
    ws: WorkingSet,
    card: Card,
    order: Order,
    items: Sequence[OrderItem] | None,
    *,
    origin: Origin,
    resolution: Resolution,
    via: Key | None,
) -> Outcome:
    """A new order is written, counted and told of. `via`: what found its contact (D28)."""
    ws.know(FACT, order.external_order_id, order)
    ws.effect(FACT, None, order, items or (), via)
    ws.touch(card.contact_id)
    occurred = min(order.ordered_at, origin.at)
    tell(ws, card, order, occurred=occurred, received=origin.at, via=via)
    return Outcome(
        resolution,
        new=resolution.outcome == "created",
        answer={"order": "created", "orderId": order.order_id},
    )


# Erased persons


def refuse_known_of_erased(ws: WorkingSet, external_order_id: str) -> None:
    """D29: an order of an erased person is known as old when it comes again."""
    key = order_key(external_order_id)
    ws.need_addresses([key])
    if ws.suppressed.get(key):
        raise _suppressed("This order belonged to a person who was erased.")


def _suppressed(message: str) -> OrderRefused:
    return OrderRefused("suppressed", message)


def _erased_at(ws: WorkingSet, person: Person, decision: Decision) -> datetime | None:
    """D29: when the person was erased whom the order names by External ID; without one, by an e-mail
    or phone that no live contact holds. None: nobody was."""
    if isinstance(decision, (Found, Restore)) and decision.matched_by == EXTERNAL_ID.name:
        return None
    if person.external_id is not None:
        asked = [person.external_id]
    else:
        asked = [one for one in (person.email, person.phone) if one and not _is_held(ws, one)]
    ws.need_addresses([one.key for one in asked])
    found = [
        ws.erased_at[(one.key, contact_id)]
        for one in asked
        for contact_id, _ in ws.suppressed.get(one.key, ())
    ]
    return max(found, default=None)


def _is_held(ws: WorkingSet, one: Identifier) -> bool:
    return any(ws.is_live(held.contact_id) for held in ws.holders(one.key) if held.contact_id)


# Known orders


def owner_of(ws: WorkingSet, order: Order) -> Card | None:
    """The card that the order belongs to now, through any chain of merges; None if there is none."""
    card = ws.known_card(order.owner_id)
    while card is not None and card.status == Status.MERGED:
        card = ws.known_card(card.merged_into or 0)
    return None if card is None or card.status == Status.ERASED else card


def _change(ws: WorkingSet, command: SaveOrder, known: Order) -> Outcome:
    """Wire 5.1: the same id is an update, and the contact stays the same."""
    resolution = Resolution(warnings=list(command.contact.warnings))
    card = owner_of(ws, known)
    if card is None:
        raise _suppressed("This order belonged to a person who was erased.")
    said = command.order
    decision = find(ws, command.contact.person, ORDER)
    ask_for(ws, card)
    if isinstance(decision, Found) and decision.card is card:
        zone = zone_of(ws, card)
        moment = known.ordered_at if said.moment is None else placed(said.moment, zone)
        work = Settling(
            ws,
            command.contact.person,
            command.contact.profile,
            ORDER,
            Journal(ws, command.origin),
            resolution,
            occurred=min(moment, command.origin.at),
        )
        settle(work, decision)
        outcome = apply(ws, card, known, said, origin=command.origin, resolution=resolution)
        if card.merges:
            outcome.said = _put_on_card(command, "known_order", moment)
        return outcome
    _stay(card, decision, resolution)
    said = _without_whom(said)
    return apply(ws, card, known, said, origin=command.origin, resolution=resolution)


def _stay(card: Card, decision: Decision, resolution: Resolution) -> None:
    """The request names another contact, or nobody known: nothing of anybody's card changes."""
    resolution.contact_id, resolution.matched_by = card.contact_id, "order"
    resolution.rule = "known_order"
    if card.status == Status.REMOVED:
        resolution.outcome = "attached_to_removed"
    is_own = isinstance(decision, Restore) and decision.card is card
    if not (is_own or isinstance(decision, Nobody)):
        resolution.warnings.append(
            Notice("order_stays", "the order stays with the contact that it came to first")
        )


def _without_whom(said: OrderSaid) -> OrderSaid:
    """Values of another person do not come into this person's order: erasing would miss them."""
    return msgspec.structs.replace(
        said, external_customer_id=None, email=None, phone=None, first_name=None, last_name=None
    )


def apply(
    ws: WorkingSet,
    card: Card,
    known: Order,
    said: OrderSaid,
    *,
    origin: Origin,
    resolution: Resolution,
) -> Outcome:
    """Change a known order by what is said of it; an event tells of another status."""
    order = msgspec.structs.replace(known)
    _write_down(order, said)
    if said.moment is not None:
        order.ordered_at = placed(said.moment, zone_of(ws, card))
    answer: dict[str, Any] = {"order": "unchanged", "orderId": order.order_id}
    if order != known:
        order.updated_at = origin.at
        items = said.items if order.items_hash != known.items_hash else None
        ws.know(FACT, order.external_order_id, order)
        ws.effect(FACT, known, order, items, None)
        ws.touch(card.contact_id)
        answer["order"] = "updated"
        if order.status != known.status:
            tell(ws, card, order, occurred=origin.at, received=origin.at, via=None)
    return Outcome(resolution, answer=answer)


def _shown(ws: WorkingSet, card: Card, side: int) -> Sequence[str | None]:
    """External ID, e-mail and phone of the side of this card that an event tells of."""
    values = ((EXTERNAL_ID, card.external_id), (EMAIL, card.email), (PHONE, card.phone))
    if not card.merges:
        return [value for _, value in values]
    if not ws.is_whole(card.contact_id):  # of an event's own time, before the cookie was another's
        return [None, None, None]
    own = ws.identifiers_of(card.contact_id)
    theirs = {held.kind: held.value for held in own if home_of(held) == side}
    return [theirs.get(kind.code) for kind, _ in values]


def ask_for(ws: WorkingSet, card: Card | None) -> None:
    """What `tell` needs of a merged card, before any change."""
    if card is not None and card.merges:
        ws.identifiers_of(card.contact_id)


def tell(
    ws: WorkingSet,
    card: Card,
    order: Order,
    *,
    occurred: datetime,
    received: datetime,
    via: Key | None,
) -> None:
    """One event for each status: `orderDELIVERED` with the order's id as its key (wire 5.1).

    Of a merged card it tells of the one of its people whose order it is (D28): what it says stays.
    """
    external_id, address, phone = _shown(ws, card, order.owner_id)
    params: dict[str, Any] = {
        "eventKey": order.external_order_id,
        "orderId": order.order_id,
        "contactId": order.owner_id,
        "EmailAddress": address,
        "SMS": phone,
        "externalCustomerId": order.external_customer_id or external_id,
        "email": order.email,
        "phone": order.phone,
    }
    said = {name: value for name, value in params.items() if value is not None}
    name = f"order{OrderStatus(order.status).name}"
    event = Happened(
        order.owner_id,
        Kind.EVENT,
        Source.ORDER,
        name,
        order.external_order_id,
        occurred,
        received,
        via,
        said,
    )
    ws.effect("event_type", name)
    ws.effect("happened", event)
