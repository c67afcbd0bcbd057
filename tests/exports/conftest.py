"""Exports and their runner in this process, on a real database, into a second one."""

from __future__ import annotations

import asyncio
import contextlib
import csv
import io
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from kartoteka.db.database import Database
from kartoteka.exports.datasets import BY_NAME, LATEST
from kartoteka.exports.model import Export, ExportRun, Options
from kartoteka.exports.reading import OwnDatabase, Reading
from kartoteka.exports.runner import Runner
from kartoteka.exports.secrets import Safe
from kartoteka.exports.store import Exports
from kartoteka.exports.targets.base import Surroundings
from tests.conftest import free_port, fresh_database
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


def picture(exporting: Exporting, dataset: str) -> list[list[str]]:
    """What an export of all is to show now, as the database says it."""
    return picture_of(exporting.database.url, exporting.account_id, dataset)


def picture_of(url: str, account_id: int, dataset: str) -> list[list[str]]:
    """The same of any account of any database."""
    one = BY_NAME[dataset]
    columns = one.columns_of(LATEST, keep_removed=False)
    with Reading(url, account_id, Options()) as reading:
        reading.read_since(None)
        reading.read_activity()
        text = b"".join(reading.rows(one, columns, "csv")).decode()
    return sorted(csv.reader(io.StringIO(text)))


def table(warehouse: Warehouse, dataset: str) -> list[list[str]]:
    """What is in that table of the warehouse, spelled in the same way."""
    with psycopg.connect(warehouse.url, autocommit=True) as connection:
        connection.execute("set timezone = 'UTC'")
        statement = sql.SQL(r"copy {} to stdout (format csv, null '\N')")
        with connection.cursor().copy(statement.format(sql.Identifier(dataset))) as copy:
            text = b"".join(copy).decode()
    return sorted(csv.reader(io.StringIO(text)))


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a BigQuery emulator: a real query engine behind Google's own HTTP API."""
    import duckdb
    import duckdb_extension_spatial

    home = tmp_path_factory.mktemp("bigquery")
    extensions = home / ".duckdb" / "extensions" / f"v{duckdb.__version__}" / "linux_amd64"
    extensions.mkdir(parents=True)
    packed = Path(duckdb_extension_spatial.__file__).parent / "extensions"
    for file in packed.rglob("*.duckdb_extension"):
        shutil.copy(file, extensions)
    port, grpc = free_port(), free_port()
    log = (home / "log").open("wb")
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "bqemulator",
            "start",
            "--rest-port",
            str(port),
            "--grpc-port",
            str(grpc),
        ],
        env={**os.environ, "HOME": str(home)},
        cwd=home,
        stdout=log,
        stderr=log,
    )
    try:
        wait_for_port(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)
        log.close()


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an S3-compatible store."""
    port = free_port()
    log = (tmp_path_factory.mktemp("s3") / "log").open("wb")
    process = subprocess.Popen(
        [str(Path(sys.executable).with_name("moto_server")), "-H", "127.0.0.1", "-p", str(port)],
        stdout=log,
        stderr=log,
    )
    try:
        wait_for_port(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)
        log.close()


def wait_for_port(port: int, process: subprocess.Popen[bytes], timeout_s: float = 120) -> None:
    until = time.monotonic() + timeout_s
    while time.monotonic() < until:
        assert process.poll() is None, "it ended"
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    raise AssertionError("it does not listen")
