"""Possible duplicates: the same address kept apart, and contacts that look alike (part 6).

Look-alikes are found by `duplicate_search.py`; here they are read.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from kartoteka.contacts.look_alikes import Alike
from kartoteka.db.database import Database
from kartoteka.db.named import load_queries
from kartoteka.identity.alike import LIKELY

QUERIES = load_queries(__package__, "duplicates.sql")


class Shared(msgspec.Struct, frozen=True):
    """Two contacts with the same e-mail or phone."""

    kind: int
    contact_id: int
    other_id: int


class ToldApart(msgspec.Struct, frozen=True):
    """Two contacts that are not the same person, as somebody said (or took a merge back)."""

    contact_id: int
    other_id: int
    at: datetime
    reason: str
    request_id: str


class Quarantined(msgspec.Struct, frozen=True):
    """A value that stands on too many people."""

    kind: int
    value: str
    since: datetime
    senders: int | None
    rule: str


class Duplicates:
    """Reads possible duplicates of an account."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def shared(self, account_id: int, *, skip: int, rows: int) -> list[Shared]:
        """Pairs with the same e-mail or phone that were kept apart."""
        found = await self._fetch("shared_addresses", account_id, skip=skip, rows=rows)
        return [Shared(*row) for row in found]

    async def alike(
        self, account_id: int, *, skip: int, rows: int, score: float = LIKELY
    ) -> list[Alike]:
        """Pairs that look alike, the likeliest first."""
        found = await self._fetch("look_alikes", account_id, skip=skip, rows=rows, score=score)
        return [Alike(*row) for row in found]

    async def told_apart(self, account_id: int, *, skip: int, rows: int) -> list[ToldApart]:
        """Pairs that are kept apart because somebody said so, the latest first."""
        found = await self._fetch("told_apart", account_id, skip=skip, rows=rows)
        return [ToldApart(*row) for row in found]

    async def quarantine(self, account_id: int, *, skip: int, rows: int) -> list[Quarantined]:
        """Values that name nobody, newest first (D6)."""
        found = await self._fetch("quarantine", account_id, skip=skip, rows=rows)
        return [Quarantined(*row) for row in found]

    async def _fetch(self, name: str, account_id: int, **params: Any) -> list[tuple[Any, ...]]:
        return await self._database.fetch(QUERIES[name], account_id=account_id, **params)
