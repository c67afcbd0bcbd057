"""Two accounts, Alice's and Bob's, on a clock and a timer that move when they are told."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import msgspec
import pytest

from kartoteka.access.accounts import Accounts
from kartoteka.access.key_admin import AccountKeys
from kartoteka.access.keys import KeyRing
from kartoteka.access.model import AccountContext
from kartoteka.access.tokens import Tokens
from kartoteka.clock import FixedClock
from kartoteka.db.database import Database


class Timer:
    """Seconds that pass when they are told."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


class House(msgspec.Struct):
    """All parts of access on one database."""

    database: Database
    clock: FixedClock
    timer: Timer
    accounts: Accounts
    ring: KeyRing
    tokens: Tokens
    alice: AccountContext
    bob: AccountContext

    def keys(self, account: AccountContext) -> AccountKeys:
        return AccountKeys(self.database, self.clock, account.account_id)


def basic(key: str, user: str = "") -> str:
    """The Authorization header of that key."""
    return f"Basic {base64.b64encode(f'{user}:{key}'.encode()).decode()}"


@pytest.fixture
async def house(database: Database) -> AsyncIterator[House]:
    clock, timer = FixedClock(datetime(2025, 6, 1, tzinfo=UTC)), Timer()
    accounts = Accounts(database, clock, "UA", timer)
    ring = KeyRing(database, clock, "UA", timer)
    alice = await accounts.create("alice", "alice@shop.example")
    bob = await accounts.create("bob")
    yield House(database, clock, timer, accounts, ring, Tokens(database, clock), alice, bob)
    await ring.close()
