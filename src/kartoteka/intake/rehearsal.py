"""A dry run that is longer than a transaction should be: a whole file, each batch seeing those before.

Nothing is locked and nothing of anybody's is written: what the batches would leave goes into temporary
tables, and views of the tables' own names lay them over what stands, on one connection of its own. So
the engine's statements and the rules are the very same (decisions D27; docs/decisions/0012).
"""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from kartoteka.access.model import AccountContext
from kartoteka.contacts.model import Command
from kartoteka.db.arrays import pg_array
from kartoteka.db.database import WRITER_OPTIONS, Database
from kartoteka.db.named import load_queries
from kartoteka.db.transaction import Call, transaction
from kartoteka.errors import DatabaseUnavailable, KartotekaError
from kartoteka.identity.account_rules import rules_of
from kartoteka.identity.loading import Loader
from kartoteka.identity.model import Held, Resolution
from kartoteka.identity.store import CARD_COLUMNS, Digest, columns, held_columns
from kartoteka.identity.working_set import WorkingSet
from kartoteka.intake.deciding import Answer, Rules, decide_one

QUERIES = load_queries(__package__, "rehearsal.sql")
FIRST_ID = 2**62
"""Contacts that would be created get ids from here, larger than any that exist."""
_SHADOWS = (
    "shadow_contacts",
    "shadow_identifiers",
    "index_identifiers",
    "show_contacts",
    "show_identifiers",
)
_GONE = -1


class Rehearsal:
    """See the module; made by `rehearsal`."""

    def __init__(self, database: Database, backend: int, digest: Digest, rules: Rules) -> None:
        """`backend`: the one connection whose views lay what would be over what stands."""
        self._database = database
        self._backend = backend
        self._digest = digest
        self._rules = rules
        self._ids = itertools.count(FIRST_ID)

    async def carry_out(self, account: AccountContext, rows: Sequence[Command]) -> list[Answer]:
        """What these would come to after all those before. New contacts have ids from `FIRST_ID`.

        One that cannot succeed comes to its error, as in the engine. Raises `DatabaseUnavailable`:
        then what the rows before would have left is gone, and the dry run must begin anew.
        """
        try:
            return await self._attempt(account, rows)
        except KartotekaError:
            raise
        except Exception as error:  # noqa: BLE001  a refused value, or a rule that fails on one
            if len(rows) == 1:
                return [error]
            middle = len(rows) // 2
            before = await self.carry_out(account, rows[:middle])
            return before + await self.carry_out(account, rows[middle:])

    async def _attempt(self, account: AccountContext, rows: Sequence[Command]) -> list[Answer]:
        ws = WorkingSet(
            account.account_id, rules_of(account.settings), self._ids.__next__, self._digest
        )
        async with transaction(self._database) as tx:
            if tx.backend != self._backend:
                raise DatabaseUnavailable
            loader = Loader(tx, ws, self._digest, self._rules.readers, locks=False)
            facts = [fact for row in rows for fact in self._rules.facts(row)]
            await loader.first([self._rules.named_by(row) for row in rows], facts=facts)
            answers = [await decide_one(self._rules, loader, row) for row in rows]
            if calls := _overlay(ws):
                await tx.commit(*calls)
        return answers


@asynccontextmanager
async def rehearsal(url: str, digest: Digest, rules: Rules) -> AsyncIterator[Rehearsal]:
    """A dry run for the length of the block; nothing of it is left. Raises `DatabaseUnavailable`."""
    database = await Database.open(url, max_size=1, options=WRITER_OPTIONS)
    try:
        async with database.connection() as connection:
            for name in _SHADOWS:
                await connection.execute(QUERIES[name].sql)
            backend = connection.info.backend_pid
        yield Rehearsal(database, backend, digest, rules)
    finally:
        await database.close()


def _overlay(ws: WorkingSet) -> list[Call]:
    """Statements that leave the difference in the temporary tables."""
    calls: list[Call] = []

    def add(name: str, params: dict[str, Any]) -> None:
        calls.append((QUERIES[name], {"account_id": ws.account_id, **params}))

    deleted, inserted, updated = changed = ws.changed_rows()
    new, known = ws.changed_cards(changed)
    if cards := [*new, *known]:
        add("forget_rehearsed_contacts", {"ids": pg_array([one.contact_id for one in cards])})
        rows = [msgspec.structs.astuple(one) for one in cards]
        add("rehearse_contacts", columns(CARD_COLUMNS, rows))
    held = {one.row_key: one for one in (*inserted, *updated)}
    for row_key in deleted:
        if row_key not in held:
            since = ws.loaded_row(row_key).since
            held[row_key] = Held(*row_key, _GONE, None, False, since, "gone")
    if held:
        add("forget_rehearsed_identifiers", columns(("kind", "value_key", "ordinal"), list(held)))
        add("rehearse_identifiers", held_columns(list(held.values())))
    return calls


def hide_new_ids(resolution: Resolution) -> None:
    """D27: the id of a contact that would be created is null; others than the row's go untold."""
    if (resolution.contact_id or 0) >= FIRST_ID:
        resolution.contact_id = None
    resolution.absorbed = [one for one in resolution.absorbed if one < FIRST_ID]
    resolution.moved = [one for one in resolution.moved if one.from_contact_id < FIRST_ID]
