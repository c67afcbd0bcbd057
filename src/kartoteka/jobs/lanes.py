"""Lanes of work: one turn of a lane at a time, in whatever process, and several lanes beside each other.

A lane is held by a lock that ends with the process that holds it, so after a kill anywhere the next one
goes on at once. Work that comes is announced by NOTIFY; who misses that looks every two seconds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Hashable, Iterable
from typing import Any, Generic, TypeVar

from kartoteka.db.database import Database
from kartoteka.db.listening import listening
from kartoteka.db.lock import Lock, try_lock
from kartoteka.errors import DatabaseUnavailable
from kartoteka.log import logger

Lane = TypeVar("Lane", bound=Hashable)
LOOK_EVERY_S = 2.0
PAUSE_AFTER_TROUBLE_S = 1.0


class Lanes(Generic[Lane]):
    """The lanes of one kind of work, in one process."""

    def __init__(
        self,
        name: str,
        leases: Database,
        *,
        family: int,
        number: Callable[[Lane], int],
        due: Callable[[], Awaitable[Iterable[Lane]]],
        has_room: Callable[[Collection[Lane], Lane], bool],
        take_turn: Callable[[Lane, Lock], Awaitable[bool]],
    ) -> None:
        """`leases` has the connections that hold lanes and listen. `family`, `number`: a lane's lock.

        `due`: lanes with something to do, those that wait longest first. `has_room`: whether beside those
        that are under way this one may begin. `take_turn`: whether there was something to do.
        """
        self._name = name
        self._leases = leases
        self._family = family
        self._number = number
        self._due = due
        self._has_room = has_room
        self._take_turn = take_turn
        self._under_way: dict[Lane, asyncio.Task[None]] = {}
        self._again = asyncio.Event()
        self.stopping = asyncio.Event()

    async def run(self, stopping: asyncio.Event) -> None:
        """Take turns until told to stop; then wait for those that are under way."""
        self.stopping = stopping
        while not stopping.is_set():
            try:
                async with listening(self._leases, f"kartoteka_{self._name}") as bell:
                    while not stopping.is_set():
                        await self._begin()
                        await self._first(bell.wait(LOOK_EVERY_S))
            except DatabaseUnavailable as error:
                logger.warning(f"{self._name}_wait_for_database", reason=error.message)
                await self._first(asyncio.sleep(PAUSE_AFTER_TROUBLE_S))
        await asyncio.gather(*self._under_way.values(), return_exceptions=True)

    async def _first(self, waiting: Awaitable[Any]) -> None:
        """Until that is over, a lane ended or we are told to stop; what it raises is raised."""
        task = asyncio.ensure_future(waiting)
        others = [asyncio.ensure_future(one.wait()) for one in (self.stopping, self._again)]
        await asyncio.wait((task, *others), return_when=asyncio.FIRST_COMPLETED)
        self._again.clear()
        for one in others:
            one.cancel()
        if task.done():
            task.result()
        else:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _begin(self) -> None:
        for lane in await self._due():
            if lane not in self._under_way and self._has_room(self._under_way.keys(), lane):
                self._under_way[lane] = asyncio.create_task(self._go(lane))

    async def _go(self, lane: Lane) -> None:
        """A turn of that lane; after it others have theirs, and what came meanwhile is looked for."""
        did = False
        try:
            async with try_lock(self._leases, self._family, self._number(lane)) as lock:
                did = lock is not None and await self._take_turn(lane, lock)
        except DatabaseUnavailable as error:
            logger.warning(f"{self._name}_wait_for_database", reason=error.message)
            await asyncio.sleep(PAUSE_AFTER_TROUBLE_S)
        except Exception:  # noqa: BLE001  the lane is tried again; the others go on
            logger.exception(f"{self._name}_lane_failed", lane=self._number(lane))
            await asyncio.sleep(PAUSE_AFTER_TROUBLE_S)
        finally:
            del self._under_way[lane]
            if did:
                self._again.set()
