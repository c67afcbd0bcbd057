"""Reads orders for the rules, and writes what a batch made of them (docs/decisions/0015)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from kartoteka.activity.orders.model import COLUMNS, ITEM_COLUMNS, Order, OrderItem, order_key
from kartoteka.activity.orders.rules import FACT, ORDERS_OF
from kartoteka.activity.store import via_of
from kartoteka.contacts.store import Batch, Rows, Statement, Writers, write_effects
from kartoteka.db.arrays import pg_array
from kartoteka.db.named import Query, load_queries
from kartoteka.db.transaction import Call
from kartoteka.identity.kinds import EXTERNAL_ID
from kartoteka.identity.loading import Reader
from kartoteka.identity.store import Digest, columns
from kartoteka.identity.working_set import Missing, WorkingSet

QUERIES = load_queries(__package__)
_JSON = frozenset(("additional",))
_UPDATED = tuple(
    name for name in COLUMNS if name not in ("external_order_id", "owner_id", "via", "created_at")
)
_astuple = msgspec.structs.astuple


# Reading


def _ask_orders(keys: list[Any], _: bool) -> tuple[Query, dict[str, Any]]:
    return QUERIES["find_orders"], {"keys": pg_array(keys)}


def _take_orders(rows: list[tuple[Any, ...]]) -> dict[Any, Any]:
    return {row[1]: Order(*row) for row in rows}


def _ask_ids(keys: list[Any], _: bool) -> tuple[Query, dict[str, Any]]:
    return QUERIES["order_ids_of"], {"keys": pg_array(keys)}


def _take_ids(rows: list[tuple[Any, ...]]) -> dict[Any, Any]:
    found: dict[int, list[str]] = defaultdict(list)
    for contact_id, external_order_id in rows:
        found[contact_id].append(external_order_id)
    return found


def _foresee(keys: Sequence[Any], found: Mapping[Any, Any]) -> Missing:
    """Known orders need the cards they belong to; others may be old ones of erased persons."""
    return Missing(
        cards={order.owner_id for order in found.values()},
        addresses={order_key(key) for key in keys if key not in found},
    )


READERS = {
    FACT: Reader(_ask_orders, _take_orders, _foresee),
    ORDERS_OF: Reader(_ask_ids, _take_ids),
}


# Writing


def _orders(batch: Batch, rows: Rows) -> list[Statement]:
    """Each row is (order before, after, its items, what found its contact): the first before and the
    last after count."""
    changes = _Changes()
    for before, after, items, carrier in rows:
        if before is None and carrier is not None:
            changes.via[after.order_id] = via_of(batch, carrier)
        changes.note(before, after, items)
    return changes.statements(batch.at)


class _Changes:
    """What one batch does to orders, in the end."""

    def __init__(self) -> None:
        self._before: dict[str, Order | None] = {}
        self._after: dict[str, Order | None] = {}
        self._items: dict[int, Sequence[OrderItem]] = {}
        self.via: dict[int, int] = {}
        """Of new orders: what an undo knows the carrier by (decisions D28)."""

    def note(
        self, before: Order | None, after: Order | None, items: Sequence[OrderItem] | None
    ) -> None:
        """One step. `items` None: they stay as they are."""
        external_id = (before or after).external_order_id  # type: ignore[union-attr]
        self._before.setdefault(external_id, before)
        self._after[external_id] = after
        if before is not None and after is None:
            self._items.pop(before.order_id, None)
        if after is not None and items is not None:
            self._items[after.order_id] = items

    def statements(self, at: datetime) -> list[Statement]:
        """What was there goes before what comes: an order may be deleted and come again."""
        deleted, new, changed = [], [], []
        totals = _Totals()
        for external_id, before in self._before.items():
            after = self._after[external_id]
            totals.count(before, after)
            if before is not None and (after is None or after.order_id != before.order_id):
                deleted.append(before.order_id)
            elif before is not None and after is not None:
                changed.append(after)
            if after is not None and (before is None or after.order_id != before.order_id):
                new.append(msgspec.structs.replace(after, via=self.via.get(after.order_id)))
        return [
            *_deletes(deleted, [one.order_id for one in changed if one.order_id in self._items]),
            *_writes("insert_orders", COLUMNS, new),
            *_writes("update_orders", _UPDATED, changed),
            *self._insert_items(),
            *totals.statements(),
            *_note([*deleted, *(one.order_id for one in (*new, *changed))], at),
        ]

    def _insert_items(self) -> list[Statement]:
        rows = [
            (order_id, position, *_astuple(item))
            for order_id, items in self._items.items()
            for position, item in enumerate(items)
        ]
        if not rows:
            return []
        return [("insert_items", columns(("order_id", "position", *ITEM_COLUMNS), rows))]


def _note(orders: list[int], at: datetime) -> list[Statement]:
    """For exports: which orders are others now."""
    return [("note_orders", {"order_id": pg_array(orders), "at": at})] if orders else []


def _deletes(orders: list[int], items: list[int]) -> list[Statement]:
    statements: list[Statement] = []
    if orders or items:
        statements.append(("delete_items", {"order_id": pg_array([*orders, *items])}))
    if orders:
        statements.append(("delete_orders", {"order_id": pg_array(orders)}))
    return statements


def _writes(query: str, names: Sequence[str], orders: Sequence[Order]) -> list[Statement]:
    if not orders:
        return []
    every = columns(COLUMNS, [_astuple(order) for order in orders], _JSON)
    return [(query, {name: every[name] for name in names})]


class _Added(msgspec.Struct):
    """What one batch does to the totals of an owner in a currency."""

    orders: int = 0
    delivered: int = 0
    total: Decimal = Decimal(0)
    first: datetime | None = None
    last: datetime | None = None
    lost: bool = False
    """A delivered order went, or changed its date: it may have been the first or the last."""


class _Totals:
    """What is added to each owner's totals, a row for each currency."""

    def __init__(self) -> None:
        self._added: dict[tuple[int, str], _Added] = defaultdict(_Added)

    def count(self, before: Order | None, after: Order | None) -> None:
        """One order as it was before the batch and as it is behind it."""
        if before is not None:
            self._take_away(before, after)
        if after is not None:
            added = self._of(after)
            added.orders += 1
            if after.counted is not None:
                added.delivered += 1
                added.total += after.counted
                at = after.ordered_at
                added.first = at if added.first is None else min(added.first, at)
                added.last = at if added.last is None else max(added.last, at)

    def _take_away(self, before: Order, after: Order | None) -> None:
        added = self._of(before)
        added.orders -= 1
        if before.counted is not None:
            added.delivered -= 1
            added.total -= before.counted
            stays = after is not None and after.counted is not None
            if not (stays and _dated(after) == _dated(before)):
                added.lost = True

    def _of(self, order: Order) -> _Added:
        return self._added[(order.owner_id, order.currency)]

    def statements(self) -> list[Statement]:
        """The numbers, then dates that have to be looked up, then rows that have become empty."""
        names = ("owner_id", "currency", "orders", "delivered", "delivered_sum", "first", "last")
        changed = {
            key: added for key, added in sorted(self._added.items()) if added != _NOTHING_ADDED
        }
        if not changed:
            return []
        rows = [(*key, *_astuple(added)[:-1]) for key, added in changed.items()]
        statements: list[Statement] = [("add_to_totals", columns(names, rows))]
        if lost := [key for key, added in changed.items() if added.lost]:
            statements.append(("look_up_dates", columns(names[:2], lost)))
        if fewer := [owner for (owner, _), added in changed.items() if added.orders < 0]:
            statements.append(("drop_empty_totals", {"owner_id": pg_array(fewer)}))
        return statements


_NOTHING_ADDED = _Added()


def _dated(order: Order | None) -> tuple[int, str, datetime] | None:
    """Where an order stands among those whose first and last are kept."""
    return None if order is None else (order.owner_id, order.currency, order.ordered_at)


def _forget_value(_: Batch, rows: Rows) -> list[Statement]:
    named = [(contact_id, value) for contact_id, kind, value in rows if kind == EXTERNAL_ID.code]
    if not named:
        return []
    return [("forget_external_id", columns(("contact_id", "value"), named))]


_WRITERS: Writers = {FACT: _orders}
_LAST_WRITERS: Writers = {"forget_value": _forget_value}


def after(ws: WorkingSet, digest: Digest, at: datetime) -> list[Call]:
    """Statements that write the orders of this batch and their totals."""
    return write_effects(ws, digest, at, _WRITERS, QUERIES)


def erase(ws: WorkingSet, digest: Digest, at: datetime) -> list[Call]:
    """What an erased former External ID leaves; orders of erased persons go with their activity."""
    return write_effects(ws, digest, at, _LAST_WRITERS, QUERIES)
