"""How fast an import may go: all out while nobody else writes, in small steps beside live calls."""

from __future__ import annotations

import asyncio
import time

from kartoteka.db.database import Database
from kartoteka.imports.store import QUERIES

ROWS_IN_A_BATCH = 1_000
ROWS_BESIDE_CALLS = 200
"""A small batch holds its contacts, and the processor, for a moment only."""
REST = 1.0
"""Beside live calls an import rests as long as it worked, at most `LONGEST_REST_S`."""
LONGEST_REST_S = 0.5


class Pacing:
    """Looks once a batch whether single calls are being carried out, by this server or another."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.is_live = False
        """Whether there were live calls when the batch began: it goes alone then."""
        self._since = time.monotonic()

    @property
    def rows(self) -> int:
        """How many rows the next batch may have."""
        return ROWS_BESIDE_CALLS if self.is_live else ROWS_IN_A_BATCH

    async def look(self) -> None:
        """Ask whether there are live calls; after a batch beside them, rest first."""
        if self.is_live:
            worked = time.monotonic() - self._since
            await asyncio.sleep(min(worked * REST, LONGEST_REST_S))
        row = await self._database.fetch_one(QUERIES["live_calls"])
        self.is_live = row is not None and bool(row[0])
        self._since = time.monotonic()
