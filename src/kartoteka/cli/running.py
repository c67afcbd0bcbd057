"""The parts that commands work with, on the database that the server uses."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec

from kartoteka.access.accounts import Accounts
from kartoteka.access.key_admin import AccountKeys
from kartoteka.cli.database import reachable_database
from kartoteka.clock import Clock
from kartoteka.db.database import Database
from kartoteka.db.failures import StatementFailed
from kartoteka.errors import SettingsError
from kartoteka.settings import load_settings

Result = TypeVar("Result")
_NO_SUCH_TABLE = "42P01"


class Access(msgspec.Struct, frozen=True):
    """Accounts and keys of the running database."""

    database: Database
    clock: Clock
    accounts: Accounts

    async def keys_of(self, account_name: str) -> AccountKeys:
        """The keys of the account of that name. Raises `NotFound`."""
        account = await self.accounts.find(account_name)
        return AccountKeys(self.database, self.clock, account.account_id)


def with_access(work: Callable[[Access], Awaitable[Result]]) -> Result:
    """What `work` comes to, on KARTOTEKA_DATABASE_URL or the embedded PostgreSQL.

    Raises `DatabaseUnavailable` when neither answers and `SettingsError` when it is empty.
    """
    settings = load_settings(os.environ)
    with reachable_database(settings) as url:
        return asyncio.run(_with_access(work, url, settings.region))


async def _with_access(
    work: Callable[[Access], Awaitable[Result]], url: str, region: str
) -> Result:
    clock = Clock()
    database = await Database.open(url)
    try:
        return await work(Access(database, clock, Accounts(database, clock, region)))
    except StatementFailed as error:
        if error.sqlstate != _NO_SUCH_TABLE:
            raise
        raise SettingsError(
            "This database has no tables of Kartoteka yet; `kartoteka migrate` makes them."
        ) from error
    finally:
        await database.close()
