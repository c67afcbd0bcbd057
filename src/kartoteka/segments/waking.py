"""The clock of segments: whose membership time changes is asked again at that moment (decisions D31)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from kartoteka.db.arrays import pg_array
from kartoteka.db.database import Database
from kartoteka.db.failures import RETRYABLE
from kartoteka.db.named import load_queries
from kartoteka.db.transaction import Call, transaction
from kartoteka.segments.watch import QUERIES as WATCH
from kartoteka.segments.watch import Watched, read_definitions

QUERIES = load_queries(__package__, "waking.sql")
ROWS_AT_ONCE = 2_000
MOST_ATTEMPTS = 20


async def next_moment(database: Database, account_id: int) -> datetime | None:
    """When time next changes something in this account."""
    row = await database.fetch_one(QUERIES["next_moment"], account_id=account_id)
    return None if row is None else row[0]


async def wake(database: Database, account_id: int, now: datetime) -> int:
    """Ask again about everybody whose moment has come; how many moments there were.

    The cards that change sides are touched, so that whoever writes them at this moment runs again.
    """
    woken = 0
    while True:
        due = await database.fetch(
            QUERIES["due_moments"], account_id=account_id, now=now, rows=ROWS_AT_ONCE
        )
        await ask_again(database, account_id, due, now)
        woken += len(due)
        if len(due) < ROWS_AT_ONCE:
            return woken


async def ask_again(
    database: Database, account_id: int, pairs: Sequence[tuple[int, int]], now: datetime
) -> None:
    """Ask again about each (version id, contact id), on fresh data while others are quicker."""
    for attempt in range(MOST_ATTEMPTS):
        try:
            await _ask_again(database, account_id, pairs, now)
        except RETRYABLE:
            if attempt == MOST_ATTEMPTS - 1:
                raise
        else:
            return


async def _ask_again(
    database: Database, account_id: int, due: Sequence[tuple[int, int]], now: datetime
) -> None:
    by_version: defaultdict[int, list[int]] = defaultdict(list)
    for version_id, contact_id in due:
        by_version[version_id].append(contact_id)
    ids = sorted({contact_id for _, contact_id in due})
    if not ids:
        return
    async with transaction(database) as tx:
        account = {"account_id": account_id}
        ((epoch,),) = (await tx.run((WATCH["segment_epoch"], account)))[0]
        known = await read_definitions(tx, account_id, epoch)
        await tx.run((QUERIES["lock_contacts"], {**account, "ids": pg_array(ids)}))
        watched = {one.version.version_id: one for one in known.watched}
        asked = [
            _settled(watched[version_id], found, now)
            for version_id, found in by_version.items()
            if version_id in watched
        ]
        flipped = {contact_id for rows in await tx.run(*asked) for (contact_id, *_) in rows}
        gone = [pair for pair in due if pair[0] not in watched]
        forgotten = {
            "version_id": pg_array([version_id for version_id, _ in gone]),
            "contact_id": pg_array([contact_id for _, contact_id in gone]),
        }
        await tx.commit(
            (QUERIES["touch_contacts"], {**account, "ids": pg_array(sorted(flipped))}),
            (QUERIES["forget_moments"], {**account, **forgotten}),
            (WATCH["enter_segment_gate"], account),
            (WATCH["hold_segment_epoch"], account),
        )


def _settled(one: Watched, ids: Sequence[int], now: datetime) -> Call:
    return one.settle, one.version.params(
        ids=pg_array(sorted(ids)), owners=pg_array([]), at=now, now=now
    )
