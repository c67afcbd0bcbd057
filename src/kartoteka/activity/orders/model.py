"""An order as a request brings it, as it is stored, and the commands about it (wire 5.1)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import IntEnum
from typing import Any, ClassVar

import msgspec

from kartoteka.contacts.model import Command, ContactInput
from kartoteka.errors import InvalidRequest
from kartoteka.identity.kinds.key import value_key
from kartoteka.identity.model import Key

MAX_ORDER_ID_CHARS = 255
_FARTHEST_ZONE = timedelta(hours=14)
ORDER_ID_KIND = 100
"""In `suppression`: the hash of an order id of an erased person (decisions D29). No identifier."""


class OrderStatus(IntEnum):
    """Stored in `orders.status`; the names are those of the wire."""

    INITIALIZED = 0
    IN_PROGRESS = 1
    DELIVERED = 2
    CANCELLED = 3
    ABANDONED_SHOPPING_CART = 4


class OrderRefused(InvalidRequest):
    """The order cannot be taken."""

    code: ClassVar[str] = "invalid_order"

    def __init__(self, code: str, message: str, field: str | None = None) -> None:
        """`field` as the order names it, such as `items[2].quantity`; never a value of it."""
        super().__init__(message, **({} if field is None else {"field": field}))
        self.reason = code
        self.field = field


class OrderItem(msgspec.Struct, frozen=True):
    """One line of an order, in the column order of table `order_item` behind its position."""

    external_item_id: str
    quantity: Decimal
    name: str | None = None
    category: str | None = None
    cost: Decimal | None = None
    url: str | None = None
    image_url: str | None = None
    description: str | None = None


class OrderSaid(msgspec.Struct, frozen=True):
    """What one request says of an order, checked; None says nothing (decisions D16)."""

    external_order_id: str
    status: OrderStatus | None = None
    total_cost: Decimal | None = None
    currency: str | None = None
    moment: datetime | None = None
    """The order's date. Naive: in the zone of whoever ordered (wire X12)."""
    external_customer_id: str | None = None
    email: str | None = None
    phone: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    shipping: Decimal | None = None
    discount: Decimal | None = None
    taxes: Decimal | None = None
    restore_url: str | None = None
    status_description: str | None = None
    store_id: str | None = None
    source: str | None = None
    delivery_method: str | None = None
    payment_method: str | None = None
    delivery_address: str | None = None
    additional: dict[str, str] | None = None
    items: tuple[OrderItem, ...] | None = None


class Order(msgspec.Struct):
    """A row of table `orders`, in its column order, with the items that take the place of its own."""

    order_id: int
    external_order_id: str
    owner_id: int
    via: int | None
    status: int
    total_cost: Decimal
    currency: str
    ordered_at: datetime
    created_at: datetime
    updated_at: datetime
    external_customer_id: str | None = None
    email: str | None = None
    phone: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    shipping: Decimal | None = None
    discount: Decimal | None = None
    taxes: Decimal | None = None
    restore_url: str | None = None
    status_description: str | None = None
    store_id: str | None = None
    source: str = "online"
    delivery_method: str | None = None
    payment_method: str | None = None
    delivery_address: str | None = None
    additional: dict[str, str] = {}
    items_hash: int = 0
    """Of `items_hash`: whether other items came can be told without reading them."""

    @property
    def counted(self) -> Decimal | None:
        """What it adds to its owner's sum: delivered orders only (wire 5.1)."""
        return self.total_cost if self.status == OrderStatus.DELIVERED else None


COLUMNS = Order.__struct_fields__
KEPT_WHEN_UNSAID = tuple(
    (place, name) for place, name in enumerate(OrderSaid.__struct_fields__) if name in COLUMNS
)
"""Columns that a request writes where it says something, and where they stand in `OrderSaid`."""
ITEM_COLUMNS = OrderItem.__struct_fields__


class SaveOrder(Command, kw_only=True):
    """One order of POST /api/v1/orders: a new one, or a change of a known one."""

    order: OrderSaid
    contact: ContactInput
    """Whom the order names; its warnings are about the order too."""

    new_ids: ClassVar[int] = 2
    """A contact and the order."""

    def moments(self) -> Sequence[datetime]:
        """When the event of a new order happened; without an offset it may be in the month beside."""
        moment = self.order.moment
        if moment is None:
            return ()
        if moment.tzinfo is not None:
            return (moment,)
        at = moment.replace(tzinfo=UTC)
        return (at - _FARTHEST_ZONE, at + _FARTHEST_ZONE)

    def alone_with(self) -> Sequence[Any]:
        return (order_key(self.order.external_order_id),)


class DeleteOrder(Command, kw_only=True):
    """DELETE /api/v1/orders, one order."""

    external_order_id: str

    def alone_with(self) -> Sequence[Any]:
        return (order_key(self.external_order_id),)


def order_key(external_order_id: str) -> Key:
    """What an order is known by where keys are hashed, and where commands must not meet."""
    return (ORDER_ID_KIND, value_key(external_order_id))


def items_hash(items: Sequence[OrderItem]) -> int:
    """63 bits that differ when the items differ."""
    text = msgspec.json.encode([_canonical(one) for one in items])
    return int.from_bytes(hashlib.sha256(text).digest()[:8], "big") >> 1


def _canonical(item: OrderItem) -> list[Any]:
    """Amounts that are equal look equal: 1 and 1.00."""
    values = [*msgspec.structs.astuple(item)]
    for place in _AMOUNTS:
        if values[place] is not None:
            values[place] = _plain(values[place])
    return values


_AMOUNTS = [OrderItem.__struct_fields__.index(name) for name in ("quantity", "cost")]


def _plain(amount: Decimal) -> str:
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
