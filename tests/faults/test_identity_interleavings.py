"""Every pair of identity commands, stepped: the second reads while the first has locked its cards and not
committed; then both go on. Whatever they come to, the invariants hold and the history replayed says what
stands (decisions D26, D28)."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import psycopg

from kartoteka.access.accounts import Accounts
from kartoteka.contacts.model import Command
from kartoteka.errors import KartotekaError
from tests.faults.conftest import Shop
from tests.rules.stories import (
    add,
    app,
    claim,
    erase,
    event,
    merge,
    not_the_same,
    order,
    put,
    remove,
    subscribe,
    undo,
    visit,
    visited,
)

COMMANDS: dict[str, Callable[[dict[str, int]], Command]] = {
    "absorb a visitor": lambda ids: add(x="A", token="W"),
    "merge": lambda ids: merge(ids["ann"], ids["ben"]),
    "merge the other way round": lambda ids: merge(ids["ben"], ids["ann"]),
    "undo": lambda ids: undo(ids["merge"]),
    "put another External ID": lambda ids: put(ids["ann"], x="A2", email="new@x.ua"),
    "move a token": lambda ids: add(x="B", token=("T", "W")),
    "subscribe": lambda ids: subscribe(token="C", groups=("News",)),
    "tell apart": lambda ids: not_the_same(ids["ann"], ids["ben"]),
    "remove": lambda ids: remove(ids["ann"]),
    "erase": lambda ids: erase(ids["ann"]),
    "order of the merged side": lambda ids: order("O", token=("C", "W"), email="carl@x.ua"),
    "order of the visitor": lambda ids: order("P", x="A", token="W"),
    "event of the visitor": lambda ids: event(x="B", token="W"),
    "claim": lambda ids: visited(claim(LATER, x="A"), visit(at=LATER), cookie="K"),
    "app": lambda ids: app(trusted=True, x="B", device="D", token="T", groups=("News",)),
    "join a list": lambda ids: subscribe(x="A", groups=("Sale",), subscriptions=("go",)),
}
LATER = datetime(2090, 1, 1, tzinfo=UTC)
WAITING = """
    select count(*) from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock'
"""


async def people(shop: Shop) -> dict[str, int]:
    """Ann, into whom Carl was merged; Ben; a visitor."""
    ann = await shop.id(add(x="A", email="ann@x.ua", token="T"))
    carl = await shop.id(add(email="carl@x.ua", token="C"))
    await shop.send(merge(ann, carl))
    [(merge_id,)] = shop.rows(
        "select max(history_id) from identity_history where action = 'absorbed'"
    )
    ben = await shop.id(add(x="B", email="ben@x.ua", token="U"))
    await shop.send(add(token="W"))
    return {"ann": ann, "ben": ben, "carl": carl, "merge": merge_id}


@asynccontextmanager
async def held_back(url: str):
    """Nobody can write history, orders or events inside; gives `until(n, task)`."""
    async with (
        await psycopg.AsyncConnection.connect(url) as blocker,
        await psycopg.AsyncConnection.connect(url, autocommit=True) as watcher,
    ):
        await blocker.execute("lock table identity_history, apart, orders, event in exclusive mode")

        async def until(number: int, task: asyncio.Task[Any]) -> None:
            async with asyncio.timeout(60):
                while not task.done():
                    [found] = await (await watcher.execute(WAITING)).fetchone() or (0,)
                    if found >= number:
                        return
                    await asyncio.sleep(0.002)

        yield until
        await blocker.rollback()


async def test_every_pair_of_identity_commands(two_shops):
    one, other = two_shops
    for first, second in itertools.product(COMMANDS, repeat=2):
        account = await Accounts(one.engine.database, one.clock).create(f"{first} / {second}")
        shops = [Shop(shop.url, shop.engine, account) for shop in (one, other)]
        ids = await people(shops[0])
        async with held_back(one.url) as until:
            slow = asyncio.create_task(shops[0].send(COMMANDS[first](ids)))
            await until(1, slow)
            late = asyncio.create_task(shops[1].send(COMMANDS[second](ids)))
            await until(2, late)
        came = await asyncio.gather(slow, late, return_exceptions=True)
        for result in came:
            if isinstance(result, BaseException):
                assert isinstance(result, KartotekaError), (first, second, result)
    one.check()
