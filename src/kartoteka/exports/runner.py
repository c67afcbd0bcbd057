"""Carries exports out in the jobs process: finds what is due, and takes a turn of its lane.

After a kill anywhere the next runner takes the run over at once. What the target has stands in the
target.
"""

from __future__ import annotations

import asyncio

import msgspec

from kartoteka.clock import Clock
from kartoteka.db.database import Database
from kartoteka.db.lock import Lock
from kartoteka.exports.errors import ExportNotFound
from kartoteka.exports.model import Export, State
from kartoteka.exports.store import QUERIES, Exports
from kartoteka.exports.turn import Turn
from kartoteka.jobs.lanes import Lanes

LANES = 0x6B657870
"""Family of the lanes' advisory locks."""
MOST_LANES = 2


class Lane(msgspec.Struct, frozen=True):
    """The runs of one export, one after the other."""

    account_id: int
    export_id: int


class Runner:
    """One for each jobs process."""

    def __init__(
        self, *, database: Database, leases: Database, exports: Exports, clock: Clock
    ) -> None:
        """`leases` has the connections that hold lanes and listen."""
        self._database = database
        self._exports = exports
        self._clock = clock
        self._lanes = Lanes(
            "exports",
            leases,
            family=LANES,
            number=lambda lane: lane.export_id & 0x7FFF_FFFF,
            due=self._due_lanes,
            has_room=lambda under_way, _: len(under_way) < MOST_LANES,
            take_turn=self._take_turn,
        )

    async def run(self, stopping: asyncio.Event) -> None:
        """Carry exports out until told to stop; a run under way is left for the next process."""
        await self._lanes.run(stopping)

    async def _due_lanes(self) -> list[Lane]:
        rows = await self._database.fetch(QUERIES["due_exports"], now=self._clock.now())
        return [Lane(account_id, export_id) for account_id, export_id, _ in rows]

    async def _take_turn(self, lane: Lane, lock: Lock) -> bool:
        """One run; False when nothing is to be done."""
        try:
            one = await self._exports.find(lane.account_id, lane.export_id)
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
        turn = Turn(
            one,
            run_id,
            attempts,
            full=full,
            database=self._database,
            exports=self._exports,
            clock=self._clock,
            stopping=self._lanes.stopping,
        )
        await turn.take(lock)
        return True
