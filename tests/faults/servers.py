"""Real servers on one database, and what is asked of them from many sides at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg

from tests.conftest import Server, launch_server

SECRET = "a secret of the tests, long enough for its job"


@contextmanager
def running(folder: Path, url: str, number: int = 2, **environment: str) -> Iterator[list[Server]]:
    """That many servers, each with a folder of its own, started at once on the same database."""
    servers = [
        launch_server(
            folder / str(one) / "data",
            KARTOTEKA_DATABASE_URL=url,
            KARTOTEKA_SECRET_KEY=SECRET,
            KARTOTEKA_PROCESSES="1",
            **environment,
        )
        for one in range(number)
    ]
    try:
        for server in servers:
            server.wait_until_ready()
        yield servers
    finally:
        for server in servers:
            server.stop()


class Crowd:
    """Clients of several servers; whoever asks next asks the next server."""

    def __init__(self, clients: Sequence[httpx.AsyncClient]) -> None:
        self._clients = clients
        self._asked = 0

    async def post(self, body: dict[str, Any], path: str = "/api/v1/contact") -> httpx.Response:
        return await self.request("POST", path, body)

    async def request(self, method: str, path: str, body: Any = None) -> httpx.Response:
        self._asked += 1
        client = self._clients[self._asked % len(self._clients)]
        return await client.request(method, path, json=body)

    async def all(self, bodies: Sequence[dict[str, Any]]) -> list[httpx.Response]:
        """POST contact with all of these at once."""
        return await asyncio.gather(*(self.post(body) for body in bodies))


@asynccontextmanager
async def crowd(servers: Sequence[Server]) -> AsyncIterator[Crowd]:
    """Sixty-four connections to each of the servers."""
    limits = httpx.Limits(max_connections=64, max_keepalive_connections=64)
    clients = [
        httpx.AsyncClient(base_url=one.url, auth=("", one.key), timeout=60, limits=limits)
        for one in servers
    ]
    try:
        yield Crowd(clients)
    finally:
        for client in clients:
            await client.aclose()


def define_fields(url: str, number: int, prefix: str = "field") -> list[int]:
    """Custom fields of the first account, free texts; their ids."""
    with psycopg.connect(url, autocommit=True) as connection:
        rows = connection.execute(
            "insert into field_definition (account_id, list_key, list_name, key, name, type) "
            "select (select min(account_id) from account), 'test', 'Test', key, key, 'TEXTFIELD' "
            "from unnest(%s::text[]) as d (key) returning field_id",
            [[f"{prefix}{one}" for one in range(number)]],
        ).fetchall()
    return [one for (one,) in rows]


def rows(url: str, sql: str, *params: Any) -> list[tuple[Any, ...]]:
    """What the database says."""
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute(sql, params).fetchall()  # type: ignore[call-overload,no-any-return]
