"""Looks for contacts that look alike: every night, when somebody asks, or from the command line.

One search of an account at a time, under a lock that ends with its process; one that was killed is begun
again. How far it is stands in table `duplicate_search`. What was found before stays until the end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from kartoteka.clock import Clock
from kartoteka.contacts.duplicates import QUERIES
from kartoteka.contacts.look_alikes import PARTS, Alike, Candidates
from kartoteka.db.arrays import pg_array
from kartoteka.db.database import Database
from kartoteka.db.listening import listening
from kartoteka.db.lock import try_lock
from kartoteka.errors import Conflict, DatabaseUnavailable
from kartoteka.identity.alike import Record, plain
from kartoteka.identity.store import json_text
from kartoteka.log import logger

LOCK = 88
CHANNEL = "kartoteka_duplicates"
LOOK_AGAIN_S = 5.0
ROWS = 5_000
SMALL = 2_000
"""Contacts that are looked through in a second: whoever asks for look-alikes waits for it."""
WAIT_S = 5.0
Progress = Callable[[str, int, int], Awaitable[None]]
"""Told the stage, and how much of how much is done."""


class SearchIsRunning(Conflict):
    """A search of this account is running already; GET /api/v1/duplicates/search says how far it is."""

    code = "search_is_running"


class Search(msgspec.Struct, frozen=True):
    """A row of `duplicate_search`: the last search of an account, or the one under way."""

    asked_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    stage: str = ""
    done: int = 0
    total: int = 0
    contacts: int = 0
    found: int = 0

    @property
    def state(self) -> str:
        """never, waiting, running or finished."""
        if self.asked_at is None:
            return "never"
        if self.finished_at is not None and self.finished_at >= self.asked_at:
            return "finished"
        running = self.started_at is not None and self.started_at >= self.asked_at
        return "running" if running else "waiting"


class Searches:
    """Searches of all accounts."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def state(self, account_id: int) -> Search:
        row = await self._database.fetch_one(QUERIES["search_state"], account_id=account_id)
        return Search() if row is None else Search(*row)

    async def ask(self, account_id: int) -> Search:
        """Have it looked through soon; once is enough if it waits or runs already."""
        if (await self.state(account_id)).state not in ("waiting", "running"):
            await self._database.execute(
                QUERIES["ask_for_search"], account_id=account_id, at=self._clock.now()
            )
            await self._database.execute(f"notify {CHANNEL}")
        return await self.state(account_id)

    async def freshen(self, account_id: int) -> None:
        """Of a small base in which something was written since the last search: have it looked through,
        and wait for it. A large one is looked through at night and when somebody asks."""
        small = await self._database.fetch_one(
            QUERIES["is_small"], account_id=account_id, most=SMALL
        )
        if small is None or not small[0]:
            return
        deadline = asyncio.get_running_loop().time() + WAIT_S
        while await self._is_stale(account_id) and asyncio.get_running_loop().time() < deadline:
            await self.ask(account_id)
            await asyncio.sleep(0.05)

    async def _is_stale(self, account_id: int) -> bool:
        search = await self.state(account_id)
        return search.state != "finished" or await self._is_written_since(
            account_id, search.started_at
        )

    async def _is_written_since(self, account_id: int, since: datetime | None) -> bool:
        if since is None:
            return True
        found = await self._database.fetch_one(
            QUERIES["written_since"], account_id=account_id, since=since
        )
        return found is not None

    async def ask_for_all(self, account_ids: Iterable[int]) -> None:
        """What the night asks for: accounts in which something was written since the last search."""
        for account_id in account_ids:
            search = await self.state(account_id)
            if await self._is_written_since(account_id, search.started_at):
                await self.ask(account_id)

    async def work(self, stopping: asyncio.Event) -> None:
        """Carry out searches as they are asked for, until `stopping`; without a database, wait for it."""
        while not stopping.is_set():
            try:
                async with listening(self._database, CHANNEL) as bell:
                    while not stopping.is_set():
                        await _first(self.work_off(), stopping)  # begun again another time
                        await _first(bell.wait(LOOK_AGAIN_S), stopping)
            except DatabaseUnavailable as error:
                logger.warning("duplicates_wait_for_database", reason=error.message)
                await asyncio.sleep(1)
            except Exception:  # noqa: BLE001  tried again; other work goes on meanwhile
                logger.exception("duplicates_failed")
                await asyncio.sleep(LOOK_AGAIN_S)

    async def work_off(self) -> None:
        """Carry out what was asked for, an account after the other."""
        for (account_id,) in await self._database.fetch(QUERIES["searches_to_do"]):
            try:
                await self.run(account_id)
            except SearchIsRunning:
                continue

    async def run(self, account_id: int, progress: Progress | None = None) -> int:
        """Compare all contacts of the account anew; how many pairs look alike. Raises
        `SearchIsRunning`."""
        async with try_lock(self._database, LOCK, account_id) as lock:
            if lock is None:
                raise SearchIsRunning
            at = self._clock.now()
            await self._database.execute(QUERIES["begin_search"], account_id=account_id, at=at)

            async def tell(stage: str, done: int, total: int) -> None:
                await self._database.execute(
                    QUERIES["tell_search"],
                    account_id=account_id,
                    stage=stage,
                    done=done,
                    total=total,
                )
                if progress is not None:
                    await progress(stage, done, total)

            candidates = Candidates()
            try:
                found = await self._look(account_id, at, candidates, tell)
            finally:
                candidates.close()
            await lock.check()
            await self._database.execute(
                QUERIES["finish_search"],
                account_id=account_id,
                at=max(self._clock.now(), at),
                contacts=candidates.contacts,
                found=found,
            )
            return found

    async def _look(
        self, account_id: int, at: datetime, candidates: Candidates, tell: Progress
    ) -> int:
        """Other work of the process goes on meanwhile: what takes long is done in a thread."""
        [(total,)] = await self._fetch("count_records", account_id)
        born = await self.birthday_field(account_id)
        after = 0
        while rows := await self._fetch("records", account_id, after=after, born=born):
            after = rows[-1][0]
            await asyncio.to_thread(_block, candidates, rows)
            await tell("reading", candidates.contacts, max(total, candidates.contacts))
        await asyncio.to_thread(candidates.count)
        for part in range(PARTS):
            await asyncio.to_thread(candidates.pair, part)
        found = 0
        for part in range(PARTS):
            pairs = await asyncio.to_thread(candidates.of, part)
            records = await self._records(account_id, born, {one for pair in pairs for one in pair})
            likely = await asyncio.to_thread(candidates.compared, pairs, records)
            await self._keep(account_id, at, likely)
            found += len(likely)
            await tell("comparing", part + 1, PARTS)
        await self._database.execute(QUERIES["forget_older"], account_id=account_id, at=at)
        return found

    async def birthday_field(self, account_id: int) -> str:
        """The id of the custom field that holds the birthday, or nothing."""
        found = await self._fetch("birthday_field", account_id)
        return str(found[0][0]) if found else ""

    async def _records(self, account_id: int, born: str, ids: set[int]) -> dict[int, Record]:
        records: dict[int, Record] = {}
        for part in _portions(sorted(ids), ROWS):
            rows = await self._fetch("records_of", account_id, ids=pg_array(part), born=born)
            records |= {row[0]: record_of(row) for row in rows}
        return records

    async def _keep(self, account_id: int, at: datetime, found: Sequence[Alike]) -> None:
        for part in _portions(found, ROWS):
            await self._database.execute(
                QUERIES["keep_duplicates"], account_id=account_id, at=at, **_columns(part)
            )

    async def _fetch(self, name: str, account_id: int, **params: Any) -> list[tuple[Any, ...]]:
        return await self._database.fetch(QUERIES[name], account_id=account_id, **params)


async def _first(work: Coroutine[Any, Any, object], stopping: asyncio.Event) -> None:
    """Until that is done or it is time to stop."""
    waiting, told = asyncio.create_task(work), asyncio.create_task(stopping.wait())
    done, pending = await asyncio.wait((waiting, told), return_when=asyncio.FIRST_COMPLETED)
    for one in pending:
        one.cancel()
    await asyncio.gather(*pending, return_exceptions=True)
    if waiting in done:
        waiting.result()  # what it raises is raised


def _block(candidates: Candidates, rows: Sequence[tuple[Any, ...]]) -> None:
    candidates.add([record_of(row) for row in rows])


def record_of(row: tuple[Any, ...]) -> Record:
    """What is compared of a row of query `records`."""
    contact_id, first, last, email, phone, *rest = row
    town, address, postcode, born = (plain(one) for one in rest)
    return Record(
        contact_id,
        plain(first),
        plain(last),
        email or "",
        phone or "",
        town,
        address,
        postcode,
        born,
    )


def _columns(found: Sequence[Alike]) -> dict[str, Any]:
    return {
        "contact_id": pg_array([one.contact_id for one in found]),
        "other_id": pg_array([one.other_id for one in found]),
        "score": pg_array([one.score for one in found]),
        "fields": pg_array([json_text(one.fields) for one in found]),
    }


def _portions(found: Sequence[Any], rows: int) -> Iterable[Sequence[Any]]:
    for start in range(0, len(found), rows):
        yield found[start : start + rows]
