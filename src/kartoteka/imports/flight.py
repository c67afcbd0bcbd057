"""The batches of one lane that are under way: of one import, or of a call and the one behind it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

from kartoteka.db.database import Database
from kartoteka.imports.pacing import Pacing
from kartoteka.imports.turns import Turn

MOST_IN_FLIGHT = 3
"""Transactions of one lane at a time: one commits, one is written, on one the rules are at work."""


class Flight:
    """One for each turn of a lane; its batches are committed in the order in which they began."""

    def __init__(self, database: Database) -> None:
        self.pacing = Pacing(database)
        self._turns: deque[Turn] = deque()
        self._last: Turn | None = None

    def begin(
        self, names: set[Any], carry_out: Callable[[Turn], Coroutine[Any, Any, None]]
    ) -> Turn:
        """A batch that names these goes its way, behind those before it."""
        turn = Turn(names, self._last)
        turn.begin(carry_out(turn))
        self._turns.append(turn)
        self._last = turn
        return turn

    async def make_room(self, names: set[Any], most: int = MOST_IN_FLIGHT) -> None:
        """Back when another batch may begin: what names the same is not even decided side by side."""
        while self._turns and (
            len(self._turns) >= most
            or not all(names.isdisjoint(turn.names) for turn in self._turns)
        ):
            await self._oldest()

    async def land(self) -> None:
        """Back when nothing is under way. Raises nothing: each import asks for its own batches."""
        while self._turns:
            await self._oldest()

    async def _oldest(self) -> None:
        await asyncio.wait((self._turns[0].task,))
        turn = self._turns.popleft()
        if turn is self._last and not turn.has_failed:  # behind one that failed nothing is written
            self._last = None
