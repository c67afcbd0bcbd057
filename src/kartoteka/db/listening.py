"""Waiting for a NOTIFY, so that work begins when it is there and not when somebody next looks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from kartoteka.db.database import Connection, Database


class Bell:
    """One channel that is listened to."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def wait(self, timeout_s: float) -> bool:
        """True when it rang, also before this call; False when the time is up."""
        async for _ in self._connection.notifies(timeout=timeout_s, stop_after=1):
            return True
        return False


@asynccontextmanager
async def listening(database: Database, channel: str) -> AsyncIterator[Bell]:
    """Inside the block that channel rings the bell. `channel` is a word of ours, never input."""
    async with database.connection() as connection:
        await connection.execute(f"listen {channel}")
        try:
            yield Bell(connection)
        finally:
            await connection.close()  # never handed on while it still listens
