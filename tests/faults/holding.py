"""Writers that are held back at a table, so that others come in between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import psycopg

from kartoteka.contacts.model import Command
from tests.faults.conftest import Shop

COMMITS = ("identity_history", "event")
"""What every writer writes, behind the locks of its cards."""
_WAITING = """
    select count(*)
    from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock'
"""


async def waiting(url: str, number: int) -> None:
    """Until that many backends wait for a lock."""
    async with asyncio.timeout(60), await psycopg.AsyncConnection.connect(url) as watcher:
        await watcher.set_autocommit(True)
        while (await (await watcher.execute(_WAITING)).fetchone()) != (number,):  # noqa: ASYNC110
            await asyncio.sleep(0.005)


@asynccontextmanager
async def held_back(
    url: str, *tables: str, mode: str = "exclusive"
) -> AsyncIterator[Callable[[int], Awaitable[None]]]:
    """Nobody can write these tables inside; gives `until(n)`: n backends wait for a lock."""
    async with await psycopg.AsyncConnection.connect(url) as connection:
        await connection.execute(f"lock table {', '.join(tables)} in {mode} mode")  # type: ignore[arg-type]
        yield lambda number: waiting(url, number)
        await connection.rollback()


async def first_then(
    shops: tuple[Shop, Shop],
    first: Command,
    second: Command,
    at=None,
    tables: Sequence[str] = COMMITS,
) -> None:
    """`first` has locked its cards when `second` reads; `first` commits while `second` waits."""
    one, other = shops
    async with held_back(one.url, *tables) as until:
        slow = asyncio.create_task(one.send(first, at))
        await until(1)
        late = asyncio.create_task(other.send(second))
        await until(2)
    await asyncio.gather(slow, late)
    one.check()
