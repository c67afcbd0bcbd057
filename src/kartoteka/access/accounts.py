"""Accounts: one for each business that keeps its customers here, apart from all others."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable, Mapping

from kartoteka.access import store
from kartoteka.access.account_settings import AccountSettings
from kartoteka.access.model import AccountContext
from kartoteka.access.setting_values import Value, effective
from kartoteka.clock import Clock
from kartoteka.db.database import Connection, Database
from kartoteka.errors import Conflict, InvalidRequest, NotFound

CACHE_S = 1.0
MAX_NAME_CHARS = 100
_NAME = re.compile(r"[^\s\x00-\x1f\x7f](?:[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f])?")
_ORG_ID_TRIES = 5


class AccountNameTaken(Conflict):
    """There is an account of that name already."""

    code = "account_name_taken"


def keep(settings: AccountSettings) -> AccountSettings:
    """The check that accepts every combination of settings."""
    return settings


class Accounts:
    """The accounts of this installation."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        region: str = "UA",
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`region` is KARTOTEKA_REGION: what an account has that chose none."""
        self._database = database
        self._clock = clock
        self._region = region
        self._monotonic = monotonic
        self._recent: dict[int, tuple[float, AccountContext]] = {}

    async def create(self, name: str, user_email: str = "") -> AccountContext:
        """A new account with the default settings and no key.

        Raises `AccountNameTaken` and `InvalidRequest`.
        """
        async with self._database.connection() as connection:
            return await create_account(
                connection, name, user_email, clock=self._clock, region=self._region
            )

    async def all(self) -> list[AccountContext]:
        """All accounts, the oldest first."""
        rows = await self._database.fetch(store.QUERIES["list_accounts"])
        return [store.account_of(row, self._region) for row in rows]

    async def find(self, name: str) -> AccountContext:
        """The account of that name, read now. Raises `NotFound`, naming those there are."""
        row = await self._database.fetch_one(store.QUERIES["find_account_by_name"], name=name)
        if row is None:
            names = ", ".join(account.name for account in await self.all())
            raise NotFound(f"There is no account {name[:MAX_NAME_CHARS]!r}. There are: {names}.")
        return store.account_of(row, self._region)

    async def read(self, account_id: int) -> AccountContext:
        """The account, read now. Raises `NotFound`."""
        row = await self._database.fetch_one(store.QUERIES["find_account"], account_id=account_id)
        if row is None:
            raise NotFound("There is no such account.")
        account = store.account_of(row, self._region)
        self._recent[account_id] = (self._monotonic() + CACHE_S, account)
        return account

    async def context(self, account_id: int) -> AccountContext:
        """The account as it was at most a second ago. Raises `NotFound`."""
        recent = self._recent.get(account_id)
        if recent is not None and recent[0] > self._monotonic():
            return recent[1]
        return await self.read(account_id)

    async def change_settings(
        self,
        account_id: int,
        changes: Mapping[str, Value | None],
        check: Callable[[AccountSettings], object] = keep,
    ) -> AccountContext:
        """The account after the changes, which `setting_values` has read; None: the default again.

        `check` sees the settings as they would be and raises if they make no sense together; then
        nothing is stored. Raises `NotFound`.
        """
        async with self._database.connection() as connection, connection.transaction():
            chosen = await store.lock_chosen(connection, account_id)
            if chosen is None:
                raise NotFound("There is no such account.")
            merged = {**chosen, **changes}
            kept = {name: value for name, value in merged.items() if value is not None}
            check(effective(kept, self._region))
            row = await store.change_settings(connection, account_id, kept)
        self._recent.pop(account_id, None)
        return store.account_of(row, self._region)


async def create_account(
    connection: Connection, name: str, user_email: str, *, clock: Clock, region: str
) -> AccountContext:
    """A new account, inside the caller's transaction if there is one.

    Raises `AccountNameTaken` and `InvalidRequest`.
    """
    if len(name) > MAX_NAME_CHARS or not _NAME.fullmatch(name):
        raise InvalidRequest(
            f"An account's name has 1 to {MAX_NAME_CHARS} characters, no blanks around it."
        )
    for _ in range(_ORG_ID_TRIES):  # a number of 31 random bits is seldom taken, but may be
        org_id = 1 + secrets.randbelow(2**31 - 1)
        row = await store.insert_account(connection, name, org_id, user_email, clock.now())
        if row is not None:
            return store.account_of(row, region)
    raise AccountNameTaken(f"There is an account {name!r} already.")
