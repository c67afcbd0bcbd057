"""Possible duplicates: the same address kept apart, and contacts that look alike (part 6).

Look-alikes are found by `duplicate_search.py`; here they are read.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from kartoteka.contacts.look_alikes import Alike
from kartoteka.db.arrays import pg_array
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

    async def count_shared(self, account_id: int) -> int:
        """How many pairs `shared` has in all."""
        return int((await self._fetch("count_shared_addresses", account_id))[0][0])

    async def alike(
        self,
        account_id: int,
        *,
        skip: int,
        rows: int,
        score: float = LIKELY,
        others: bool = False,
    ) -> list[Alike]:
        """Pairs that look alike, the likeliest first; `others`: those that share no address."""
        page = {"skip": skip, "rows": rows, "score": score, "others": others}
        return [Alike(*row) for row in await self._fetch("look_alikes", account_id, **page)]

    async def count_alike(
        self, account_id: int, *, score: float = LIKELY, others: bool = False
    ) -> int:
        """How many pairs `alike` has in all."""
        found = await self._fetch("count_look_alikes", account_id, score=score, others=others)
        return int(found[0][0])

    async def likeness_of(
        self, account_id: int, pairs: Sequence[Shared]
    ) -> dict[tuple[int, int], Alike]:
        """How alike these pairs are, where a search found them."""
        found = await self._fetch(
            "likeness_of",
            account_id,
            ones=pg_array([one.contact_id for one in pairs]),
            others=pg_array([one.other_id for one in pairs]),
        )
        return {(row[0], row[1]): Alike(*row) for row in found}

    async def told_apart(self, account_id: int, *, skip: int, rows: int) -> list[ToldApart]:
        """Pairs that are kept apart because somebody said so, the latest first."""
        found = await self._fetch("told_apart", account_id, skip=skip, rows=rows)
        return [ToldApart(*row) for row in found]

    async def count_told_apart(self, account_id: int) -> int:
        """How many pairs `told_apart` has in all."""
        return int((await self._fetch("count_told_apart", account_id))[0][0])

    async def quarantine(self, account_id: int, *, skip: int, rows: int) -> list[Quarantined]:
        """Values that name nobody, newest first (D6)."""
        found = await self._fetch("quarantine", account_id, skip=skip, rows=rows)
        return [Quarantined(*row) for row in found]

    async def count_quarantine(self, account_id: int) -> int:
        """How many values name nobody."""
        return int((await self._fetch("count_quarantine", account_id))[0][0])

    async def _fetch(self, name: str, account_id: int, **params: Any) -> list[tuple[Any, ...]]:
        return await self._database.fetch(QUERIES[name], account_id=account_id, **params)
