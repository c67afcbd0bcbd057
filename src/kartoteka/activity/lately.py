"""What came in lately: how many events today, and where the latest visits were."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from urllib.parse import urlsplit

import msgspec

from kartoteka.db.database import Database
from kartoteka.db.named import load_queries

QUERIES = load_queries(__package__, "lately.sql")
MOST_COUNTED = 200_000
"""More events of a day are not counted: a first page does not wait for them."""
MOST_LOOKED_AT = 1_000
"""Among so many of the latest events a visit is looked for."""


class Counted(msgspec.Struct, frozen=True):
    """How much happened in a stretch of time."""

    events: int
    visits: int
    is_more: bool
    """There is more than was counted."""


class Lately:
    """What came in lately, of all accounts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def count(self, account_id: int, since: datetime, until: datetime) -> Counted:
        """Events and visits from `since` to before `until`, up to `MOST_COUNTED`."""
        row = await self._database.fetch_one(
            QUERIES["count_since"],
            account_id=account_id,
            since=since,
            until=until,
            most=MOST_COUNTED,
        )
        assert row is not None
        return Counted(row[0], row[1], row[2] >= MOST_COUNTED)

    async def visits(self, account_id: int, until: datetime) -> list[tuple[datetime, str]]:
        """(when, host) of the latest visits, newest first."""
        rows = await self._database.fetch(
            QUERIES["last_visits"], account_id=account_id, until=until, most=MOST_LOOKED_AT
        )
        return [(at, host_of(url)) for at, url in rows]


def host_of(url: str) -> str:
    """The host of an address, in lower case; blank where it has none."""
    try:
        return (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:
        return ""


def last_visit_of(domain: str, visits: Sequence[tuple[datetime, str]]) -> datetime | None:
    """When a page of that domain, or of one below it, was visited last."""
    for at, host in visits:
        if host == domain or host.endswith("." + domain):
            return at
    return None
