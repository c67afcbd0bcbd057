"""Everything that the API can do to a few people, in any order; invariants by SQL after each step."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from typing import Any

import httpx
import psycopg
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from kartoteka.access.accounts import Accounts
from kartoteka.access.key_admin import AccountKeys
from kartoteka.access.model import KeyKind
from kartoteka.clock import Clock
from kartoteka.db.database import Database
from kartoteka.db.embedded import running_url
from tests.faults.shop_machine import ShopMachine

EXAMPLES = int(os.environ.get("KARTOTEKA_MACHINE_EXAMPLES", "0"))
"""Raise it for a longer hunt; the hunt is another one each time, `make test` runs the same."""


SETTINGS: tuple[dict[str, Any], ...] = (
    {},
    {"absorb": "anonymous", "keep_former_ids": False},
    {"absorb": "never", "phone_is_personal": True},
    {"keep_former_ids": False, "phone_is_personal": True},
)


@pytest.fixture(scope="module")
def machine(server: Any) -> Iterator[type[ShopMachine]]:
    url = running_url(server.log.parent / "data")
    keys = asyncio.run(make_accounts(url))
    clients = [httpx.Client(base_url=server.url, auth=("", key), timeout=120) for key in keys]
    with psycopg.connect(url, autocommit=True) as database:
        yield type(
            "TheShop", (ShopMachine,), {"clients": clients, "database": database, "url": url}
        )
    for client in clients:
        client.close()


async def make_accounts(url: str) -> list[str]:
    """An account for each of the settings; a key of each."""
    database = await Database.open(url)
    clock = Clock()
    accounts, keys = Accounts(database, clock), []
    for number, chosen in enumerate(SETTINGS):
        account = await accounts.create(f"shop {number}")
        await accounts.change_settings(account.account_id, chosen)
        made = await AccountKeys(database, clock, account.account_id).create(KeyKind.SERVER)
        keys.append(made.text)
    await database.close()
    return keys


def test_whatever_a_shop_does_the_invariants_hold(machine: type[ShopMachine]):
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=EXAMPLES or 100,
            stateful_step_count=30,
            deadline=None,
            database=None,
            derandomize=not EXAMPLES,
            print_blob=True,
            phases=(Phase.explicit, Phase.generate) if EXAMPLES else tuple(Phase),
            suppress_health_check=list(HealthCheck),
        ),
    )
