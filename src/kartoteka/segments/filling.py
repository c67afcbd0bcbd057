"""Fills a version with the contacts that it holds, range by range, while everybody goes on writing.

1. The version is there, state *filling*: from here on writers mark each card that they change, in or out.
2. Ranges of contacts are evaluated, one statement each. A mark stands, whoever was first: both write the
   same unique key, so one of them sees the other or runs again.
3. State *settling*: writers write as usual. The marks that say *out* are swept away.
4. State *serving*: in one row the version takes the place of the one before, which then goes.

Every step is idempotent and its progress is in its own commit: after kill -9 another process goes on.
"""

from __future__ import annotations

import time
from typing import Any

from kartoteka.clock import Clock
from kartoteka.db.database import Database
from kartoteka.db.lock import try_lock
from kartoteka.db.named import load_queries
from kartoteka.db.transaction import Transaction
from kartoteka.segments.defining import change_definitions
from kartoteka.segments.evaluating import Version, version_of
from kartoteka.segments.model import State

QUERIES = load_queries(__package__, "filling.sql")
LOCK = 84
"""Family of the advisory locks: one process fills a version."""
ROWS_IN_A_RANGE = 5_000
CHANNEL = "kartoteka_segments"


class Filling:
    """Brings versions to where they serve, and takes old ones away."""

    def __init__(
        self, database: Database, clock: Clock, *, rows_in_a_range: int = ROWS_IN_A_RANGE
    ) -> None:
        self._database = database
        self._clock = clock
        self._rows = rows_in_a_range

    async def advance(self, account_id: int, version_id: int, within_s: float | None) -> bool:
        """Fill for that long, None: to the end; whether it serves now. Another may be at it."""
        until = None if within_s is None else time.monotonic() + within_s
        async with try_lock(self._database, LOCK, version_id % 2**31) as lock:
            if lock is None:
                return False
            row = await self._database.fetch_one(
                QUERIES["version_to_fill"], account_id=account_id, version_id=version_id
            )
            if row is None:
                return True
            version = version_of(account_id, *row[:4])
            if not await self._fill(version, row[4], until):
                return False
            await self._settle(version)
        return True

    async def _fill(self, version: Version, after: int, until: float | None) -> bool:
        if version.state is not State.FILLING:
            return True
        fill = version.fill()
        while True:
            at = self._clock.now()
            row = await self._database.fetch_one(
                fill, **version.params(after=after, rows=self._rows, at=at, now=at)
            )
            if row is None:
                return True
            after = row[0]
            if until is not None and time.monotonic() >= until:
                return False

    async def _settle(self, version: Version) -> None:
        account_id = version.account_id
        params: dict[str, Any] = {"account_id": account_id, "version_id": version.version_id}

        async def settling(tx: Transaction) -> None:
            states = {"state": "settling", "from": "filling"}
            await tx.run((QUERIES["set_version_state"], {**params, **states}))

        async def serving(tx: Transaction) -> None:
            await tx.run((QUERIES["serve_version"], {**params, "at": self._clock.now()}))

        if version.state is State.FILLING:
            await change_definitions(self._database, account_id, settling)
        while await self._database.execute(QUERIES["sweep_marks"], **params):
            pass
        await change_definitions(self._database, account_id, serving)

    async def drop(self, account_id: int, version_id: int) -> None:
        """Take an old version away, and tell who entered and left where another took its place."""
        async with try_lock(self._database, LOCK, version_id % 2**31) as lock:
            if lock is None:
                return
            row = await self._database.fetch_one(
                QUERIES["old_version"], account_id=account_id, version_id=version_id
            )
            if row is None:
                return
            _, segment_id, new, told_to, swapped = row
            params = {
                "account_id": account_id,
                "old": version_id,
                "new": new,
                "segment_id": segment_id,
                "swapped": swapped,
                "at": self._clock.now(),
            }
            if new is not None:
                await self._tell_entered(params, told_to)
            while (await self._database.fetch(QUERIES["drop_matches"], **params))[0][0]:
                pass
            gone = {"account_id": account_id, "version_id": version_id}
            while await self._database.execute(QUERIES["drop_moments"], **gone):
                pass
            await self._database.execute(QUERIES["drop_version"], **gone)

    async def _tell_entered(self, params: dict[str, Any], after: int) -> None:
        while True:
            row = await self._database.fetch_one(QUERIES["tell_entered"], **params, after=after)
            if row is None:
                return
            after = row[0]
