"""Reads and writes the websites of accounts; the tracker asks for one with every message."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence

import msgspec

from kartoteka.activity.sites.model import Site
from kartoteka.clock import Clock
from kartoteka.db.database import Database
from kartoteka.db.named import load_queries

QUERIES = load_queries(__package__)
CACHE_S = 5.0
MOST_REMEMBERED = 10_000
"""Keys that strangers make up are remembered too: as many, then all are forgotten."""


class Sites:
    """The websites of all accounts."""

    def __init__(
        self, database: Database, clock: Clock, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._database = database
        self._clock = clock
        self._monotonic = monotonic
        self._recent: dict[str | int, tuple[float, list[Site]]] = {}

    async def find(self, site_key: str) -> Site | None:
        """The website with that key, as it was at most five seconds ago."""
        found = await self._remembered(site_key, "find_site", site_key=site_key)
        return found[0] if found else None

    async def of_organisation(self, org_id: int) -> Sequence[Site]:
        """The websites of the account with that number, as they were at most five seconds ago."""
        return await self._remembered(org_id, "find_sites_of_organisation", org_id=org_id)

    async def all(self, account_id: int) -> list[Site]:
        """The account's websites, the first one first."""
        return await self._fetch("list_sites", account_id=account_id)

    async def add(self, account_id: int, domain: str) -> tuple[Site, bool]:
        """The website of that domain, and whether it is new."""
        key = secrets.token_hex(16)
        added = await self._fetch(
            "add_site", account_id=account_id, site_key=key, domain=domain, at=self._clock.now()
        )
        self._recent.clear()
        if added:
            return added[0], True
        return next(one for one in await self.all(account_id) if one.domain == domain), False

    async def remove(self, account_id: int, domain: str) -> bool:
        """Forget a domain; whether there was one."""
        self._recent.clear()
        row = await self._database.fetch_one(
            QUERIES["remove_site"], account_id=account_id, domain=domain
        )
        return row is not None

    async def set_web_push(
        self, account_id: int, domain: str, web_push: dict[str, str] | None
    ) -> Site | None:
        """Remember the service worker of a domain; None where the domain is not registered."""
        text = None if web_push is None else msgspec.json.encode(web_push).decode()
        found = await self._fetch(
            "set_web_push", account_id=account_id, domain=domain, web_push=text
        )
        return found[0] if found else None

    async def _remembered(self, key: str | int, query: str, **named: object) -> list[Site]:
        now = self._monotonic()
        recent = self._recent.get(key)
        if recent is not None and recent[0] > now:
            return recent[1]
        if len(self._recent) >= MOST_REMEMBERED:
            self._recent.clear()
        found = await self._fetch(query, **named)
        self._recent[key] = (now + CACHE_S, found)
        return found

    async def _fetch(self, query: str, **named: object) -> list[Site]:
        return [Site(*row) for row in await self._database.fetch(QUERIES[query], **named)]
