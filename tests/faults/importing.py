"""Imports carried out in this process as a jobs process does it, to compare what comes of them."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kartoteka.access.accounts import Accounts
from kartoteka.contacts.model import AddAppToken, Command, ImportRow
from kartoteka.db.lock import try_lock
from kartoteka.errors import KartotekaError
from kartoteka.imports import pacing
from kartoteka.imports.model import FileInfo, RowOutcome, Source
from kartoteka.imports.run import Run
from kartoteka.imports.statement import Item
from kartoteka.imports.store import Imports
from tests.faults.conftest import Shop
from tests.rules.stories import origin

FILE = FileInfo("nowhere", "rows.csv", 1, "digest")
LANE = 77
"""A family of locks that no runner takes."""
OURS = ("import", "import_batch", "import_row", "import_payload", "upload")
"""What an import writes of itself; a dry run as well."""
_numbers = itertools.count(1)


async def another_shop(shop: Shop, **settings: Any) -> Shop:
    """A new account, without anything, with these settings, on the same engine."""
    name = f"shop {next(_numbers)}"
    account = await Accounts(shop.engine.database, shop.clock).create(name)
    chosen = msgspec.structs.replace(account.settings, **settings)
    account = msgspec.structs.replace(account, settings=chosen)
    return Shop(shop.url, shop.engine, account)


async def live_through(shop: Shop, past: Sequence[Command]) -> list[int]:
    """Send these one after the other; the contacts that are there then, in the order they came.

    A contact id in a command means the first, second … contact of the account.
    """
    known: list[int] = []
    for command in past:
        try:
            await shop.send(meant(command, known))
        except KartotekaError:
            continue
        finally:
            known = await contacts(shop)
    return known


async def contacts(shop: Shop) -> list[int]:
    rows = await shop.engine.database.fetch(
        "select contact_id from contact where account_id = %(account)s order by contact_id",
        account=shop.account.account_id,
    )
    return [contact_id for (contact_id,) in rows]


def meant(command: Command, known: Sequence[int]) -> Any:
    """The command with the contact ids of this account in place of 1, 2, 3 …"""
    if isinstance(command, AddAppToken):
        item = msgspec.structs.replace(
            command.item, contact_id=_nth(known, command.item.contact_id)
        )
        return msgspec.structs.replace(command, item=item)
    if not hasattr(command, "contact_id"):
        return command
    number = _nth(known, command.contact_id)
    if isinstance(command, ImportRow) and command.rules.unique.name == "id" and command.value:
        return msgspec.structs.replace(command, contact_id=number, value=str(number))
    return msgspec.structs.replace(command, contact_id=number)


def _nth(known: Sequence[int], number: int | None) -> int | None:
    if number is None:
        return None
    return known[number - 1] if number <= len(known) else 2**40 + number


async def carry_out(
    shop: Shop, items: Sequence[Item], size: int, *, dry_run: bool = False
) -> tuple[int, list[RowOutcome]]:
    """(import id, statement) of an import of these, in batches of that size."""
    database = shop.engine.database
    imports = Imports(database, shop.clock, Path("nowhere"))
    rules = next(one.rules for one in items if isinstance(one, ImportRow))
    account = shop.account.account_id
    one = await imports.start_file(
        account, origin(), Source.FILE, FILE, rules, options={}, dry_run=dry_run
    )
    with pytest.MonkeyPatch.context() as patch:
        for name in ("ROWS_IN_A_BATCH", "ROWS_BESIDE_CALLS"):
            patch.setattr(pacing, name, size)
        patch.setattr(pacing, "REST", 0)
        async with try_lock(database, LANE, one.import_id) as lock:
            assert lock is not None
            run = Run(
                one,
                lock,
                database=database,
                engine=shop.engine,
                clock=shop.clock,
                stopping=asyncio.Event(),
            )
            assert await run.start()
            if dry_run:
                assert await run.rehearse(iter(items), shop.account)
            else:
                assert await run.through(iter(items), (), shop.account)
    pages = imports.all_rows(account, one.import_id)
    return one.import_id, [line async for page in pages for line in page]


def everything(shop: Shop) -> list[tuple[Any, ...]]:
    """Every row of every table but those of imports, as it stands."""
    tables = shop.rows(
        "select table_name from information_schema.tables"
        " where table_schema = 'public' and table_type = 'BASE TABLE'"
    )
    names = sorted(name for (name,) in tables if name not in OURS)
    read = [f"select '{name}' as name, t::text as line from {name} t" for name in names]
    return shop.rows(" union all ".join(read) + " order by name, line")
