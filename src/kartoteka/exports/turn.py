"""One run being carried out: told how far it is, stopped, and ended one way or another."""

from __future__ import annotations

import asyncio
import threading
from datetime import datetime, timedelta
from typing import Any

import msgspec

from kartoteka.clock import Clock
from kartoteka.db.database import Database
from kartoteka.db.failures import StatementFailed
from kartoteka.db.lock import Lock
from kartoteka.errors import DatabaseUnavailable, KartotekaError
from kartoteka.exports.errors import Stopped
from kartoteka.exports.model import Done, Export, RunState
from kartoteka.exports.reading import Reading
from kartoteka.exports.run import Keeping, Running
from kartoteka.exports.store import QUERIES, Exports
from kartoteka.exports.targets.base import Target
from kartoteka.log import logger

TELL_EVERY_S = 1.0
ALERT_AFTER = 3
"""Failed runs one after the other after which somebody is told."""
FIRST_RETRY_S = 60


class Turn:
    """A thread does the work, the event loop watches and keeps."""

    def __init__(
        self,
        one: Export,
        run_id: int,
        attempts: int,
        *,
        full: bool,
        database: Database,
        exports: Exports,
        clock: Clock,
        stopping: asyncio.Event,
    ) -> None:
        """`attempts` tells this turn from one of a process that should be dead."""
        self._database = database
        self._exports = exports
        self._clock = clock
        self._stopping = stopping
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
            changed_at=self._one.changed_at,
        )

    def _due(self) -> datetime:
        """Counted from when it was due, so that hourly stays hourly; never in the past.

        A run that was asked for before its time moves nothing.
        """
        now, step = self._clock.now(), timedelta(seconds=self._one.interval_s)
        if self._one.next_at > now:
            return self._one.next_at
        due = self._one.next_at + step
        return due if due > now else now + step


def _is_gone(error: StatementFailed) -> bool:
    state = error.sqlstate or ""
    return not state or state.startswith(("08", "57P", "53"))
