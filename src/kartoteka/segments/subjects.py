"""Contacts with all that conditions read of them, a page at a time: for `holds_for` in plain Python."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from kartoteka.db.database import Connection
from kartoteka.db.named import load_queries
from kartoteka.identity.model import Card
from kartoteka.segments.conditions.base import Event, Order, Subject

QUERIES = load_queries(__package__, "subjects.sql")
ROWS_IN_A_PAGE = 1_000
_COLUMNS = len(Card.__struct_fields__)


async def read_subjects(
    connection: Connection, account_id: int, after: int, now: datetime
) -> list[Subject]:
    """The next live contacts after that id, as they are in the connection's transaction."""
    params: dict[str, Any] = {"account_id": account_id, "after": after, "rows": ROWS_IN_A_PAGE}
    cursor = await connection.execute(QUERIES["subjects"].sql, params)
    return [_subject(row, now) for row in await cursor.fetchall()]


def _subject(row: tuple[Any, ...], now: datetime) -> Subject:
    identifiers, lists, orders, events = row[_COLUMNS:]
    return Subject(
        Card(*row[:_COLUMNS]),
        now,
        tuple((kind, app) for kind, app in identifiers or ()),
        frozenset(lists or ()),
        tuple(_order(*one) for one in orders or ()),
        tuple(_event(*one) for one in events or ()),
    )


def _order(delivered: bool, cost: str, at: str, currency: str) -> Order:
    return Order(delivered, Decimal(cost), datetime.fromisoformat(at), currency)


def _event(type_: str, at: str, visit: bool, key: str, params: dict[str, str] | None) -> Event:
    return Event(type_, datetime.fromisoformat(at), visit, key, params or {})
