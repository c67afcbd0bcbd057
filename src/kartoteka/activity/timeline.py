"""What belongs to a contact, newest first: orders, events, visits (decisions D14, D36)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from kartoteka.activity.forms import read_time
from kartoteka.activity.model import Kind, Source
from kartoteka.activity.orders.model import OrderStatus
from kartoteka.clock import Clock
from kartoteka.db.arrays import pg_array
from kartoteka.db.database import Database
from kartoteka.db.named import load_queries
from kartoteka.errors import InvalidRequest

QUERIES = load_queries(__package__, "timeline.sql")
TYPES = ("order", "event", "visit")
_WINDOWS = (timedelta(days=92), timedelta(days=366), timedelta(days=4 * 366))
_BEGINNING = datetime(1, 1, 1, tzinfo=UTC)
_MAX_ID = 2**63 - 1


class InvalidCursor(InvalidRequest):
    """before must be a moment, such as 2026-11-26T10:00Z, or the cursor of an item."""

    code = "invalid_cursor"


class Place(msgspec.Struct, frozen=True):
    """A place in a timeline: everything at this moment or earlier, below these ids."""

    at: datetime
    order_id: int = 0
    event_id: int = 0


class Item(msgspec.Struct, frozen=True):
    """A row of query `timeline`."""

    rank: int
    id: int
    kind: int
    source: int
    key: str
    key_value: str
    occurred: datetime
    received: datetime
    params: dict[str, Any]
    rule: str | None

    @property
    def type(self) -> str:
        return "order" if self.rank else "visit" if self.kind == Kind.VISIT else "event"

    @property
    def cursor(self) -> str:
        moment = self.occurred.astimezone(UTC).isoformat().replace("+00:00", "Z")
        return f"{moment}~{self.rank}~{self.id}"


def read_before(text: str, now: datetime) -> Place:
    """Where the page begins: a moment (what happened before it), a cursor, or now and all later.

    Raises `InvalidCursor`.
    """
    if not text.strip():
        return Place(max(now, _END), _MAX_ID, _MAX_ID)
    moment, *rest = text.strip().split("~")
    at = read_time(moment.replace(" ", "+"))  # a plus in a query is a blank
    if at is None or len(rest) not in (0, 2) or not all(one.isdigit() for one in rest):
        raise InvalidCursor
    if not rest:
        return Place(at)
    rank, number = (min(int(one[:19]), _MAX_ID) for one in rest)
    # Orders of a moment come before its events.
    return Place(at, number, _MAX_ID) if rank else Place(at, 0, number)


_END = datetime(9999, 12, 31, tzinfo=UTC)


class Timelines:
    """Timelines of all accounts, for reading."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def page(
        self, account_id: int, contact_id: int, before: Place, rows: int, types: frozenset[str]
    ) -> list[Item]:
        """Items of a card and of those merged into it. Looks back step by step, so that a person with
        recent events costs a few partitions, however far the account's history reaches."""
        kinds = _kinds(types)
        found: list[Item] = []
        for since, until in _steps(before.at, self._clock.now()):
            place = before if until == before.at else Place(until)
            page = await self._database.fetch(
                QUERIES["timeline"],
                account_id=account_id,
                contact_id=contact_id,
                kinds=pg_array(kinds),
                orders="order" in types,
                since=since,
                before=place.at,
                before_event=place.event_id,
                before_order=place.order_id,
                rows=rows - len(found),
            )
            found += [Item(*row) for row in page]
            if len(found) >= rows:
                break
        return found

    async def size(self, account_id: int, contact_id: int, types: frozenset[str]) -> int:
        """How many items there are in all, of these types."""
        ((found,),) = await self._database.fetch(
            QUERIES["timeline_size"],
            account_id=account_id,
            contact_id=contact_id,
            kinds=pg_array(_kinds(types)),
            orders="order" in types,
        )
        return int(found)


def _kinds(types: frozenset[str]) -> list[int]:
    return [int(Kind[name.upper()]) for name in ("event", "visit") if name in types]


def _steps(before: datetime, now: datetime) -> Iterator[tuple[datetime, datetime]]:
    """(from, to) of looks back: short ones first, then everything."""
    until = before
    for window in _WINDOWS:
        start = min(until, now) - window if until > _BEGINNING + window else _BEGINNING
        yield start, until
        until = start
        if until == _BEGINNING:
            return
    yield _BEGINNING, until


def shown(item: Item) -> dict[str, Any]:
    """An item as the API answers it."""
    one: dict[str, Any] = {
        "type": item.type,
        "id": item.id,
        "key": item.key,
        "occurred": _text(item.occurred),
        "received": _text(item.received),
        "source": "order" if item.rank else Source(item.source).name.lower(),
        "params": item.params,
        "cursor": item.cursor,
    }
    if item.rank:
        one["params"] = {**item.params, "status": OrderStatus(item.params["status"]).name}
    else:
        one["keyValue"] = item.key_value
    if item.rule == "claim":
        one["linkedBy"] = "claim"  # a public caller said whose it is (decisions D36)
    return one


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
