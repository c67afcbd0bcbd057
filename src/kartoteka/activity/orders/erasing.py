"""Erasing a person: ids of their orders stay as hashes: an old order is known as old (D29)."""

from __future__ import annotations

from collections.abc import Iterable

from kartoteka.activity.orders.model import order_key
from kartoteka.activity.orders.rules import FACT, ORDERS_OF, owner_of
from kartoteka.contacts.model import Outcome, RemoveContact
from kartoteka.contacts.removal import remove_contact
from kartoteka.identity.kinds import EXTERNAL_ID
from kartoteka.identity.model import Card, Identifier, Status
from kartoteka.identity.working_set import WorkingSet


def remove_with_orders(ws: WorkingSet, command: RemoveContact) -> Outcome:
    """DELETE of a contact; with erase, its orders are remembered by their hashes and go."""
    card = _named(ws, command) if command.erase else None
    if card is None or card.status not in (Status.LIVE, Status.REMOVED):
        return remove_contact(ws, command)
    stored = ws.fact(ORDERS_OF, card.contact_id) or ()
    new = _written_in_this_batch(ws, card)
    outcome = remove_contact(ws, command)
    if card.status == Status.ERASED:
        for external_order_id in dict.fromkeys((*stored, *new)):
            key = order_key(external_order_id)
            ws.effect("suppress", key, card.contact_id, None, command.origin.at)
            ws.suppress(key, card.contact_id, None, command.origin.at)
        _forget(ws, new)
    return outcome


def _named(ws: WorkingSet, command: RemoveContact) -> Card | None:
    """The card that goes; a former External ID only leaves its card."""
    if command.contact_id is not None:
        return ws.known_card(command.contact_id)
    if command.external_id is None:
        return None
    rows = ws.holders(Identifier(EXTERNAL_ID.code, command.external_id).key)
    return next((ws.card(held.contact_id) for held in rows if not held.former), None)


def _written_in_this_batch(ws: WorkingSet, card: Card) -> list[str]:
    """Ids of orders that an earlier command of the batch took for this person."""
    orders = {order.external_order_id for _, order, *_ in ws.effects.get(FACT, ()) if order}
    current = (ws.fact(FACT, external_order_id) for external_order_id in sorted(orders))
    return [one.external_order_id for one in current if one and owner_of(ws, one) is card]


def _forget(ws: WorkingSet, external_order_ids: Iterable[str]) -> None:
    for external_order_id in external_order_ids:
        order = ws.fact(FACT, external_order_id)
        ws.know(FACT, external_order_id, None)
        ws.effect(FACT, order, None, None, None)
