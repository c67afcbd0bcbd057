"""Builds everything: what a worker serves, and what a database needs before anybody serves."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

from kartoteka.access.bootstrap import FirstStart, first_start
from kartoteka.db.database import Database
from kartoteka.db.migrate import migrate
from kartoteka.jobs.queue import prepare_queue
from kartoteka.log import logger
from kartoteka.settings import Settings

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]
ASGIApp: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]


async def prepare_database(database_url: str) -> list[str]:
    """Bring the database up to this version; the names of what was applied."""
    applied = await migrate(database_url)
    return [*applied, "jobs"] if await prepare_queue(database_url) else applied


async def set_up(settings: Settings, database_url: str) -> FirstStart | None:
    """Prepare the database and, in an empty one, make account, key and admin; None if it was not."""
    await prepare_database(database_url)
    database = await Database.open(database_url, max_size=2)
    try:
        return await first_start(database, settings)
    finally:
        await database.close()


class Application:
    """The ASGI application of one worker: opens what it stands on at the start, closes it at the end.

    The start does not need the database: while it is away requests are answered with 503.
    """

    def __init__(self, settings: Settings, database_url: str) -> None:
        self._settings = settings
        self._database_url = database_url
        self._database: Database | None = None
        self._inside: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif self._inside is not None:
            await self._inside(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            await self._open()
        except Exception:  # noqa: BLE001  uvicorn ends the process; the reason belongs in the log
            logger.error("start_failed", exc_info=True)
            await send({"type": "lifespan.startup.failed"})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _open(self) -> None:
        self._database = await Database.open(self._database_url, min_size=0)
        self._inside = _health_only(self._database)

    async def _close(self) -> None:
        if self._database is not None:
            await self._database.close()


def create_app(settings: Settings, database_url: str) -> ASGIApp:
    """What a worker serves; `serving` looks this function up by its name."""
    return Application(settings, database_url)


def _health_only(database: Database) -> ASGIApp:
    async def answer(_scope: Scope, _receive: Receive, send: Send) -> None:
        status = 200 if await database.is_ready() else 503
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    return answer
