"""Changing what segments there are: each change is one short transaction between those of writers.

Whoever writes a contact holds the definitions that it writes by for share until its commit, and runs
again if they changed since its snapshot. So after a change of definitions nobody writes by others, and
filling a new version needs no lock (docs/decisions/0020).
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Any

from kartoteka.db.database import Database
from kartoteka.db.failures import RETRYABLE
from kartoteka.db.named import load_queries
from kartoteka.db.transaction import Call, Transaction, transaction
from kartoteka.errors import DatabaseUnavailable

QUERIES = load_queries(__package__, "defining.sql")
MOST_ATTEMPTS = 40


class DefinitionsChanged(Exception):
    """Somebody changed segments between reading them and changing them."""


async def read_epoch(database: Database, account_id: int) -> int:
    """Another number when the definitions are others."""
    row = await database.fetch_one(QUERIES["read_epoch"], account_id=account_id)
    return 0 if row is None else int(row[0])


async def change_definitions(
    database: Database,
    account_id: int,
    work: Callable[[Transaction], Any],
    *,
    epoch: int | None = None,
) -> Any:
    """What `work` answers, done in a transaction after which the definitions are others.

    It runs again when another change was quicker; with `epoch`, as of which `work` was thought out,
    that raises `DefinitionsChanged`. Raises what `work` raises.
    """
    account = {"account_id": account_id}
    for attempt in range(MOST_ATTEMPTS):
        try:
            async with transaction(database) as tx:
                await tx.run((QUERIES["close_segment_gate"], account))
                if epoch is not None:
                    ((now,),) = (await tx.run((QUERIES["read_epoch"], account)))[0]
                    if now != epoch:
                        raise DefinitionsChanged
                answer = await work(tx)
                await tx.commit((QUERIES["next_segment_epoch"], account))
                return answer
        except RETRYABLE:
            await asyncio.sleep(random.random() * 0.01 * min(attempt + 1, 20))
    raise DatabaseUnavailable("Too many others change segments; try again in a moment.")


def call(name: str, account_id: int, /, **params: Any) -> Call:
    """A statement of this capability."""
    return QUERIES[name], {"account_id": account_id, **params}
