"""Carries imports out: finds what is to do, holds its lane, goes on where it was, ends it.

An import is its own job. The lanes of an account (calls, files) are locks that end with the process
that holds them, so after a kill anywhere the next runner goes on at once; what is done stands in
`import_batch`, written by the same transaction as the cards (docs/decisions/0011).
"""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Collection, Iterator

import msgspec

from kartoteka.access.accounts import Accounts
from kartoteka.access.model import AccountContext
from kartoteka.clock import Clock
from kartoteka.contacts.definitions import Definitions
from kartoteka.db.database import Database
from kartoteka.db.lock import Lock
from kartoteka.errors import DatabaseUnavailable, KartotekaError
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
        """One file, or all calls that wait; False when nothing waits."""
        did = False
        while not self._lanes.stopping.is_set():
            row = await self._database.fetch_one(
                QUERIES["next_import"], account_id=lane.account_id, is_file=lane.is_file
            )
            if row is None:
                break
            await self._carry_out(lane.account_id, row[0], lock)
            did = True
            if lane.is_file:
                break
        return did

    async def _carry_out(self, account_id: int, import_id: int, lock: Lock) -> None:
        """One import to its end, to a pause, or to an error that it keeps."""
        one = await self._imports.find(account_id, import_id)
        run = Run(
            one,
            lock,
            database=self._database,
            engine=self._engine,
            clock=self._clock,
            stopping=self._lanes.stopping,
        )
        if not await run.start():
            return
        try:
            account = await self._accounts.read(account_id)
            done = [] if one.dry_run else await run.done_ranges()
            items = await self._items(run, account, first_undone(done))
            if one.dry_run:
                is_over = await run.rehearse(items, account)
            else:
                is_over = await run.through(items, done, account)
            if is_over:
                await run.finish()
        except DatabaseUnavailable:
            raise
        except (KartotekaError, OSError) as error:
            logger.warning("import_stopped", import_id=import_id, error=type(error).__name__)
            await run.fail(_in_words(error))
        except Exception:
            await run.fail("An unexpected error; the log of the server has it.")
            raise

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


def _in_words(error: KartotekaError | OSError) -> str:
    if isinstance(error, KartotekaError):
        return error.message
    if error.errno in _NO_ROOM:
        return "The disk is full. Free space and resume; nothing is lost."
    return f"The file cannot be read: {error.strerror or type(error).__name__}."
