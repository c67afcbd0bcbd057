"""How much imports have to do, for whoever watches the server."""

from __future__ import annotations

from datetime import datetime

import msgspec

from kartoteka.db.database import Database
from kartoteka.db.named import load_queries
from kartoteka.imports.store import counts_of

_QUERIES = load_queries(__package__, "load.sql")
MOST = 10_000
"""Imports that are counted: somebody who has more of them waiting knows enough."""


class ToDo(msgspec.Struct, frozen=True):
    """Imports of one source in one state, `queued` or `running`."""

    source: str
    state: str
    count: int
    oldest_s: float
    """Seconds since the oldest of them was taken."""


class ImportLoad(msgspec.Struct, frozen=True):
    """All accounts together."""

    to_do: tuple[ToDo, ...]
    rows: dict[str, int]
    """Rows of the imports under way that have their outcome, by outcome."""


async def import_load(database: Database, now: datetime) -> ImportLoad:
    """What waits and what is under way; cheap, for what is over is not looked at."""
    found = await database.fetch(_QUERIES["imports_to_do"], most=MOST)
    sums = await database.fetch(_QUERIES["rows_under_way"], most=MOST)
    return ImportLoad(
        tuple(
            ToDo(source, state, count, max((now - oldest).total_seconds(), 0.0))
            for source, state, count, oldest in found
        ),
        counts_of([row[0] for row in sums]),
    )
