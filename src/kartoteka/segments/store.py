"""Reads segments and their members, a page at a time (wire 3.14)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from kartoteka.db.database import Database
from kartoteka.db.named import Query, load_queries
from kartoteka.segments.model import Segment, SegmentNotFound, SegmentType

QUERIES = load_queries(__package__)
ROWS_IN_A_PART = 10_000
"""Emptying takes so many members off in one transaction: some 50 ms."""


class Segments:
    """The segments of all accounts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def named(
        self, account_id: int, name: str, skip: int, rows: int
    ) -> tuple[list[Segment], int]:
        """(one page, how many there are) of those whose name contains `name` in any case.

        Those that are called so come first, then by id; every name contains the empty one.
        """
        asked = {"account_id": account_id, "name": name}
        found = await self._database.fetch(QUERIES["segments"], **asked, skip=skip, rows=rows)
        if found:
            return [Segment(one, name, SegmentType(kind)) for one, name, kind, _ in found], found[
                0
            ][3]
        return [], await self._count(QUERIES["count_segments"], **asked)

    async def find(self, account_id: int, segment_id: int) -> Segment:
        """The segment of that id. Raises `SegmentNotFound`."""
        asked = {"account_id": account_id, "segment_id": segment_id}
        row = await self._database.fetch_one(QUERIES["segment"], **asked)
        if row is None:
            raise SegmentNotFound
        return Segment(row[0], row[1], SegmentType(row[2]))

    async def make_list(self, account_id: int, name: str, at: datetime) -> int:
        """The id of the list of that name, made if there is none."""
        row = await self._database.fetch_one(
            QUERIES["make_list"], account_id=account_id, name=name, at=at
        )
        assert row is not None
        return int(row[0])

    async def members(
        self,
        account_id: int,
        segment_id: int,
        skip: int,
        rows: int,
        *,
        by_time: bool = False,
        ascending: bool = True,
    ) -> tuple[list[int], int]:
        """(ids of one page of live contacts, how many there are): by id, or by when they joined."""
        asked = {"account_id": account_id, "segment_id": segment_id}
        name = "members_by_time" if by_time else "members_by_id"
        query = QUERIES[name if ascending else f"{name}_descending"]
        found = await self._database.fetch(query, **asked, skip=skip, rows=rows)
        ids = [contact_id for (contact_id,) in found]
        if len(ids) < rows and (ids or not skip):  # the last page says how many there are
            return ids, skip + len(ids)
        return ids, await self._count(QUERIES["count_members"], **asked)

    async def part(self, account_id: int, segment_id: int, after: int) -> int | None:
        """The last contact id of the members that follow `after`, up to ROWS_IN_A_PART; None: none do.

        Members of any status: what emptying a list takes off in one go.
        """
        asked = {"account_id": account_id, "segment_id": segment_id, "after": after}
        row = await self._database.fetch_one(
            QUERIES["part_of_members"], **asked, rows=ROWS_IN_A_PART
        )
        return None if row is None else row[0]

    async def _count(self, query: Query, **asked: Any) -> int:
        row = await self._database.fetch_one(query, **asked)
        return 0 if row is None else int(row[0])
