"""Batches of one lane side by side, committed one after the other: the last row wins."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from kartoteka.errors import DatabaseUnavailable

PATIENCE_S = 5.0
"""How long a batch that is decided keeps its cards locked while it waits to be written."""
OVERTAKEN_S = 0.5
"""How long it does while the batch before is still being decided, and may want one of them."""


class OutOfTurn(DatabaseUnavailable):
    """The batch before may still want a card that this one holds: let go of it, and begin anew."""


class BehindFailed(DatabaseUnavailable):
    """A batch before this one could not be written, so this one is not either: the lane begins anew."""


class Turn:
    """The place of one batch among those under way.

    Two rows may come to one contact without naming anything in common, one by its External ID and
    one by its e-mail. So a batch is decided, and its cards are written, while the one before is, and its
    statement and commit come behind that one's. Whoever decided has all its cards locked: from there on
    waiting cannot become a deadlock.
    """

    task: asyncio.Task[None]

    @property
    def has_failed(self) -> bool:
        """Whether it is over and was not written."""
        task = self.task
        return task.done() and (task.cancelled() or task.exception() is not None)

    def __init__(self, names: set[Any], before: Turn | None) -> None:
        self.names = names
        self.decided = asyncio.Event()
        """Or over, whatever became of it."""
        self._before = before

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Carry the batch out, from now on."""
        self.task = asyncio.create_task(work)
        self.task.add_done_callback(lambda _: self.decided.set())

    async def come(self) -> None:
        """Wait, decided, until the batch before is committed.

        Raises `OutOfTurn` when that one is long in being decided, and `BehindFailed`.
        """
        self.decided.set()
        if self._before is None:
            return
        try:
            async with asyncio.timeout(OVERTAKEN_S):
                await self._before.decided.wait()
        except TimeoutError:
            raise OutOfTurn from None
        if not (await asyncio.wait((self._before.task,), timeout=PATIENCE_S))[0]:
            raise OutOfTurn
        await self.over()

    async def over(self) -> None:
        """Back when the batch before is over. Raises `BehindFailed`."""
        if self._before is not None:
            await asyncio.wait((self._before.task,))
            if self._before.has_failed:
                raise BehindFailed
            self._before = None
