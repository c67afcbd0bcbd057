"""Answers many callers who each ask for one row with one statement.

While a statement is under way the next questions gather; when it is answered they go out together.
Nobody waits for a timer, a lone question goes at once, and under load a round trip and its Python
are paid once for dozens of requests (design/engine.md: plumbing is what a small request costs).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping
from typing import Generic, TypeVar

Place = TypeVar("Place", bound=Hashable)
Question = TypeVar("Question", bound=Hashable)
Found = TypeVar("Found")

MOST_AT_ONCE = 200


class Gathering(Generic[Place, Question, Found]):
    """Questions about one place (an account) that are answered together.

    `answer(place, questions)` is asked with different questions, at most 200, and gives what it
    found; what is missing in its answer is answered None. What it raises, everybody who asked gets.
    """

    def __init__(
        self, answer: Callable[[Place, list[Question]], Awaitable[Mapping[Question, Found]]]
    ) -> None:
        self._answer = answer
        self._waiting: dict[Place, dict[Question, asyncio.Future[Found | None]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def ask(self, place: Place, question: Question) -> Found | None:
        """The answer as of a moment after this call."""
        waiting = self._waiting.get(place)
        if waiting is None:
            waiting = self._waiting[place] = {}
            task = asyncio.get_running_loop().create_task(self._serve(place, waiting))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        future = waiting.get(question)
        if future is None:
            future = waiting[question] = asyncio.get_running_loop().create_future()
        # Shielded: several may wait for one answer, and one of them may hang up.
        return await asyncio.shield(future)

    async def _serve(
        self, place: Place, waiting: dict[Question, asyncio.Future[Found | None]]
    ) -> None:
        """Answer until nobody waits."""
        while waiting:
            batch = {one: waiting.pop(one) for one in list(waiting)[:MOST_AT_ONCE]}
            await self._settle(place, batch)
        # No await between the last look and this: nobody can have come in between.
        del self._waiting[place]

    async def _settle(
        self, place: Place, batch: dict[Question, asyncio.Future[Found | None]]
    ) -> None:
        try:
            found = await self._answer(place, list(batch))
        except Exception as error:  # noqa: BLE001  everybody who asked gets it
            for future in batch.values():
                future.set_exception(error)
                future.exception()  # seen, even when everybody who asked has gone
            return
        for question, future in batch.items():
            future.set_result(found.get(question))
