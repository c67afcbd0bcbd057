"""One import from where it stands to its end: rows in batches, some under way together, none twice."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

import msgspec

from kartoteka.access.model import AccountContext
from kartoteka.clock import Clock
from kartoteka.contacts.bulk import in_order, names_of
from kartoteka.db.database import Database
from kartoteka.db.lock import Lock
from kartoteka.db.transaction import Call
from kartoteka.identity.model import Origin
from kartoteka.imports.files_of import drop_files
from kartoteka.imports.flight import MOST_IN_FLIGHT, Flight
from kartoteka.imports.model import Import, State
from kartoteka.imports.seen import Seen
from kartoteka.imports.statement import Answers, Batch, Item
from kartoteka.imports.store import QUERIES, counts_of
from kartoteka.imports.turns import OutOfTurn, Turn
from kartoteka.intake.deciding import Named
from kartoteka.intake.engine import Engine
from kartoteka.intake.rehearsal import Rehearsal

CONTACTS_IN_A_PAGE = 20_000
_OPEN = [State.QUEUED, State.RUNNING]


class Range(msgspec.Struct, frozen=True):
    """Rows that have their outcome, first and last included."""

    first: int
    last: int


class Run:
    """Carries one import out, as long as nobody pauses it and the lane is ours."""

    def __init__(
        self,
        one: Import,
        lock: Lock,
        *,
        database: Database,
        engine: Engine,
        clock: Clock,
        stopping: asyncio.Event,
        flight: Flight | None = None,
    ) -> None:
        """`flight`: what is under way in the lane already."""
        self.one = one
        self._lock = lock
        self._database = database
        self._engine = engine
        self._clock = clock
        self._stopping = stopping
        self._key = {"account_id": one.account_id, "import_id": one.import_id}
        self._rehearsal: Rehearsal | None = None
        self._seen = Seen()
        self._flight = flight or Flight(database)
        self._mine: deque[Turn] = deque()

    def origin(self) -> Origin:
        """Whose rows these are, as history keeps it: carried out now."""
        one = self.one
        return Origin(self._clock.now(), one.request_id, one.key_id, one.method)

    async def start(self) -> bool:
        """Say that it is under way; False when somebody paused or cancelled it before."""
        return bool(await self._execute("start_import", at=self._clock.now()))

    async def set_total(self, total: int) -> None:
        """Say how many rows there are."""
        self.one.total = total
        await self._execute("set_import_total", total=total)

    async def done_ranges(self) -> list[Range]:
        """What earlier runs did; the contacts that they came to are seen."""
        after = 0
        while page := await self._database.fetch(
            QUERIES["import_contacts"], **self._key, after=after, limit=CONTACTS_IN_A_PAGE
        ):
            self._seen.add(contact_id for _, contact_id in page)
            after = page[-1][0]
        rows = await self._database.fetch(QUERIES["import_done_ranges"], **self._key)
        return [Range(first, last) for first, last in rows]

    async def through(
        self, items: Iterator[Item], done: Sequence[Range], account: AccountContext
    ) -> bool:
        """Carry out what has no outcome yet; True at the end, False when it stopped before."""
        is_all = await self.send(items, done, account)
        await self.over()
        return is_all

    async def send(
        self, items: Iterator[Item], done: Sequence[Range], account: AccountContext
    ) -> bool:
        """Put what has no outcome yet under way; False when it stopped before the last row.

        The last batches are then still to be written: `over` waits for them. Another import may begin
        meanwhile, on the same flight.
        """
        pacing, most = self._flight.pacing, MOST_IN_FLIGHT if self._rehearsal is None else 1
        await pacing.look()  # the first batch makes room as well
        try:
            for batch in batches(items, done, lambda: pacing.rows):
                await pacing.look()
                work = Batch(QUERIES, self.one.account_id, self.one.import_id, batch, self._seen)
                named = [names_of(row) for row in work.rows]
                names: set[Any] = set().union(*(one for both in named for one in both))
                await self._flight.make_room(names, most)
                self._check()
                if not await self._may_go_on():  # as late as can be: it stops within a batch
                    return False
                submit = partial(self._submit, work, named, account)
                self._mine.append(self._flight.begin(names, submit))
                await asyncio.sleep(0)
                if pacing.is_live:
                    await self._flight.land()
        except BaseException:
            await self._landed()
            raise
        return True

    async def over(self) -> None:
        """Back when all its rows are written. Raises whatever made a batch fail."""
        await self._landed()
        self._check()

    async def _landed(self) -> None:
        await asyncio.gather(*(turn.task for turn in self._mine), return_exceptions=True)

    def _check(self) -> None:
        """Raises whatever made one of its batches fail, the first of them."""
        while self._mine and self._mine[0].task.done():
            self._mine.popleft().task.result()

    async def rehearse(self, items: Iterator[Item], account: AccountContext) -> bool:
        """The same without writing more than the statement; begun anew, it begins at the first row."""
        await self._execute("forget_import_batches")
        await self._execute("forget_import_rows")
        async with self._engine.rehearsal() as self._rehearsal:
            return await self.through(items, (), account)

    async def _may_go_on(self) -> bool:
        if self._stopping.is_set():
            return False
        await self._lock.check()
        row = await self._database.fetch_one(QUERIES["import_state"], **self._key)
        return row is not None and row[0] == State.RUNNING

    async def _submit(
        self, work: Batch, named: Sequence[Named], account: AccountContext, turn: Turn
    ) -> None:
        in_order(work.rows, self.origin())
        for row in work.rows:
            row.occurred = self.one.created_at
        if self._rehearsal is not None:
            answers = await self._rehearsal.carry_out(account, work.rows)
            pairs = list(zip(work.rows, answers, strict=True))
            await self._engine.write(work.closing(pairs, self._clock.now()))
        else:
            await self._insist(work, named, account, turn)
        work.remember()

    async def _insist(
        self, work: Batch, named: Sequence[Named], account: AccountContext, turn: Turn
    ) -> None:
        async def closing(answers: Answers) -> list[Call]:
            await turn.come()
            return work.closing(answers, self._clock.now())

        try:
            await self._engine.submit_rows(account, work.rows, closing, named)
        except OutOfTurn:  # nothing of it is written
            await turn.over()
            await self._engine.submit_rows(account, work.rows, closing, named)

    async def finish(self) -> None:
        """All rows have their outcome: what waited for the import goes.

        Not when somebody paused it with its last rows under way: resumed it looks for more.
        """
        if await self._end(State.FINISHED, None):
            await drop_files(self.one)

    async def fail(self, error: str) -> None:
        """It cannot go on for that reason; resuming tries again."""
        await self._end(State.FAILED, error)

    async def _end(self, state: State, error: str | None) -> bool:
        """False when somebody paused or cancelled it first."""
        sums = [row[0] for row in await self._database.fetch(QUERIES["import_counts"], **self._key)]
        counts = msgspec.json.encode(counts_of(sums)).decode() if state == State.FINISHED else None
        at = self._clock.now()
        return bool(
            await self._execute(
                "end_import", state=state, error=error, at=at, counts=counts, states=_OPEN
            )
        )

    async def _execute(self, query: str, **params: Any) -> int:
        return await self._database.execute(QUERIES[query], **self._key, **params)


def batches(
    items: Iterable[Item], done: Sequence[Range], rows: Callable[[], int]
) -> Iterator[list[Item]]:
    """Consecutive rows that have no outcome yet, at most `rows()` together."""
    batch: list[Item] = []
    ranges = deque(sorted(done, key=lambda one: one.first))
    for item in items:
        while ranges and ranges[0].last < item.number:
            ranges.popleft()
        is_done = bool(ranges) and ranges[0].first <= item.number
        if batch and (is_done or len(batch) >= rows()):
            yield batch
            batch = []
        if not is_done:
            batch.append(item)
    if batch:
        yield batch


def first_undone(done: Sequence[Range]) -> int:
    """The number of the first row without an outcome: what lies before need not be read again."""
    number = 1
    for one in sorted(done, key=lambda one: one.first):
        if one.first > number:
            break
        number = max(number, one.last + 1)
    return number
