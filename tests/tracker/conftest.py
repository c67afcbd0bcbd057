"""A shop whose pages have the tracker, a browser that visits it, and a look into the database."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import psycopg
import pytest
from playwright.sync_api import BrowserContext

from kartoteka.db.embedded import running_url
from tests.browser import browser, context, playwright
from tests.tracker.shop import Shop, open_shop

__all__ = ["browser", "context", "playwright"]

COOKIE = re.compile(r"[0-9A-F]{8}-[0-9A-F]{4}-4[0-9A-F]{3}-[89AB][0-9A-F]{3}-[0-9A-F]{12}")
WITHIN_S = 60


@pytest.fixture(scope="module")
def api(server: Any) -> Iterator[httpx.Client]:
    """The shop's server calls with a key of full rights."""
    with httpx.Client(base_url=server.url, auth=("", server.key), timeout=60) as client:
        yield client


@pytest.fixture(scope="module")
def shop(server: Any, api: httpx.Client) -> Iterator[Shop]:
    with open_shop(server.url, api) as opened:
        yield opened


class Look:
    """What the database says of visitors."""

    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(url, autocommit=True)

    def close(self) -> None:
        self._connection.close()

    def contacts(self) -> int:
        return self._one("select count(*) from contact")

    def visits(self, cookie: str) -> list[str]:
        """Types of what a cookie did, in the order of its own time."""
        return self._column(
            """
            select e.type_key from event e
            where e.kind = 1 and e.owner_id in (
                select owner_id from visitor_span where kind = 8 and value_key = %(cookie)s
                union select abs(contact_id) from identifier where kind = 8 and value_key = %(cookie)s
            ) order by e.occurred, e.event_id
            """,
            cookie=cookie,
        )

    def visits_of(self, contact_id: int) -> list[str]:
        """Types of the visits of a contact, in the order of their own time."""
        return self._column(
            """
            select e.type_key from event e
            where e.kind = 1 and e.owner_id in (
                select owner_id from owners_of(1, array[%(contact_id)s::bigint])
            ) order by e.occurred, e.event_id
            """,
            contact_id=contact_id,
        )

    def params(self, cookie: str, type_key: str) -> list[dict[str, Any]]:
        return self._column(
            """
            select e.params from event e
            join visitor_span s on s.owner_id = e.owner_id and s.kind = 8
            where s.value_key = %(cookie)s and e.type_key = %(type_key)s
            order by e.occurred, e.event_id
            """,
            cookie=cookie,
            type_key=type_key,
        )

    def _column(self, query: str, **named: Any) -> list[Any]:
        return [row[0] for row in self._connection.execute(query, named).fetchall()]

    def _one(self, query: str) -> Any:
        row = self._connection.execute(query).fetchone()
        assert row is not None
        return row[0]


@pytest.fixture(scope="module")
def look(server: Any) -> Iterator[Look]:
    opened = Look(running_url(server.log.parent / "data"))
    yield opened
    opened.close()


def cookie_of(context: BrowserContext) -> str | None:
    """The visitor's cookie `sc`."""
    found = [one for one in context.cookies() if one["name"] == "sc"]
    assert len(found) < 2
    return found[0]["value"] if found else None


def eventually(ask: Callable[[], Any], expected: Any) -> None:
    """Wait until that is the answer."""
    deadline = time.monotonic() + WITHIN_S
    while (answer := ask()) != expected:
        assert time.monotonic() < deadline, f"{answer!r} instead of {expected!r}"
        time.sleep(0.05)
