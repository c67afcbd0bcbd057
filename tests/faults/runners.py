"""Imports and their runners in this process, on a real database, as `app.run_jobs` makes them."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from kartoteka.access.accounts import Accounts
from kartoteka.access.model import AccountContext
from kartoteka.clock import Clock
from kartoteka.contacts.definitions import Definitions
from kartoteka.contacts.forms.contact import FormRules
from kartoteka.db.database import WRITER_OPTIONS, Database
from kartoteka.identity.kinds import Region
from kartoteka.identity.model import Origin
from kartoteka.identity.store import digest_with
from kartoteka.imports.bulk_form import read_bulk
from kartoteka.imports.model import FileInfo, Import, Source
from kartoteka.imports.options import read_options
from kartoteka.imports.runner import Runner
from kartoteka.imports.settling import settle_file
from kartoteka.imports.store import Imports
from kartoteka.writing import build_engine
from tests.faults.imports import OVER
from tests.faults.servers import rows


class Works:
    """An account, its imports, and whoever carries them out while a block lasts."""

    def __init__(self, url: str, database: Database, account: AccountContext, folder: Path) -> None:
        self.url = url
        self.account = account
        self.clock = Clock()
        self.imports = Imports(database, self.clock, folder)
        self._database = database

    def _origin(self) -> Origin:
        return Origin(self.clock.now(), "request", 1, "POST contacts")

    async def call(self, contacts: list[dict[str, Any]], unique: str = "email") -> int:
        """A bulk call with these contacts, waiting; its id."""
        rules = FormRules(Region("UA"), {})
        read = read_bulk({"dedupeOn": unique, "contacts": contacts}, rules, self._origin())
        failed = [failure for failure, _ in read.failed]
        one = await self.imports.start_call(
            self.account.account_id, self._origin(), read.rules, read.rows, failed
        )
        return one.import_id

    async def file(
        self, content: str | bytes, options: Any = None, name: str = "people.csv"
    ) -> int:
        """A file with that in it, waiting; the id of its import."""
        path = self.imports.folder / secrets.token_hex(8)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        file = FileInfo(str(path), name, len(content), secrets.token_hex(32))
        asked = read_options(options)
        settled = await settle_file(file, asked, {})
        one = await self.imports.start_file(
            self.account.account_id,
            self._origin(),
            Source.FILE,
            file,
            settled.options.rules(),
            options=settled.stored(),
            dry_run=asked.dry_run,
        )
        return one.import_id

    async def find(self, number: int) -> Import:
        return await self.imports.find(self.account.account_id, number)

    async def over(self, number: int, *states: str, timeout_s: float = 120) -> Import:
        """The import when it is in one of these states."""
        async with asyncio.timeout(timeout_s):
            while (one := await self.find(number)).state not in (states or OVER):  # noqa: ASYNC110  polls a database
                await asyncio.sleep(0.01)
        return one

    def rows(self, sql: str, *params: Any) -> list[tuple[Any, ...]]:
        return rows(self.url, sql, *params)

    @asynccontextmanager
    async def running(self, number: int = 1) -> AsyncIterator[None]:
        """That many runners, each with connections of its own, stopped at the end."""
        async with AsyncExitStack() as stack:
            for _ in range(number):
                await stack.enter_async_context(self._runner())
            yield

    @asynccontextmanager
    async def _runner(self) -> AsyncIterator[None]:
        database, leases = await Database.open(self.url), await Database.open(self.url)
        writers = await Database.open(self.url, options=WRITER_OPTIONS)
        digest = digest_with("a secret of the tests")
        runner = Runner(
            database=database,
            leases=leases,
            engine=build_engine(writers, self.clock, digest),
            imports=Imports(database, self.clock, self.imports.folder),
            accounts=Accounts(database, self.clock),
            definitions=Definitions(database),
            clock=self.clock,
        )
        stopping = asyncio.Event()
        task = asyncio.create_task(runner.run(stopping))
        try:
            yield
        finally:
            stopping.set()
            await task
            for one in (database, leases, writers):
                await one.close()


@asynccontextmanager
async def open_works(url: str, folder: Path) -> AsyncIterator[Works]:
    database = await Database.open(url)
    account = await Accounts(database, Clock()).create("works")
    try:
        yield Works(url, database, account, folder)
    finally:
        await database.close()


async def until(holds: Callable[[], bool], timeout_s: float = 120) -> None:
    async with asyncio.timeout(timeout_s):
        while not holds():  # noqa: ASYNC110  polls a database
            await asyncio.sleep(0.01)
