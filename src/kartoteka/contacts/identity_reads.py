"""What a person's identity came from: identifiers, history, merges, tokens, categories.

For reading only (decisions D26, D28, wire 3.12, 3.13).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from kartoteka.contacts.reads import CardNotFound
from kartoteka.contacts.tokens import TOKEN_KINDS
from kartoteka.db.arrays import pg_array
from kartoteka.db.database import Database
from kartoteka.db.named import load_queries
from kartoteka.errors import NotFound
from kartoteka.identity.kinds.key import value_key
from kartoteka.identity.model import Status

QUERIES = load_queries(__package__, "identity_reads.sql")


class TokenNotFound(NotFound):
    """Token not found: no live contact has it for this application."""


class HeldIdentifier(msgspec.Struct, frozen=True):
    """A row of query `identifiers`."""

    kind: int
    value: str
    former: bool
    since: datetime
    rule: str
    app: str | None
    device: str | None


class HistoryRow(msgspec.Struct, frozen=True):
    """A row of query `history`."""

    history_id: int
    at: datetime
    action: str
    rule: str
    contact_id: int
    other_contact_id: int | None
    method: str
    request_id: str
    key_id: int
    identifiers: list[dict[str, Any]] | None


class Identity(msgspec.Struct, frozen=True):
    """All identifiers of a card, and one page of what happened to it and to those it absorbed."""

    contact_id: int
    identifiers: Sequence[HeldIdentifier]
    history: Sequence[HistoryRow]


class Merge(msgspec.Struct, frozen=True):
    """A row of query `merges`."""

    merge_id: int
    survivor_id: int
    absorbed_id: int
    at: datetime
    rule: str
    method: str
    request_id: str
    key_id: int
    undone_at: datetime | None = None


class Category(msgspec.Struct, frozen=True):
    """A row of query `categories`."""

    category_id: int
    key: str
    name: str
    group_id: int
    created_at: datetime
    updated_at: datetime


class IdentityReads:
    """Identities of all accounts, for reading."""

    def __init__(self, keyed: Database, database: Database) -> None:
        """`keyed` has connections that look up keys and never scan (`db.database.WRITER_OPTIONS`)."""
        self._keyed = keyed
        self._database = database

    async def identity(self, account_id: int, contact_id: int, *, skip: int, rows: int) -> Identity:
        """Identifiers and history, newest first, of the card that the id leads to.

        A removed card has its identity too: it says why it is where it is. Raises `CardNotFound`
        for one that is unknown or erased.
        """
        person = await self.person(account_id, contact_id)
        if not person or person[0][1] == Status.ERASED:
            raise CardNotFound("Contact not found: there is none with this id.")
        fetch = self._keyed.fetch
        own = person[0][0]
        ids = pg_array([one for one, _ in person])
        held = await fetch(QUERIES["identifiers"], account_id=account_id, contact_id=own)
        history = await fetch(
            QUERIES["history"], account_id=account_id, ids=ids, skip=skip, rows=rows
        )
        return Identity(
            own, [HeldIdentifier(*row) for row in held], [HistoryRow(*row) for row in history]
        )

    async def merges(
        self, account_id: int, contact_id: int | None, *, skip: int, rows: int
    ) -> tuple[list[Merge], int]:
        """(one page of merges, newest first, how many there are): all of the account, or those that
        the card that the id leads to took part in, as either of the two. An unknown id has none."""
        page = {"account_id": account_id, "skip": skip, "rows": rows}
        fetch = self._keyed.fetch
        if contact_id is None:
            found = await fetch(QUERIES["merges"], **page)
            counted = await self._keyed.fetch_one(QUERIES["count_merges"], account_id=account_id)
            return [Merge(*row) for row in found], 0 if counted is None else counted[0]
        ids = pg_array([one for one, _ in await self.person(account_id, contact_id)])
        found = await fetch(QUERIES["merges_of"], ids=ids, **page)
        if not found and skip:
            first = await fetch(QUERIES["merges_of"], ids=ids, **page | {"skip": 0, "rows": 1})
            return [], first[0][-1] if first else 0
        return [Merge(*row[:-1]) for row in found], found[0][-1] if found else 0

    async def merge_of(self, account_id: int, survivor_id: int, absorbed_id: int) -> int | None:
        """The id of the last merge of these two."""
        row = await self._keyed.fetch_one(
            QUERIES["merge_of"],
            account_id=account_id,
            survivor_id=survivor_id,
            absorbed_id=absorbed_id,
        )
        return None if row is None else row[0]

    async def token(self, account_id: int, app: str, token: str) -> tuple[int, bool]:
        """(contact id, whether it is switched on) of a token. Raises `TokenNotFound`."""
        row = await self._keyed.fetch_one(
            QUERIES["find_token"],
            account_id=account_id,
            app=app,
            kinds=pg_array(TOKEN_KINDS),
            value_key=value_key(token),
        )
        if row is None:
            raise TokenNotFound
        return row[0], (row[1] or {}).get("active") is not False

    async def emails(self, account_id: int, ids: Sequence[int]) -> list[tuple[int, str]]:
        """(contact id, e-mail) of the live contacts among these that have one, by id."""
        rows = await self._keyed.fetch(QUERIES["emails"], account_id=account_id, ids=pg_array(ids))
        return [(row[0], row[1]) for row in rows]

    async def categories(self, account_id: int) -> list[Category]:
        """The subscription categories, in the order of their ids."""
        rows = await self._keyed.fetch(QUERIES["categories"], account_id=account_id)
        return [Category(*row) for row in rows]

    async def name_category(self, account_id: int, key: str, name: str, at: datetime) -> None:
        """Make the category of that key, or give it another name."""
        await self._keyed.execute(
            QUERIES["name_category"], account_id=account_id, key=key, name=name, at=at
        )

    async def category_counts(self, account_id: int) -> dict[str, int]:
        """How many live contacts are subscribed to each category, by key; none: left out."""
        rows = await self._database.fetch(QUERIES["category_counts"], account_id=account_id)
        return dict(rows)

    async def person(self, account_id: int, contact_id: int) -> list[tuple[int, int]]:
        """(contact id, status) of the card that an id leads to, then of those merged into it."""
        return await cards_of_person(self._keyed, account_id, contact_id)


async def cards_of_person(
    keyed: Database, account_id: int, contact_id: int
) -> list[tuple[int, int]]:
    """The same of whoever has no more than connections that look up keys."""
    rows = await keyed.fetch(QUERIES["person"], account_id=account_id, contact_id=contact_id)
    return [(row[0], row[1]) for row in rows]
