"""Carries exports out in the jobs process: finds what is due, holds its lane, tells how far it is.

The lane of an export is a lock that ends with the process that holds it, so after a kill anywhere the
next runner takes the run over at once. What the target has stands in the target.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable
from datetime import datetime, timedelta
from typing import Any

import msgspec

from kartoteka.clock import Clock
from kartoteka.db.database import Database
from kartoteka.db.failures import StatementFailed
from kartoteka.db.listening import listening
from kartoteka.db.lock import Lock, try_lock
from kartoteka.errors import DatabaseUnavailable, KartotekaError
from kartoteka.exports.errors import ExportNotFound, Stopped
from kartoteka.exports.model import Done, Export, RunState, State
from kartoteka.exports.reading import Reading
from kartoteka.exports.run import Keeping, Running
from kartoteka.exports.store import QUERIES, Exports
from kartoteka.exports.targets.base import Target
from kartoteka.log import logger

LOOK_EVERY_S = 2.0
TELL_EVERY_S = 1.0
PAUSE_AFTER_TROUBLE_S = 1.0
LANES = 0x6B657870
"""Family of the lanes' advisory locks."""
MOST_LANES = 2
ALERT_AFTER = 3
"""Failed runs one after the other after which somebody is told."""
FIRST_RETRY_S = 60


class Runner:
    """One for each jobs process."""

    def __init__(
        self, *, database: Database, leases: Database, exports: Exports, clock: Clock
    ) -> None:
        """`leases` has the connections that hold lanes and listen."""
        self._database = database
        self._leases = leases
        self._exports = exports
        self._clock = clock
        self._lanes: dict[tuple[int, int], asyncio.Task[None]] = {}
        self._stopping = asyncio.Event()
        self._again = asyncio.Event()

    async def run(self, stopping: asyncio.Event) -> None:
        """Carry exports out until told to stop; a run under way is left for the next process."""
        self._stopping = stopping
        while not stopping.is_set():
            try:
                async with listening(self._leases, "kartoteka_exports") as bell:
                    while not stopping.is_set():
                        await self._start_lanes()
                        await self._first(bell.wait(LOOK_EVERY_S))
            except DatabaseUnavailable as error:
                logger.warning("exports_wait_for_database", reason=error.message)
                await self._first(asyncio.sleep(PAUSE_AFTER_TROUBLE_S))
        await asyncio.gather(*self._lanes.values(), return_exceptions=True)

    async def _first(self, waiting: Awaitable[Any]) -> None:
        """Until that is over, a lane ended or we are told to stop; what it raises is raised."""
        task = asyncio.ensure_future(waiting)
        others = [asyncio.ensure_future(one.wait()) for one in (self._stopping, self._again)]
        await asyncio.wait((task, *others), return_when=asyncio.FIRST_COMPLETED)
        self._again.clear()
        for one in others:
            one.cancel()
        if task.done():
            task.result()
        else:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _start_lanes(self) -> None:
        now = self._clock.now()
        for account_id, export_id, _ in await self._database.fetch(QUERIES["due_exports"], now=now):
            key = (account_id, export_id)
            if key not in self._lanes and len(self._lanes) < MOST_LANES:
                self._lanes[key] = asyncio.create_task(self._run_lane(*key))

    async def _run_lane(self, account_id: int, export_id: int) -> None:
        did = False
        try:
            did = await self._take_turn(account_id, export_id)
        except DatabaseUnavailable as error:
            logger.warning("exports_wait_for_database", reason=error.message)
            await asyncio.sleep(PAUSE_AFTER_TROUBLE_S)
        except Exception:  # noqa: BLE001  the lane is tried again; the others go on
            logger.exception("export_lane_failed", export_id=export_id)
            await asyncio.sleep(PAUSE_AFTER_TROUBLE_S)
        finally:
            del self._lanes[(account_id, export_id)]
            if did:
                self._again.set()

    async def _take_turn(self, account_id: int, export_id: int) -> bool:
        """One run; False when another process is at it or nothing is to be done."""
        number = export_id & 0x7FFF_FFFF
        async with try_lock(self._leases, LANES, number) as lock:
            if lock is None:
                return False
            try:
                one = await self._exports.find(account_id, export_id)
            except ExportNotFound:
                return False
            run_id = await self._next_run(one)
            if run_id is None:
                return False
            return await self._carry_out(one, run_id, lock)

    async def _next_run(self, one: Export) -> int | None:
        key = {"account_id": one.account_id, "export_id": one.export_id}
        row = await self._database.fetch_one(QUERIES["next_run"], **key)
        if row is not None:
            return int(row[0])
        if one.state == State.PAUSED or one.next_at > self._clock.now():
            return None
        run = await self._exports.ask_for_run(one.account_id, one.export_id, by="schedule")
        return run.run_id

    async def _carry_out(self, one: Export, run_id: int, lock: Lock) -> bool:
        row = await self._database.fetch_one(
            QUERIES["start_run"],
            account_id=one.account_id,
            export_id=one.export_id,
            run_id=run_id,
            at=self._clock.now(),
        )
        if row is None:
            return False
        attempts, full, _ = row
        turn = Turn(self, one, run_id, attempts, full=full)
        await turn.take(lock)
        return True

    @property
    def parts(self) -> tuple[Database, Exports, Clock, asyncio.Event]:
        """What a turn works with."""
        return self._database, self._exports, self._clock, self._stopping


class Turn:
    """One run being carried out: a thread does the work, the event loop watches and keeps."""

    def __init__(
        self, runner: Runner, one: Export, run_id: int, attempts: int, *, full: bool
    ) -> None:
        self._database, self._exports, self._clock, self._stopping = runner.parts
        self._one = one
        self._run_id = run_id
        self._attempts = attempts
        self._full = full
        self._progress: dict[str, Done] = {}
        self._stop = threading.Event()
        self._target: Target | None = None

    async def take(self, lock: Lock) -> None:
        """Carry it out to its end; what happened is in its row then."""
        loop = asyncio.get_running_loop()
        keeping = Keeping(
            pending=lambda name, mark: self._from_thread(loop, "keep_pending", name, mark),
            reached=lambda name, mark: self._from_thread(loop, "keep_mark", name, mark),
        )
        work = asyncio.create_task(asyncio.to_thread(self._work, keeping))
        lost: DatabaseUnavailable | None = None
        while not work.done():
            await asyncio.wait((work,), timeout=TELL_EVERY_S)
            try:
                if not work.done() and (
                    not await self._still_ours(lock) or self._stopping.is_set()
                ):
                    self._end_soon()
            except DatabaseUnavailable as error:
                self._end_soon()
                lost = error
        try:
            await work
        except Exception as error:
            if self._stop.is_set():  # whatever it says: the next one goes on where this was
                if lost is not None:
                    raise lost from error
                return
            await self._went_wrong(error)
        else:
            await self._finished()

    def _end_soon(self) -> None:
        """The thread ends at its next block; one that waits for the target a second later."""
        if self._stop.is_set() and self._target is not None:
            self._target.abort()
        self._stop.set()

    async def _went_wrong(self, error: Exception) -> None:
        """Into the run's row; what is not the target's fault into the log."""
        if isinstance(error, DatabaseUnavailable):
            raise error
        if isinstance(error, KartotekaError):
            await self._failed(error.message, error.details.get("code", error.code))
            return
        if isinstance(error, StatementFailed) and _is_gone(error):
            raise DatabaseUnavailable from error
        logger.error("export_failed", export_id=self._one.export_id, exc_info=error)
        await self._failed("An unexpected error; the log of the server has it.", "error")

    def _work(self, keeping: Keeping) -> None:
        one = self._one
        self._check()
        self._target = target = self._exports.open_target(one)
        try:
            with Reading(self._database.url, one.account_id, one.options) as reading:
                running = Running(
                    export=one,
                    target=target,
                    reading=reading,
                    full=self._full,
                    progress=self._progress,
                    check=self._check,
                    keeping=keeping,
                )
                running.bring_up()
        finally:
            target.close()

    def _check(self) -> None:
        if self._stop.is_set():
            raise Stopped

    def _from_thread(
        self, loop: asyncio.AbstractEventLoop, query: str, dataset: str, mark: str
    ) -> None:
        """Keep it before going on; another process that took the run over ends this one."""
        kept = asyncio.run_coroutine_threadsafe(self._keep(query, dataset, mark), loop).result()
        if not kept:
            raise Stopped

    async def _keep(self, query: str, dataset: str, mark: str) -> bool:
        row = await self._database.fetch_one(
            QUERIES[query], **self._key, dataset=dataset, mark=mark
        )
        return row is not None

    @property
    def _key(self) -> dict[str, Any]:
        return {
            "account_id": self._one.account_id,
            "export_id": self._one.export_id,
            "run_id": self._run_id,
            "attempts": self._attempts,
        }

    async def _still_ours(self, lock: Lock) -> bool:
        """Tell how far it is; False when it was cancelled or taken over."""
        await lock.check()
        return bool(
            await self._database.execute(QUERIES["keep_progress"], **self._key, **self._counted())
        )

    def _counted(self) -> dict[str, Any]:
        done = dict(self._progress)
        return {
            "datasets": msgspec.json.encode(done).decode(),
            "rows": sum(one.rows for one in done.values()),
            "bytes": sum(one.bytes for one in done.values()),
        }

    async def _finished(self) -> None:
        if not await self._end(RunState.FINISHED, None, None):
            return
        if self._one.failures >= ALERT_AFTER:
            logger.info("export_works_again", export_id=self._one.export_id)
        await self._after(self._due(), 0, None)

    async def _failed(self, error: str, code: str) -> None:
        if not await self._end(RunState.FAILED, error, code):
            return
        one, now = self._one, self._clock.now()
        failures = one.failures + 1
        wait_s = min(one.interval_s, FIRST_RETRY_S * 2 ** min(failures - 1, 20))
        alerted = one.alerted_at
        logger.warning("export_run_failed", export_id=one.export_id, code=code, failures=failures)
        if failures >= ALERT_AFTER and alerted is None:
            logger.error(
                "export_keeps_failing", export_id=one.export_id, code=code, failures=failures
            )
            alerted = now
        await self._after(now + timedelta(seconds=wait_s), failures, alerted)

    async def _end(self, state: RunState, error: str | None, code: str | None) -> bool:
        row = await self._database.fetch_one(
            QUERIES["end_run"],
            **self._key,
            **self._counted(),
            state=state,
            error=error,
            code=code,
            at=self._clock.now(),
        )
        return row is not None

    async def _after(self, next_at: datetime, failures: int, alerted: datetime | None) -> None:
        await self._database.execute(
            QUERIES["after_run"],
            account_id=self._one.account_id,
            export_id=self._one.export_id,
            next_at=next_at,
            failures=failures,
            alerted_at=alerted,
        )

    def _due(self) -> datetime:
        """Counted from when it was due, so that hourly stays hourly; never in the past."""
        now, step = self._clock.now(), timedelta(seconds=self._one.interval_s)
        due = self._one.next_at + step
        return due if due > now else now + step


def _is_gone(error: StatementFailed) -> bool:
    state = error.sqlstate or ""
    return not state or state.startswith(("08", "57P", "53"))
