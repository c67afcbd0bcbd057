"""Tells all lives to the real engine, under each set of rules, on a PostgreSQL of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec

from bench.identity.count import Verdicts, count
from bench.identity.told import Life, Told
from kartoteka.access.accounts import Accounts
from kartoteka.access.model import AccountContext
from kartoteka.clock import Clock
from kartoteka.contacts.model import Outcome
from kartoteka.db.database import WRITER_OPTIONS, Database
from kartoteka.errors import KartotekaError
from kartoteka.identity.store import digest_with
from kartoteka.intake.engine import Engine
from kartoteka.writing import build_engine
from tests.rules.stories import arriving

GUESTS = ("guest@shop.example",)
RULE_SETS: tuple[dict[str, Any], ...] = tuple(
    {"absorb": absorb, "phone_is_personal": personal}
    for personal in (False, True)
    for absorb in ("contained", "anonymous", "never")
)


def said(rules: dict[str, Any]) -> str:
    """The rules as `kartoteka accounts set` takes them."""
    return " ".join(
        f"{name}={str(value).lower() if isinstance(value, bool) else value}"
        for name, value in rules.items()
    )


async def judge(url: str, lives: Sequence[Life], rules: dict[str, Any]) -> Verdicts:
    """What becomes of these lives in an account with these settings."""
    database = await Database.open(url, options=WRITER_OPTIONS)
    try:
        clock = Clock()
        account = await Accounts(database, clock).create(said(rules))
        settings = msgspec.structs.replace(account.settings, never_identifiers=GUESTS, **rules)
        account = msgspec.structs.replace(account, settings=settings)
        engine = build_engine(database, clock, digest_with("a secret of the benchmark"))
        came_to = await tell(engine, account, lives)
        return await count(database, account.account_id, lives, came_to)
    finally:
        await database.close()


async def tell(
    engine: Engine, account: AccountContext, lives: Sequence[Life]
) -> dict[tuple[str, int], list[tuple[Told, int | None]]]:
    """Each life in its own order of arrival, many lives side by side: batches as they come."""
    came_to: dict[tuple[str, int], list[tuple[Told, int | None]]] = {}

    async def tell_life(life: Life) -> None:
        answers = came_to.setdefault((life.kind, life.number), [])
        for told in sorted(life.told, key=lambda one: one.at):
            try:
                outcome: Outcome = await engine.submit(account, arriving(told.command, told.at))
            except KartotekaError:
                continue
            if told.joins:
                answers.append((told, outcome.resolution.contact_id))

    await asyncio.gather(*(tell_life(life) for life in lives))
    await engine.close()
    return came_to
