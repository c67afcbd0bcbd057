"""Event types of an account: made by the first event of that key, changed by hand (wire 6.2, 6.3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from kartoteka.activity.forms import MAX_TYPE_CHARS, InvalidEvent, read_key
from kartoteka.activity.model import EventType
from kartoteka.activity.store import QUERIES as OF_A_BATCH
from kartoteka.clock import Clock
from kartoteka.db.database import Database
from kartoteka.db.named import load_queries
from kartoteka.errors import Conflict, InvalidRequest, NotFound

QUERIES = load_queries(__package__, "event_types.sql")
MOST_SEGMENTED = 50
"""As many types may have segmentation on (wire 6.3)."""
MAX_PARAMS = 100
_LOCK = 40_006


class InvalidEventType(InvalidRequest):
    """The event type is not valid."""

    code = "invalid_event_type"


class TooManySegmented(Conflict):
    """Fifty event types have segmentation on; switch another one off first."""

    code = "too_many_segmented_types"


class EventTypeNotFound(NotFound):
    """Event type not found: no event of this key came, and nobody made it."""


class Change(msgspec.Struct, frozen=True):
    """What a call wants of a type; None leaves it as it is."""

    segmentation: bool | None = None
    required_params: Sequence[dict[str, Any]] | None = None


def read_type_key(raw: str) -> str:
    """The key of a path. Raises `InvalidEventType`."""
    try:
        key = read_key(raw, "The key", MAX_TYPE_CHARS)
    except InvalidEvent as error:
        raise InvalidEventType(error.message) from None
    if key is None:
        raise InvalidEventType("The key is empty.")
    return key


def read_change(body: dict[str, Any]) -> Change:
    """`{segmentation, requiredParams}`: names, or objects with name and required.

    Raises `InvalidEventType`.
    """
    segmentation = body.get("segmentation")
    if segmentation is not None and not isinstance(segmentation, bool):
        raise InvalidEventType("segmentation must be true or false.")
    if "requiredParams" not in body:
        return Change(segmentation)
    raw = body["requiredParams"]
    if not isinstance(raw, list | None) or len(raw or ()) > MAX_PARAMS:
        raise InvalidEventType(f"requiredParams must be a list of at most {MAX_PARAMS} elements.")
    params: dict[str, dict[str, Any]] = {}
    for one in raw or ():
        name, required = (one, True)
        if isinstance(one, dict):
            name, required = one.get("name"), one.get("required", True)
        if not isinstance(name, str) or not name.strip() or not isinstance(required, bool):
            raise InvalidEventType("An element of requiredParams is a name, or {name, required}.")
        params[name.strip()] = {"name": name.strip(), "required": required}
    return Change(segmentation, list(params.values()))


class EventTypes:
    """The event types of all accounts."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def page(self, account_id: int, skip: int, rows: int) -> tuple[list[EventType], int]:
        """(one page by key, how many there are)."""
        found = await self._database.fetch(
            QUERIES["list_event_types"], account_id=account_id, skip=skip, rows=rows
        )
        counted = await self._database.fetch_one(
            QUERIES["count_event_types"], account_id=account_id
        )
        return [EventType(*row) for row in found], 0 if counted is None else counted[0]

    async def find(self, account_id: int, key: str) -> EventType:
        """Raises `EventTypeNotFound`."""
        rows = await self._database.fetch(
            OF_A_BATCH["find_event_types"], account_id=account_id, keys=[key]
        )
        if not rows:
            raise EventTypeNotFound
        return EventType(*rows[0])

    async def change(self, account_id: int, key: str, change: Change) -> EventType:
        """Make or change a type; what it is now. Raises `TooManySegmented`."""
        at = self._clock.now()
        asked = {"account_id": account_id, "key": key, "at": at}
        async with self._database.connection() as connection, connection.transaction():
            # One at a time in an account: or two calls make the fiftieth and the fifty-first.
            lock = {"family": _LOCK, "number": account_id}
            await connection.execute(QUERIES["lock_event_types"].sql, lock)
            if change.segmentation:
                counted = await connection.execute(QUERIES["count_segmented"].sql, asked)
                row = await counted.fetchone()
                if row is not None and row[0] >= MOST_SEGMENTED:
                    raise TooManySegmented
            params = change.required_params
            changed = await connection.execute(
                QUERIES["change_event_type"].sql,
                {
                    **asked,
                    "segmentation": change.segmentation,
                    "required_params": None
                    if params is None
                    else msgspec.json.encode(params).decode(),
                },
            )
            row = await changed.fetchone()
        assert row is not None
        return EventType(*row)
