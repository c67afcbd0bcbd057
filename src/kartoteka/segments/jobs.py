"""Background work of segments: filling, the clock, and what deleting leaves to do."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import datetime

from kartoteka.access.model import AccountContext
from kartoteka.clock import Clock
from kartoteka.contacts.definitions import Definitions
from kartoteka.contacts.model import Outcome, RemoveContact
from kartoteka.db.database import Database
from kartoteka.db.failures import RETRYABLE
from kartoteka.db.listening import listening
from kartoteka.db.lock import try_lock
from kartoteka.db.named import load_queries
from kartoteka.errors import DatabaseUnavailable, KartotekaError
from kartoteka.identity.model import Origin
from kartoteka.log import logger
from kartoteka.segments.actions import SegmentActions, delete_segment
from kartoteka.segments.defining import QUERIES as DEFINING
from kartoteka.segments.filling import CHANNEL, Filling
from kartoteka.segments.filling import QUERIES as FILLING
from kartoteka.segments.model import SegmentType, State
from kartoteka.segments.store import Segments
from kartoteka.segments.waking import QUERIES as WAKING
from kartoteka.segments.waking import next_moment, wake

QUERIES = load_queries(__package__, "walking.sql")
LOOK_AGAIN_S = 10.0
"""The clock looks at least so often; a moment is at most a minute late (decisions D31)."""
LOCK = 85
FILL_FOR_S = 5.0
"""Versions take turns: a small one does not wait for a large one."""
REMOVED_AT_ONCE = 200
Submit = Callable[[AccountContext, RemoveContact], Awaitable[Outcome]]


class SegmentJobs:
    """One for each jobs process; several agree by locks on who does what."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        account: Callable[[int], Awaitable[AccountContext]],
        submit: Submit,
    ) -> None:
        self._database = database
        self._clock = clock
        self._account = account
        self._submit = submit
        self._filling = Filling(database, clock)
        self._removed_to: dict[int, int] = {}
        """Segments that are deleted with their contacts: up to which of them these are removed."""
        self._actions = SegmentActions(
            database, clock, Definitions(database), Segments(database), self._filling
        )

    async def run(self, stopping: asyncio.Event) -> None:
        """Work until `stopping`; while the database is away, wait for it.

        The clock is a loop of its own: no filling and no deleting makes it late.
        """
        await asyncio.gather(
            self._insist(self._work, stopping), self._insist(self._watch_the_clock, stopping)
        )

    async def _insist(
        self, work: Callable[[asyncio.Event], Awaitable[None]], stopping: asyncio.Event
    ) -> None:
        while not stopping.is_set():
            try:
                await work(stopping)
            except DatabaseUnavailable as error:
                logger.warning("segments_wait_for_database", reason=error.message)
                await asyncio.sleep(1)
            except RETRYABLE:
                continue
            except Exception:  # noqa: BLE001  tried again; imports and webhooks go on meanwhile
                logger.exception("segments_failed")
                await _either(asyncio.sleep(LOOK_AGAIN_S), stopping)

    async def _work(self, stopping: asyncio.Event) -> None:
        async with listening(self._database, CHANNEL) as bell:
            while not stopping.is_set():
                if not await self.once():
                    await _either(bell.wait(LOOK_AGAIN_S), stopping)

    async def _watch_the_clock(self, stopping: asyncio.Event) -> None:
        async with try_lock(self._database, LOCK, 0) as lock:
            while lock is not None and not stopping.is_set():
                await lock.check()
                due = await self.tick()
                now = self._clock.now()
                wait_s = LOOK_AGAIN_S if due is None else (due - now).total_seconds()
                pause = asyncio.sleep(min(max(wait_s, 0.01), LOOK_AGAIN_S))
                await _either(pause, stopping)
        await _either(asyncio.sleep(LOOK_AGAIN_S), stopping)

    async def once(self) -> bool:
        """All that is to do now besides the clock; whether there is more to do at once."""
        is_more = False
        for account_id, version_id, state in await self._database.fetch(FILLING["versions_to_do"]):
            if state == State.OLD:
                await self._filling.drop(account_id, version_id)
            elif not await self._filling.advance(account_id, version_id, FILL_FOR_S):
                is_more = True
        for row in await self._database.fetch(QUERIES["segments_to_leave"]):
            is_more = await self._leave(*row) or is_more
        for row in await self._database.fetch(DEFINING["segments_of_other_zones"]):
            await self._read_in_zone(*row)
        return is_more

    async def _read_in_zone(self, account_id: int, segment_id: int) -> None:
        """The account has another time zone now: its days begin at another moment."""
        try:
            await self._actions.change(account_id, segment_id, {})
        except KartotekaError as error:
            if isinstance(error, DatabaseUnavailable):
                raise
            logger.warning("segment_keeps_its_zone", segment=segment_id, code=error.code)

    async def tick(self) -> datetime | None:
        """Wake whose moment has come, in all accounts; when the next one comes."""
        moments: list[datetime] = []
        for (account_id,) in await self._database.fetch(WAKING["accounts_with_moments"]):
            await wake(self._database, account_id, self._clock.now())
            if (due := await next_moment(self._database, account_id)) is not None:
                moments.append(due)
        return min(moments, default=None)

    async def _leave(
        self, account_id: int, segment_id: int, version_id: int | None, type_: str
    ) -> bool:
        """Remove the contacts of a segment that is deleted with them (restorable), then the segment.

        So long as everything else may wait; whether there is more to do.
        """
        kind = SegmentType(type_)
        if version_id is None and kind is not SegmentType.STATIC:
            return False  # it is being filled: who is in it is known when it serves
        async with try_lock(self._database, LOCK, segment_id) as lock:
            if lock is None:
                return False
            account = await self._account(account_id)
            after, until = self._removed_to.pop(segment_id, 0), time.monotonic() + FILL_FOR_S
            while ids := await self._part(account_id, segment_id, version_id, kind, after):
                await asyncio.gather(*(self._remove(account, one) for one in ids))
                after = ids[-1]
                if time.monotonic() >= until:
                    self._removed_to[segment_id] = after
                    return True
            await delete_segment(self._database, account_id, segment_id, kind)
        return False

    async def _part(
        self,
        account_id: int,
        segment_id: int,
        version_id: int | None,
        kind: SegmentType,
        after: int,
    ) -> list[int]:
        static = kind is SegmentType.STATIC
        found = await self._database.fetch(
            QUERIES["live_members_after" if static else "matches_after"],
            account_id=account_id,
            **({"segment_id": segment_id} if static else {"version_id": version_id}),
            after=after,
            rows=REMOVED_AT_ONCE,
        )
        return [contact_id for (contact_id,) in found]

    async def _remove(self, account: AccountContext, contact_id: int) -> None:
        origin = Origin(self._clock.now(), "segment", 0, "deleteSegment")
        try:
            await self._submit(account, RemoveContact(origin=origin, contact_id=contact_id))
        except KartotekaError as error:
            if isinstance(error, DatabaseUnavailable):
                raise


async def _either(bell: Awaitable[object], stopping: asyncio.Event) -> None:
    waiting, told = asyncio.ensure_future(bell), asyncio.ensure_future(stopping.wait())
    await asyncio.wait((waiting, told), return_when=asyncio.FIRST_COMPLETED)
    told.cancel()
    if waiting.done():
        waiting.result()  # what it raises is raised
    waiting.cancel()
    await asyncio.gather(waiting, told, return_exceptions=True)
