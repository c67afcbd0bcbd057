"""Answers that tell nothing: of a claim, neither answer nor time says whether the person exists (D36)."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from kartoteka.errors import DatabaseUnavailable
from kartoteka.log import logger

ANSWER_AFTER_S = 0.1
MOST_UNDERWAY = 5_000
"""What strangers may leave to be done when the database is slow."""


class Discretion:
    """Carries out what public callers claim, and lets them wait a fixed time, however long it takes."""

    def __init__(self, answer_after_s: float = ANSWER_AFTER_S) -> None:
        self._answer_after_s = answer_after_s
        self._tasks: set[asyncio.Task[Any]] = set()

    async def carry_out(self, work: Coroutine[Any, Any, Any]) -> bool:
        """Back after the fixed time; whether it was taken. The work goes on by itself.

        Not taken: there is too much to do already, or the database was found away meanwhile.
        """
        if len(self._tasks) >= MOST_UNDERWAY:
            work.close()
            await asyncio.sleep(self._answer_after_s)
            return False
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        await asyncio.sleep(self._answer_after_s)
        return not (task.done() and isinstance(task.exception(), DatabaseUnavailable))

    async def close(self) -> None:
        """Back when all that was begun is done."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.warning("public_call_failed", error=type(error).__name__)
