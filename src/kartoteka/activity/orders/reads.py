"""A contact's orders and what they come to, for reading."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

import msgspec

from kartoteka.activity.orders.model import Order, OrderItem
from kartoteka.db.database import Database
from kartoteka.db.named import load_queries

QUERIES = load_queries(__package__, "read_queries.sql")
_CENT = Decimal("0.01")


class Totals(msgspec.Struct, frozen=True):
    """A contact's orders in one currency. Only delivered ones count in sum and dates (wire 5.1)."""

    currency: str
    orders: int
    """Of any status."""
    delivered: int
    delivered_sum: Decimal
    first_delivered: datetime | None
    last_delivered: datetime | None

    @property
    def average(self) -> Decimal | None:
        """To the cent, None without a delivered order."""
        if not self.delivered:
            return None
        return (self.delivered_sum / self.delivered).quantize(_CENT, ROUND_HALF_UP)


class Orders:
    """The orders of all accounts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of_contact(
        self, account_id: int, contact_id: int, *, skip: int, rows: int
    ) -> list[tuple[Order, list[OrderItem]]]:
        """One page of the contact's orders with their items, newest first."""
        found = await self._database.fetch(
            QUERIES["orders_of"],
            account_id=account_id,
            contact_id=contact_id,
            skip=skip,
            rows=rows,
        )
        orders = [Order(*row) for row in found]
        items = await self._items(account_id, [one.order_id for one in orders if one.items_hash])
        return [(order, items.get(order.order_id, [])) for order in orders]

    async def _items(self, account_id: int, ids: list[int]) -> dict[int, list[OrderItem]]:
        found: dict[int, list[OrderItem]] = defaultdict(list)
        if ids:
            rows = await self._database.fetch(
                QUERIES["items_of"], account_id=account_id, order_ids=ids
            )
            for order_id, *values in rows:
                found[order_id].append(OrderItem(*values))
        return found

    async def totals(self, account_id: int, contact_id: int) -> list[Totals]:
        """A row for each currency, the one with most delivered orders first."""
        rows = await self._database.fetch(
            QUERIES["totals_of"], account_id=account_id, contact_id=contact_id
        )
        return [Totals(row[0], int(row[1]), int(row[2]), *row[3:]) for row in rows]
