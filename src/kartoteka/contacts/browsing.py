"""Contacts as people look through them: pages of a table, search as they type, one whole card.

Pages follow each other by contact id (keyset), so the thousandth costs what the first does. Counts are
asked for apart: an exact one of everything that passes a filter may have to read the account.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any

import msgspec

from kartoteka.contacts.identity_reads import HistoryRow
from kartoteka.contacts.words import meanings, narrowest, plain
from kartoteka.db.arrays import pg_array
from kartoteka.db.database import Database
from kartoteka.db.named import load_queries
from kartoteka.errors import NotFound
from kartoteka.identity.kinds import EMAIL, PHONE, Region
from kartoteka.identity.model import Status

QUERIES = load_queries(__package__, "browsing.sql")
PAGE = 50
MOST_FOUND = 5_000
"""So many contacts of each kind of match are looked at; a search that finds more is too wide."""
MOST_WALKED, MOST_WALKED_BY_TOKEN = 100_000, 20_000
"""So many cards are looked at for one page of a filter without an index; then somebody may go on."""
TOP = 2**63 - 1


class Filter(msgspec.Struct, frozen=True):
    """What a table of contacts is narrowed to; all that is given must hold."""

    words: tuple[str, ...] = ()
    removed: bool = False
    without_external_id: bool = False
    channel: int | None = None
    """Code of a kind of identifier that the contact has."""
    source: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def is_plain(self) -> bool:
        """Whether it asks for all live contacts."""
        return self == Filter()

    @property
    def is_indexed(self) -> bool:
        """Whether an index leads from page to page, so that none is ever far."""
        return self in (Filter(), Filter(removed=True), Filter(without_external_id=True))


class Row(msgspec.Struct, frozen=True):
    """A row of query `rows`."""

    contact_id: int
    status: int
    external_id: str | None
    email: str | None
    phone: str | None
    first_name: str | None
    last_name: str | None
    source: str
    created_at: datetime
    updated_at: datetime
    removed_at: datetime | None
    language_code: str | None
    town: str | None
    fields: dict[str, str]
    kinds: list[int]

    @property
    def name(self) -> str:
        """First and last name; blank when there is none."""
        return " ".join(part for part in (self.first_name, self.last_name) if part)


class ListPage(msgspec.Struct, frozen=True):
    """One page of a table."""

    rows: list[Row]
    newer: int | None
    """Where the page before begins: contacts with a greater id; None: this is the first."""
    older: int | None
    found: int | None = None
    """How many a search found; None where only a count can tell."""
    more: bool = False
    """The search is too wide: there may be more than `found`."""


class ShownCard(msgspec.Struct, frozen=True):
    """A row of query `card`."""

    contact_id: int
    status: int
    external_id: str | None
    email: str | None
    phone: str | None
    first_name: str | None
    last_name: str | None
    contact_key: str | None
    language_code: str | None
    time_zone: str | None
    region: str | None
    town: str | None
    address: str | None
    postcode: str | None
    fields: dict[str, str]
    consent: dict[str, int]
    source: str
    keyed: bool
    created_at: datetime
    updated_at: datetime
    removed_at: datetime | None
    merged_into: int | None

    @property
    def name(self) -> str:
        return " ".join(part for part in (self.first_name, self.last_name) if part)

    @property
    def is_live(self) -> bool:
        return self.status == Status.LIVE


class Membership(msgspec.Struct, frozen=True):
    """A row of query `lists_of`."""

    segment_id: int
    name: str
    type: str
    since: datetime


class Browsing:
    """Tables and cards of all accounts, for reading."""

    def __init__(self, keyed: Database, database: Database) -> None:
        """`keyed` has connections that look up keys and never scan (`db.database.WRITER_OPTIONS`)."""
        self._keyed = keyed
        self._database = database

    async def page(
        self,
        account_id: int,
        asked: Filter,
        region: Region,
        *,
        before: int | None = None,
        after: int | None = None,
        rows: int = PAGE,
    ) -> ListPage:
        """One page, newest contact first: those before or after an id, else the first."""
        if asked.words:
            return await self._found(
                account_id, asked, region, before=before, after=after, rows=rows
            )
        if not asked.is_indexed:
            return await self._walked(account_id, asked, before=before, after=after, rows=rows)
        if after is not None:
            query, params = self._query(asked, back=True)
            found = await self._ids(query, account_id, {**params, "after": after}, rows + 1)
            ids = found[:rows][::-1]
            newer = ids[0] if len(found) > rows and ids else None
            older = ids[-1] if ids else None
        else:
            query, params = self._query(asked, back=False)
            found = await self._ids(
                query, account_id, {**params, "before": before or TOP}, rows + 1
            )
            ids = found[:rows]
            older = ids[-1] if len(found) > rows else None
            newer = ids[0] if before is not None and ids else None
        return ListPage(await self.rows(account_id, ids), newer, older)

    async def _walked(
        self,
        account_id: int,
        asked: Filter,
        *,
        before: int | None,
        after: int | None,
        rows: int,
    ) -> ListPage:
        """A page of what no index finds: so many cards are looked at, then it is said how far."""
        is_token = asked.channel is not None and asked.channel not in (EMAIL.code, PHONE.code)
        most = MOST_WALKED_BY_TOKEN if is_token else MOST_WALKED
        back = after is not None
        start = {"after": after} if back else {"before": before or TOP}
        row = await self._keyed.fetch_one(
            QUERIES["walk_end_back" if back else "walk_end"],
            account_id=account_id,
            most=most,
            **start,
        )
        end = None if row is None else int(row[0])
        params = {**_conditions(asked), **start, "end": end or (TOP if back else 0)}
        query = "browse_back" if back else "browse"
        found = await self._ids(query, account_id, params, rows + 1)
        ids = found[:rows][::-1] if back else found[:rows]
        beyond = None if end is None else end + (-1 if back else 1)
        if len(found) > rows:
            beyond = ids[0] if back else ids[-1]
        here = (before, after) != (None, None)
        newer = beyond if back else (ids[0] if ids else (before or 1) - 1) if here else None
        older = (ids[-1] if ids else (after or 0) + 1) if back else beyond
        return ListPage(await self.rows(account_id, ids), newer, older)

    def _query(self, asked: Filter, *, back: bool) -> tuple[str, dict[str, Any]]:
        suffix = "_back" if back else ""
        if asked.removed:
            return f"browse_removed{suffix}", {}
        if asked.without_external_id:
            return f"browse_nameless{suffix}", {}
        return f"browse_live{suffix}", {}

    async def _ids(
        self, query: str, account_id: int, params: dict[str, Any], rows: int
    ) -> list[int]:
        found = await self._keyed.fetch(QUERIES[query], account_id=account_id, **params, rows=rows)
        return [row[0] for row in found]

    async def _found(
        self,
        account_id: int,
        asked: Filter,
        region: Region,
        *,
        before: int | None,
        after: int | None,
        rows: int,
    ) -> ListPage:
        ids, more = await self.search(account_id, asked, region)
        if after is not None:
            start = max(sum(one > after for one in ids) - rows, 0)
        else:
            start = 0 if before is None else sum(one >= before for one in ids)
        shown = ids[start : start + rows]
        return ListPage(
            await self.rows(account_id, shown),
            shown[0] if start and shown else None,
            shown[-1] if shown and start + rows < len(ids) else None,
            found=len(ids),
            more=more,
        )

    async def search(
        self, account_id: int, asked: Filter, region: Region
    ) -> tuple[list[int], bool]:
        """(ids of the contacts that all words begin something of, whether there may be more)."""
        driver, others = narrowest(asked.words)
        rows = await self._keyed.fetch(
            QUERIES["search"],
            account_id=account_id,
            **meanings(driver, region),
            words=pg_array([plain(word).lower() for word in others]),
            status=int(Status.REMOVED if asked.removed else Status.LIVE),
            no_external_id=asked.without_external_id,
            source=asked.source,
            since=asked.since,
            until=asked.until,
            **_channel(asked.channel),
            most=MOST_FOUND,
        )
        return [row[0] for row in rows], bool(rows and rows[0][1])

    async def count(self, account_id: int, asked: Filter) -> int:
        """Exactly how many contacts pass the filter."""
        params: dict[str, Any] = {}
        if asked.is_plain:
            query = "count_all_live"
        elif asked.removed:
            query = "count_removed"
        elif asked == Filter(without_external_id=True):
            query = "count_nameless"
        else:
            query, params = "browse_count", _conditions(asked)
        row = await self._database.fetch_one(QUERIES[query], account_id=account_id, **params)
        return 0 if row is None else int(row[0])

    async def rows(self, account_id: int, ids: Sequence[int]) -> list[Row]:
        """Rows of the table, the greatest id first."""
        if not ids:
            return []
        rows = await self._keyed.fetch(
            QUERIES["rows"], account_id=account_id, ids=pg_array(list(ids))
        )
        return [Row(*row) for row in rows]

    async def all_rows(
        self, account_id: int, asked: Filter, region: Region
    ) -> AsyncIterator[list[Row]]:
        """Everything that passes the filter, in pages."""
        before: int | None = None
        while True:
            page = await self.page(account_id, asked, region, before=before, rows=1_000)
            if page.rows:
                yield page.rows
            if page.older is None:
                return
            before = page.older

    async def card(self, account_id: int, contact_id: int) -> ShownCard:
        """The card of that id in whatever state. Raises `NotFound` for none and for an erased one."""
        row = await self._keyed.fetch_one(
            QUERIES["card"], account_id=account_id, contact_id=contact_id
        )
        if row is None or row[1] == Status.ERASED:
            raise NotFound("There is no contact with this id, or it was erased.")
        return ShownCard(*row)

    async def lists_of(self, account_id: int, contact_id: int) -> list[Membership]:
        """Which lists and segments the contact is in."""
        rows = await self._keyed.fetch(
            QUERIES["lists_of"], account_id=account_id, contact_id=contact_id
        )
        return [Membership(*row) for row in rows]

    async def created_by_day(self, account_id: int) -> list[tuple[Any, int]]:
        """(day, how many of today's live contacts were created on it), the oldest first."""
        rows = await self._database.fetch(QUERIES["created_by_day"], account_id=account_id)
        return [(row[0], row[1]) for row in rows]

    async def feed(self, account_id: int, rows: int) -> list[HistoryRow]:
        """The newest identity decisions of the account."""
        found = await self._keyed.fetch(QUERIES["feed"], account_id=account_id, rows=rows)
        return [HistoryRow(*row) for row in found]

    async def history_exceeds(self, account_id: int, rows: int) -> bool:
        """Whether the identity history has more rows than this."""
        found = await self._keyed.fetch_one(
            QUERIES["history_exceeds"], account_id=account_id, rows=rows
        )
        return found is not None


def _conditions(asked: Filter) -> dict[str, Any]:
    return {
        "external_id": False if asked.without_external_id else None,
        "source": asked.source,
        "since": asked.since,
        "until": asked.until,
        **_channel(asked.channel),
    }


def _channel(code: int | None) -> dict[str, Any]:
    """E-mail and phone stand on the card; the other kinds are looked up."""
    on_card = code in (EMAIL.code, PHONE.code)
    return {
        "email": code == EMAIL.code,
        "phone": code == PHONE.code,
        "channel": None if on_card else code,
    }
