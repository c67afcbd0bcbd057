"""Questions about conditions that change nothing: how many, who for instance, and why this contact."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from kartoteka.clock import Clock
from kartoteka.contacts.definitions import Definitions
from kartoteka.db.database import Database
from kartoteka.db.failures import BUSY
from kartoteka.errors import DatabaseUnavailable, NotFound
from kartoteka.segments.actions import SegmentActions
from kartoteka.segments.conditions.base import Sql, Test
from kartoteka.segments.conditions.membership import InSegment
from kartoteka.segments.conditions.tree import (
    Asked,
    Joined,
    Not,
    both_sides,
    in_words,
    read_stored,
)
from kartoteka.segments.drafts import context_of, read_sides
from kartoteka.segments.evaluating import fragments
from kartoteka.segments.model import Stored
from kartoteka.segments.store import count_query

ESTIMATE_S = 3.0
"""So long an estimate should take, beside the count that it stands for."""
SAMPLES = 40
FEWEST_ROWS, MOST_ROWS = 5, 500
"""When the time is up, the count is estimated from stretches of so many contacts all over the account."""


class Preview(msgspec.Struct, frozen=True):
    """What a segment of these conditions would be."""

    description: str
    count: int
    is_exact: bool
    ids: list[int]


class Asking:
    """One for each process."""

    def __init__(
        self, database: Database, clock: Clock, definitions: Definitions, actions: SegmentActions
    ) -> None:
        self._database = database
        self._clock = clock
        self._definitions = definitions
        self._actions = actions

    async def preview(
        self, account_id: int, body: Mapping[str, Any], rows: int, within_s: float
    ) -> Preview:
        """How many contacts these conditions hold for, and the first of them.

        What is not counted in that time is estimated. Cancelling the task cancels the statement.
        Raises `InvalidCondition`.
        """
        fields = await self._definitions.read(account_id)
        zone = await self._actions.zone(account_id)
        context = context_of(fields, await self._actions.nameable(account_id), zone)
        include, exclude = read_sides(body, context)
        words = in_words(include.describe(), None if exclude is None else exclude.describe())
        test = both_sides(include, exclude)
        count, is_exact = await self._count(account_id, test, within_s)
        ids = await self._first(account_id, test, rows, within_s)
        return Preview(words, count, is_exact, ids)

    async def _count(self, account_id: int, test: Test, within_s: float) -> tuple[int, bool]:
        sql = fragments(test)
        params = {**sql.params, "account_id": account_id, "now": self._clock.now()}
        found = await self._within(count_query(sql.holds).sql, params, within_s)
        if found is not None:
            return found[0][0], True
        return await self._estimate(sql.holds, params, within_s), False

    async def _estimate(self, holds: str, params: dict[str, Any], within_s: float) -> int:
        """From short stretches of contact ids, spread evenly; longer ones where that is quick."""
        started = time.monotonic()
        found = await self._sample(holds, params, FEWEST_ROWS, within_s + 2 * ESTIMATE_S)
        if found is None:
            raise DatabaseUnavailable("The database is too busy to count; try again in a moment.")
        rows = int(FEWEST_ROWS * ESTIMATE_S / (2 * (time.monotonic() - started)))
        if rows >= 2 * FEWEST_ROWS:
            better = await self._sample(holds, params, min(rows, MOST_ROWS), ESTIMATE_S)
            found = found if better is None else better
        many, seen, held = found
        return many * held // max(seen, 1)

    async def _sample(
        self, holds: str, params: dict[str, Any], rows: int, within_s: float
    ) -> tuple[int, int, int] | None:
        """(contacts, how many of them were looked at, for how many of these it holds)."""
        sample = (
            "with span as (\n"
            "    select min(contact_id) as low, max(contact_id) as high, count(*) as many\n"
            "    from contact where account_id = %(account_id)s::integer\n"
            "), part as materialized (\n"
            f"    select s.many, x.* from span s, generate_series(0, {SAMPLES - 1}) as n\n"
            "    cross join lateral (\n"
            "        select * from contact\n"
            "        where account_id = %(account_id)s::integer\n"
            f"          and contact_id >= s.low + (s.high - s.low) * n / {SAMPLES}\n"
            f"        order by contact_id limit {int(rows)}\n"
            "    ) x\n)\n"
            "select coalesce(max(c.many), 0), count(*),\n"
            f"       count(*) filter (where c.status = 0 and {holds})\n"
            "from part c"
        )
        found = await self._within(sample, params, within_s)
        if found is None:
            return None
        many, seen, held = found[0]
        return int(many), int(seen), int(held)

    async def _first(self, account_id: int, test: Test, rows: int, within_s: float) -> list[int]:
        if not rows:
            return []
        sql = fragments(test)
        page = count_query(sql.holds).sql.replace("select count(*)", "select c.contact_id", 1)
        page += f"\norder by c.contact_id\nlimit {int(rows)}"
        params = {**sql.params, "account_id": account_id, "now": self._clock.now()}
        found = await self._within(page, params, within_s)
        return [] if found is None else [contact_id for (contact_id,) in found]

    async def _within(
        self, sql: str, params: dict[str, Any], within_s: float
    ) -> list[tuple[Any, ...]] | None:
        """The rows, None when the database needs longer."""
        async with self._database.connection() as connection:
            await connection.execute(f"set statement_timeout = {max(int(within_s * 1000), 1)}")
            try:
                # Planned for these very values: a count of a million is worth it.
                return await (await connection.execute(sql, params, prepare=False)).fetchall()
            except BUSY:
                return None
            finally:
                await connection.execute("reset statement_timeout")

    async def why(self, account_id: int, stored: Stored, contact_id: int) -> dict[str, Any]:
        """Which conditions hold for a contact and which do not, with the values that they look at.

        Of the version that serves. Raises `NotFound`.
        """
        resolved = stored.serving or stored.resolved
        assert resolved is not None
        test = read_stored(resolved)
        sql, asked = Sql(), [_STATUS, _SINCE]
        tree = _asked(test, sql, asked)
        statement = (
            f"select {', '.join(asked)}\nfrom contact c\n"
            "where c.account_id = %(account_id)s::integer\n"
            "  and c.contact_id = %(contact_id)s::bigint"
        )
        row = await self._database.fetch_one(
            statement,
            **sql.params,
            account_id=account_id,
            contact_id=contact_id,
            version_id=stored.version_id,
            now=self._clock.now(),
        )
        if row is None:
            raise NotFound("Contact not found: no contact has this id.")
        status, since = row[0], row[1]
        answer = _answered(tree, row)
        return {
            "contactId": contact_id,
            "member": status == 0 and answer["holds"],
            "isLive": status == 0,
            "since": _moment(since),
            "why": answer,
        }


_STATUS = "c.status"
_SINCE = (
    "(select m.since from segment_match m where m.account_id = %(account_id)s::integer "
    "and m.version_id = %(version_id)s::bigint and m.contact_id = c.contact_id)"
)


def _asked(test: Test, sql: Sql, columns: list[str]) -> dict[str, Any]:
    """The tree with the places of its answers in the row."""
    columns.append(test.to_sql(sql))
    node: dict[str, Any] = {"holds": len(columns) - 1, "text": test.describe()}
    if isinstance(test, Joined):
        word = "all" if test.is_all else "any"
        node[word] = [_asked(part, sql, columns) for part in test.parts]
    elif isinstance(test, Not):
        node["not"] = _asked(test.part, sql, columns)
    elif isinstance(test, InSegment):
        node["segment"] = _asked(test.tree, sql, columns)
    elif isinstance(test, Asked):
        columns.append(f"to_jsonb({test.source.sql(sql)})")
        node["value"] = (len(columns) - 1, test.source)
    return node


def _answered(node: dict[str, Any], row: tuple[Any, ...]) -> dict[str, Any]:
    answer: dict[str, Any] = {"holds": row[node["holds"]], "text": node["text"]}
    for word in ("all", "any"):
        if word in node:
            answer[word] = [_answered(part, row) for part in node[word]]
    for word in ("not", "segment"):
        if word in node:
            answer[word] = _answered(node[word], row)
    if "value" in node:
        place, source = node["value"]
        words = {value: word for word, value in source.choices.items()}
        value = row[place]
        answer["value"] = words.get(value, value) if source.choices else value
    return answer


def _moment(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
