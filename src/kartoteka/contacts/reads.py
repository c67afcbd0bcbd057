"""Cards as they are read: one by id or External ID, or a page of those that a search finds.

READ COMMITTED and few statements: a card is one round trip, and concurrent ones share it
(`db/gathering.py`); a search is the ids of one page and then their cards.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from kartoteka.contacts.consent import category
from kartoteka.db.arrays import pg_array
from kartoteka.db.database import Database
from kartoteka.db.gathering import Gathering
from kartoteka.db.named import Query, load_queries
from kartoteka.errors import NotFound
from kartoteka.identity.kinds import EMAIL, EXTERNAL_ID, PHONE
from kartoteka.identity.model import Consent, Identifier, Status

QUERIES = load_queries(__package__, "read_queries.sql")
MAX_MERGES_FOLLOWED = 1_000

Token = tuple[int, str, str | None, dict[str, Any] | None]
"""(kind, value, app, attributes)."""
ListRow = tuple[int, str, str]
"""(id, name, type) of a static list."""


class CardNotFound(NotFound):
    """Contact not found: there is none with this id, or it was removed."""


class ReadCard(msgspec.Struct):
    """A row of query `cards` behind its first column."""

    contact_id: int
    status: int
    merged_into: int | None
    first_name: str | None
    last_name: str | None
    email: str | None
    phone: str | None
    region: str | None
    town: str | None
    address: str | None
    postcode: str | None
    fields: dict[str, str]
    external_id: str | None
    contact_key: str | None
    language_code: str | None
    time_zone: str | None
    consent: dict[str, int]
    tokens: list[Token] | None
    lists: list[ListRow] | None

    @property
    def categories(self) -> list[str]:
        """Keys of the subscription categories that the contact is subscribed to."""
        return [
            name.removeprefix(category(""))
            for name, state in self.consent.items()
            if name.startswith(category("")) and state == Consent.SUBSCRIBED
        ]


class Search(msgspec.Struct, frozen=True):
    """What a search asks for, normalised; all that is given must hold (wire 3.7)."""

    external_id: str | None = None
    email: str | None = None
    phone: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    by_id: bool = False
    """Without a condition: in the order of contact ids instead of newest update first."""
    skip: int = 0
    rows: int = 500


class Page(msgspec.Struct, frozen=True):
    """One page of a search and how many it finds in all."""

    cards: Sequence[ReadCard]
    total: int


class Cards:
    """The cards of all accounts, for reading."""

    def __init__(self, keyed: Database, database: Database) -> None:
        """`keyed` has connections that look up keys and never scan (`db.database.WRITER_OPTIONS`)."""
        self._keyed = keyed
        self._database = database
        self._gathering = Gathering(self._load)

    async def get(self, account_id: int, contact_id: int) -> ReadCard:
        """The live card of that id, or the one that it was merged into (decisions D14).

        Raises `CardNotFound` for one that is unknown, removed or erased (D25).
        """
        card = await self._gathering.ask(account_id, contact_id)
        for _ in range(MAX_MERGES_FOLLOWED):
            if card is None or card.status != Status.MERGED or card.merged_into is None:
                break
            card = await self._gathering.ask(account_id, card.merged_into)
        if card is None or card.status != Status.LIVE:
            raise CardNotFound
        return card

    async def search(self, account_id: int, search: Search) -> Page:
        """One page of live cards."""
        if search.external_id is not None:
            return await self._by_external_id(account_id, search, search.external_id)
        ids, total = await self._find(account_id, search)
        return Page(await self.live(account_id, ids), total)

    async def live(self, account_id: int, ids: Sequence[int]) -> list[ReadCard]:
        """The live cards of these ids, in their order."""
        found = await self._load(account_id, list(ids)) if ids else {}
        cards = (found.get(contact_id) for contact_id in ids)
        return [card for card in cards if card is not None and card.status == Status.LIVE]

    async def _by_external_id(self, account_id: int, search: Search, value: str) -> Page:
        key = Identifier(EXTERNAL_ID.code, value).key[1]
        card = await self._gathering.ask(account_id, key)
        if card is None or card.status != Status.LIVE:
            return Page((), 0)
        return Page((card,) if search.skip == 0 and search.rows else (), 1)

    async def _find(self, account_id: int, search: Search) -> tuple[list[int], int]:
        """(ids of the page, how many are found in all)."""
        query, params = _conditions(search)
        page = {"account_id": account_id, "rows": search.rows, "skip": search.skip}
        whole = query.name.startswith("list_")
        database = self._database if whole else self._keyed
        rows = await database.fetch(query, **params, **page)
        if whole:
            counted = await self._database.fetch_one(QUERIES["count_live"], account_id=account_id)
            return [row[0] for row in rows], 0 if counted is None else counted[0]
        if not rows and (search.skip or not search.rows):
            # Beyond the end no row says how many there are.
            first = await database.fetch(query, **params, **page | {"rows": 1, "skip": 0})
            return [], first[0][1] if first else 0
        return [row[0] for row in rows], rows[0][1] if rows else 0

    async def _load(self, account_id: int, asked: list[int | str]) -> Mapping[int | str, ReadCard]:
        rows = await self._keyed.fetch(
            QUERIES["cards"],
            account_id=account_id,
            ids=pg_array([one for one in asked if isinstance(one, int)]),
            external_ids=pg_array([one for one in asked if isinstance(one, str)]),
        )
        return {row[1] if row[0] is None else row[0]: ReadCard(*row[1:]) for row in rows}


def _conditions(search: Search) -> tuple[Query, dict[str, Any]]:
    """The statement that counts on the most selective condition, and its parameters."""
    names = {"first_name": search.first_name, "last_name": search.last_name}
    if search.email is not None:
        key = Identifier(EMAIL.code, search.email).key
        params = {"kind": key[0], "value_key": key[1], "phone": search.phone, **names}
        return QUERIES["find_by_channel"], params
    if search.phone is not None:
        key = Identifier(PHONE.code, search.phone).key
        params = {"kind": key[0], "value_key": key[1], "phone": None, **names}
        return QUERIES["find_by_channel"], params
    if search.last_name is not None:
        return QUERIES["find_by_last_name"], names
    if search.first_name is not None:
        return QUERIES["find_by_first_name"], {"first_name": search.first_name}
    return QUERIES["list_by_id" if search.by_id else "list_by_update"], {}
