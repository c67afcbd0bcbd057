"""Housekeeping of exports: old runs, and rows of `change` that nobody needs any more."""

from __future__ import annotations

from datetime import timedelta

from kartoteka.clock import Clock
from kartoteka.db.database import Database
from kartoteka.exports.store import QUERIES

RUNS_KEPT = timedelta(days=90)
FRESH = timedelta(hours=1)
"""Rows of `change` younger than this stay, whoever has read them."""
CHANGES_KEPT = timedelta(days=7)
"""How long an export may stand still and still go on where it was."""


async def clean_up_exports(database: Database, clock: Clock) -> None:
    """Forget runs of three months ago, and changes that all exports have, or that are a week old."""
    now = clock.now()
    await database.execute(QUERIES["old_runs"], before=now - RUNS_KEPT)
    for (account_id,) in await database.fetch(QUERIES["accounts_with_changes"]):
        await database.execute(
            QUERIES["drop_read_changes"], account_id=account_id, fresh=now - FRESH
        )
        await database.execute(
            QUERIES["drop_old_changes"], account_id=account_id, before=now - CHANGES_KEPT
        )
