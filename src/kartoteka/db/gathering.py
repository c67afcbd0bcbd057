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
        self._waiting: dict[Place, dict[Question, list[asyncio.Future[Found | None]]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def ask(self, place: Place, question: Question) -> asyncio.Future[Found | None]:
        """Await it for the answer as of a moment after this call."""
        loop = asyncio.get_running_loop()
        waiting = self._waiting.get(place)
        if waiting is None:
            waiting = self._waiting[place] = {}
            task = loop.create_task(self._serve(place, waiting))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        # Each has a future of their own: one who hangs up cancels nobody else's.
        future: asyncio.Future[Found | None] = loop.create_future()
        waiting.setdefault(question, []).append(future)
        return future

    async def _serve(
        self, place: Place, waiting: dict[Question, list[asyncio.Future[Found | None]]]
    ) -> None:
        """Answer until nobody waits."""
        while waiting:
            batch = {one: waiting.pop(one) for one in list(waiting)[:MOST_AT_ONCE]}
            await self._settle(place, batch)
        # No await between the last look and this: nobody can have come in between.
        del self._waiting[place]

    async def _settle(
        self, place: Place, batch: dict[Question, list[asyncio.Future[Found | None]]]
    ) -> None:
        try:
            found = await self._answer(place, list(batch))
        except Exception as error:  # noqa: BLE001  everybody who asked gets it
            for futures in batch.values():
                for future in futures:
                    if not future.done():
                        future.set_exception(error)
            return
        for question, futures in batch.items():
            answer = found.get(question)
            for future in futures:
                if not future.done():
                    future.set_result(answer)
