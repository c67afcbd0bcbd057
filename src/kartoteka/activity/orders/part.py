"""What orders hand the engine."""

from __future__ import annotations

from kartoteka.activity.orders.erasing import remove_with_orders
from kartoteka.activity.orders.model import DeleteOrder, SaveOrder
from kartoteka.activity.orders.rules import FACT, delete_order, save_order
from kartoteka.activity.orders.store import READERS, after, erase
from kartoteka.contacts.lookups import keys_of, named_by
from kartoteka.contacts.model import RemoveContact
from kartoteka.intake.deciding import Action, Part

ORDERS = Part(
    actions={
        SaveOrder: Action(
            save_order,
            lambda command: (keys_of(command.contact.person), ()),
            lambda command: ((FACT, command.order.external_order_id),),
        ),
        DeleteOrder: Action(
            delete_order,
            lambda _: ((), ()),
            lambda command: ((FACT, command.external_order_id),),
        ),
        RemoveContact: Action(remove_with_orders, named_by),
    },
    after=after,
    erase=erase,
    readers=READERS,
)
"""Behind `contacts` and the activity core: a removal takes orders along."""
