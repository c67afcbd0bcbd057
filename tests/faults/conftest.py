"""The engine in this process on a real PostgreSQL, as `app.compose` makes it for a worker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import msgspec
import psycopg
import pytest

from kartoteka.access.accounts import Accounts
from kartoteka.access.model import AccountContext
from kartoteka.clock import Clock
from kartoteka.contacts.model import Command, Outcome
from kartoteka.db.database import WRITER_OPTIONS, Database
from kartoteka.identity.store import digest_with
from kartoteka.intake.engine import Engine
from kartoteka.log import start_logging
from kartoteka.writing import build_engine
from tests.faults.invariants import check
from tests.rules.stories import arriving


class Shop:
    """One account and the engine of one process that writes to it."""

    def __init__(self, url: str, engine: Engine, account: AccountContext) -> None:
        self.url = url
        self.engine = engine
        self.account = account
        self.clock = Clock()

    async def send(self, command: Command, at: datetime | None = None) -> Outcome:
        """One command, arriving now or at that time."""
        return await self.engine.submit(self.account, arriving(command, at or self.clock.now()))

    async def id(self, command: Command, at: datetime | None = None) -> int:
        """The contact that one command came to."""
        contact_id = (await self.send(command, at)).resolution.contact_id
        assert contact_id is not None
        return contact_id

    async def together(self, *commands: Command) -> list[Outcome | BaseException]:
        """Commands that arrive at once: one batch, in this order. Errors are returned."""
        waiting: Sequence[Awaitable[Outcome]] = [self.send(command) for command in commands]
        return await asyncio.gather(*waiting, return_exceptions=True)

    def rows(self, sql: str, **params: Any) -> list[tuple[Any, ...]]:
        """What the database says."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            return connection.execute(sql, params).fetchall()  # type: ignore[call-overload,no-any-return]

    def holders(self, kind: int, value: str) -> list[int]:
        """Who has this identifier, by contact id."""
        found = self.rows(
            "select contact_id from identifier where kind = %(kind)s and value_key = %(value)s",
            kind=kind,
            value=value,
        )
        return sorted(one for (one,) in found)

    def check(self) -> None:
        """All invariants hold."""
        check(self.url)


@asynccontextmanager
async def open_shop(
    url: str, account: AccountContext | None = None, options: str = ""
) -> AsyncIterator[Shop]:
    """An engine of its own on that database, as another process would have."""
    writers = await Database.open(url, options=f"{WRITER_OPTIONS} {options}")
    clock = Clock()
    account = account or await Accounts(writers, clock).create("shop")
    engine = build_engine(writers, clock, digest_with("a secret of the tests"))
    try:
        yield Shop(url, engine, account)
    finally:
        await engine.close()
        await writers.close()


@pytest.fixture
async def shop(database_url: str) -> AsyncIterator[Shop]:
    """One process; the invariants are checked when the test has ended."""
    async with open_shop(database_url) as opened:
        yield opened
        opened.check()


@pytest.fixture
async def two_shops(database_url: str) -> AsyncIterator[tuple[Shop, Shop]]:
    """Two processes on one database and account, as far as the database can tell."""
    async with open_shop(database_url) as one, open_shop(database_url, one.account) as other:
        yield one, other
        one.check()


def with_settings(shop: Shop, **settings: Any) -> None:
    """Let the account have chosen these settings."""
    changed = msgspec.structs.replace(shop.account.settings, **settings)
    shop.account = msgspec.structs.replace(shop.account, settings=changed)


@pytest.fixture(autouse=True, scope="session")
def _plain_log() -> None:
    """As a worker logs: without values, and without the cost of drawing them."""
    start_logging("json")
