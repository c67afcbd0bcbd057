"""Reads segments and their members, a page at a time (wire 3.14)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from kartoteka.db.database import Database, Row
from kartoteka.db.named import Query, load_queries
from kartoteka.segments.conditions.membership import MAX_ID
from kartoteka.segments.evaluating import version_of
from kartoteka.segments.model import (
    Kind,
    Segment,
    SegmentNotFound,
    SegmentType,
    State,
    Stored,
)

QUERIES = load_queries(__package__)
READING = load_queries(__package__, "reading.sql")
ROWS_IN_A_PART = 10_000
"""Emptying takes so many members off in one transaction: some 50 ms."""


class Flip(msgspec.Struct, frozen=True, rename="camel"):
    """That a contact entered or left a segment."""

    id: int
    at: datetime
    event: str
    contact_id: int


class Day(msgspec.Struct, frozen=True):
    """How many entered and left on one day (UTC)."""

    day: str
    entered: int
    left: int


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
        _check_id(segment_id)
        asked = {"account_id": account_id, "segment_id": segment_id}
        row = await self._database.fetch_one(QUERIES["segment"], **asked)
        if row is None:
            raise SegmentNotFound
        return Segment(row[0], row[1], SegmentType(row[2]))

    async def stored(self, account_id: int, segment_id: int) -> Stored:
        """The segment with its definition. Raises `SegmentNotFound`."""
        _check_id(segment_id)
        found, _ = await self.search(account_id, "", 0, 1, segment_id=segment_id)
        if not found:
            raise SegmentNotFound
        return found[0]

    async def search(
        self,
        account_id: int,
        text: str,
        skip: int,
        rows: int,
        *,
        segment_id: int | None = None,
        type_: SegmentType | None = None,
    ) -> tuple[list[Stored], int]:
        """(one page by id, how many there are): the text is in the name, a tag, or the id (wire 8.1)."""
        asked = {"account_id": account_id, "text": text, "segment_id": segment_id, "type": type_}
        found = await self._database.fetch(
            READING["stored_segments"], **asked, skip=skip, rows=rows
        )
        if not found and skip:
            first = await self._database.fetch(READING["stored_segments"], **asked, skip=0, rows=1)
            return [], first[0][-1] if first else 0
        return [_stored(row) for row in found], found[0][-1] if found else 0

    async def count(self, account_id: int, stored: Stored) -> int:
        """How many live contacts are in it now."""
        asked = {"account_id": account_id, "segment_id": stored.id}
        if stored.type is SegmentType.STATIC:
            return await self._count(QUERIES["count_members"], **asked)
        if stored.version_id is not None:
            return await self._count(
                READING["count_matches"], account_id=account_id, version_id=stored.version_id
            )
        if stored.resolved is None:
            return 0
        return await self._count(*_counted(account_id, stored))

    async def matches(
        self,
        account_id: int,
        stored: Stored,
        skip: int,
        rows: int,
        *,
        by_time: bool = False,
        ascending: bool = True,
    ) -> tuple[list[int], int]:
        """`members` of a segment with conditions: as exact while it is filled, only slower."""
        if stored.version_id is None:
            return await self._evaluated(account_id, stored, skip, rows, ascending=ascending)
        asked = {"account_id": account_id, "version_id": stored.version_id}
        name = "match_page_by_time" if by_time else "match_page"
        query = READING[name if ascending else f"{name}_descending"]
        found = await self._database.fetch(query, **asked, skip=skip, rows=rows)
        ids = [contact_id for (contact_id,) in found]
        if len(ids) < rows and (ids or not skip):
            return ids, skip + len(ids)
        return ids, await self._count(READING["count_matches"], **asked)

    async def _evaluated(
        self, account_id: int, stored: Stored, skip: int, rows: int, *, ascending: bool
    ) -> tuple[list[int], int]:
        if stored.resolved is None:
            return [], 0
        count, params = _counted(account_id, stored)
        order = "c.contact_id" if ascending else "c.contact_id desc"
        page = count.sql.replace("select count(*)", "select c.contact_id", 1)
        page += f"\norder by {order}\nlimit {int(rows)} offset {int(skip)}"
        found = await self._database.fetch(page, **params)
        return [contact_id for (contact_id,) in found], await self._count(count, **params)

    async def flips(
        self,
        account_id: int,
        segment_id: int,
        *,
        begin: datetime,
        end: datetime,
        skip: int,
        rows: int,
        contact_id: int | None = None,
    ) -> tuple[list[Flip], int]:
        """(one page, how many there are): who entered and left between two moments, by time."""
        name = "happenings" if contact_id is None else "happenings_of_contact"
        asked: dict[str, Any] = {
            "account_id": account_id,
            "segment_id": segment_id,
            "begin": begin,
            "end": end,
        }
        if contact_id is not None:
            asked["contact_id"] = contact_id
        found = await self._database.fetch(READING[name], **asked, skip=skip, rows=rows)
        flips = _flips(found)
        if len(flips) < rows and (flips or not skip):  # the last page says how many there are
            return flips, skip + len(flips)
        return flips, await self._count(READING[f"count_{name}"], **asked)

    async def latest_flips(self, account_id: int, segment_id: int, rows: int) -> list[Flip]:
        """Who entered and left last, the latest first."""
        return _flips(
            await self._database.fetch(
                READING["latest_happenings"],
                account_id=account_id,
                segment_id=segment_id,
                rows=rows,
            )
        )

    async def growth(self, account_id: int, segment_id: int, begin: datetime) -> list[Day]:
        """Days since then on which somebody entered or left."""
        found = await self._database.fetch(
            READING["growth"], account_id=account_id, segment_id=segment_id, begin=begin
        )
        return [Day(day.date().isoformat(), came, went) for day, came, went in found]

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

    async def _count(self, query: Query, /, *params: dict[str, Any], **asked: Any) -> int:
        for more in params:
            asked.update(more)
        row = await self._database.fetch_one(query, **asked)
        return 0 if row is None else int(row[0])


def _stored(row: Row) -> Stored:
    (id_, name, type_, purpose, tags, created_at, leaving, version_id, condition, exclude) = row[
        :10
    ]
    resolved, state, newest_id, seen, expected, filled_at, serving, _ = row[10:]
    return Stored(
        id=id_,
        name=name,
        type=SegmentType(type_),
        purpose=purpose,
        tags=tuple(tags),
        created_at=created_at,
        leaving=leaving,
        version_id=version_id,
        condition=condition,
        exclude=exclude,
        resolved=resolved,
        state=None if state is None else State(state),
        newest_id=newest_id,
        seen=seen or 0,
        expected=expected or 0,
        filled_at=filled_at,
        serving=serving,
    )


def _check_id(segment_id: int) -> None:
    """Raises `SegmentNotFound` for a number that the column cannot hold."""
    if segment_id > MAX_ID:
        raise SegmentNotFound


def _flips(rows: list[Row]) -> list[Flip]:
    return [Flip(id_, at, Kind(kind).name.lower(), who) for id_, at, kind, who in rows]


def _counted(account_id: int, stored: Stored) -> tuple[Query, dict[str, Any]]:
    """The count of who its conditions hold, whatever is filled."""
    assert stored.resolved is not None
    version = version_of(account_id, 0, stored.id, State.FILLING, stored.resolved)
    return count_query(version.sql.holds), version.params(now=datetime.now(UTC))


def count_query(holds: str) -> Query:
    """How many live contacts that holds for."""
    sql = (
        "select count(*)\nfrom contact c\nwhere c.account_id = %(account_id)s::integer\n"
        f"  and c.status = 0\n  and {holds}"
    )
    return Query("count_held", sql, "")
