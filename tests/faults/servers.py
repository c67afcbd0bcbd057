"""Real servers on one database, and what is asked of them from many sides at once."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import msgspec
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


class Reply(msgspec.Struct):
    """An answer; `body` is JSON where it is, else text."""

    status: int
    body: Any


class Line:
    """One connection that is kept alive. (httpx costs several times what the server does.)"""

    def __init__(self, server: Server) -> None:
        host, _, port = server.url.removeprefix("http://").partition(":")
        self._address = (host, int(port))
        key = base64.b64encode(f":{server.key}".encode()).decode()
        self._head = f"HTTP/1.1\r\nHost: {host}\r\nAuthorization: Basic {key}\r\n"
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, method: str, path: str, body: Any = None) -> Reply:
        """One request and its answer. Raises OSError or EOFError when the server goes away."""
        if self._streams is None:
            self._streams = await asyncio.open_connection(*self._address)
        reader, writer = self._streams
        content = b"" if body is None else msgspec.json.encode(body)
        length = f"Content-Length: {len(content)}\r\n\r\n"
        writer.write(f"{method} {path} {self._head}{length}".encode() + content)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        size = int(head.partition(b"content-length:")[2].split(b"\r\n", 1)[0])
        text = await reader.readexactly(size)
        try:
            said = msgspec.json.decode(text)
        except msgspec.DecodeError:
            said = text.decode()
        return Reply(int(head.split(b" ", 2)[1]), said)

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()


class Crowd:
    """Connections to several servers; whoever asks next asks the next server."""

    def __init__(self, lines: Sequence[Line]) -> None:
        self._idle: asyncio.Queue[Line] = asyncio.Queue()
        for line in lines:
            self._idle.put_nowait(line)

    async def ask(self, method: str, path: str, body: Any = None) -> Reply:
        line = await self._idle.get()
        try:
            return await line.ask(method, path, body)
        finally:
            self._idle.put_nowait(line)

    async def post(self, body: dict[str, Any], path: str = "/api/v1/contact") -> Reply:
        return await self.ask("POST", path, body)

    async def all(self, bodies: Sequence[dict[str, Any]]) -> list[Reply]:
        """POST contact with all of these at once."""
        return await asyncio.gather(*(self.post(body) for body in bodies))


@asynccontextmanager
async def crowd(servers: Sequence[Server], connections: int = 48) -> AsyncIterator[Crowd]:
    """That many connections to each of the servers."""
    lines = [Line(server) for _ in range(connections) for server in servers]
    try:
        yield Crowd(lines)
    finally:
        for line in lines:
            line.close()


def in_letters(number: int) -> str:
    """For a name: one with more than three digits would not be taken (wire.md 2.4)."""
    return "".join(chr(ord("a") + int(digit)) for digit in str(number))


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
