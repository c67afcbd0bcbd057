"""Carries imports out: finds what is to do, holds its lane, goes on where it was, ends it.

An import is its own job. The lanes of an account (calls, files) are locks that end with the process
that holds them, so after a kill anywhere the next runner goes on at once; what is done stands in
`import_batch`, written by the same transaction as the cards (docs/decisions/0011).
"""

from __future__ import annotations

import asyncio
import errno
from collections import deque
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import asynccontextmanager

import msgspec

from kartoteka.access.accounts import Accounts
from kartoteka.access.model import AccountContext
from kartoteka.clock import Clock
from kartoteka.contacts.definitions import Definitions
from kartoteka.db.database import Database
from kartoteka.db.lock import Lock
from kartoteka.errors import DatabaseUnavailable, KartotekaError
from kartoteka.imports.flight import Flight
from kartoteka.imports.model import Source
from kartoteka.imports.payload import rows_of_payload
from kartoteka.imports.run import Run, first_undone
from kartoteka.imports.statement import Item
from kartoteka.imports.store import QUERIES, Imports
from kartoteka.intake.engine import Engine
from kartoteka.jobs.lanes import Lanes
from kartoteka.log import logger

LANES = 0x6B696D70
"""Family of the lanes' advisory locks."""
MOST_LANES = {False: 6, True: 2}
"""Lanes under way at a time: of calls, of files."""
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Lane(msgspec.Struct, frozen=True):
    """Imports of an account that go one after the other; calls do not wait behind files."""

    account_id: int
    is_file: bool

    @property
    def number(self) -> int:
        return self.account_id * 2 + self.is_file


def _has_room(under_way: Collection[Lane], lane: Lane) -> bool:
    return sum(one.is_file == lane.is_file for one in under_way) < MOST_LANES[lane.is_file]


class Runner:
    """One for each jobs process."""

    def __init__(
        self,
        *,
        database: Database,
        leases: Database,
        engine: Engine,
        imports: Imports,
        accounts: Accounts,
        definitions: Definitions,
        clock: Clock,
    ) -> None:
        """`leases` has the connections that hold lanes and listen."""
        self._database = database
        self._engine = engine
        self._imports = imports
        self._accounts = accounts
        self._definitions = definitions
        self._clock = clock
        self._lanes = Lanes(
            "imports",
            leases,
            family=LANES,
            number=lambda lane: lane.number,
            due=self._due,
            has_room=_has_room,
            take_turn=self._take_turn,
        )

    async def run(self, stopping: asyncio.Event) -> None:
        """Carry imports out until told to stop, then end after the batches that are under way."""
        await self._lanes.run(stopping)

    async def _due(self) -> list[Lane]:
        return [Lane(*row) for row in await self._database.fetch(QUERIES["import_lanes"])]

    async def _take_turn(self, lane: Lane, lock: Lock) -> bool:
        """One file, or all calls that wait; False when nothing waits.

        While the last rows of a call are written, the first of the next one are on their way.
        """
        did, flight, endings = False, Flight(self._database), deque[_Ending]()
        try:
            while not self._lanes.stopping.is_set():
                row = await self._database.fetch_one(
                    QUERIES["next_import"],
                    account_id=lane.account_id,
                    is_file=lane.is_file,
                    but=endings[0].import_id if endings else None,
                )
                if row is None and not endings:
                    break
                did = True
                if row is not None:
                    endings += await self._begin(lane, row[0], lock, flight)
                while len(endings) > (row is not None):
                    await endings[0].task
                    endings.popleft()
                if lane.is_file:
                    break
            for one in endings:
                await one.task
        finally:  # whatever happened: none of it goes on without the lock
            await asyncio.gather(*(one.task for one in endings), return_exceptions=True)
            await flight.land()
        return did

    async def _begin(self, lane: Lane, import_id: int, lock: Lock, flight: Flight) -> list[_Ending]:
        """Put the rows of one import under way, and wait for its end beside what comes next.

        Nothing when it is paused or failed already.
        """
        one = await self._imports.find(lane.account_id, import_id)
        run = Run(
            one,
            lock,
            database=self._database,
            engine=self._engine,
            clock=self._clock,
            stopping=self._lanes.stopping,
            flight=flight,
        )
        if not await run.start():
            return []
        endings: list[_Ending] = []
        async with _keeping_errors(run):
            account = await self._accounts.read(lane.account_id)
            done = [] if one.dry_run else await run.done_ranges()
            items = await self._items(run, account, first_undone(done))
            if one.dry_run:
                is_all = await run.rehearse(items, account)
            else:
                is_all = await run.send(items, done, account)
            endings.append(_Ending(import_id, asyncio.create_task(_end(run, is_all=is_all))))
        return endings

    async def _items(self, run: Run, account: AccountContext, first: int) -> Iterator[Item]:
        """The rows, those of a file from the first one on that has no outcome."""
        one = run.one
        if one.source != Source.CALL:
            from kartoteka.imports.rows_of import open_file

            file = await open_file(one)
            await run.set_total(file.total)
            fields = dict(await self._definitions.read(one.account_id))
            return file.read(account.settings, fields, run.origin(), first)
        body = await self._database.fetch_bytes(
            QUERIES["read_payload"], account_id=one.account_id, import_id=one.import_id
        )
        return iter(() if body is None else rows_of_payload(body, one.rules, run.origin()))


class _Ending(msgspec.Struct, frozen=True):
    """An import whose rows are all under way."""

    import_id: int
    task: asyncio.Task[None]


async def _end(run: Run, *, is_all: bool) -> None:
    """Wait for its last rows; with them it is finished, if they are all there are."""
    async with _keeping_errors(run):
        await run.over()
        if is_all:
            await run.finish()


@asynccontextmanager
async def _keeping_errors(run: Run) -> AsyncIterator[None]:
    """The import keeps the error that it cannot go on for."""
    try:
        yield
    except DatabaseUnavailable:
        raise
    except (KartotekaError, OSError) as error:
        logger.warning("import_stopped", import_id=run.one.import_id, error=type(error).__name__)
        await run.fail(_in_words(error))
    except Exception:
        await run.fail("An unexpected error; the log of the server has it.")
        raise


def _in_words(error: KartotekaError | OSError) -> str:
    if isinstance(error, KartotekaError):
        return error.message
    if error.errno in _NO_ROOM:
        return "The disk is full. Free space and resume; nothing is lost."
    return f"The file cannot be read: {error.strerror or type(error).__name__}."
