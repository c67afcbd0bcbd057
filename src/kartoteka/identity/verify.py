"""Whether what stands is what the history says: replayed into empty tables and compared by hash.

One snapshot of the database (REPEATABLE READ): nothing that is written meanwhile disturbs it. Temporary
tables only; nothing of the installation is changed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from kartoteka.db.arrays import pg_array
from kartoteka.db.database import Connection, Database
from kartoteka.db.named import load_queries
from kartoteka.identity.kinds import KINDS
from kartoteka.identity.model import Status

QUERIES = load_queries(__package__, "verify.sql")
_STEPS = {
    "replay_identifiers": "Replaying identifiers",
    "stored_identifiers": "Reading identifiers",
    "forgive_erased": "Leaving out who was erased",
    "replay_cards": "Replaying cards",
    "stored_cards": "Reading cards",
}
_COMPARISONS = {
    "fingerprints": "Comparing hashes",
    "different_columns": "Comparing cards with identifiers",
    "different_counts": "Comparing totals",
}
STEPS = len(_STEPS) + len(_COMPARISONS)
Progress = Callable[[str, int], None]
"""Told the name and number of each step as it begins, out of `STEPS`."""


class Difference(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """One thing that the history and what stands say differently. The value itself is left out."""

    account_id: int
    what: str
    contact_id: int
    told: str
    stored: str


class Verified(msgspec.Struct, frozen=True, rename="camel"):
    """What was compared; `differences` are the first thousand of each kind."""

    cards: int
    identifiers: int
    hash: str
    """Of what stands: the same on two databases that say the same."""
    differences: list[Difference]

    @property
    def is_well(self) -> bool:
        return not self.differences


def _quietly(_name: str, _number: int) -> None:
    pass


async def verify(
    database: Database, account_id: int | None = None, progress: Progress = _quietly
) -> Verified:
    """Replay the history of one account or of all and compare."""
    async with database.connection() as connection:
        await connection.execute("begin isolation level repeatable read")
        try:
            return await verify_here(connection, account_id, progress)
        finally:
            await connection.execute("rollback")


async def verify_here(
    connection: Connection, account_id: int | None = None, progress: Progress = _quietly
) -> Verified:
    """The same in a transaction that is open already."""
    chosen = "" if account_id is None else str(account_id)
    await connection.execute("set local work_mem = '256MB'")
    await connection.execute("set local plan_cache_mode = auto")
    await connection.execute(QUERIES["choose_account"].sql, {"account": chosen})
    await connection.execute(QUERIES["make_kinds"].sql)
    kinds = {
        "codes": pg_array([kind.code for kind in KINDS]),
        "names": pg_array([kind.name for kind in KINDS]),
    }
    await connection.execute(QUERIES["fill_kinds"].sql, kinds)
    for number, (name, title) in enumerate(_STEPS.items(), 1):
        progress(title, number)
        await connection.execute(QUERIES[name].sql, prepare=False)
    compared: dict[str, list[tuple[Any, ...]]] = {}
    for number, (name, title) in enumerate(_COMPARISONS.items(), len(_STEPS) + 1):
        progress(title, number)
        compared[name] = await _rows(connection, name)
    prints = {row[0]: row[1:] for row in compared["fingerprints"]}
    differences = [_column(row) for row in compared["different_columns"]]
    differences += [_count(row) for row in compared["different_counts"]]
    if prints["identifiers told"] != prints["identifiers stored"]:
        differences += [
            _identifier(row) for row in await _rows(connection, "different_identifiers")
        ]
    if prints["cards told"] != prints["cards stored"]:
        differences += [_card(row) for row in await _rows(connection, "different_cards")]
    return Verified(
        prints["cards stored"][0],
        prints["identifiers stored"][0],
        f"{int(prints['cards stored'][1]) % 2**64:016x}"
        f"{int(prints['identifiers stored'][1]) % 2**64:016x}",
        differences,
    )


async def _rows(connection: Connection, name: str) -> list[tuple[Any, ...]]:
    return await (await connection.execute(QUERIES[name].sql, prepare=False)).fetchall()


def _identifier(row: tuple[Any, ...]) -> Difference:
    account_id, kind, _, told, stored = row
    return Difference(
        account_id,
        kind,
        told or stored,
        "on this contact" if told else "not there",
        "on this contact" if stored else "not there",
    )


def _card(row: tuple[Any, ...]) -> Difference:
    account_id, contact_id, told, told_into, stored, stored_into = row
    return Difference(
        account_id, "contact", contact_id, _state(told, told_into), _state(stored, stored_into)
    )


def _state(status: int | None, into: int | None) -> str:
    if status is None:
        return "not there"
    word = Status(status).name.lower()
    return word if into is None else f"{word} into {into}"


def _count(row: tuple[Any, ...]) -> Difference:
    account_id, contact_id, what, told, stored = row
    return Difference(account_id, what, contact_id, told, stored)


def _column(row: tuple[Any, ...]) -> Difference:
    account_id, contact_id, kind = row
    return Difference(account_id, kind, contact_id, "what stands on it", "another in its row")
