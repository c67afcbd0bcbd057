"""Exports and their runner in this process, on a real database, into a second one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from kartoteka.db.database import Database
from kartoteka.exports.model import Export, ExportRun
from kartoteka.exports.reading import OwnDatabase
from kartoteka.exports.runner import Runner
from kartoteka.exports.secrets import Safe
from kartoteka.exports.store import Exports
from kartoteka.exports.targets.base import Surroundings
from tests.conftest import fresh_database
from tests.faults.conftest import Shop, open_shop

WAIT_S = 60


class Warehouse:
    """The second database, as an analyst sees it."""

    def __init__(self, url: str) -> None:
        self.url = url

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute("set timezone = 'UTC'")
            return connection.execute(sql).fetchall()  # type: ignore[call-overload,no-any-return]

    def run(self, sql: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(sql)  # type: ignore[call-overload]


class Exporting:
    """A shop with its exports and whoever carries them out while a block lasts."""

    def __init__(self, shop: Shop, database: Database, folder: Path) -> None:
        self.shop = shop
        self.database = database
        self.surroundings = Surroundings(
            allow_private=True, export_dir=folder, is_own_database=OwnDatabase(database.url)
        )
        safe = Safe("a secret of the tests, long enough for its job")
        self.exports = Exports(database, shop.clock, safe, self.surroundings)

    @property
    def account_id(self) -> int:
        return self.shop.account.account_id

    async def to(self, url: str, *datasets: str, **body: Any) -> Export:
        """An export to that PostgreSQL, that runs when it is told to."""
        settings = {"url": url, "schema": "public", **body.pop("settings", {})}
        return await self.create(target="postgres", settings=settings, datasets=datasets, **body)

    async def create(self, *, datasets: tuple[str, ...], **body: Any) -> Export:
        given: dict[str, Any] = {"name": "warehouse", "paused": True, **body}
        if datasets:
            given["datasets"] = list(datasets)
        return await self.exports.create(self.account_id, given)

    async def run(self, one: Export, *, full: bool = False) -> ExportRun:
        """One run, to its end."""
        run = await self.exports.ask_for_run(self.account_id, one.export_id, full=full)
        async with self.running():
            run = await self.exports.wait(self.account_id, run, WAIT_S)
        assert run.finished_at is not None
        return run

    async def good_run(self, one: Export, *, full: bool = False) -> ExportRun:
        run = await self.run(one, full=full)
        assert run.state == "finished", run.error
        return run

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        database, leases = (
            await Database.open(self.database.url),
            await Database.open(self.database.url),
        )
        runner = Runner(
            database=database, leases=leases, exports=self.exports, clock=self.shop.clock
        )
        stopping = asyncio.Event()
        task = asyncio.create_task(runner.run(stopping))
        try:
            yield
        finally:
            stopping.set()
            await task
            await database.close()
            await leases.close()


@pytest.fixture
async def exporting(database_url: str, tmp_path: Path) -> AsyncIterator[Exporting]:
    async with open_shop(database_url) as shop:
        database = await Database.open(database_url)
        yield Exporting(shop, database, tmp_path / "exports")
        await database.close()


@pytest.fixture
def warehouse(postgres_url: str) -> Iterator[Warehouse]:
    with fresh_database(postgres_url, template="template0") as url:
        yield Warehouse(url)
