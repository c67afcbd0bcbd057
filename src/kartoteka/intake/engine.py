"""The write engine: gathers the concurrent commands of one account into one batch, one transaction.

load → decide → write → commit → answer. When nothing is in flight a command goes at once, so a lone
call does not wait; what arrives during a commit is the next batch. Safe with many processes: see
`docs/decisions/` and design/engine.md. The engine is handed the rules and knows none by name.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeAlias

import msgspec

from kartoteka.access.model import AccountContext
from kartoteka.clock import Clock
from kartoteka.contacts.model import Command, Outcome
from kartoteka.db.database import Database, Row
from kartoteka.db.failures import BUSY, RETRYABLE, StatementFailed
from kartoteka.db.transaction import Call, Transaction, transaction
from kartoteka.errors import DatabaseUnavailable, KartotekaError
from kartoteka.identity.account_rules import rules_of
from kartoteka.identity.loading import Loader
from kartoteka.identity.model import Settings
from kartoteka.identity.store import QUERIES, Digest, difference
from kartoteka.identity.working_set import WorkingSet
from kartoteka.intake.deciding import Answer, Named, Rules, decide_one
from kartoteka.intake.rehearsal import Rehearsal, hide_new_ids, rehearsal
from kartoteka.intake.repeats import Repeats
from kartoteka.log import logger

MOST_IN_A_BATCH = 400
MOST_NAMES = 2_000
"""Identifiers and ids that a batch may name: a single command may name hundreds."""
MOST_IN_FLIGHT = 2
"""Transactions of one account at a time: while one commits, the rules work on the next."""
WORTH_ANOTHER = 16
"""Commands that must wait before a second transaction pays for itself."""
AT_A_STRETCH = 32
"""Commands that are decided before others have a turn: meanwhile the batch before is committed and
answered, and the one behind is read. Rows are decided in one go: batches that took turns would all be
decided at one moment, and then all be written, while the rules have nothing to do."""
MOST_ATTEMPTS = 40
IDS_IN_A_BLOCK = 1000
BUSY_TEXT = "Too many others change the same contact; try again in a moment."

Item: TypeAlias = "tuple[Command, Settings, Named]"
Closing: TypeAlias = "Callable[[Sequence[tuple[Command, Answer]]], Awaitable[list[Call]]]"
"""What a transaction writes of its own answers: the statement of an import. It may wait for its turn."""


class Waiting(msgspec.Struct, frozen=True):
    """One submitted command: what it names, and who waits for the answer."""

    command: Command
    settings: Settings
    wanted: Named
    named: frozenset[Any]
    future: asyncio.Future[Outcome]


class _Line:
    """Commands of one account that wait for a transaction, and what those under way name."""

    def __init__(self) -> None:
        self.waiting: deque[Waiting] = deque()
        self.busy: set[Any] = set()
        self.tasks: set[asyncio.Task[None]] = set()

    def take(self) -> list[Waiting]:
        """The next batch: none of it names what another batch is at, so they do not collide; nor what
        one names that has to wait, so that of two about the same thing the first stays the first."""
        batch: list[Waiting] = []
        later: list[Waiting] = []
        passed: set[Any] = set()
        names = 0
        while (
            self.waiting
            and len(batch) < MOST_IN_A_BATCH
            and len(later) < MOST_IN_A_BATCH
            and names < MOST_NAMES
        ):
            one = self.waiting.popleft()
            if self.busy.isdisjoint(one.named) and passed.isdisjoint(one.named):
                batch.append(one)
            else:
                later.append(one)
                passed |= one.named
            names += len(one.named)
        self.waiting.extendleft(reversed(later))
        return batch

    def wants_more(self) -> bool:
        """Whether another transaction should start now."""
        if not self.tasks:
            return bool(self.waiting)
        return len(self.tasks) < MOST_IN_FLIGHT and len(self.waiting) >= WORTH_ANOTHER


class Engine:
    """One for each process; `submit` is how everything is written."""

    def __init__(self, database: Database, clock: Clock, digest: Digest, rules: Rules) -> None:
        self.database = database
        self.clock = clock
        self.digest = digest
        self.rules = rules
        self._watch = None if rules.watch is None else rules.watch()
        self._lines: dict[int, _Line] = {}
        self._ids: deque[int] = deque()

    async def submit(self, account: AccountContext, command: Command) -> Outcome:
        """What the command came to, after it is committed.

        Raises the errors of the rules (nothing changed), or DatabaseUnavailable.
        """
        if command.dry_run:
            settings = rules_of(account.settings)
            answer = (await self.rehearse(account.account_id, settings, [command]))[0]
            if isinstance(answer, Exception):
                raise answer
            return answer
        return await self.enqueue(account, command)

    def enqueue(self, account: AccountContext, command: Command) -> asyncio.Future[Outcome]:
        """The same for one that is no dry run, without waiting: a call with a thousand commands needs
        no task for each of them."""
        account_id, settings = account.account_id, rules_of(account.settings)
        line = self._lines.get(account_id)
        if line is None:
            line = self._lines[account_id] = _Line()
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        keys, ids = wanted = self.rules.named_by(command)
        named = frozenset((*keys, *ids, *command.alone_with()))
        line.waiting.append(Waiting(command, settings, wanted, named, future))
        if line.wants_more():
            task = asyncio.create_task(self._drain(account_id, line))
            line.tasks.add(task)
        return future

    async def submit_rows(
        self,
        account: AccountContext,
        rows: Sequence[Command],
        closing: Closing,
        named: Sequence[Named] | None = None,
    ) -> list[Answer]:
        """Carry rows out in one transaction, in their order; `closing` joins what they came to.

        One that cannot succeed is left out of its neighbours' transaction, and its error is written
        by `closing` alone. `named`: what each row names, if the caller knows it. Raises
        DatabaseUnavailable: what is committed is committed.
        """
        if not rows:
            await self.write(await closing([]))
            return []
        settings = rules_of(account.settings)
        wanted = [self.rules.named_by(row) for row in rows] if named is None else named
        batch = [(row, settings, names) for row, names in zip(rows, wanted, strict=True)]
        return await self._insist(account.account_id, batch, keep=True, closing=closing)

    def rehearsal(self) -> AbstractAsyncContextManager[Rehearsal]:
        """A dry run of many batches, each seeing those before; nothing is kept (decisions D27)."""
        return rehearsal(self.database.url, self.digest, self.rules)

    async def write(self, calls: Sequence[Call]) -> None:
        """Run these statements in a transaction of their own."""
        async with transaction(self.database) as tx:
            await tx.commit(*calls)

    async def close(self) -> None:
        """Wait until everything that was submitted is answered."""
        while tasks := [task for line in self._lines.values() for task in line.tasks]:
            await asyncio.gather(*tasks, return_exceptions=True)

    async def rehearse(
        self, account_id: int, settings: Settings, commands: Sequence[Command]
    ) -> list[Answer]:
        """Do everything in a transaction that is rolled back, each seeing those before (D27)."""
        batch = [(command, settings, self.rules.named_by(command)) for command in commands]
        answers = await self._insist(account_id, batch, keep=False)
        new = {one.resolution.contact_id for one in answers if isinstance(one, Outcome) and one.new}
        for answer in answers:
            if isinstance(answer, Outcome) and answer.resolution.contact_id in new:
                answer.resolution.contact_id = None
        return answers

    async def rehearse_all(
        self, account: AccountContext, commands: Sequence[Command]
    ) -> list[Answer]:
        """What each command of a call would come to, each seeing those before; nothing is locked."""
        async with self.rehearsal() as rehearsal:
            answers = await rehearsal.carry_out(account, commands)
        for answer in answers:
            if isinstance(answer, Outcome):
                hide_new_ids(answer.resolution)
        return answers

    async def _drain(self, account_id: int, line: _Line) -> None:
        """Send batch after batch until nobody waits."""
        await asyncio.sleep(0)  # let the requests that are already read join the first batch
        try:
            while batch := line.take():
                names = set().union(*(one.named for one in batch))
                line.busy |= names
                try:
                    await self._answer(account_id, batch)
                finally:
                    line.busy -= names
        finally:
            line.tasks.discard(asyncio.current_task())

    async def _answer(self, account_id: int, batch: list[Waiting]) -> None:
        try:
            pairs = [(one.command, one.settings, one.wanted) for one in batch]
            answers = await self._insist(account_id, pairs, keep=True)
        except Exception as error:  # noqa: BLE001 - whoever waits must be told, whatever it is
            answers = [error] * len(batch)
        for one, answer in zip(batch, answers, strict=True):
            if one.future.done():
                continue
            if isinstance(answer, Exception):
                one.future.set_exception(answer)
            else:
                one.future.set_result(answer)

    async def _insist(
        self,
        account_id: int,
        batch: Sequence[Item],
        *,
        keep: bool,
        closing: Closing | None = None,
    ) -> list[Answer]:
        """Run the batch, again on fresh data while others are quicker; bisect a poisoned one."""
        for prepare in self.rules.prepares:
            await prepare(self.database, [command for command, _, _ in batch])
        for attempt in range(MOST_ATTEMPTS):
            try:
                return await self._attempt(account_id, batch, keep=keep, closing=closing)
            except RETRYABLE:
                if attempt > 5 and len(batch) > 1:
                    return await self._halves(account_id, batch, keep=keep, closing=closing)
                await asyncio.sleep(random.random() * 0.002 * min(attempt + 1, 20))
            except KartotekaError:
                raise
            except Exception as error:  # a refused value, or a rule that fails on one
                if len(batch) > 1:
                    return await self._halves(account_id, batch, keep=keep, closing=closing)
                if isinstance(error, BUSY):
                    raise DatabaseUnavailable(BUSY_TEXT) from error
                state = error.sqlstate if isinstance(error, StatementFailed) else None
                logger.exception("command_failed", state=state, command=_name(batch[0][0]))
                if closing is not None:
                    await self.write(await closing([(batch[0][0], error)]))
                return [error]
        raise DatabaseUnavailable(BUSY_TEXT)

    async def _halves(
        self, account_id: int, batch: Sequence[Item], *, keep: bool, closing: Closing | None
    ) -> list[Answer]:
        """A command that cannot succeed must not fail its neighbours (design/engine.md)."""
        middle = len(batch) // 2
        answers: list[Answer] = []
        for half in (batch[:middle], batch[middle:]):
            try:
                answers += await self._insist(account_id, half, keep=keep, closing=closing)
            except KartotekaError as error:
                if closing is not None:  # rows are tried again; nobody waits for an answer
                    raise
                answers += [error] * len(half)
        return answers

    async def _attempt(
        self, account_id: int, batch: Sequence[Item], *, keep: bool, closing: Closing | None
    ) -> list[Answer]:
        ids: deque[int] = deque()
        ws = WorkingSet(account_id, batch[0][1], ids.popleft, self.digest)
        commands = [command for command, _, _ in batch]
        repeats = Repeats(account_id, commands)
        async with transaction(self.database) as tx:
            loader = Loader(tx, ws, self.digest, self.rules.readers)
            watched = await self._load(tx, loader, batch, repeats)
            reserved = [self._ids.popleft() for _ in range(_ids_for(commands))]
            ids.extend(reserved)
            answers: list[Answer] = []
            for place, (command, settings, _) in enumerate(batch, 1):
                ws.settings = settings
                answers.append(await self._decide(loader, command, repeats))
                if closing is None and place % AT_A_STRETCH == 0:
                    await asyncio.sleep(0)
            at = commands[-1].origin.at
            first = difference(ws, at)
            # Before what comes after: an erase of this batch takes stored answers along.
            then = [*repeats.changes(), *self.rules.after(ws, self.digest, at)]
            if (first or then) and self._watch is not None:
                then += await self._watch.changes(tx, ws, watched, at)
            if closing is not None:
                # Most of the work, on what is locked or named by this batch alone: it need not wait for
                # the turn that `closing` may wait for.
                if first:
                    await tx.run(*first)
                    first = []
                then += await closing(list(zip(commands, answers, strict=True)))
            calls = [*first, *then]
            if keep and calls:
                await tx.commit(*calls)
            elif calls:
                await tx.run(*calls)
        # What is left, or all of a rehearsal: it uses nothing up (decisions D27).
        self._ids.extendleft(reversed(ids if keep else reserved))
        return answers

    async def _load(
        self, tx: Transaction, loader: Loader, batch: Sequence[Item], repeats: Repeats
    ) -> list[list[Row]]:
        """Everything that the commands name, and ids for as many new cards as they may make.

        What the watch reads comes back.
        """
        commands = [command for command, _, _ in batch]
        ids = _ids_for(commands)
        blocks = 0
        while len(self._ids) + blocks * IDS_IN_A_BLOCK < ids:
            blocks += 1
        watched = [] if self._watch is None else self._watch.reads(loader.ws.account_id)
        extra = [*watched, *repeats.calls(), *[(QUERIES["next_contact_ids"], {})] * blocks]
        facts = [fact for command in commands for fact in self.rules.facts(command)]
        enough = [self.rules.enough(command) for command in commands]
        if None in enough:
            rows = await loader.first([wanted for _, _, wanted in batch], *extra, facts=facts)
        else:
            rows = await loader.first([], *extra, facts=[*facts, *enough])  # type: ignore[list-item]
            rest = [
                wanted
                for fact, (_, _, wanted) in zip(enough, batch, strict=True)
                if loader.ws.known_fact(*fact) is None  # type: ignore[misc]
            ]
            if rest:
                await loader.first(rest)
        read, rows = rows[: len(watched)], rows[len(watched) :]
        repeats.load(rows)
        self._take_ids(rows[len(rows) - blocks :])
        while len(self._ids) < ids:  # another account's batch was quicker
            self._take_ids(await tx.run((QUERIES["next_contact_ids"], {})))
        return read

    def _take_ids(self, blocks: list[list[tuple[Any, ...]]]) -> None:
        for ((first,),) in blocks:
            self._ids.extend(range(first, first + IDS_IN_A_BLOCK))

    async def _decide(self, loader: Loader, command: Command, repeats: Repeats) -> Answer:
        """The stored answer to a repeated command, else what the rules say."""
        if command.repeat is None:
            return await decide_one(self.rules, loader, command)
        try:
            if earlier := repeats.earlier(command):
                return earlier
        except KartotekaError as error:
            return error
        answer = await decide_one(self.rules, loader, command)
        if isinstance(answer, Outcome):
            repeats.remember(command, answer)
        return answer


def _ids_for(commands: Sequence[Command]) -> int:
    return sum(command.new_ids for command in commands)


def _name(command: Command) -> str:
    return type(command).__name__
